"""When an answer arrived is the kernel's word, not the moment at which we came to read it."""

from __future__ import annotations

import select
import socket
import sys
import time

import pytest

from probekit.transport import timestamps
from probekit.transport.timestamps import TimestampedSocket

TOLD = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when bytes arrived")


@pytest.fixture
def pair():
    """A stamped socket, and the other end of its connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        TimestampedSocket(socket.AF_INET, socket.SOCK_STREAM) as ours,
    ):
        ours.connect(server.getsockname())
        theirs, _ = server.accept()
        with theirs:
            yield ours, theirs


def busy(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def read_late(ours, theirs, data=b"answer"):
    """Send, let it arrive, be busy for 50 ms, read; when it had arrived at the latest."""
    theirs.sendall(data)
    select.select([ours], [], [], 5)
    there = time.monotonic()
    busy(0.05)
    return there


@TOLD
@pytest.mark.parametrize("into", [False, True])
def test_what_was_read_late_had_arrived_before(pair, into) -> None:
    ours, theirs = pair
    ours.stamp()
    busy(0.01)  # the kernel begins to stamp a little after it was asked first

    before = time.monotonic()
    there = read_late(ours, theirs)
    data = bytearray(100)
    read = bytes(data[: ours.recv_into(data)]) if into else ours.recv(100)

    assert read == b"answer"
    assert before - 0.001 <= ours.arrived <= there + 0.001  # two clocks, read one after the other


def test_where_nobody_tells_it_is_the_moment_of_reading(pair) -> None:
    ours, theirs = pair

    there = read_late(ours, theirs)
    ours.recv(100)

    assert there + 0.05 <= ours.arrived <= time.monotonic()


@TOLD
@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_was_set_meanwhile_gives_no_time_that_cannot_be(pair, monkeypatch, jump) -> None:
    ours, theirs = pair
    ours.stamp()
    read_late(ours, theirs)
    ours.recv(100)
    first = ours.arrived

    there = read_late(ours, theirs)
    now = time.time
    monkeypatch.setattr(timestamps.time, "time", lambda: now() + jump)
    ours.recv(100)

    assert first <= there <= ours.arrived <= time.monotonic()


def test_the_end_of_a_connection_is_read_as_ever(pair) -> None:
    ours, theirs = pair
    theirs.close()

    assert ours.recv(100) == b""
