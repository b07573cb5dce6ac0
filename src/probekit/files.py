"""Read and write files that a user names.

Reads are limited in size and time, because a pipe may have no writer or one that never ends. A written file is complete
or absent, private unless a mode is given; neither writing nor appending follows a symbolic link at the path.
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
PATIENCE: Final = 5.0  # seconds to read a whole pipe
PRIVATE: Final = 0o600  # mode of a file that only its owner can read
_STALLED: Final = 30.0  # seconds to wait for a reader of a pipe, and for it to read more
_PAUSE: Final = 0.05  # seconds between two checks for a reader
OTHERS: Final = 0o077  # permissions of the group and of others


def read_file(path: Path, *, largest: int = LARGEST, patience: float = PATIENCE) -> bytes:
    """The bytes of a file, or of a pipe such as a process substitution.

    Raises:
        OSError: it cannot be read, is larger (EFBIG), or is a pipe that has not ended in time (ETIMEDOUT).
        ValueError: its name holds a NUL.
    """
    handle = os.open(
        path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    )  # O_NONBLOCK: opening a pipe without a writer would block
    try:
        data = _read(handle, largest + 1, patience)
    finally:
        os.close(handle)
    if data is None:
        raise OSError(errno.ETIMEDOUT, f"the pipe was not closed within {patience:g} s", str(path))
    if len(data) > largest:
        raise OSError(errno.EFBIG, f"larger than {_size(largest)}", str(path))
    return data


def _size(largest: int) -> str:
    return f"{largest >> 20} MiB" if largest >= 1 << 20 else f"{largest >> 10} KiB"


def _read(handle: int, most: int, patience: float) -> bytes | None:
    """Up to `most` bytes; None where the end was not reached in time."""
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
        if events and not part:  # its writers are gone; a pipe without a writer has no events
            break
    return bytes(data)


def require_regular(path: Path) -> None:
    """Refuse a path at which a library without a time limit could block.

    Raises:
        OSError: it is a pipe, a device or a folder (EINVAL), or cannot be read.
    """
    if not S_ISREG(path.stat().st_mode):
        raise _no_regular_file(path)


def _no_regular_file(path: Path) -> OSError:
    return OSError(errno.EINVAL, "not a regular file; name another one", str(path))


def write_file(path: Path, text: str, *, mode: int = PRIVATE, patience: float = _STALLED) -> None:
    """Write the whole file or nothing; to a pipe or a device the text is appended. Half a surrogate pair is escaped.

    `patience`: seconds to wait for a reader of a pipe, and for it to read more.

    A new file has the given mode regardless of the umask. A replaced file of this user keeps its mode and group.
    A symbolic link at the path is replaced by the file; only those in /dev and /proc (/dev/stdout) are followed.

    Raises:
        OSError: it cannot be written, or the pipe has no reader (ENXIO, ETIMEDOUT).
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


def append_file(path: Path, text: str, *, largest: int = LARGEST, patience: float = _STALLED) -> None:
    """Append to a file, a pipe or a device, as `write_file` does; a new file is private.

    `largest`: bytes of the file afterwards; a file that would be larger is left as it is.

    Raises:
        OSError: it cannot be written, would be larger (EFBIG), or is a symbolic link (ELOOP).
        ValueError: its name holds a NUL.
    """
    data = text.encode("utf-8", "backslashreplace")
    before = _state_of(path)
    if before is None:
        with suppress(FileExistsError):  # another process was first
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE))
    elif S_ISREG(before.st_mode) and before.st_size + len(data) > largest:
        raise OSError(errno.EFBIG, f"it would be larger than {_size(largest)}", str(path))
    is_link = before is not None and S_ISLNK(before.st_mode)
    _append(path, data, patience, follow=is_link and _is_of_the_system(path.parent))


def require_writable(path: Path) -> None:
    """Refuse a path at which `write_file` could not write now.

    Raises:
        OSError: it is a folder, or its folder does not exist or is not writable.
        ValueError: its name holds a NUL.
    """
    before = _state_of(path)
    if before is not None and S_ISDIR(before.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if before is not None and not (S_ISREG(before.st_mode) or S_ISLNK(before.st_mode)):
        return  # a pipe or a device: opening it could affect its reader
    if before is not None and S_ISLNK(before.st_mode) and _is_of_the_system(path.parent):
        return
    handle, part = mkstemp(prefix=".probekit-", suffix=".part", dir=path.parent)
    os.close(handle)
    Path(part).unlink()


def _state_of(path: Path) -> os.stat_result | None:
    """The state of the path, links not followed; None where nothing exists."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _is_of_the_system(folder: Path) -> bool:
    """Whether only the kernel or root creates links there: /dev/stdout leads to /proc."""
    folder = folder.resolve()
    return folder == Path("/dev") or folder.is_relative_to("/proc")


def _append(path: Path, data: bytes, patience: float, *, follow: bool) -> None:
    handle = _opened(path, patience, 0 if follow else os.O_NOFOLLOW)
    ready = select.poll()
    ready.register(handle, select.POLLOUT)
    try:
        while data:
            if not ready.poll(1000 * patience):
                raise OSError(errno.ETIMEDOUT, f"its reader has read nothing for {patience:g} s", str(path))
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def _opened(path: Path, patience: float, more: int) -> int:
    """A handle to append to a pipe or a device; waits for the reader of a named pipe."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | more
    until = time.monotonic() + patience
    while True:
        try:
            return os.open(path, flags)
        except OSError as error:
            if error.errno != errno.ENXIO or not S_ISFIFO(path.stat().st_mode):
                raise
            if time.monotonic() >= until:
                raise OSError(errno.ENXIO, "the pipe has no reader", str(path)) from error
            time.sleep(_PAUSE)


def _set_mode(handle: int, before: os.stat_result | None, mode: int) -> None:
    """Set the mode of the previous file if this user owns it, else the given mode."""
    if before is not None and S_ISREG(before.st_mode) and before.st_uid == os.geteuid():
        mode = S_IMODE(before.st_mode)
        try:
            os.fchown(handle, -1, before.st_gid)
        except OSError:  # this user is not in that group: no permissions for another group
            mode &= ~0o070
    os.fchmod(handle, mode)


def make_private(file: Path) -> None:
    """Create an empty file that only its owner can read, and its folder, where they do not exist.

    Raises:
        OSError: they cannot be created, or the path is a symbolic link (ELOOP), a pipe or a device (EINVAL).
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if file.is_symlink():
        raise OSError(errno.ELOOP, "a symbolic link; name the file that it points to", str(file))
    handle = os.open(file, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, PRIVATE)
    try:
        if not S_ISREG(os.fstat(handle).st_mode):
            raise _no_regular_file(file)
    finally:
        os.close(handle)


def make_private_folder(folder: Path) -> None:
    """Create a folder that only its owner can enter; remove the permissions of others from an existing one.

    Raises:
        OSError: it cannot be created or changed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.stat()
    if state.st_uid == os.geteuid() and state.st_mode & OTHERS:
        folder.chmod(0o700)


def is_there(path: Path) -> bool:
    """Whether anything exists at this path, including a dangling link; False for an invalid name."""
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
    """The mode of the path; 0 where nothing exists or the name is invalid."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0
