"""Read a configuration file and the files that it includes as one document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from probekit.config.merging import FILE, merged
from probekit.config.origins import Node, Origin, Origins
from probekit.config.variables import has_variable
from probekit.files import require_regular
from probekit.toml_file import ConfigError, FileProblem, parse, text_of

_MOST: Final = 32  # included files of one configuration
_DEEPEST: Final = 8  # levels of included files
_EXPECTED: Final = 'a list of paths, as in include = ["common.toml"]'
_ADVICE: Final = "paths are relative to the folder of the file that contains them"
_Identity = tuple[int, int]


def read_sources(text: str, path: Path) -> Node:
    """The document of a file: later included files override earlier ones, and the file itself overrides all.

    Raises:
        ConfigError: a file is not valid TOML, or cannot be included.
    """
    reader = _Reader()
    found = reader.read(text, path, ())
    if reader.problems:
        raise ConfigError(tuple(dict.fromkeys(reader.problems)))
    return found


@dataclass(kw_only=True)
class _Reader:
    """Reads included files, up to limits of number and depth."""

    problems: list[FileProblem] = field(default_factory=list)
    inclusions: int = 0

    def read(self, text: str, path: Path, above: tuple[tuple[Path, _Identity | None], ...]) -> Node:
        """The document of one file; `above`: the files that include it."""
        document = parse(text, path)
        own = Node(value=document, origin=Origin(file=path, text=text))
        if "include" not in document:
            return own
        origins, found = Origins(document=own), None
        here = (*above, (path, _identity(path)))
        for number, name in self._names(document.pop("include"), origins):
            try:
                part = self._included(path.parent / name, here)
            except _RefusedError as error:
                problem = origins.problem(("include", number), f"'{name}': {error}", "", error.hint)
                self.problems.append(problem)
            except ConfigError as error:  # of that file's own content
                self.problems += error.problems
            else:
                found = merged(found, part, FILE) if found else part
        return merged(found, own, FILE) if found else own

    def _names(self, written: object, origins: Origins) -> Iterator[tuple[int, str]]:
        if not isinstance(written, list):
            self.problems.append(origins.problem(("include",), "not a list", _EXPECTED))
            return
        for number, name in enumerate(written):
            if not isinstance(name, str) or not name:
                self.problems.append(origins.problem(("include", number), "not a path", _EXPECTED))
            elif has_variable(name):
                self.problems.append(
                    origins.problem(("include", number), "a variable is not allowed here", "a path without variables")
                )
            else:
                yield number, name

    def _included(self, file: Path, above: tuple[tuple[Path, _Identity | None], ...]) -> Node:
        self.inclusions += 1
        if self.inclusions > _MOST:
            raise _RefusedError(f"more than {_MOST} included files")
        if len(above) > _DEEPEST:
            raise _RefusedError(f"included files are nested more than {_DEEPEST} levels deep")
        identity = _identity(file)
        if identity is not None and identity in [known for _, known in above]:
            circle = " -> ".join(path.name for path, _ in (*above, (file, None)))
            raise _RefusedError(f"circular include ({circle})")
        try:
            require_regular(file)
            text = text_of(file)
        except OSError as error:
            hint = _ADVICE if isinstance(error, FileNotFoundError) else ""
            raise _RefusedError(f"cannot be read: {error.strerror or type(error).__name__}", hint) from error
        except ValueError as error:  # a NUL in its name
            raise _RefusedError("invalid file name") from error
        except ConfigError as error:
            at = f", line {error.problems[0].line}" if error.problems[0].line else ""
            raise _RefusedError(f"{error.problems[0].found}{at}") from error
        return self.read(text, file, above)


class _RefusedError(Exception):
    """A file cannot be included: the reason, and what to do."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.hint = hint


def _identity(path: Path) -> _Identity | None:
    """The device and inode of a file; None where there is none."""
    try:
        state = path.stat()
    except (OSError, ValueError):
        return None
    return state.st_dev, state.st_ino
