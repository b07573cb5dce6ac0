"""Write a text of any origin on one line of limited length."""

from __future__ import annotations

from typing import Final

from probekit.text import escape

_CUT: Final = "..."


def bounded(text: str, most: int) -> str:
    """Return the text with visible escapes in at most that many characters, and how many it has beyond them."""
    kept = text[:most]
    while len(written := escape(kept)) > most:
        kept = kept[: len(kept) * most // len(written)]
    more = len(text) - len(kept)
    return f"{written}{_CUT} ({more:,} more characters)" if more else written


def cut(text: str, most: int) -> str:
    """Return the text with visible escapes in at most that many characters, with dots where it was longer."""
    line = escape(text[: most + 1]).strip()
    return line if len(line) <= most else line[: max(most - len(_CUT), 0)] + _CUT
