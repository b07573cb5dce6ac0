"""Write a text of any origin on one line of limited length."""

from __future__ import annotations

from typing import Final

from probekit.text import escape

_CUT: Final = "..."


def bounded(text: str, most: int) -> str:
    """Return the text with visible escapes, cut to about `most` characters, with the number of those left out."""
    if len(text) <= most:
        return escape(text)
    return f"{escape(text[:most])}... ({len(text) - most:,} more characters)"


def cut(text: str, most: int) -> str:
    """Return the text with visible escapes in at most that many characters, with dots where it was longer."""
    line = escape(text[: most + 1]).strip()
    return line if len(line) <= most else line[: max(most - len(_CUT), 0)] + _CUT
