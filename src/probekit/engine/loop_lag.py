"""Measure how long this process's event loop stalls."""

from __future__ import annotations

import asyncio
from typing import Final

TICK: Final = 0.05  # seconds between two readings of the clock
NOISE: Final = 0.02  # seconds of lateness that any timer has


class Lag:
    """Wakes at a steady pace and records how late it was: such a delay is local, not the target's."""

    def __init__(self) -> None:
        self._late: list[tuple[float, float]] = []  # when it woke, how late
        self._due: float | None = None

    async def watch(self) -> None:
        """Run until cancelled, concurrently with the work to watch."""
        loop = asyncio.get_running_loop()
        while True:
            self._due = due = loop.time() + TICK
            await asyncio.sleep(TICK)
            late = loop.time() - due
            if late > NOISE:
                self._late.append((loop.time(), late))

    @property
    def longest(self) -> float:
        """Seconds of the longest stall."""
        return max((late for _, late in self._late), default=0.0)

    def since(self, moment: float) -> float:
        """Return the seconds of stalls since that moment of the loop's clock, including a current one."""
        now = asyncio.get_running_loop().time()
        going_on = now - self._due if self._due is not None else 0.0
        late = [*self._late, (now, going_on)] if going_on > NOISE else self._late
        return sum(min(seconds, woke - moment) for woke, seconds in late if woke > moment)
