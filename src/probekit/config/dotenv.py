"""Read the .env file in the folder of probes.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dotenv.parser import Original, parse_stream

from probekit.files import is_file, read_file
from probekit.toml_file import ConfigError, FileProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Dotenv:
    """A .env file that was read, or an empty one where there is none."""

    file: Path | None = None
    values: Mapping[str, str | None] = field(default_factory=dict, repr=False)


def read_dotenv(folder: Path) -> Dotenv:
    """The .env file in that folder, read once, because it may be a pipe.

    Raises:
        ConfigError: it cannot be read, is not UTF-8, is too large, or has a line other than NAME=value.
    """
    file = folder / ".env"
    if not (is_file(file) or file.is_fifo()):
        return Dotenv()
    try:
        text = read_file(file).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = f"cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"
        problem = FileProblem(file=file, line=None, key="", found=found, expected="lines of NAME=value in UTF-8")
        raise ConfigError([problem]) from None  # its cause may contain what the user wrote
    lines = list(parse_stream(StringIO(text)))
    if broken := [line.original for line in lines if line.error]:
        raise ConfigError([_no_line(file, _number_of(one)) for one in broken])
    values = {line.key: line.value for line in lines if line.key is not None}  # a secret may contain ${...}
    return Dotenv(file=file.absolute(), values=values)


def _number_of(found: Original) -> int:
    """The number of a line; the parser includes the blank lines before it."""
    text = found.string
    return found.line + text[: len(text) - len(text.lstrip())].count("\n")


def _no_line(file: Path, number: int) -> FileProblem:
    """The problem of an invalid line, without its text, which may be a secret."""
    hint = "correct it, or start it with # to ignore it"
    return FileProblem(file=file, line=number, key="", found="invalid line", expected="NAME=value", hint=hint)
