"""The attempts of one probe instance, until no more are needed or the plan allows no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from probekit.engine.attempts import AttemptRunner
from probekit.engine.context import Clock, RunObserver
from probekit.engine.measure import Measurer, ProbeInstance
from probekit.engine.places import Places, QuietTurns
from probekit.model.measurement import Attempt, Failure, Reason
from probekit.model.plan import Retry, Step
from probekit.probe import ConfiguredKind
from probekit.transport.urls import Address

RetryRule = Callable[[Step[ConfiguredKind], Sequence[Attempt]], Retry | None]


class InstanceRun:
    """Takes the attempts of one instance; finished measurements are kept, however it ends."""

    def __init__(  # noqa: PLR0913  # by name
        self,
        place: ProbeInstance,
        addresses: Sequence[Address],
        *,
        measurer: Measurer,
        more: RetryRule,
        clock: Clock,
        keep: Callable[[Sequence[Attempt]], None],
        cut: Callable[[], Failure],
        goes_on: Callable[[], bool],
        patience: float | None,
        turns: QuietTurns,
        repeat: int | None = None,
        observer: RunObserver,
    ) -> None:
        """Prepare the attempts; nothing is measured yet.

        Args:
            place: the instance to measure.
            addresses: the addresses that it measures in turn.
            measurer: takes the measurements.
            more: the rule that says after each attempt what else is needed.
            clock: the clock by which it waits.
            keep: receives the attempts so far, after each attempt.
            cut: gives the failure of an instance that ends before its first attempt.
            goes_on: whether a sampling may take one more window.
            patience: seconds until its kind counts as stuck; None: unlimited.
            turns: turns of timed measurements, shared by the instances of a step.
            repeat: measurements of the first attempt; None: as many as the step says.
            observer: is notified of the waits between attempts.
        """
        self.place = place
        self._measurer = measurer
        self._more = more
        self._clock = clock
        self._keep = keep
        self._cut = cut
        self._goes_on = goes_on
        self._patience = patience
        self._observer = observer
        take = partial(measurer.measure, place)
        self._runner = AttemptRunner(place.step, addresses, take, clock.sleep, turns=turns, repeat=repeat)
        self._attempts: list[Attempt] = []
        self._retry: Retry | None = None

    @property
    def is_open(self) -> bool:
        """Whether another attempt is due."""
        return self._retry is not None and len(self._attempts) < self.place.step.attempts

    async def first(self) -> None:
        """Take the first attempt; a sampling has no other."""
        async with self._kept():
            await self._take(Attempt(measurements=await self._runner.first()))

    async def confirm(self, places: Places) -> None:
        """Take the further attempts that are needed."""
        async with self._kept():
            while self.is_open:
                await self._interval()
                await self._take(Attempt(measurements=await self._runner.next(places)))

    async def _interval(self) -> None:
        """Wait for the next attempt."""
        step = self.place.step
        until = self._clock.now() + timedelta(seconds=step.attempt_interval)
        with self._observer.wait(f"attempt {len(self._attempts) + 1} of {step.attempts} of {step.name}", until):
            await self._clock.sleep(step.attempt_interval)

    async def _take(self, attempt: Attempt) -> None:
        """Keep an attempt, with the rechecks that it needs."""
        step = self.place.step
        self._attempts.append(attempt)
        while (retry := self._more(step, self._attempts)) and retry.rechecks:
            if step.window and not self._goes_on():
                break
            rechecks = self._attempts[-1].rechecks + await self._runner.recheck(retry)
            self._attempts[-1] = Attempt(measurements=attempt.measurements, rechecks=rechecks)
        self._retry = retry

    @asynccontextmanager
    async def _kept(self) -> AsyncIterator[None]:
        step, instance = self.place.step, self.place.instance
        try:
            async with asyncio.timeout(self._patience):
                yield
        except TimeoutError:
            self._retry = None
            failure = Failure(reason=Reason.BUG, detail=f"kind {step.kind} exceeded its time limit")
            self._attempts.append(self._measurer.never(step, instance, failure))
        finally:
            self._keep(tuple(self._attempts) or (self._measurer.never(step, instance, self._cut()),))
