"""Read a file that a user names, to its end or to a bound: a pipe may have no writer, or one that never ends."""

from __future__ import annotations

import errno
import os
import select
import time
from pathlib import Path
from stat import S_ISREG
from typing import Final

LARGEST: Final = 1 << 20  # bytes
PATIENCE: Final = 5.0  # seconds for all that a pipe gives


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
