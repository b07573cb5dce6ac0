"""Separation of measurements: timed ones run alone, and failures are confirmed one at a time per address."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from probekit.model.measurement import Measurement
from probekit.transport.urls import Address

_AT_ONCE: Final = 4  # addresses


class Places:
    """Places for confirming measurements, so that the load of others does not confirm a failure."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._of_address: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def at(self, address: Address | None) -> AsyncIterator[None]:
        """Hold a place for one measurement; without an address only the total number is limited."""
        alone = self._of_address[address.ip] if address else asyncio.Lock()
        async with alone, self._slots:
            yield


class QuietTurns:
    """One timed measurement at a time over all addresses of a step, until one gets no answer.

    After that they run concurrently, because waiting for many silent addresses in turn takes too long.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._is_over = False

    async def take(self, measure: Callable[[bool], Awaitable[Measurement]]) -> Measurement:
        """Measure; the argument of `measure` is whether it runs alone."""
        async with self._turn:
            if not self._is_over:
                seen = await measure(True)  # noqa: FBT003  # a callback
                self._is_over = seen.reached is False
                return seen
        return await measure(False)  # noqa: FBT003  # a callback
