"""What is a run told beside its plan, and what does it bring back?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from probekit.config.settings import Environment
from probekit.model.history import Memory, Source
from probekit.model.measurement import Attempt, Measurement
from probekit.model.plan import Step
from probekit.probe import Secret
from probekit.redaction import Redactor
from probekit.transport.client import Http


class Follower(Protocol):
    """Whoever wants to know what a run is at."""

    def waiting(self, what: str, until: datetime) -> None:
        """The run waits for something, at most until then."""

    def began(self, step: Step, until: datetime) -> None:
        """A step runs, at the worst until then."""


class Watcher(Follower, Protocol):
    """Who also wants to see what came of each step."""

    def ended(self, step: Step, attempts: Sequence[tuple[str, tuple[Attempt, ...]]], now: datetime) -> None:
        """A step is over; its attempts by instance."""


def steady(
    wall: Callable[[], datetime] = lambda: datetime.now(UTC), elapsed: Callable[[], float] = time.monotonic
) -> Callable[[], datetime]:
    """The time of now, which from here on passes evenly (seconds), also when somebody sets the machine's clock."""
    began, start = wall(), elapsed()
    return lambda: began + timedelta(seconds=elapsed() - start)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The time, and how to let it pass."""

    now: Callable[[], datetime] = field(default_factory=steady)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Stop:
    """A wish from outside that the run ends now."""

    def __init__(self) -> None:
        self.by: str | None = None
        self._wished = asyncio.Event()

    def wish(self, by: str) -> None:
        """End now; `by` is who wants it, such as the signal's name."""
        self.by = self.by or by
        self._wished.set()

    async def wished(self) -> None:
        """Returns when somebody wishes it."""
        await self._wished.wait()


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a run is told beside its plan."""

    environment: Environment
    http: Http
    reveal: Callable[[Secret], str]
    redactor: Redactor
    memory: Memory = field(default_factory=Memory)
    clock: Clock = field(default_factory=Clock)
    settle: bool = True
    wait_release: float = 0.0  # seconds the first guard may wait for the expected version
    stop: Stop = field(default_factory=Stop)
    watcher: Watcher | None = None


@dataclass(kw_only=True, repr=False)  # asyncio writes its result's repr when it restores signals
class Seen:
    """What a run saw, filled while it goes on, so that nothing is lost when it is cut off."""

    attempts: dict[tuple[str, str], tuple[Attempt, ...]] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    guards: list[Measurement] = field(default_factory=list)
    controls: list[bool] = field(default_factory=list)  # whether one answered: at the start, at the end
    settling_since: datetime | None = None
    totals: dict[Source, float] = field(default_factory=dict)  # the latest of each
    lag: float = 0.0  # seconds of the longest standstill of our event loop
    complete: bool = False
    ended_by: str | None = None
