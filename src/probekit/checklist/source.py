"""The files of a checklist as one document that records the file and keys of each of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from probekit.files import is_folder
from probekit.toml_file import ConfigError, FileProblem, Keys, Mistake, line_of, parse, text_of

_ADVICE: Final = "paths are relative to the folder of the file that contains them"


@dataclass(slots=True, kw_only=True)
class Source:
    """One document from one or more files: lists are joined, tables are merged, any other key is in one file only."""

    path: Path  # the file or folder
    document: dict[str, Any] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    origins: dict[tuple[str | int, ...], tuple[Path, Keys]] = field(default_factory=dict)  # keys -> file, keys there

    @classmethod
    def of(cls, path: Path) -> Self:
        """The checklist in a file, or in the .toml files of a folder in the order of their names.

        Raises:
            ConfigError: a file is missing or invalid, or two files set the same key.
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
        """Add the document of one file; return a problem for each key that another file has set."""
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
        summary = (
            Mistake(keys=keys, found="also set in another file", expected="it in one file only") for keys in twins
        )
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
        """The keys as a message shows them: an item by its id, not by its number."""
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
            file=path, line=None, key="", found="the folder has no .toml files", expected="the files of a checklist"
        )
        raise ConfigError([problem])
    return files
