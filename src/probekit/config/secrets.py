"""Where is a secret's value, and who may see it?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from probekit.log import events
from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probe import SecretRef
from probekit.redaction import SHORT, Redactor
from probekit.toml_file import ConfigError, FileProblem

_OTHERS: Final = 0o077  # what a mode grants to the group and to everybody


class SecretResolver:
    """Reveals secrets on the line that uses them and tells the redactor each one.

    Raises:
        ConfigError: there is a .env that cannot be read.
    """

    def __init__(self, *, folder: Path, variables: Mapping[str, str], redactor: Redactor) -> None:
        self._folder = folder  # of probes.toml: relative files and the .env count from there
        self._variables = variables
        self.redactor = redactor
        self.dotenv = folder / ".env" if (folder / ".env").is_file() else None
        self._values = _values_of(self.dotenv) if self.dotenv else {}
        self._warned: set[Path] = set()  # files of which a warning was given

    def reveal(self, secret: SecretRef) -> str:
        """The secret's value.

        Raises:
            ProbeFailedError: `missing_secret`: it is not set, empty, or its file cannot be read.
        """
        value = self._of_variable(secret.env) if secret.env else self._of_file(secret.file or Path())
        if len(value) < SHORT:
            events().warning("secret.short", secret=str(secret), least=SHORT)
        self.redactor.learn(value)
        return value

    def _of_variable(self, name: str) -> str:
        value = self._variables.get(name) or self._values.get(name)
        if not value:
            raise ProbeFailedError(Reason.MISSING_SECRET, f"the variable {name} is not set, or empty")
        return value

    def _of_file(self, file: Path) -> str:
        try:
            value = (self._folder / file).read_text("utf-8").removesuffix("\n")
            mode = (self._folder / file).stat().st_mode
        except (OSError, ValueError) as error:  # ValueError: it is not UTF-8, or its name holds a NUL
            detail = f"the file {file} cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"
            raise ProbeFailedError(Reason.MISSING_SECRET, detail) from error
        if not value:
            raise ProbeFailedError(Reason.MISSING_SECRET, f"the file {file} is empty")
        if mode & _OTHERS and file not in self._warned:
            self._warned.add(file)
            events().warning("secret.readable_by_others", file=str(file), mend=f"chmod 600 {file}")
        return value


def _values_of(dotenv: Path) -> Mapping[str, str | None]:
    try:
        return dotenv_values(dotenv, interpolate=False)  # a secret may hold ${...}
    except (OSError, UnicodeDecodeError) as error:
        found = f"cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"
        problem = FileProblem(file=dotenv, line=None, key="", found=found, expected="lines of NAME=value in UTF-8")
        raise ConfigError([problem]) from None  # its cause may hold what the user wrote
