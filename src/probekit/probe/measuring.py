"""What a kind is given for one measurement, and what it gives back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import Literal

from probekit.model.history import History
from probekit.model.measurement import Failure
from probekit.model.plan import Versions
from probekit.model.readings import (
    CumulativeCount,
    Reading,
)
from probekit.probe.settings import SecretRef
from probekit.transport.client import ProbeClient
from probekit.transport.resolver import Resolved
from probekit.transport.urls import Address

Allowance = Literal["canary-write", "load"]  # what an environment may allow beside reading
Role = Literal["reached", "answered"]  # reached: 1 the target answered, 0 it did not; answered: any number says it did


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number that a kind gives."""

    name: str
    unit: str
    help: str
    role: Role | None = None  # what it says of the target's reachability
    quantile: float | None = None  # of a percentile, whose limit is one on the share of what is slower
    is_share: bool = False
    in_window: bool = False  # a window gives it, where the kind has single measurements too
    by_settling: bool = False  # the run waits until it is good, unless it is not to settle: then it says nothing
    timed: bool = False  # whether this process timed it, so that the lag of its event loop may be in it
    low: float = 0.0  # the least that a reading can be, in its unit
    high: float = inf  # the most


class Readings:
    """What one measurement gave: a reading or a failure per metric, one line for a verdict, and notes for a reader."""

    def __init__(
        self,
        summary: str = "",
        notes: Mapping[str, str] | None = None,
        /,
        **values: Reading | CumulativeCount | Failure,
    ) -> None:
        self.values = values
        self.summary = summary
        self.notes = dict(notes or {})
        self.version: str | None = None  # that the target serves, where the kind reads it
        self.answered: frozenset[str] = frozenset()  # questions that were answered as they should be


@dataclass(kw_only=True)
class Window:
    """The blocks of time of a sampling, by an absolute schedule: a slow reading delays none of those after it."""

    block: float  # seconds
    least: int  # blocks
    goes_on: Callable[[], bool]  # whether the run wants more than the least
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    _start: datetime | None = None
    _taken: int = 0

    async def next(self) -> bool:
        """Wait for the end of the current block; False, at once, when the window is over."""
        self._start = self._start or self.now()
        if self._taken >= self.least and not self.goes_on():
            return False
        self._taken += 1
        until = self._start + timedelta(seconds=self._taken * self.block)
        while (left := (until - self.now()).total_seconds()) > 0:
            await self.sleep(left)
        return True


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a kind may know and use in one measurement."""

    base_url: str
    timeout: float  # seconds for one exchange
    http: ProbeClient
    reveal: Callable[[SecretRef], str]
    now: Callable[[], datetime]
    address: Address | None = None  # where this measurement goes
    resolved: Resolved | None = None  # all addresses of the probe's endpoint
    wanted: frozenset[str] = frozenset()
    history: History = field(default_factory=History)
    versions: Versions = field(default_factory=Versions)  # that may be served
    settling_since: datetime | None = None  # what `settled` counts from
    allow: frozenset[str] = frozenset()  # what the environment allows beside reading
    window: Window | None = None  # of a sampling
    budget: int | None = None  # requests that it may send; None: as many as its settings say
    environment: str = ""  # the environment's name
    stage: str = ""  # of the deployment: before, after, or rolled-back
    release: str = ""  # that the run is about
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep  # lets seconds of `now` pass
