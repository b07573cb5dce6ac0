"""Read and write files that a user names.

A pipe may have no writer, or one that never ends: what is read has a bound. What is written is whole or absent, private
unless its mode is given, and never goes through a symbolic link that somebody put in its place.
"""

from __future__ import annotations

import errno
import os
import select
import time
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE, S_ISDIR, S_ISFIFO, S_ISLNK, S_ISREG
from tempfile import mkstemp
from typing import Final

LARGEST: Final = 1 << 20  # bytes
PATIENCE: Final = 5.0  # seconds for all that a pipe gives
PRIVATE: Final = 0o600  # of a file that only its owner reads
_STALLED: Final = 30.0  # seconds until a pipe has a reader, and until this one takes more
_PAUSE: Final = 0.05  # seconds between two looks for a reader
OTHERS: Final = 0o077  # what a mode grants to the group and to everybody


def read_file(path: Path, *, largest: int = LARGEST, patience: float = PATIENCE) -> bytes:
    """The bytes of a file, or of a pipe such as a process substitution.

    Raises:
        OSError: it cannot be read, is larger (EFBIG), or is a pipe that has not ended in time (ETIMEDOUT).
        ValueError: its name holds a NUL.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # else a pipe without a writer is waited for
    try:
        data = _read(handle, largest + 1, patience)
    finally:
        os.close(handle)
    if data is None:
        raise OSError(errno.ETIMEDOUT, f"this pipe has not ended after {patience:g} s", str(path))
    if len(data) > largest:
        raise OSError(errno.EFBIG, f"larger than {largest >> 20} MiB", str(path))
    return data


def _read(handle: int, most: int, patience: float) -> bytes | None:
    """Up to so many bytes; None where no end came in time."""
    data, until = bytearray(), time.monotonic() + patience
    is_pipe = not S_ISREG(os.fstat(handle).st_mode)
    ready = select.poll()
    ready.register(handle, select.POLLIN)
    while len(data) < most:
        left = until - time.monotonic()
        if is_pipe and left <= 0:
            return None
        events = dict(ready.poll(max(0.0, 1000 * left))) if is_pipe else {handle: select.POLLIN}
        part = os.read(handle, most - len(data)) if events else b""
        data += part
        if events and not part:  # its writers are gone; one that nobody has opened for writing has no events
            break
    return bytes(data)


def require_regular(path: Path) -> None:
    """Refuse what a library would wait for that opens it by its name and has no time limit.

    Raises:
        OSError: it is a pipe, a device or a folder (EINVAL), or cannot be looked at.
    """
    if not S_ISREG(path.stat().st_mode):
        raise _no_regular_file(path)


def _no_regular_file(path: Path) -> OSError:
    return OSError(errno.EINVAL, "it is no regular file: name another one", str(path))


def write_file(path: Path, text: str, *, mode: int = PRIVATE, patience: float = _STALLED) -> None:
    """Write the whole file or nothing; to a pipe or a device the text is appended. Half a surrogate pair is escaped.

    `patience`: seconds until a pipe has a reader, and until this one takes more.

    A new file has that mode whatever the umask is. A file of this user's that is replaced keeps its mode and its group.
    A symbolic link at the path is replaced by the file; only those in /dev and /proc (/dev/stdout) are followed.

    Raises:
        OSError: it cannot be written, or nobody reads the pipe (ENXIO, ETIMEDOUT).
        ValueError: its name holds a NUL.
    """
    data = text.encode("utf-8", "backslashreplace")
    before = _state_of(path)
    if before is not None and not S_ISREG(before.st_mode):
        if S_ISDIR(before.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not S_ISLNK(before.st_mode) or _is_of_the_system(path.parent):
            _append(path, data, patience, follow=S_ISLNK(before.st_mode))
            return
    handle, part = mkstemp(prefix=".probekit-", suffix=".part", dir=path.parent)  # exclusive, random, mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            _set_mode(handle, before, mode)
        Path(part).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(part).unlink()
        raise


def require_writable(path: Path) -> None:
    """Refuse a path at which `write_file` could not write now.

    Raises:
        OSError: it is a folder, or its folder is not there or takes no file.
        ValueError: its name holds a NUL.
    """
    before = _state_of(path)
    if before is not None and S_ISDIR(before.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if before is not None and not (S_ISREG(before.st_mode) or S_ISLNK(before.st_mode)):
        return  # a pipe or a device: who opens it may keep its reader waiting, or end it
    if before is not None and S_ISLNK(before.st_mode) and _is_of_the_system(path.parent):
        return
    handle, part = mkstemp(prefix=".probekit-", suffix=".part", dir=path.parent)
    os.close(handle)
    Path(part).unlink()


def _state_of(path: Path) -> os.stat_result | None:
    """What is at the path, links not followed; None where nothing is."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _is_of_the_system(folder: Path) -> bool:
    """Whether only the kernel or root puts links there: /dev/stdout leads to /proc."""
    folder = folder.resolve()
    return folder == Path("/dev") or folder.is_relative_to("/proc")


