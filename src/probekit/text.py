"""What a target says is hostile text: what a reader sees must be what is there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from textwrap import wrap
from typing import Final

# Printable by category and yet nothing to see: joiners, fillers, variation selectors (UAX 44, Default_Ignorable).
_UNSEEN: Final = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)

LONGEST_LINE: Final = 200  # characters of a name, a contact or a reason


def escape(text: str) -> str:
    """The text on one line, with everything that hides, moves or recolours other text written out."""
    if text.isprintable() and not _UNSEEN.search(text):
        return text
    return "".join(_written_out(character) for character in text)


def one_line_problem(text: str) -> str | None:
    """What keeps a text from standing in a report as one line of a person's own words; None where nothing does."""
    if not text.strip():
        return "is blank"
    if len(text) > LONGEST_LINE:
        return f"has {len(text)} characters, and may have {LONGEST_LINE}"
    return None if escape(text) == text else "is not one line of printable characters"


def _written_out(character: str) -> str:
    """Itself, or its code: controls, line breaks, bidi and zero-width marks and surrogates are not printable."""
    if character.isprintable() and not _UNSEEN.match(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if character.isascii() else f"\\u{code:04x}"


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


def shortened(text: str, width: int) -> str:
    """Return the text, cut to one line of that many columns."""
    return text if len(text) <= width else f"{text[: max(width - 3, 0)]}..."


def words(name: str) -> str:
    """A stable word as a person reads it."""
    return name.replace("_", " ")


def moment(time: datetime) -> str:
    """A time as a person reads it, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def minute(time: datetime) -> str:
    """Return the minute of a time in UTC, for a column that says so."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"
