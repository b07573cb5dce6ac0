"""Texts of a server, made safe and short for a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_LONGEST: Final = 160  # characters of a server's text
_NAMED: Final = 5  # entries that one sentence names


def plain(text: str) -> str:
    """Return a text as one line without control characters, cut to `_LONGEST`."""
    line = "".join(c if c.isprintable() else " " if c.isspace() else repr(c)[1:-1] for c in text.strip())
    line = " ".join(line.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def dotted(*names: str) -> str:
    """Return a name qualified by its schema."""
    return plain(".".join(names))


def listed(things: Sequence[str]) -> str:
    """Return the first entries, and how many more there are."""
    more = len(things) - _NAMED
    return ", ".join(things[:_NAMED]) + (f" and {more} more" if more > 0 else "")
