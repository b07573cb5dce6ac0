"""How is a mistake in a file told? In one line that says where, what, what instead, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

_LONGEST: Final = 200  # characters that are repeated of what was written


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """One mistake: where it is, what was found, what was expected, what to do."""

    file: Path
    line: int | None
    key: str
    found: str
    expected: str  # empty where `found` says it all
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
    """Without the line feeds and control characters that a quoted key may hold."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)


class ConfigError(Exception):
    """A file cannot be used as it stands."""

    def __init__(self, problems: Iterable[FileProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the known word that is most like this one, else nothing: the end of a sentence."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1)
    return f"; did you mean '{by_lower[close[0]]}'?" if close else ""
