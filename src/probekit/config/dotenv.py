"""What stands in the .env beside probes.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from probekit.files import read_file
from probekit.toml_file import ConfigError, FileProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Dotenv:
    """A .env that was read, or that is not there."""

    file: Path | None = None
    values: Mapping[str, str | None] = field(default_factory=dict, repr=False)


def read_dotenv(folder: Path) -> Dotenv:
    """The .env in that folder, read once: it may be a pipe.

    Raises:
        ConfigError: it cannot be read, is no UTF-8, or is larger than any.
    """
    file = folder / ".env"
    if not (file.is_file() or file.is_fifo()):
        return Dotenv()
    try:
        text = read_file(file).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = f"cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"
        problem = FileProblem(file=file, line=None, key="", found=found, expected="lines of NAME=value in UTF-8")
        raise ConfigError([problem]) from None  # its cause may hold what the user wrote
    values = dotenv_values(stream=StringIO(text), interpolate=False)  # a secret may hold ${...}
    return Dotenv(file=file.absolute(), values=values)
