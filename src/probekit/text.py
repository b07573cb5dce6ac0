"""Escape and format texts for a terminal; texts of a target are untrusted."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

# Printable by category but invisible: joiners, fillers, variation selectors (UAX 44, Default_Ignorable).
_UNSEEN: Final = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)

_COMMAND: Final = "##["
_WORD: Final = re.compile(r"( *+)([^ ]++)")  # an escaped text has no other white space
_CUT: Final = "..."

LONGEST_LINE: Final = 200  # characters of a name, a contact or a reason


def escape(text: str) -> str:
    """The text on one line, with invisible and control characters escaped.

    The runner of GitHub Actions takes `##[` anywhere in a line for the beginning of a command, so that is broken too.
    """
    if _COMMAND in text:
        text = text.replace(_COMMAND, r"#\x23[")
    if text.isprintable() and not _UNSEEN.search(text):
        return text
    return "".join(_written_out(character) for character in text)


def inert_json(text: str) -> str:
    """The JSON text with the same values in which none is a command for the runner of GitHub Actions."""
    return text.replace(_COMMAND, r"\u0023#[")


def _inert(word: str) -> str:
    """The first word of a line: `::` there begins a command for the runner of GitHub Actions."""
    return rf"\x3a{word[1:]}" if word.startswith("::") else word


def one_line_problem(text: str) -> str | None:
    """The reason why a text is not valid as one line of a report; None where it is valid."""
    if not text.strip():
        return "is blank"
    if len(text) > LONGEST_LINE:
        return f"has {len(text)} characters, at most {LONGEST_LINE} are allowed"
    return None if escape(text) == text else "is not one line of printable characters"


def _written_out(character: str) -> str:
    """The character or its escape: controls, line breaks, bidi and zero-width marks and surrogates are escaped."""
    if character.isprintable() and not _UNSEEN.match(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if character.isascii() else f"\\u{code:04x}"


def columns(text: str) -> int:
    """Return the terminal columns of a text: two for a wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415  # only for non-ASCII text

    return cell_len(text)


def paragraph(text: str, *, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """The escaped text, wrapped between words; only a word longer than the line exceeds the width."""
    lines: list[str] = []
    line, used = indent, columns(indent)
    is_empty = True
    for gap, word in _WORD.findall(escape(text)):
        more = len(gap) + columns(word)
        if not is_empty and used + more > width:
            lines.append(line)
            line = (indent if hanging is None else hanging) + _inert(word)
            used = columns(line)
        else:
            line += gap + (_inert(word) if is_empty else word)
            used += more
        is_empty = False
    return lines if is_empty else [*lines, line]


def shortened(text: str, width: int) -> str:
    """Return the text, cut to that many columns."""
    if columns(text) <= width:
        return text
    kept = text[: max(width - len(_CUT), 0)]
    while columns(kept) > max(width - len(_CUT), 0):
        kept = kept[:-1]
    return (kept + _CUT)[: max(width, 0)]


def words(name: str) -> str:
    """An identifier with spaces for underscores."""
    return name.replace("_", " ")


def moment(time: datetime) -> str:
    """A time in UTC with seconds."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def minute(time: datetime) -> str:
    """A time in UTC to the minute, for a column whose title states UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"
