"""Collect what does not fit in a configuration, each with its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from probekit.toml_file import FileProblem, line_of, problems

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

Keys = Sequence[str | int]


@dataclass(frozen=True, kw_only=True)
class Complaints:
    """Keeps everything in one file that does not fit."""

    path: Path
    text: str
    found: list[FileProblem] = field(default_factory=list)

    def __call__(self, keys: Keys, found: str, expected: str, hint: str = "") -> None:
        """Keep one: where it stands, what was found, what is expected, and a hint."""
        line = line_of(self.text, keys)
        key = ".".join(str(part) for part in keys)
        self.found.append(FileProblem(file=self.path, line=line, key=key, found=found, expected=expected, hint=hint))

    def of_model(self, error: ValidationError, model: type[BaseModel], keys: Keys) -> None:
        """Keep all that pydantic found in the table at those keys, which the model describes."""
        self.found.extend(problems(error, model, self.path, self.text, tuple(keys)))
