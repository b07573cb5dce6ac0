"""Keep the parts of a Markdown report within a number of characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from probekit.model.numbers import count

MOST: Final = 65_000  # characters of a report; a body of GitHub's has at most 65,536
_COUNT: Final = 100  # characters that the last line with a count may take


def whole(lines: Iterable[str], most: int) -> list[str] | None:
    """Return all lines if they fit in that many characters; none is read after the first that does not."""
    found, used = [], 0
    for line in lines:
        used += len(line) + 1
        if used > most:
            return None
        found.append(line)
    return found


def limited(lines: Sequence[str], most: int, what: str) -> list[str]:
    """Return the first lines that fit in that many characters, and a last one that counts the others."""
    if (found := whole(lines, most)) is not None:
        return found
    kept, used = 0, _COUNT
    while used + len(lines[kept]) < most:
        used += len(lines[kept]) + 1
        kept += 1
    return [*lines[:kept], f"- and {count(len(lines) - kept, what)} more: see the JSON report"]
