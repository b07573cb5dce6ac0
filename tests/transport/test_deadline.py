from __future__ import annotations

import asyncio
import socket
import time

import pytest

from probekit.transport.deadline import StallAwareTimeout


@pytest.fixture
async def pair():
    """Two ends of a connection."""
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    with ours, theirs:
        yield ours, theirs


async def stand_still(seconds: float, *, at_the_end=lambda: None) -> None:
    """The whole loop, as a process that was stopped, or had no processor, does."""
    await asyncio.sleep(0)
    time.sleep(seconds)  # noqa: ASYNC251  # that is what is tried
    at_the_end()


async def test_silence_ends_when_it_is_due() -> None:
    began = asyncio.get_running_loop().time()

    with pytest.raises(TimeoutError):
        async with StallAwareTimeout(0.1):
            await asyncio.Event().wait()

    assert asyncio.get_running_loop().time() - began >= 0.1


async def test_an_answer_that_we_were_too_late_to_wait_for_is_waited_for(pair) -> None:
    ours, theirs = pair
    loop = asyncio.get_running_loop()

    async with StallAwareTimeout(0.5):
        still = loop.create_task(stand_still(1.0, at_the_end=lambda: loop.call_later(0.05, theirs.send, b"here")))
        assert await loop.sock_recv(ours, 10) == b"here"

    await still


async def test_what_never_comes_is_missed_although_the_loop_stood_still(pair) -> None:
    loop = asyncio.get_running_loop()
    still = loop.create_task(stand_still(0.3))

    with pytest.raises(TimeoutError):
        async with StallAwareTimeout(0.1):
            await loop.sock_recv(pair[0], 10)

    await still


@pytest.mark.timeout(20)
async def test_a_loop_that_is_always_late_gives_up_all_the_same(pair) -> None:
    loop = asyncio.get_running_loop()

    async def starve() -> None:
        while True:
            await stand_still(0.05)

    starving = loop.create_task(starve())
    with pytest.raises(TimeoutError):
        async with StallAwareTimeout(0.2):
            await loop.sock_recv(pair[0], 10)
    starving.cancel()


async def test_being_cancelled_from_outside_stays_that() -> None:
    async def waiting() -> None:
        async with StallAwareTimeout(10):
            await asyncio.Event().wait()

    task = asyncio.create_task(waiting())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
