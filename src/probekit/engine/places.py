"""Where may an attempt that confirms a failure measure? At few addresses at once, and at each one alone."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

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
