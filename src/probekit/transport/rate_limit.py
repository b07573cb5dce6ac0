"""The rate limit of one host."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

from asyncio_throttle.throttler import Throttler

_NEXT: Final = 0.0005  # seconds: a place is free when more than the period has passed


class RateLimiter:
    """asyncio-throttle with one waiter at a time, who sleeps until a place is free: it polls each 10 ms by itself."""

    def __init__(self, requests: int, period: float) -> None:
        self._throttler = Throttler(rate_limit=requests, period=period)
        self._period = period
        self._granted: deque[float] = deque(maxlen=requests)
        self._lock = asyncio.Lock()

    async def acquire(self) -> float:
        """Wait until a request may be sent; the seconds that took."""
        start = time.perf_counter()
        async with self._lock:
            if len(self._granted) == self._granted.maxlen:
                left = self._granted[0] + self._period - time.monotonic()
                self._throttler.retry_interval = max(left, 0.0) + _NEXT
            await self._throttler.acquire()  # type: ignore[no-untyped-call]  # the package has no types
            self._granted.append(time.monotonic())
        return time.perf_counter() - start
