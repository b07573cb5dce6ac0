"""The context of a run, in addition to its plan, and its observations."""

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
from probekit.model.record import Identity
from probekit.probe import SecretRef
from probekit.redaction import Redactor
from probekit.transport.client import Http

if TYPE_CHECKING:  # for observers only; the engine itself uses no verdicts
    from probekit.model.verdict import Verdict


class RunObserver:
    """An observer of a run, whose methods are called in the run's loop; this base class ignores everything."""

    @contextmanager
    def wait(self, what: str, until: datetime) -> Iterator[None]:
        """Report the begin and the end of a wait, however it ends."""
        self.waiting(what, until)
        try:
            yield
        finally:
            self.waited(what)

    @contextmanager
    def running(self, step: Step[object], until: datetime) -> Iterator[None]:
        """Report the begin and the end of a step, however it ends."""
        self.began(step, until)
        try:
            yield
        finally:
            self.ended(step)

    def started(self, steps: Sequence[Step[object]]) -> None:
        """Handle the begin of a run with these steps."""

    def waiting(self, what: str, until: datetime) -> None:
        """Handle the begin of a wait, which ends by then."""

    def waited(self, what: str) -> None:
        """Handle the end of a wait."""

    def began(self, step: Step[object], until: datetime) -> None:
        """Handle the begin of a step, which ends by then."""

    def extended(self, step: Step[object], until: datetime) -> None:
        """Handle one more window of a sampling, which ends by then: an item is undecided."""

    def ended(self, step: Step[object]) -> None:
        """Handle the end of a step; it begins again to confirm a failure."""

    def judged(self, step: Step[object], verdicts: Sequence[Verdict]) -> None:
        """Handle the verdicts so far on the items of a finished step."""


StepEnded = Callable[[Step[object], Mapping[InstanceKey, tuple[Attempt, ...]], datetime], None]


def _ignored(step: Step[object], attempts: Mapping[InstanceKey, tuple[Attempt, ...]], now: datetime) -> None:
    """Ignore the end of a step."""


def steady_clock(
    wall: Callable[[], datetime] = lambda: datetime.now(UTC), elapsed: Callable[[], float] = time.monotonic
) -> Callable[[], datetime]:
    """Return a clock that passes evenly from now on, even if the machine's clock is changed."""
    began, start = wall(), elapsed()
    return lambda: began + timedelta(seconds=elapsed() - start)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The current time, and how to wait."""

    now: Callable[[], datetime] = field(default_factory=steady_clock)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Cancellation:
    """A request from outside to end the run now."""

    def __init__(self) -> None:
        self.by: str | None = None
        self._requested = asyncio.Event()

    def request(self, by: str) -> None:
        """End the run now; `by` is the origin of the request, such as the signal's name."""
        self.by = self.by or by
        self._requested.set()

    async def requested(self) -> None:
        """Wait until the end is requested."""
        await self._requested.wait()


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """The context of a run, in addition to its plan."""

    environment: Environment
    name: str = ""  # the environment's
    stage: str = ""  # of the deployment
    release: str = ""  # the release that the run is about
    identity: Identity = field(default_factory=Identity)  # what is known of it
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
    """The observations of a run, filled during the run, so that nothing is lost if it is cut off."""

    attempts: dict[InstanceKey, tuple[Attempt, ...]] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    guard_measurements: list[Measurement] = field(default_factory=list)
    controls: list[bool] = field(default_factory=list)  # whether one answered: at the start, at the end
    settling_since: datetime | None = None
    uncounted: dict[str, str] = field(default_factory=dict)  # silent address -> why it does not count
    counters: dict[MetricKey, float] = field(default_factory=dict)  # the latest of each
    answered: set[str] = field(default_factory=set)  # requests that were answered as expected
    lag: float = 0.0  # seconds of the longest stall of this process's event loop
    complete: bool = False
    ended_by: str | None = None
