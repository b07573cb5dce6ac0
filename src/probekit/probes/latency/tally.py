"""Count the outcomes of the requests of a sampling."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from probekit.probe import LatencySample

_DEAD: Final = 3  # blocks in a row with failures only, after which the target is down; fewer could not show that


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The starts of a sampling's requests: evenly over its blocks, in turn over the routes."""

    rate: float  # starts a second
    starts: int
    blocks: int
    routes: int
    block: float  # seconds

    def block_of(self, number: int) -> int:
        """The block in which a start is due."""
        return number * self.blocks // self.starts

    def route_of(self, number: int) -> int:
        """The number of the route that a start is for."""
        return number % self.routes


@dataclass(slots=True)
class Tally:
    """The outcomes of the requests, by the block in which they were due."""

    schedule: Schedule
    values: list[list[int]] = field(init=False)
    delays: list[list[int]] = field(init=False)
    failures: list[int] = field(init=False)
    due: list[int] = field(init=False)
    busy: Counter[int] = field(default_factory=Counter)  # 503 answers by route

    def __post_init__(self) -> None:
        blocks = range(self.schedule.blocks)
        self.values, self.delays = [[] for _ in blocks], [[] for _ in blocks]
        self.failures, self.due = [0 for _ in blocks], [0 for _ in blocks]
        for number in range(self.schedule.starts):
            self.due[self.schedule.block_of(number)] += 1

    def answered(self, number: int, seconds: float, own: float) -> None:
        """Count a duration from the intended start, and the part of it that was local delay."""
        block = self.schedule.block_of(number)
        self.values[block].append(round(max(own, seconds) * 1e6))
        self.delays[block].append(round(own * 1e6))

    def failed(self, number: int) -> None:
        """Count a request that failed."""
        self.failures[self.schedule.block_of(number)] += 1

    def was_not_due(self, number: int) -> None:
        """Remove a request from the schedule."""
        self.due[self.schedule.block_of(number)] -= 1

    def is_dead(self, block: int) -> bool:
        """Whether the last three blocks, this one included, have failures only."""
        last = range(block - _DEAD + 1, block + 1)
        return last[0] >= 0 and all(self.failures[n] and not self.values[n] for n in last)

    def sample(self) -> LatencySample:
        """Return the sample; requests that were due, but neither answered nor failed, were never sent."""
        sent = [len(values) + failed for values, failed in zip(self.values, self.failures, strict=True)]
        return LatencySample(
            tuple(map(tuple, self.values)),
            tuple(map(tuple, self.delays)),
            tuple(self.failures),
            tuple(due - left for due, left in zip(self.due, sent, strict=True)),
        )
