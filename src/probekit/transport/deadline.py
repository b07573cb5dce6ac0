"""A timeout that does not count the time in which this process's event loop was blocked."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final

ON_TIME: Final = 0.005  # seconds; a timer may be that late without a blocked loop


class StallAwareTimeout:
    """Like `asyncio.timeout`, but extended by as long as a blocked loop made it late.

    A process that was stopped, or had no processor time, first reads the answers that arrived in the mean time. The
    extension is at most `seconds` in total, so that it always ends.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = self._more = seconds
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._arm(self._loop.time() + self._seconds)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def _arm(self, when: float) -> None:
        self._timer = self._loop.call_at(when, self._ring, when)

    def _ring(self, due: float) -> None:
        now = self._loop.time()
        late = min(now - due, self._more)
        if late > ON_TIME:
            self._more -= late
            self._arm(now + late)
        else:
            self._timeout.reschedule(now)
