"""The arrival time of data from the kernel, which does not depend on how busy the event loop is."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing_extensions import Buffer

_TIMESTAMPNS: Final = 35  # SO_TIMESTAMPNS of Linux's asm-generic/socket.h, which the socket module does not name
_STAMP: Final = (socket.SOL_SOCKET, _TIMESTAMPNS)
_TIMESPEC: Final = struct.Struct("@ll")  # seconds and nanoseconds, clock_gettime(3)


class TimestampedSocket(socket.socket):
    """A TCP socket that records the arrival time of the last data read.

    `arrived` is by the monotonic clock; without kernel timestamps (all but Linux) it is the time of the read.
    """

    arrived: float | None = None

    def stamp(self) -> None:
        """Enable kernel timestamps where the kernel supports them."""
        with suppress(OSError):
            self.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Read as any socket does."""
        data, ancillary, *_ = self.recvmsg(size, socket.CMSG_SPACE(_TIMESPEC.size), flags)
        self._note(ancillary)
        return data

    def recv_into(self, buffer: Buffer, size: int = 0, flags: int = 0) -> int:
        """Read as any socket does."""
        view = memoryview(buffer)[: size or None]
        count, ancillary, *_ = self.recvmsg_into([view], socket.CMSG_SPACE(_TIMESPEC.size), flags)
        self._note(ancillary)
        return count

    def _note(self, ancillary: Iterable[tuple[int, int, bytes]]) -> None:
        """Record the arrival time; an impossible one, after a clock change, is replaced by now."""
        now = time.monotonic()
        stamp = next((data for level, kind, data in ancillary if (level, kind) == _STAMP), b"")
        then = now - time.time() + _seconds(stamp) if len(stamp) == _TIMESPEC.size else now
        self.arrived = then if (self.arrived or 0.0) <= then <= now else now


def _seconds(stamp: bytes) -> float:
    seconds, nanoseconds = _TIMESPEC.unpack(stamp)
    return float(seconds + nanoseconds / 1e9)