def _append(path: Path, data: bytes, patience: float, *, follow: bool) -> None:
    handle = _opened(path, patience, 0 if follow else os.O_NOFOLLOW)
    ready = select.poll()
    ready.register(handle, select.POLLOUT)
    try:
        while data:
            if not ready.poll(1000 * patience):
                raise OSError(errno.ETIMEDOUT, f"its reader has taken nothing for {patience:g} s", str(path))
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def _opened(path: Path, patience: float, more: int) -> int:
    """A handle to append to a pipe or a device; a named pipe's reader may come a little later."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | more
    until = time.monotonic() + patience
    while True:
        try:
            return os.open(path, flags)
        except OSError as error:
            if error.errno != errno.ENXIO or not S_ISFIFO(path.stat().st_mode):
                raise
            if time.monotonic() >= until:
                raise OSError(errno.ENXIO, "nobody reads this pipe", str(path)) from error
            time.sleep(_PAUSE)


def _set_mode(handle: int, before: os.stat_result | None, mode: int) -> None:
    """As of the file before, if it is this user's: what somebody else put there does not say who may read."""
    if before is not None and S_ISREG(before.st_mode) and before.st_uid == os.geteuid():
        mode = S_IMODE(before.st_mode)
        try:
            os.fchown(handle, -1, before.st_gid)
        except OSError:  # not a group of this user's: its members must not become those of another
            mode &= ~0o070
    os.fchmod(handle, mode)


def make_private(file: Path) -> None:
    """Make an empty file that only its owner reads, and its folder so, where they are not there.

    Raises:
        OSError: that cannot be done, or the path is a symbolic link (ELOOP), a pipe or a device (EINVAL).
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if file.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link: name the file that it leads to", str(file))
    handle = os.open(file, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, PRIVATE)
    try:
        if not S_ISREG(os.fstat(handle).st_mode):
            raise _no_regular_file(file)
    finally:
        os.close(handle)


def make_private_folder(folder: Path) -> None:
    """Make a folder of probekit's own that only its owner enters; one that is there is closed to others.

    Raises:
        OSError: that cannot be done.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.stat()
    if state.st_uid == os.geteuid() and state.st_mode & OTHERS:
        folder.chmod(0o700)


def is_there(path: Path) -> bool:
    """Whether anything has this name, a link to nothing too; a name that no file can have is that of none."""
    try:
        path.lstat()
    except (OSError, ValueError):
        return False
    return True


def is_file(path: Path) -> bool:
    """Whether it is a regular file, or a link to one."""
    return S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Whether it is a folder, or a link to one."""
    return S_ISDIR(_mode(path))


def _mode(path: Path) -> int:
    """The mode of what has this name; 0 where nothing has: pathlib raises for a name that is too long."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0
