"""How long is an answer waited for? By a deadline that counts only while our own loop keeps time."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final

ON_TIME: Final = 0.005  # seconds that any timer may be late


class StallAwareTimeout:
    """Like `asyncio.timeout`, but one that our loop slept through is put off by as long as it was late.

    A process that was stopped, or that had no processor, finds answers that lie there since; it reads them before it
    says that there was none. Put off by `seconds` in all at most, so that an end is sure.
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
