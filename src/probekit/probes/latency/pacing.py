"""Decide which starts of a schedule may leave: what keeps silent is asked little, and its silence is not hidden.

A start that is due while the target keeps silent is held. To forget it would hide the silence ("coordinated omission"),
so it is counted when an answer ends the silence: it took from its due moment to that answer, a lower bound of what a
user would have seen. HdrHistogram and wrk2 correct the same way. A lower bound beyond the timeout is a failure, as an
answer is that takes longer. All is pure: the caller tells the time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple

from probekit.probes.latency.tally import Schedule

MOST_UNANSWERED: Final = 17  # requests that leave after the last answer, before its absence is silence
_SILENCE: Final = 0.3  # seconds without an answer that are no silence yet
_SLOWER: Final = 2  # times the quickest of the last answers: a target that answers slowly but surely is not silent
_LAST: Final = 20  # answers
_KNOCKS: Final = 6  # requests that a silent target gets in a block at most
_HANGS: Final = 2  # requests in a row without an answer: the route hangs


class Fate(NamedTuple):
    """What a held start counts as."""

    number: int
    seconds: float | None  # from its due moment; None: it failed
    own: float = 0.0  # of those, in which this process did not ask


@dataclass(slots=True)
class _Ear:
    """What was heard of one party, the target or a route: since its last answer, unless said otherwise."""

    left: int = 0  # requests
    failed: int = 0  # without an answer
    heard: float = -inf  # when that answer arrived
    broke: float = -inf  # when the last failure was known
    last: float = -inf  # when the last request left
    block: int = -1  # in which it was due
    took: float = 0.0  # seconds of the last answer
    out: dict[int, float] = field(default_factory=dict)  # when each request in flight left
    held: list[tuple[int, float]] = field(default_factory=list)  # starts and their due moments

    def leaves(self, number: int, block: int, now: float) -> None:
        self.left, self.block, self.last = self.left + 1, block, now
        self.out[number] = now

    def hears(self, number: int, arrived: float) -> list[tuple[int, float]]:
        """Take an answer; the starts that were held until then."""
        held, self.held = self.held, []
        self.took = arrived - self.out.pop(number)
        self.left = self.failed = 0
        self.heard = max(self.heard, arrived)
        return held

    def misses(self, number: int, now: float) -> None:
        self.out.pop(number)
        self.failed, self.broke = self.failed + 1, now


class Pacing:
    """Holds starts while the target keeps silent, and those of a route that hangs while others answer.

    The target is silent when 17 requests, or those of a whole block, got no answer, and the last answer is older than
    0.3 s: with the 3 blocks that show it dead, 20 requests. It then gets a request in each block, more of them only
    until 17 have left, one at a time. A route is held while two of its requests hang, and is asked once a block after
    two failures in a row. An answer ends either.
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
        """Whether the target has answered, and no request has failed since."""
        return self.is_answered and not self._target.failed

    def admits(self, number: int, due: float, now: float) -> bool:
        """Whether a start leaves now; else it is held."""
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
        """Take an answer, whatever it says; the fates of the starts that were held until then."""
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
        """Take a timeout, a refusal or a reset."""
        for ear in (self._target, self._route(number)):
            ear.misses(number, now)

    def ended(self) -> tuple[list[Fate], list[int]]:
        """Of what is still held: the fates of starts whose timeout the silence outlasts, and the others."""
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
        """Whether a silent target may be asked: first in a block, or one at a time until enough have left."""
        target = self._target
        is_time = now - target.last >= self._schedule.block / _KNOCKS
        return block != target.block or (is_time and not target.out and target.left < MOST_UNANSWERED)

    def _hangs(self, route: _Ear, block: int, now: float) -> bool:
        if route.failed >= _HANGS:
            return bool(route.out) or route.block == block
        since = max(route.heard, min(route.out.values(), default=now))
        return len(route.out) >= _HANGS and now - since > max(self._patience(), _SLOWER * route.took)

    def _fate(self, number: int, due: float, unasked: float, arrived: float, now: float) -> Fate:
        """A held start's: it took until now; what this process did not ask, or read late, is its own delay."""
        seconds = now - due
        own = min(seconds, unasked + now - max(arrived, due))
        return Fate(number, None) if seconds - own > self._timeout else Fate(number, seconds, own)
