"""Send the requests of a schedule, each at its moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final, Protocol

from probekit.probe import Answer, ProbeFailedError
from probekit.probes.latency.lines import FEW, SILENT, Lines
from probekit.probes.latency.pacing import Fate, Pacing
from probekit.probes.latency.tally import Schedule, Tally
from probekit.transport.client import KeepAliveConnection

BUSY: Final = 503
_TIMED_OUT: Final = 408
_AHEAD: Final = 0.005  # seconds before its moment that a request is prepared, so that this does not delay it
_STALL: Final = 0.1  # seconds that a timer may be late: after more, this process stood still, and answers may wait
_READ: Final = 0.01  # seconds to read waiting answers after a stall, before they count as missing


class Route(Protocol):
    """A route with its expected answers."""

    @property
    def expect(self) -> list[int]:
        """The expected statuses."""

    def is_answered_by(self, answer: Answer) -> bool:
        """Whether the answer is an expected one."""


def is_good(answer: Answer, route: Route) -> bool:
    """Whether the answer is an expected one; an error that is not a denied access counts against the target.

    Raises:
        ProbeFailedError: `access_denied`: access denied or rate limited, which ends the sampling: it says nothing about
            the route, and a target that sends 429 must get no more requests.
    """
    answer.require_answer([*route.expect, _TIMED_OUT])  # a 408 is an ordinary error
    return route.is_answered_by(answer)


@dataclass(slots=True, kw_only=True)
class Sender:
    """Sends each request at its moment; waiting for a place in flight is local delay."""

    schedule: Schedule
    routes: Sequence[Route]
    urls: Sequence[str]
    places: int  # in flight at once
    lines: Lines
    timeout: float  # seconds of one exchange
    sent: int = 0
    held: int = 0
    is_dead: bool = False
    first: dict[int, Answer] = field(default_factory=dict)  # good answer of each route, by its number
    odd: dict[int, Answer] = field(default_factory=dict)  # an unexpected answer of each route, a server error first
    tally: Tally = field(init=False)
    _pacing: Pacing = field(init=False)
    _free: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(self.schedule)
        self._pacing = Pacing(self.schedule, self.timeout)
        self._free = asyncio.Semaphore(self.places)

    async def run(self) -> None:
        """Send until every request is sent or held back, or four timeouts have passed after the schedule's end."""
        last = self.schedule.starts / self.schedule.rate + 4 * self.timeout  # the first request, and connecting
        try:
            async with asyncio.timeout(last), asyncio.TaskGroup() as group:
                await self._send(group)
        except TimeoutError:
            pass  # requests that have not been sent by now count as unsent
        except ExceptionGroup as group_of_errors:
            raise group_of_errors.exceptions[0] from None
        lost, not_due = self._pacing.ended()
        self._settle(lost)
        for number in not_due:
            self.tally.was_not_due(number)

    async def _send(self, group: asyncio.TaskGroup) -> None:
        """Send the first request alone; when it is answered, send the rest of the schedule from that moment on."""
        loop, schedule = asyncio.get_running_loop(), self.schedule
        begin = loop.time()
        self._pacing.admits(0, begin, begin)
        await self._free.acquire()
        await self._ask(0)
        if self._pacing.is_answered:
            await self.lines.open_ahead(FEW + ceil(schedule.rate * (loop.time() - begin)))
            begin = loop.time()
        for number in range(1, schedule.starts):
            due = begin + number / schedule.rate
            await _sleep_until(due - _AHEAD)
            await self._free.acquire()
            line = self.lines.idle()
            send = line.prepare(self._url(number)) if line else None
            await _sleep_until(due)
            self.is_dead = self.tally.is_dead(schedule.block_of(number) - 1)
            if self.is_dead:
                return
            if self._pacing.admits(number, due, loop.time()):
                group.create_task(self._ask(number, due, line, send))
                if self.lines.is_short and self._pacing.is_well:
                    group.create_task(self.lines.open_one())
            else:
                self.held += 1
                self._release(line)

    def _url(self, number: int) -> str:
        return self.urls[self.schedule.route_of(number)]

    async def _ask(
        self,
        number: int,
        due: float | None = None,  # when the connection is open
        line: KeepAliveConnection | None = None,  # a new one
        send: Callable[[], Awaitable[Answer]] | None = None,
    ) -> None:
        """Run one exchange and count it, with the requests that were held back until then."""
        loop, route = asyncio.get_running_loop(), self.schedule.route_of(number)
        self.sent += 1
        began = loop.time()
        try:
            line = line or await self.lines.opened()
            connecting = loop.time() - began
            due = began + connecting if due is None else due
            own = max(0.0, loop.time() - connecting - due)
            answer = await (send or line.prepare(self._url(number)))()
        except ProbeFailedError as error:
            if error.reason not in SILENT:
                raise
            self.tally.failed(number)
            self._pacing.failed(number, loop.time())
        else:
            arrived = answer.phases.arrived
            self._settle(self._pacing.answered(number, arrived, loop.time()))
            if is_good(answer, self.routes[route]):
                self.first.setdefault(route, answer)
                self.tally.answered(number, arrived - due, own + answer.phases.local_delay)
            else:
                self.tally.failed(number)
                if route not in self.odd or answer.is_server_error:
                    self.odd[route] = answer
                self.tally.busy[route] += answer.status == BUSY
        finally:
            self._release(line)

    def _settle(self, fates: Iterable[Fate]) -> None:
        """Count requests that were held back."""
        for fate in fates:
            if fate.seconds is None:
                self.tally.failed(fate.number)
            else:
                self.tally.answered(fate.number, fate.seconds, fate.own)

    def _release(self, line: KeepAliveConnection | None) -> None:
        if line:
            self.lines.give_back(line)
        self._free.release()


async def _sleep_until(moment: float) -> None:
    loop = asyncio.get_running_loop()
    if (left := moment - loop.time()) > 0:
        await asyncio.sleep(left)
        if loop.time() - moment > _STALL:
            await asyncio.sleep(_READ)
