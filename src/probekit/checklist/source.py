"""Where was it written? A checklist's files as one document that remembers the place of each of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from probekit.files import is_folder
from probekit.toml_file import ConfigError, FileProblem, Keys, Mistake, line_of, parse, text_of

_ADVICE: Final = "a path is taken from the folder of the file that names it"


@dataclass(slots=True, kw_only=True)
class Source:
    """One document out of one file or several: lists are joined, tables are united, a key stands in one file only."""

    path: Path  # the file or folder
    document: dict[str, Any] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    origins: dict[tuple[str | int, ...], tuple[Path, Keys]] = field(default_factory=dict)  # keys -> file, keys there

    @classmethod
    def of(cls, path: Path) -> Self:
        """The checklist in that file, or in the .toml files of that folder in the order of their names.

        Raises:
            ConfigError: a file is missing or no TOML, or two of them say the same.
        """
        source, found = cls(path=path), []
        for file in _files(path):
            try:
                text = text_of(file, if_missing=_ADVICE)
                source.texts[file] = text
                found += source.unite(file, parse(text, file))
            except ConfigError as error:
                found += error.problems
        if found:
            raise ConfigError(found)
        return source

    def unite(self, file: Path, part: Mapping[str, Any]) -> list[FileProblem]:
        """Add one file's document; what another file said before it."""
        twins: list[tuple[str, ...]] = []
        for key, value in part.items():
            is_new = key not in self.document
            known = self.document.setdefault(key, type(value)() if isinstance(value, list | dict) else value)
            self.origins.setdefault((key,), (file, (key,)))
            if isinstance(known, list) and isinstance(value, list):
                self.origins |= {(key, len(known) + number): (file, (key, number)) for number in range(len(value))}
                known += value
            elif isinstance(known, dict) and isinstance(value, dict):
                self.origins |= {(key, name): (file, (key, name)) for name in value}
                twins += [(key, name) for name in value if name in known]
                known.update(value)
            elif not is_new:
                self.origins[key,] = (file, (key,))
                twins.append((key,))
        summary = (Mistake(keys=keys, found="written in another file too", expected="it in one file") for keys in twins)
        return [self.problem(mistake) for mistake in summary]

    def problem(self, mistake: Mistake) -> FileProblem:
        """The mistake with its file and line."""
        keys = mistake.keys
        file, line = self.path, None
        known = next((keys[:length] for length in (2, 1) if keys[:length] in self.origins), None)
        if known:
            file, there = self.origins[known]
            line = line_of(self.texts[file], (*there, *keys[len(known) :]))
        return FileProblem(
            file=file,
            line=line,
            key=self.name_of(keys),
            found=mistake.found,
            expected=mistake.expected,
            hint=mistake.hint,
        )

    def name_of(self, keys: Keys) -> str:
        """The keys as a reader knows the place: an item by its id, not by its number."""
        table, number, *rest = (*keys, None, None)[: max(2, len(keys))]
        entries = self.document.get(str(table))
        entry = entries[number] if isinstance(entries, list) and isinstance(number, int) else None
        named = entry if isinstance(entry, dict) else {}
        name = next((named[key] for key in ("id", "name", "item") if isinstance(named.get(key), str)), None)
        if name is None:
            return ".".join(str(part) for part in keys)
        place = name if table == "item" else f"{table} {name}"
        return f"{place}: {'.'.join(str(part) for part in rest)}" if rest else place


def _files(path: Path) -> list[Path]:
    if not is_folder(path):
        return [path]
    files = sorted(path.glob("*.toml"))
    if not files:
        problem = FileProblem(
            file=path, line=None, key="", found="a folder without .toml files", expected="a checklist in them"
        )
        raise ConfigError([problem])
    return files
