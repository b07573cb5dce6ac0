"""Read the values of secrets where they are used, and register them for redaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from pydantic import BaseModel

from probekit.config.dotenv import Dotenv
from probekit.files import OTHERS, read_file
from probekit.log import events
from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probe import SecretRef
from probekit.redaction import SHORT, Redactor, is_own_word
from probekit.toml_file import ConfigError, FileProblem


class SecretResolver:
    """Reveals secrets on the line that uses them and registers each one with the redactor."""

    def __init__(self, *, folder: Path, variables: Mapping[str, str], dotenv: Dotenv, redactor: Redactor) -> None:
        self._folder = folder  # of probes.toml; paths are relative to it
        self._variables = variables
        self._dotenv = dotenv
        self.redactor = redactor
        self._piped: dict[Path, str] = {}  # by file: a pipe is read once
        self._warned: set[tuple[str, str]] = set()  # warnings that were logged: event and secret

    def prepare(self, secrets: Iterable[SecretRef]) -> None:
        """Read the pipes and register every secret with the redactor before anything is measured.

        A target may return a secret before, or without, a probe that reveals it.

        Raises:
            ConfigError: a pipe does not end, is too large, or cannot be read.
        """
        for secret in dict.fromkeys(secrets):
            if secret.file:
                self._read_pipe(secret.file)
            with suppress(ProbeFailedError):  # the probe that needs it reports the failure
                self.reveal(secret)

    def _read_pipe(self, file: Path) -> None:
        path = self._folder / file
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError):  # see above
            return
        if S_ISREG(mode) or S_ISDIR(mode):
            return
        try:
            self._piped[file] = read_file(path).decode("utf-8")
        except (OSError, ValueError) as error:
            found = f"cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"
            problem = FileProblem(file=path, line=None, key="", found=found, expected="a secret in UTF-8")
            raise ConfigError([problem]) from None

    def reveal(self, secret: SecretRef) -> str:
        """The secret's value.

        Raises:
            ProbeFailedError: `missing_secret`: it is not set or empty, or its file cannot be read.
        """
        value = self._of_variable(secret.env) if secret.env else self._of_file(secret.file or Path())
        parts = self.redactor.learn(value)
        if any(len(part) < SHORT for part in parts):
            self._warn("secret.short", secret=str(secret), least=SHORT)
        if any(is_own_word(part) for part in parts):
            self._warn("secret.ordinary_word", secret=str(secret), fix="choose one that is not a word")
        return value

    def _warn(self, event: str, *, secret: str, **values: object) -> None:
        """Warn once in a run, because a secret is revealed for every measurement."""
        if (event, secret) not in self._warned:
            self._warned.add((event, secret))
            events().warning(event, secret=secret, **values)

    def _of_variable(self, name: str) -> str:
        value = self._variables.get(name) or self._dotenv.values.get(name)
        if not value:
            raise ProbeFailedError(
                Reason.MISSING_SECRET, f"the variable {name} is not set or empty; set it in the environment or in .env"
            )
        return value

    def _of_file(self, file: Path) -> str:
        try:
            text = self._piped[file] if file in self._piped else read_file(self._folder / file).decode("utf-8")
            value = text.replace("\r\n", "\n").removesuffix("\n")
            mode = (self._folder / file).stat().st_mode
        except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a NUL in its name
            detail = f"the file {file} cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"
            raise ProbeFailedError(Reason.MISSING_SECRET, detail) from error
        if not value:
            raise ProbeFailedError(Reason.MISSING_SECRET, f"the file {file} is empty")
        if mode & OTHERS:
            self._warn("secret.readable_by_others", secret=str(file), fix=f"chmod 600 {file}")
        return value


def secret_refs(settings: object) -> Iterator[SecretRef]:
    """All references to secrets in settings."""
    match settings:
        case SecretRef():
            yield settings
        case BaseModel():
            yield from secret_refs(vars(settings))
        case Mapping():
            yield from secret_refs(list(settings.values()))
        case list() | tuple():
            for part in settings:
                yield from secret_refs(part)
