"""Which measurements go alone: those that are timed, and at each address those that confirm a failure."""

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
    """What a failure is confirmed by must not be the load of other measurements."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._of_address: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def at(self, address: Address | None) -> AsyncIterator[None]:
        """A place for one measurement; one that connects nowhere only counts among the few."""
        alone = self._of_address[address.ip] if address else asyncio.Lock()
        async with alone, self._slots:
            yield


class QuietTurns:
    """One timed measurement at a time over all addresses of a step, until one gets no answer.

    What hangs at many addresses is not waited for in a row: no duration decides there.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._is_over = False

    async def take(self, measure: Callable[[bool], Awaitable[Measurement]]) -> Measurement:
        """Measure, alone (True) where that is due."""
        async with self._turn:
            if not self._is_over:
                seen = await measure(True)  # noqa: FBT003  # a callback
                self._is_over = seen.reached is False
                return seen
        return await measure(False)  # noqa: FBT003  # a callback
