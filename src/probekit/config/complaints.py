"""Collect the mistakes in a configuration, each with its file and line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from probekit.config.origins import Origins
from probekit.toml_file import ConfigError, FileProblem, Mistake, mistakes

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_OF_THE_FILE: Final = ("include", "checklist")  # top-level keys
Keys = Sequence[str | int]


@dataclass(frozen=True, kw_only=True)
class Complaints:
    """Collects the mistakes in a configuration."""

    origins: Origins
    found: list[FileProblem] = field(default_factory=list)

    def __call__(self, keys: Keys, found: str, expected: str, hint: str = "") -> None:
        """Add one: its keys, what was found, what is expected, and a hint."""
        self.found.append(self.origins.problem(keys, found, expected, hint))

    def of_model(self, error: ValidationError, model: type[BaseModel], keys: Keys) -> None:
        """Add all that pydantic found in the table at those keys, described by the model, in the order of the files."""
        problems = [
            self.origins.problem(one.keys, one.found, one.expected, _misplaced(one) or one.hint)
            for one in mistakes(error, model, keys)
        ]
        self.found.extend(sorted(problems, key=lambda problem: (str(problem.file), problem.line or 0)))

    def written(self, keys: Keys) -> str:
        """The keys as the user wrote them, possibly in an inherited table."""
        return self.origins.of(keys).name

    def stop(self) -> None:
        """Raise all mistakes, each once, if there are any.

        Raises:
            ConfigError: there are mistakes.
        """
        if self.found:
            raise ConfigError(tuple(dict.fromkeys(self.found)))


def _misplaced(mistake: Mistake) -> str:
    """The hint for a top-level key inside a table; empty for any other mistake."""
    key = mistake.keys[-1] if len(mistake.keys) > 1 else ""
    return f"write '{key}' before the first table of the file" if key in _OF_THE_FILE else ""
