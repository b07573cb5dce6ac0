"""The rate limit of one host."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from asyncio_throttle.throttler import Throttler

_TRIES: Final = 4  # per mean interval between two requests, so the delay is at most a quarter of it
_LEAST: Final = 0.001  # seconds between two tries
_MOST: Final = 0.05


class RateLimiter:
    """asyncio-throttle with one waiter at a time, in the order of arrival."""

    def __init__(self, requests: int, period: float) -> None:
        interval = min(max(period / requests / _TRIES, _LEAST), _MOST)
        self._throttler = Throttler(rate_limit=requests, period=period, retry_interval=interval)
        self._lock = asyncio.Lock()

    async def acquire(self) -> float:
        """Wait until a request may be sent; return the seconds waited."""
        start = time.perf_counter()
        async with self._lock:
            await self._throttler.acquire()  # type: ignore[no-untyped-call]  # the package has no types
        return time.perf_counter() - start
