"""Run a plan: controls, release guard, steps with their attempts; no exception escapes a probe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from probekit.engine.attempts import AttemptRunner
from probekit.engine.context import Observations, RunContext
from probekit.engine.controls import answer_of_any
from probekit.engine.loop_lag import Lag
from probekit.engine.measure import Measurer, ProbeInstance
from probekit.engine.release_guard import ReleaseGuard
from probekit.model.measurement import Attempt, Failure, InstanceKey, Reason
from probekit.model.plan import Plan, Retry, Step, Turn
from probekit.probe import ConfiguredKind
from probekit.transport.urls import Address

SLACK = 60.0  # seconds beyond twice the worst case and the throttle
RetryRule = Callable[[Step[ConfiguredKind], Sequence[Attempt]], Retry | None]


async def run(plan: Plan[ConfiguredKind], more: RetryRule, context: RunContext) -> Observations:
    """Carry out the plan; what was seen until then if the run is stopped or its deadline passes."""
    observations = Observations()
    work = asyncio.create_task(_Run(plan, more, context, observations).whole())
    cancel_wait = asyncio.create_task(context.cancellation.requested())
    try:
        settling = context.environment.settle if context.settle else 0.0  # waits that were asked for are no part of it
        longest = context.environment.deadline + context.wait_release + settling
        await asyncio.wait({work, cancel_wait}, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
    finally:
        cancel_wait.cancel()
        if not work.done():
            observations.ended_by = context.cancellation.by or "deadline"
            work.cancel()
            await asyncio.wait({work})
    if work.done() and not work.cancelled():
        work.result()
        observations.complete = True
    return observations


class _Run:
    """One run on its way."""

    def __init__(
        self, plan: Plan[ConfiguredKind], more: RetryRule, context: RunContext, observations: Observations
    ) -> None:
        self.plan = plan
        self.more = more
        self.context = context
        self.observations = observations
        self.environment = context.environment
        self.clock = context.clock
        throttle = self.environment.throttle
        self.queue = (
            sum(step.cost for step in plan.steps) * throttle.per / throttle.requests
        )  # seconds for all requests
        self.longest = sum(step.longest for step in plan.steps)
        self.lag = Lag()
        self.measurer = Measurer(plan, context, observations, self.lag)
        self.guard = ReleaseGuard(plan, context, observations, self.measurer)

    async def whole(self) -> None:
        """Controls, settling, guard, probes, guard, bursts, controls."""
        lag = asyncio.create_task(self.lag.watch())
        try:
            await self._whole()
        finally:
            lag.cancel()
            self.observations.lag = self.lag.longest

    async def _whole(self) -> None:
        self.observations.settling_since = self._mark()
        await self._ask_controls()
        if self.context.wait_release:
            await self.guard.wait()
        await self._settle()
        await self.guard.check()
        await self._probes()
        await self.guard.check()
        for step in self._of("final"):  # a burst may get us turned away
            await self._step(step)
        await self._ask_controls()

    def _of(self, turn: Turn) -> list[Step[ConfiguredKind]]:
        return [step for step in self.plan.steps if step.turn == turn]

    async def _probes(self) -> None:
        """The watchers watch while all others run together, and then those that want to be alone on their host."""
        async with asyncio.TaskGroup() as watching:
            for step in self._of("background"):
                watching.create_task(self._step(step))
            async with asyncio.TaskGroup() as together:
                for step in self._of("concurrent"):
                    together.create_task(self._step(step))
            for step in self._of("exclusive"):
                await self._step(step)
            self.measurer.watched = False

    def _mark(self) -> datetime | None:
        """What settling counts from: the deployment, else now; nothing where nobody waits for it either."""
        deployment = self.context.history.deployment
        return deployment.mark if deployment else self.clock.now() if self.context.settle else None

    async def _ask_controls(self) -> None:
        if not self.environment.control:
            return
        self._say("the controls to answer", self.environment.timeout)
        environment = self.environment
        answered = await answer_of_any(environment.control, self.context.http, environment.timeout)
        self.observations.controls.append(answered)

    async def _settle(self) -> None:
        """Wait until the settle time has passed since the mark, for a mark in the future no longer than that."""
        began = self.clock.now()
        mark = min(self.observations.settling_since or began, began)
        until = mark + timedelta(seconds=self.environment.settle)
        if not self.context.settle or until <= began:
            return
        self.context.observer.waiting("the services to settle", until)
        while (left := (until - self.clock.now()).total_seconds()) > 0:
            await self.clock.sleep(left)

    def _say(self, what: str, seconds: float) -> None:
        self.context.observer.waiting(what, self.clock.now() + timedelta(seconds=seconds))

    async def _step(self, step: Step[ConfiguredKind]) -> None:
        """Every instance of one step, within the time that its worst case takes."""
        self.context.observer.began(step, self.clock.now() + timedelta(seconds=step.longest))
        resolved = await self.measurer.resolve(step)
        if isinstance(resolved, Failure):
            self._keep(step, step.instance, (self.measurer.never(step, step.instance, resolved),))
        elif step.source.each_address:
            async with asyncio.TaskGroup() as group:
                for address in resolved.addresses:
                    name = f"{step.instance} {address}".strip() if len(resolved.addresses) > 1 else step.instance
                    place = ProbeInstance(step=step, instance=name, resolved=resolved)
                    group.create_task(self._instance(place, (address,)))
        else:
            place = ProbeInstance(step=step, instance=step.instance, resolved=resolved)
            await self._instance(place, resolved.addresses)
        mine = {key: kept for key, kept in self.observations.attempts.items() if key.probe == step.probe}
        self.context.step_ended(step, mine, self.clock.now())

    async def _instance(self, place: ProbeInstance, addresses: Sequence[Address]) -> None:
        """Attempts until nothing more is asked for, or the plan allows no further one; a sampling is one attempt."""
        step, attempts = place.step, list[Attempt]()
        runner = AttemptRunner(step, addresses, partial(self.measurer.measure, place), self.clock.sleep)
        try:
            async with asyncio.timeout(self._patience(step)):
                attempts.append(Attempt(measurements=await runner.first()))
                while retry := self.more(step, attempts):
                    if retry.rechecks:
                        attempts[-1] = Attempt(
                            measurements=attempts[-1].measurements, rechecks=await runner.recheck(retry)
                        )
                    elif len(attempts) < step.attempts:
                        await self.clock.sleep(step.attempt_interval)
                        attempts.append(Attempt(measurements=await runner.next()))
                    else:
                        break
        except TimeoutError:
            failure = Failure(reason=Reason.BUG, detail=f"kind {step.kind} went on past its time")
            attempts.append(self.measurer.never(step, place.instance, failure))
        finally:
            cut = Failure(reason=Reason.CUT_OFF, detail="the run ended before the first attempt did")
            self._keep(step, place.instance, tuple(attempts) or (self.measurer.never(step, place.instance, cut),))

    def _patience(self, step: Step[ConfiguredKind]) -> float | None:
        """Seconds until a kind counts as stuck: twice the worst case of all, who wait for each other at one host."""
        return None if step.turn == "background" else self.longest * 2 + self.queue + SLACK

    def _keep(self, step: Step[ConfiguredKind], instance: str, attempts: tuple[Attempt, ...]) -> None:
        if attempts:
            self.observations.attempts[InstanceKey(step.probe, instance)] = attempts
