"""Keep the connections of a sampling: few at first, more only after the target has answered."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from probekit.probe import ProbeFailedError, Reason
from probekit.transport.client import KeepAliveConnection, ProbeClient

FEW: Final = 4  # requests in flight where load is not allowed; connections that are opened at once
SILENT: Final = (Reason.UNREACHABLE, Reason.TIMEOUT)  # failures of the target: no answer, a refusal, a reset


class Lines:
    """Warm connections to one origin; each carries one request at a time."""

    def __init__(self, client: ProbeClient, url: str, most: int) -> None:
        self._client = client
        self._url = url
        self._most = most
        self._idle = deque[KeepAliveConnection]()
        self._all: list[KeepAliveConnection] = []
        self._opening = 0

    @property
    def is_short(self) -> bool:
        """Whether another connection should be opened ahead, because few are idle."""
        return len(self._idle) + self._opening < FEW and len(self._all) + self._opening < self._most

    def idle(self) -> KeepAliveConnection | None:
        """Return the connection that has been idle longest, for the caller to give back."""
        return self._idle.popleft() if self._idle else None

    async def opened(self) -> KeepAliveConnection:
        """Return a new connection, for the caller to give back.

        Raises:
            ProbeFailedError: as `ProbeClient.keep_alive` does.
        """
        self._opening += 1
        try:
            line = await self._client.keep_alive(self._url)
        finally:
            self._opening -= 1
        self._all.append(line)
        return line

    def give_back(self, line: KeepAliveConnection) -> None:
        """Let the next request use a connection."""
        self._idle.append(line)

    async def open_one(self) -> None:
        """Open a connection ahead; ignore a failure of the target, which the next request will show."""
        try:
            self.give_back(await self.opened())
        except ProbeFailedError as error:
            if error.reason not in SILENT:
                raise

    async def open_ahead(self, count: int) -> None:
        """Open connections until there are `count`, a few at once."""
        for begin in range(len(self._all), min(count, self._most), FEW):
            end = min(begin + FEW, count, self._most)
            await asyncio.gather(*(self.open_one() for _ in range(begin, end)))

    async def aclose(self) -> None:
        """Close all connections."""
        for line in self._all:
            await line.close()
