"""Run a plan: controls, release guard, and steps with their attempts; an exception of a probe never leaves it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from probekit.engine.addresses import note_uncounted
from probekit.engine.context import Observations, RunContext
from probekit.engine.controls import answer_of_any
from probekit.engine.instance_run import InstanceRun, RetryRule
from probekit.engine.loop_lag import Lag
from probekit.engine.measure import Measurer, ProbeInstance
from probekit.engine.places import Places, QuietTurns
from probekit.engine.release_guard import ReleaseGuard
from probekit.engine.settling import settle, settling_mark
from probekit.model.measurement import Attempt, Failure, InstanceKey, Reason
from probekit.model.plan import Plan, Step, Turn
from probekit.probe import ConfiguredKind
from probekit.transport.resolver import Resolved
from probekit.transport.urls import Address

SLACK = 60.0  # seconds in addition to twice the worst case and the throttle
_ENOUGH = 32  # first measurements of one probe over all its addresses
_LEAST = 3  # of them at each address: one slow answer changes a median of two
_CUT_OFF = Failure(reason=Reason.CUT_OFF, detail="the run ended before the first attempt did")
_NOT_MEASURED = Failure(reason=Reason.NOT_MEASURED, detail="decision fixed")


async def run(plan: Plan[ConfiguredKind], more: RetryRule, context: RunContext) -> Observations:
    """Carry out the plan and return the observations, also if the run is cancelled or its deadline passes."""
    observations = Observations()
    settling = context.environment.settle if context.settle else 0.0  # requested waits do not count
    longest = context.environment.deadline + context.wait_release + settling
    ends = asyncio.get_running_loop().time() + longest
    work = asyncio.create_task(_Run(plan, more, context, observations, ends).whole())
    cancel_wait = asyncio.create_task(context.cancellation.requested())
    try:
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
    """The state of one run."""

    def __init__(
        self,
        plan: Plan[ConfiguredKind],
        more: RetryRule,
        context: RunContext,
        observations: Observations,
        ends: float,
    ) -> None:
        self.plan = plan
        self.more = more
        self.context = context
        self.observations = observations
        self.ends = ends  # when the run is cut off, by the loop's time
        self.ahead = {step.key: step for step in plan.steps if step.turn != "background"}  # not finished yet
        self.environment = context.environment
        self.clock = context.clock
        self.observer = context.observer
        throttle = self.environment.throttle
        self.queue = (
            sum(step.cost for step in plan.steps) * throttle.per / throttle.requests
        )  # seconds for all requests
        self.longest = sum(step.longest for step in plan.steps)
        self.lag = Lag()
        self.measurer = Measurer(plan, context, observations, self.lag)
        self.guard = ReleaseGuard(plan, context, observations, self.measurer)
        self.is_decided = False

    async def whole(self) -> None:
        """Run controls, settling, guard, probes, guard, bursts and controls."""
        self.observer.started(self.plan.steps)
        lag = asyncio.create_task(self.lag.watch())
        try:
            await self._whole()
        finally:
            lag.cancel()
            self.observations.lag = self.lag.longest

    async def _whole(self) -> None:
        self.observations.settling_since = settling_mark(self.context)
        await self._ask_controls()
        if self.context.wait_release:
            await self.guard.wait()
        await settle(self.context, self.observations.settling_since)
        await self.guard.check()
        await self._probes()
        await self.guard.check()
        for step in self._of("final"):  # a burst may trigger the target's rate limit
            await self._alone(step)
        await self._ask_controls()
        await self._note_uncounted()

    def _of(self, turn: Turn) -> list[Step[ConfiguredKind]]:
        return [step for step in self.plan.steps if step.turn == turn]

    async def _probes(self) -> None:
        """Run background steps during all others: first the concurrent steps with confirmation, then exclusive ones.

        Once a confirmed failure fixes the decision, the background steps are cancelled.
        """
        async with asyncio.TaskGroup() as watching:
            watchers = [watching.create_task(self._alone(step)) for step in self._of("background")]
            await self._together(self._of("concurrent"))
            await self._note_uncounted()
            for step in self._of("exclusive"):
                await self._alone(step)
            self.measurer.watched = False
            if self._decided():
                for watcher in watchers:
                    watcher.cancel()

    async def _together(self, steps: Sequence[Step[ConfiguredKind]]) -> None:
        """Run the first attempts of all steps; then confirm failures while nothing else is measured."""
        async with asyncio.TaskGroup() as group:
            begun = [(step, group.create_task(self._begun(step))) for step in steps]
        places = Places()
        async with asyncio.TaskGroup() as group:
            for step, task in begun:
                if any(one.is_open for one in task.result()):
                    group.create_task(self._confirmed(step, task.result(), places))

    async def _alone(self, step: Step[ConfiguredKind]) -> None:
        """Run one step with all its attempts; skip a window or a burst once the decision is fixed."""
        if (step.window or step.turn == "final") and self._decided():
            self._keep(step, step.instance, (self.measurer.never(step, step.instance, _NOT_MEASURED),))
            self._ended(step)
            return
        begun = await self._begun(step)
        if any(one.is_open for one in begun):
            await self._confirmed(step, begun, Places())

    async def _note_uncounted(self) -> None:
        await note_uncounted(self.plan.steps, self.observations, self.measurer, self.context.http.families)

    def _decided(self) -> bool:
        """Return whether a confirmed failure has fixed the decision, so that no further window can change it."""
        self.is_decided = self.is_decided or self.context.is_decided(self.observations)
        return self.is_decided

    async def _ask_controls(self) -> None:
        if not self.environment.control:
            return
        environment = self.environment
        with self.observer.wait("the controls to answer", self._in(environment.timeout)):
            answered = await answer_of_any(environment.control, self.context.http, environment.timeout)
        self.observations.controls.append(answered)

    def _in(self, seconds: float) -> datetime:
        return self.clock.now() + timedelta(seconds=seconds)

    async def _begun(self, step: Step[ConfiguredKind]) -> list[InstanceRun]:
        """Run the first attempt of every instance of one step."""
        with self.observer.running(step, self._in(step.longest_first)):
            instances = await self._first_attempts(step)
        if not any(instance.is_open for instance in instances):
            self._ended(step)
        return instances

    async def _first_attempts(self, step: Step[ConfiguredKind]) -> list[InstanceRun]:
        resolved = await self.measurer.resolve(step)
        instances, turns = list[InstanceRun](), QuietTurns()
        if isinstance(resolved, Failure):
            self._keep(step, step.instance, (self.measurer.never(step, step.instance, resolved),))
        elif step.each_address:
            count = len(resolved.addresses)
            repeat = min(step.repeat, max(_LEAST, -(-_ENOUGH // max(1, count))))
            for address in resolved.addresses:
                name = f"{step.instance} {address}".strip() if count > 1 else step.instance
                instances.append(self._instance(step, name, resolved, addresses=(address,), turns=turns, repeat=repeat))
        else:
            addresses = resolved.addresses[:1] if step.writes else resolved.addresses
            instances.append(self._instance(step, step.instance, resolved, addresses=addresses, turns=turns))
        async with asyncio.TaskGroup() as group:
            for instance in instances:
                group.create_task(instance.first())
        return instances

    async def _confirmed(self, step: Step[ConfiguredKind], instances: Sequence[InstanceRun], places: Places) -> None:
        """Run the further attempts of the instances that failed."""
        with self.observer.running(step, self._in(step.longest_first)):
            async with asyncio.TaskGroup() as group:
                for instance in instances:
                    group.create_task(instance.confirm(places))
        self._ended(step)

    def _ended(self, step: Step[ConfiguredKind]) -> None:
        self.ahead.pop(step.key, None)
        mine = {key: kept for key, kept in self.observations.attempts.items() if key.probe == step.probe}
        self.context.step_ended(step, mine, self.clock.now())

    def _instance(  # noqa: PLR0913  # all but the first three by name
        self,
        step: Step[ConfiguredKind],
        name: str,
        resolved: Resolved,
        *,
        addresses: Sequence[Address],
        turns: QuietTurns,
        repeat: int | None = None,
    ) -> InstanceRun:
        return InstanceRun(
            ProbeInstance(step=step, instance=name, resolved=resolved),
            addresses,
            measurer=self.measurer,
            more=self.more,
            clock=self.clock,
            keep=partial(self._keep, step, name),
            cut=lambda: _NOT_MEASURED if self.is_decided else _CUT_OFF,
            goes_on=partial(self._holds_one_more, step),
            patience=self._patience(step),
            turns=turns,
            repeat=repeat,
            observer=self.observer,
        )

    def _holds_one_more(self, step: Step[ConfiguredKind]) -> bool:
        """Return whether one more window can change the decision and fits into the deadline with all later steps."""
        if self._decided():
            return False
        environment, throttle = self.environment, self.environment.throttle
        later = [*(one for one in self.ahead.values() if one is not step), *self.plan.release_guards]
        queue = sum(one.cost for one in later if not one.window) * throttle.per / throttle.requests
        ending = environment.block + environment.timeout  # the last block of background steps, and the controls
        needed = step.longest_first + sum(one.longest_first for one in later) + queue + ending
        if self.ends - asyncio.get_running_loop().time() < needed:
            return False
        self.observer.extended(step, self._in(step.longest_first))
        return True

    def _patience(self, step: Step[ConfiguredKind]) -> float | None:
        """Return the seconds until a kind counts as stuck: twice the worst case of all steps, which share a host."""
        return None if step.turn == "background" else self.longest * 2 + self.queue + SLACK

    def _keep(self, step: Step[ConfiguredKind], instance: str, attempts: Sequence[Attempt]) -> None:
        self.observations.attempts[InstanceKey(step.probe, instance)] = tuple(attempts)
