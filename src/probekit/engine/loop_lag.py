"""How long did our own event loop stand still?"""

from __future__ import annotations

import asyncio
from typing import Final

TICK: Final = 0.05  # seconds between two looks at the clock
NOISE: Final = 0.02  # seconds of lateness that any timer has


class Lag:
    """Wakes at a steady pace, and keeps how late it was: what stood still then was us, not the target."""

    def __init__(self) -> None:
        self._late: list[tuple[float, float]] = []  # when it woke, how late
        self._due: float | None = None

    async def watch(self) -> None:
        """Run until cancelled, beside what is to be watched."""
        loop = asyncio.get_running_loop()
        while True:
            self._due = due = loop.time() + TICK
            await asyncio.sleep(TICK)
            late = loop.time() - due
            if late > NOISE:
                self._late.append((loop.time(), late))

    @property
    def longest(self) -> float:
        """Seconds of the longest standstill."""
        return max((late for _, late in self._late), default=0.0)

    def since(self, moment: float) -> float:
        """Seconds of standstill after that moment of the loop's clock, the one that is going on included."""
        now = asyncio.get_running_loop().time()
        going_on = now - self._due if self._due is not None else 0.0
        late = [*self._late, (now, going_on)] if going_on > NOISE else self._late
        return sum(min(seconds, woke - moment) for woke, seconds in late if woke > moment)
