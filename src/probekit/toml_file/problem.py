"""The message for a mistake in a file: one line with file, line, key, what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

_LONGEST: Final = 200  # characters of the written text that a message repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """One mistake in a file: its place, what was found, what was expected, what to do."""

    file: Path
    line: int | None
    key: str
    found: str
    expected: str  # empty where `found` is enough
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else str(self.file)
        key = f"{_short(self.key)}: " if self.key else ""
        expected = f", expected {self.expected}" if self.expected else ""
        hint = f"; {self.hint.removeprefix('; ')}" if self.hint else ""
        return _printable(f"{where}: {key}{_short(self.found)}{expected}{hint}")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _printable(line: str) -> str:
    """The line with control characters escaped, which a quoted key may contain."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)


class ConfigError(Exception):
    """A file has mistakes and cannot be used."""

    def __init__(self, problems: Iterable[FileProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` with the most similar known word, or an empty text."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1)
    return f"; did you mean '{by_lower[close[0]]}'?" if close else ""
