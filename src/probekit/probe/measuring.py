"""The input and the output of one measurement of a kind: a context, and readings."""

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
from probekit.model.record import Identity, Record
from probekit.probe.settings import SecretRef
from probekit.transport.client import ProbeClient
from probekit.transport.resolver import Resolved
from probekit.transport.urls import Address

Allowance = Literal["canary-write", "load"]  # what an environment may allow in addition to reading
Role = Literal["reached", "answered"]  # reached: 1 the target answered, 0 it did not; answered: any number means it did


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number that a kind gives."""

    name: str
    unit: str
    help: str
    role: Role | None = None  # what it says about the target's reachability
    quantile: float | None = None  # of a percentile, whose limit is a limit on the share of slower requests
    is_share: bool = False
    in_window: bool = False  # a window gives it, where the kind has single measurements too
    by_settling: bool = False  # the run waits until it is good; without settling it is not judged
    timed: bool = False  # this process timed it, so it may include the lag of the event loop
    low: float = 0.0  # the lowest possible reading, in its unit
    high: float = inf  # the highest possible reading


class Readings:
    """The result of one measurement: a reading or a failure per metric, one line for a verdict, notes for a reader."""

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
        self.version: str | None = None  # the version that the target serves, where the kind reads it
        self.records: tuple[Record, ...] = ()  # that the readings come from, where they come from records
        self.answered: frozenset[str] = frozenset()  # questions that were answered well


@dataclass(kw_only=True)
class Window:
    """The blocks of time of a sampling, on an absolute schedule: a slow reading does not delay those after it."""

    block: float  # seconds
    least: int  # blocks
    goes_on: Callable[[], bool]  # whether the run needs more blocks than the least
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    _start: datetime | None = None
    _taken: int = 0

    async def next(self) -> bool:
        """Wait for the end of the current block; return False, at once, when the window is over."""
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
    """Everything that a kind may use in one measurement."""

    base_url: str
    timeout: float  # seconds for one exchange
    http: ProbeClient
    reveal: Callable[[SecretRef], str]
    now: Callable[[], datetime]
    address: Address | None = None  # the address that this measurement connects to
    resolved: Resolved | None = None  # all addresses of the probe's endpoint
    wanted: frozenset[str] = frozenset()
    history: History = field(default_factory=History)
    versions: Versions = field(default_factory=Versions)  # the versions that may be served
    settling_since: datetime | None = None  # the start of `settled`
    allow: frozenset[str] = frozenset()  # what the environment allows in addition to reading
    window: Window | None = None  # of a sampling
    budget: int | None = None  # requests that it may send; None: as many as its settings say
    environment: str = ""  # the environment's name
    stage: str = ""  # of the deployment: before, after, or rolled-back
    release: str = ""  # the release that the run verifies
    identity: Identity = field(default_factory=Identity)  # what is known of that release
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep  # sleeps by the clock of `now`
