"""What a target says is hostile text: what a reader sees must be what is there."""

from __future__ import annotations

import unicodedata
from textwrap import wrap
from typing import Final

_HIDDEN: Final = (
    "Cc",
    "Cf",
    "Cs",
    "Co",
    "Cn",
    "Zl",
    "Zp",
)  # controls, bidi and zero-width marks, surrogates, line breaks


def escape(text: str) -> str:
    """The text on one line, with everything that hides, moves or recolours other text written out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_written_out(character) for character in text)


def _written_out(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    return (
        character.encode("ascii", "backslashreplace").decode() if ord(character) > 0x7F else f"\\x{ord(character):02x}"
    )  # noqa: PLR2004  # ASCII ends there


def paragraph(text: str, *, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """The escaped text, wrapped by words; only a word longer than the line makes a longer line."""
    return wrap(
        escape(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
