"""Collect what does not fit in a configuration, each with its file and line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from probekit.config.origins import Origins
from probekit.toml_file import ConfigError, FileProblem, Mistake, mistakes

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_OF_THE_FILE: Final = ("include", "checklist")  # keys that belong to no table
Keys = Sequence[str | int]


@dataclass(frozen=True, kw_only=True)
class Complaints:
    """Keeps everything in a configuration that does not fit."""

    origins: Origins
    found: list[FileProblem] = field(default_factory=list)

    def __call__(self, keys: Keys, found: str, expected: str, hint: str = "") -> None:
        """Keep one: where it stands, what was found, what is expected, and a hint."""
        self.found.append(self.origins.problem(keys, found, expected, hint))

    def of_model(self, error: ValidationError, model: type[BaseModel], keys: Keys) -> None:
        """Keep all that pydantic found in the table at those keys, which the model describes; in the files' order."""
        problems = [
            self.origins.problem(one.keys, one.found, one.expected, _misplaced(one) or one.hint)
            for one in mistakes(error, model, keys)
        ]
        self.found.extend(sorted(problems, key=lambda problem: (str(problem.file), problem.line or 0)))

    def written(self, keys: Keys) -> str:
        """The keys as the user wrote them, which may be those of another table that was inherited."""
        return self.origins.of(keys).name

    def stop(self) -> None:
        """Raise what was kept, each once, if anything was.

        Raises:
            ConfigError: something does not fit.
        """
        if self.found:
            raise ConfigError(tuple(dict.fromkeys(self.found)))


def _misplaced(mistake: Mistake) -> str:
    """What to do about a key of the file that stands in a table; nothing of any other mistake."""
    key = mistake.keys[-1] if len(mistake.keys) > 1 else ""
    return f"'{key}' stands before the first table of a file" if key in _OF_THE_FILE else ""
