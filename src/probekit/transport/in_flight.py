"""Limit the concurrent exchanges with one host, and run a timed exchange without others."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

_Waiting = tuple[asyncio.Future[None], bool]


class InFlight:
    """The places for exchanges with one host, given in the order of the requests."""

    def __init__(self, most: int | None) -> None:
        self._most = inf if most is None else most
        self._taken = 0
        self._is_alone = False
        self._waiting = deque[_Waiting]()

    @asynccontextmanager
    async def place(self, *, alone: bool = False) -> AsyncIterator[None]:
        """A place for one exchange; `alone`: while no other exchange has one."""
        await self._wait(alone)
        try:
            yield
        finally:
            self._give_back()

    async def _wait(self, alone: bool) -> None:  # noqa: FBT001  # as it was asked for
        if not self._waiting and self._has_room(alone):
            self._take(alone)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, alone))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._next()
            else:
                self._give_back()
            raise

    def _has_room(self, alone: bool) -> bool:  # noqa: FBT001  # as it was asked for
        return self._taken == 0 if alone else self._taken < self._most and not self._is_alone

    def _take(self, alone: bool) -> None:  # noqa: FBT001  # as it was asked for
        self._taken += 1
        self._is_alone = alone

    def _give_back(self) -> None:
        self._taken -= 1
        self._is_alone = False
        self._next()

    def _next(self) -> None:
        while self._waiting:
            turn, alone = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
            elif self._has_room(alone):
                self._waiting.popleft()
                self._take(alone)
                turn.set_result(None)
            else:
                return
