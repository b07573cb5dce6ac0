"""Decide which requests of a schedule are sent: few while the target does not answer, and none is forgotten.

A request that is due during a silence is held back. To drop it would hide the silence ("coordinated omission"), so it
is counted when an answer ends the silence: its duration is the time from its due moment to that answer, a lower bound
of what a user would have seen. HdrHistogram and wrk2 correct the same way. A lower bound above the timeout is a
failure, like an answer that takes longer. There is no I/O and no clock here: the caller passes the time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple

from probekit.probes.latency.tally import Schedule

MOST_UNANSWERED: Final = 17  # requests sent after the last answer, before the target counts as silent
_SILENCE: Final = 0.3  # seconds without an answer that do not count as silence
_SLOWER: Final = 2  # times the fastest of the last answers: a slow target that still answers is not silent
_LAST: Final = 20  # answers
_KNOCKS: Final = 6  # requests that a silent target gets in a block at most
_HANGS: Final = 2  # requests in a row without an answer, after which the route hangs


class Fate(NamedTuple):
    """The result of a request that was held back."""

    number: int
    seconds: float | None  # from its due moment; None: it failed
    own: float = 0.0  # the part of them that is delay of this process


@dataclass(slots=True)
class _Ear:
    """The requests to the target or to a route, and their outcomes; counts begin at the last answer."""

    left: int = 0  # requests sent
    failed: int = 0  # requests without an answer
    heard: float = -inf  # when the last answer arrived
    broke: float = -inf  # when the last failure was known
    last: float = -inf  # when the last request was sent
    block: int = -1  # in which the last request was due
    took: float = 0.0  # seconds of the last answer
    out: dict[int, float] = field(default_factory=dict)  # when each request in flight was sent
    held: list[tuple[int, float]] = field(default_factory=list)  # requests held back, with their due moments

    def leaves(self, number: int, block: int, now: float) -> None:
        self.left, self.block, self.last = self.left + 1, block, now
        self.out[number] = now

    def hears(self, number: int, arrived: float) -> list[tuple[int, float]]:
        """Record an answer; return the requests that were held back until then."""
        held, self.held = self.held, []
        self.took = arrived - self.out.pop(number)
        self.left = self.failed = 0
        self.heard = max(self.heard, arrived)
        return held

    def misses(self, number: int, now: float) -> None:
        self.out.pop(number)
        self.failed, self.broke = self.failed + 1, now


class Pacing:
    """Holds back requests while the target is silent, and those of a route that hangs while others answer.

    The target is silent when 17 requests, or those of a whole block, got no answer, and the last answer is older than
    0.3 s; with the 3 blocks that show it dead, it gets 20 requests. A silent target gets one request in each block;
    until 17 have been sent it may get more, one at a time. A route is held back while two of its requests hang, and
    gets one request a block after two failures in a row. An answer ends both.
    """

    def __init__(self, schedule: Schedule, timeout: float) -> None:
        self._schedule = schedule
        self._timeout = timeout
        self._target = _Ear()
        self._routes = [_Ear() for _ in range(schedule.routes)]
        self._took = deque[float](maxlen=_LAST)

    @property
    def is_answered(self) -> bool:
        """Whether the target has answered at all."""
        return self._target.heard > -inf

    @property
    def is_well(self) -> bool:
        """Whether the target has answered, and no request has failed since then."""
        return self.is_answered and not self._target.failed

    def admits(self, number: int, due: float, now: float) -> bool:
        """Whether a request is sent now; if not, it is held back."""
        block, target, route = self._schedule.block_of(number), self._target, self._route(number)
        holder = (
            target
            if self._is_silent(now) and not self._may_knock(block, now)
            else route
            if self._schedule.routes > 1 and self._hangs(route, block, now)
            else None
        )
        if holder:
            holder.held.append((number, due))
            return False
        for ear in (target, route):
            ear.leaves(number, block, now)
        return True

    def answered(self, number: int, arrived: float, now: float) -> list[Fate]:
        """Record an answer, whatever it says; return the results of the requests that were held back until then."""
        target, route = self._target, self._route(number)
        left = target.out[number]
        fates = [
            self._fate(start, due, max(0.0, left - max(due, ear.broke)), arrived, now)
            for ear in (target, route)
            for start, due in ear.hears(number, arrived)
        ]
        self._took.append(target.took)
        return fates

    def failed(self, number: int, now: float) -> None:
        """Record a timeout, a refusal or a reset."""
        for ear in (self._target, self._route(number)):
            ear.misses(number, now)

    def ended(self) -> tuple[list[Fate], list[int]]:
        """The requests still held back: results of those whose timeout has passed, and the numbers of the others."""
        held = [(number, ear.broke - due) for ear in (self._target, *self._routes) for number, due in ear.held]
        lost = [Fate(number, None) for number, silent in held if silent > self._timeout]
        return lost, [number for number, silent in held if silent <= self._timeout]

    def _route(self, number: int) -> _Ear:
        return self._routes[self._schedule.route_of(number)]

    def _patience(self) -> float:
        return max(_SILENCE, _SLOWER * min(self._took, default=0.0))

    def _is_silent(self, now: float) -> bool:
        target, age = self._target, now - self._target.heard
        is_unanswered = target.left >= MOST_UNANSWERED or (target.failed > 0 and age >= self._schedule.block)
        return (target.left > 0 and not self.is_answered) or (is_unanswered and age > self._patience())

    def _may_knock(self, block: int, now: float) -> bool:
        """Whether a silent target gets a request: the first in a block, or one at a time until 17 have been sent."""
        target = self._target
        is_time = now - target.last >= self._schedule.block / _KNOCKS
        return block != target.block or (is_time and not target.out and target.left < MOST_UNANSWERED)

    def _hangs(self, route: _Ear, block: int, now: float) -> bool:
        if route.failed >= _HANGS:
            return bool(route.out) or route.block == block
        since = max(route.heard, min(route.out.values(), default=now))
        return len(route.out) >= _HANGS and now - since > max(self._patience(), _SLOWER * route.took)

    def _fate(self, number: int, due: float, unasked: float, arrived: float, now: float) -> Fate:
        """The result of a request held back until now; time not spent asking, or reading late, is local delay."""
        seconds = now - due
        own = min(seconds, unasked + now - max(arrived, due))
        return Fate(number, None) if seconds - own > self._timeout else Fate(number, seconds, own)
