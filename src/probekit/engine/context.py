"""What a run needs beside its plan, and what it brings back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from probekit.config.settings import Environment
from probekit.model.history import History
from probekit.model.measurement import Attempt, InstanceKey, Measurement, MetricKey
from probekit.model.plan import Step
from probekit.probe import SecretRef
from probekit.redaction import Redactor
from probekit.transport.client import Http

if TYPE_CHECKING:  # an observer may follow verdicts; the engine knows none
    from probekit.model.verdict import Verdict


class RunObserver:
    """What a caller may follow of a run; this one ignores everything. Its methods are called in the run's loop."""

    @contextmanager
    def wait(self, what: str, until: datetime) -> Iterator[None]:
        """Say that the run waits for something, and that it is over, however it ends."""
        self.waiting(what, until)
        try:
            yield
        finally:
            self.waited(what)

    @contextmanager
    def running(self, step: Step[object], until: datetime) -> Iterator[None]:
        """Say that a step runs, and that it does not any more, however it ends."""
        self.began(step, until)
        try:
            yield
        finally:
            self.ended(step)

    def started(self, steps: Sequence[Step[object]]) -> None:
        """A run begins, of these steps."""

    def waiting(self, what: str, until: datetime) -> None:
        """The run waits for something, at most until then."""

    def waited(self, what: str) -> None:
        """It waits for that no longer."""

    def began(self, step: Step[object], until: datetime) -> None:
        """A step runs, in the worst case until then."""

    def extended(self, step: Step[object], until: datetime) -> None:
        """A sampling takes one more window, in the worst case until then, because an item is undecided."""

    def ended(self, step: Step[object]) -> None:
        """Nothing of a step runs now; it begins again where a failure is to be confirmed."""

    def judged(self, step: Step[object], verdicts: Sequence[Verdict]) -> None:
        """A step is over, and what its items are for now."""


StepEnded = Callable[[Step[object], Mapping[InstanceKey, tuple[Attempt, ...]], datetime], None]


def _ignored(step: Step[object], attempts: Mapping[InstanceKey, tuple[Attempt, ...]], now: datetime) -> None:
    """Nothing follows from the end of a step."""


def steady_clock(
    wall: Callable[[], datetime] = lambda: datetime.now(UTC), elapsed: Callable[[], float] = time.monotonic
) -> Callable[[], datetime]:
    """The time of now, which from here on passes evenly (seconds), also when somebody sets the machine's clock."""
    began, start = wall(), elapsed()
    return lambda: began + timedelta(seconds=elapsed() - start)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The time, and how to let it pass."""

    now: Callable[[], datetime] = field(default_factory=steady_clock)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Cancellation:
    """A request from outside that the run ends now."""

    def __init__(self) -> None:
        self.by: str | None = None
        self._wished = asyncio.Event()

    def request(self, by: str) -> None:
        """End now; `by` is who wants it, such as the signal's name."""
        self.by = self.by or by
        self._wished.set()

    async def requested(self) -> None:
        """Returns when somebody wishes it."""
        await self._wished.wait()


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What a run is told beside its plan."""

    environment: Environment
    name: str = ""  # the environment's
    stage: str = ""  # of the deployment
    release: str = ""  # that the run is about
    http: Http
    reveal: Callable[[SecretRef], str]
    redactor: Redactor
    history: History = field(default_factory=History)
    clock: Clock = field(default_factory=Clock)
    settle: bool = True
    wait_release: float = 0.0  # seconds the first guard may wait for the expected version
    cancellation: Cancellation = field(default_factory=Cancellation)
    observer: RunObserver = field(default_factory=RunObserver)
    step_ended: StepEnded = _ignored
    is_decided: Callable[[Observations], bool] = lambda _seen: False  # whether a confirmed failure fixed the decision


@dataclass(kw_only=True, repr=False)  # asyncio writes its result's repr when it restores signals
class Observations:
    """What a run saw, filled while it goes on, so that nothing is lost when it is cut off."""

    attempts: dict[InstanceKey, tuple[Attempt, ...]] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    guard_measurements: list[Measurement] = field(default_factory=list)
    controls: list[bool] = field(default_factory=list)  # whether one answered: at the start, at the end
    settling_since: datetime | None = None
    uncounted: dict[str, str] = field(default_factory=dict)  # silent address -> why its silence tells nothing
    counters: dict[MetricKey, float] = field(default_factory=dict)  # the latest of each
    answered: set[str] = field(default_factory=set)  # questions that were answered as they should be
    lag: float = 0.0  # seconds of the longest standstill of our event loop
    complete: bool = False
    ended_by: str | None = None
