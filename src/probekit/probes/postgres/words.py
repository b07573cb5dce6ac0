"""How is what a server says put into a sentence?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_LONGEST: Final = 160  # characters of what a server says
_NAMED: Final = 5  # things of a kind that one sentence names


def plain(text: str) -> str:
    """One line without anything that a terminal would obey, cut to what a sentence can hold."""
    line = "".join(c if c.isprintable() else " " if c.isspace() else repr(c)[1:-1] for c in text.strip())
    line = " ".join(line.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def dotted(*names: str) -> str:
    """A name in its schema."""
    return plain(".".join(names))


def listed(things: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(things) - _NAMED
    return ", ".join(things[:_NAMED]) + (f" and {more} more" if more > 0 else "")
