"""The archive of a deployment: a folder with its log and its reports, each with a SHA-256 checksum file.

Nothing in it is ever overwritten, and every file is private. `sha256sum -c *.sha256` checks it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Final

from probekit.files import PRIVATE, is_file, read_file, require_regular

LARGEST: Final = 64 << 20  # bytes of a log or a report
_LONGEST_NAME: Final = 64  # characters of a release in the name of a folder
_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_UNNAMED: Final = "_unnamed"  # the folder of deployments without a release; no safe name begins so
_MOST_COPIES: Final = 100  # of one log
_CHECKSUM: Final = ".sha256"


def safe_name(text: str) -> str:
    """Return a text as the name of a file; one that is not safe as it is gets a digest, so that names stay apart."""
    if len(text) <= _LONGEST_NAME and _SAFE.fullmatch(text) and not text.endswith("."):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    kept = re.sub(r"[^A-Za-z0-9+-]+", "-", text)[:_LONGEST_NAME].strip("-+")
    return f"{kept or 'release'}-{digest}"


def last_change(path: str) -> datetime:
    """Return when a log was last changed; it is not opened, so a pipe cannot block.

    Raises:
        OSError: it is missing, unreadable, empty or not a regular file.
        ValueError: its name holds a NUL.
    """
    state = Path(path).stat()
    if S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file", path)
    if not S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", path)
    if not state.st_size:
        raise OSError(errno.ENODATA, "it is empty", path)
    if not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    try:
        return datetime.fromtimestamp(state.st_mtime, UTC)
    except (OverflowError, ValueError):
        raise OSError(errno.EINVAL, "the time of its last change is outside the calendar", path) from None


def problem_of(error: OSError | ValueError) -> str:
    """Return in words why a file cannot be used."""
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, PermissionError):
        return "it cannot be read: permission denied"
    return str(getattr(error, "strerror", None) or error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The part of an archive that belongs to one deployment."""

    root: Path
    release: str | None
    started: datetime  # of the deployment

    @property
    def folder(self) -> Path:
        """The folder of the release."""
        return self.root / (_UNNAMED if self.release is None else safe_name(self.release))

    def add_report(self, run: str, text: str) -> None:
        """Add the JSON report of a run.

        Raises:
            OSError: it cannot be written, or another report of that run is there.
        """
        data = text.encode("utf-8", "backslashreplace")
        _require_size(data, "the report")
        name = _report_name(run)
        self._make_folder()
        if not self._has(name, data):
            self._add(name, data)

    def add_log(self, path: str) -> bool:
        """Add the log as it is now; one that changed since then gets a further name.

        Returns:
            Whether it was added; False if the archive has it already.

        Raises:
            OSError: it cannot be read or written, is larger than 64 MiB, or has too many copies.
            ValueError: its name holds a NUL.
        """
        require_regular(Path(path))
        data = read_file(Path(path), largest=LARGEST)
        self._make_folder()
        for name in self._log_names():
            if self._has(name, data):
                return False
            with suppress(FileExistsError):
                self._add(name, data)
                return True
        raise OSError(errno.EMFILE, f"it has {_MOST_COPIES} copies there already", str(self.folder))

    def has_report(self, run: str) -> bool:
        """Whether something is there under the name of a run's report, whatever its content."""
        return os.path.lexists(self.folder / _report_name(run))

    def missing(self, runs: Iterable[str], *, has_log: bool) -> Iterator[str]:
        """Yield each file that should be there and is missing, or differs from its checksum.

        `has_log`: whether a log is noted for the deployment; without one, its log is missing.
        """
        if not has_log or not self.has_log:
            yield "the log"
        for run in runs:
            if not self._is_valid(_report_name(run)):
                yield f"the report of run {run}"

    @property
    def has_log(self) -> bool:
        """Whether it holds the log, and every copy of it equals its checksum."""
        copies = [name for name in self._log_names() if is_file(self.folder / f"{name}{_CHECKSUM}")]
        return bool(copies) and all(map(self._is_valid, copies))

    def _log_names(self) -> Iterator[str]:
        """Yield the names of the log's copies, in the order of their use."""
        stem = f"deployment-{self.started.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        yield f"{stem}.log"
        yield from (f"{stem}-{number}.log" for number in range(2, _MOST_COPIES + 1))

    def _make_folder(self) -> None:
        """Create the folder of the release.

        Raises:
            OSError: it cannot be created, or it is a symbolic link.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.folder.is_symlink():
            raise OSError(errno.ELOOP, "a symbolic link; use the folder that it points to", str(self.folder))

    def _has(self, name: str, data: bytes) -> bool:
        """Return whether the archive has that content under that name, with a checksum; a lacking one is added."""
        file, digest = self.folder / name, hashlib.sha256(data).hexdigest()
        if _digest(file) != digest:
            return False
        with suppress(FileExistsError):
            _write(self.folder / f"{name}{_CHECKSUM}", _line(digest, name))
        return self._is_valid(name)

    def _add(self, name: str, data: bytes) -> None:
        """Write the content and its checksum.

        Raises:
            OSError: one of them cannot be written, or is there.
        """
        if os.path.lexists(self.folder / f"{name}{_CHECKSUM}"):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self.folder / f"{name}{_CHECKSUM}"))
        _write(self.folder / name, data)
        _write(self.folder / f"{name}{_CHECKSUM}", _line(hashlib.sha256(data).hexdigest(), name))

    def _is_valid(self, name: str) -> bool:
        """Return whether the file equals its checksum."""
        digest = _digest(self.folder / name)
        return digest is not None and _content(self.folder / f"{name}{_CHECKSUM}", 4096) == _line(digest, name)


def _report_name(run: str) -> str:
    return f"report-{safe_name(run)}.json"


def _line(digest: str, name: str) -> bytes:
    """Return a line in the format of sha256sum."""
    return f"{digest}  {name}\n".encode()


def _digest(file: Path) -> str | None:
    """Return the SHA-256 of a regular file, or None if it cannot be read."""
    data = _content(file, LARGEST)
    return None if data is None else hashlib.sha256(data).hexdigest()


def _content(file: Path, largest: int) -> bytes | None:
    """Return the bytes of a regular file, or None if it cannot be read or is larger."""
    try:
        require_regular(file)
        return read_file(file, largest=largest)
    except (OSError, ValueError):
        return None


def _require_size(data: bytes, what: str) -> None:
    if len(data) > LARGEST:
        raise OSError(errno.EFBIG, f"{what} is larger than {LARGEST >> 20} MiB")


def _write(file: Path, data: bytes) -> None:
    """Write a new private file; remove it again if it cannot be written whole.

    Raises:
        OSError: it cannot be written, or something is there (FileExistsError).
    """
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        with suppress(OSError):
            file.unlink()
        raise
