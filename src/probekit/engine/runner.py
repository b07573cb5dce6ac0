"""From a plan to what was seen: looks, attempts, spacing, guards and controls; no exception escapes a probe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from probekit import probes
from probekit.engine.attempts import Looks
from probekit.engine.context import Order, Seen
from probekit.engine.loop_lag import Lag
from probekit.engine.measure import Measurer, Place
from probekit.engine.release_guard import ReleaseGuard
from probekit.log import events
from probekit.model.measurement import Attempt, Failure, ProbeFailedError, Reason
from probekit.model.plan import Ask, Plan, Step, Turn
from probekit.transport.urls import Address

SLACK = 60.0  # seconds beyond twice a step's worst case and its share of the throttle
More = Callable[[Step, Sequence[Attempt]], Ask | None]


async def run(plan: Plan, more: More, order: Order) -> Seen:
    """Carry out the plan; what was seen until then if the run is stopped or its deadline passes."""
    seen = Seen()
    work = asyncio.create_task(_Run(plan, more, order, seen).whole())
    stop = asyncio.create_task(order.stop.wished())
    try:
        settling = order.environment.settle if order.settle else 0.0  # waits that were asked for are no part of it
        longest = order.environment.deadline + order.wait_release + settling
        await asyncio.wait({work, stop}, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        if not work.done():
            seen.ended_by = order.stop.by or "deadline"
            work.cancel()
            await asyncio.wait({work})
    if work.done() and not work.cancelled():
        work.result()
        seen.complete = True
    return seen


class _Run:
    """One run on its way."""

    def __init__(self, plan: Plan, more: More, order: Order, seen: Seen) -> None:
        self.plan = plan
        self.more = more
        self.order = order
        self.seen = seen
        self.environment = order.environment
        self.clock = order.clock
        throttle = self.environment.throttle
        self.queue = (
            sum(step.cost for step in plan.steps) * throttle.per / throttle.requests
        )  # seconds for all requests
        self.lag = Lag()
        self.measurer = Measurer(plan, order, seen, self.lag)
        self.guard = ReleaseGuard(plan, order, seen, self.measurer)

    async def whole(self) -> None:
        """Controls, settling, guard, probes, guard, bursts, controls."""
        lag = asyncio.create_task(self.lag.watch())
        try:
            await self._whole()
        finally:
            lag.cancel()
            self.seen.lag = self.lag.longest

    async def _whole(self) -> None:
        self.seen.settling_since = self._mark()
        await self._ask_controls()
        if self.order.wait_release:
            await self.guard.wait()
        await self._settle()
        await self.guard.check()
        await self._probes()
        await self.guard.check()
        for step in self._of("last"):  # a burst may get us turned away
            await self._step(step)
        await self._ask_controls()

    def _of(self, turn: Turn) -> list[Step]:
        return [step for step in self.plan.steps if step.turn == turn]

    async def _probes(self) -> None:
        """The watchers watch while all others run together, and then those that want to be alone on their host."""
        async with asyncio.TaskGroup() as watching:
            for step in self._of("watch"):
                watching.create_task(self._step(step))
            async with asyncio.TaskGroup() as together:
                for step in self._of("together"):
                    together.create_task(self._step(step))
            for step in self._of("alone"):
                await self._step(step)
            self.measurer.watched = False

    def _mark(self) -> datetime | None:
        """What settling counts from: the deployment, else now; nothing where nobody waits for it either."""
        deployment = self.order.memory.deployment
        return deployment.mark if deployment else self.clock.now() if self.order.settle else None

    async def _ask_controls(self) -> None:
        if not self.environment.control:
            return
        self._say("the controls to answer", self.environment.timeout)
        answered = await asyncio.gather(*(self._answers(url) for url in self.environment.control))
        self.seen.controls.append(any(answered))

    async def _answers(self, url: str) -> bool:
        try:
            await self.order.http.look(timeout=self.environment.timeout).get(url)
        except ProbeFailedError as error:
            events().warning("control.silent", reason=error.reason.value, detail=error.detail)
            return False
        return True

    async def _settle(self) -> None:
        """Wait until the settle time has passed since the mark, for a mark in the future no longer than that."""
        began = self.clock.now()
        mark = min(self.seen.settling_since or began, began)
        until = mark + timedelta(seconds=self.environment.settle)
        if not self.order.settle or until <= began:
            return
        if self.order.watcher:
            self.order.watcher.waiting("the services to settle", until)
        while (left := (until - self.clock.now()).total_seconds()) > 0:
            await self.clock.sleep(left)

    def _say(self, what: str, seconds: float) -> None:
        if self.order.watcher:
            self.order.watcher.waiting(what, self.clock.now() + timedelta(seconds=seconds))

    async def _step(self, step: Step) -> None:
        """Every instance of one step, within the time that its worst case takes."""
        if self.order.watcher:
            self.order.watcher.began(step, self.clock.now() + timedelta(seconds=step.longest))
        kind = probes.load(step.kind)
        resolved = await self.measurer.resolve(step, kind)
        if isinstance(resolved, Failure):
            self._keep(step, step.instance, (self.measurer.never(step, step.instance, resolved),))
        elif kind.each_address:
            async with asyncio.TaskGroup() as group:
                for address in resolved.addresses:
                    name = f"{step.instance} {address}".strip() if len(resolved.addresses) > 1 else step.instance
                    place = Place(step=step, kind=kind, instance=name, resolved=resolved)
                    group.create_task(self._instance(place, (address,)))
        else:
            place = Place(step=step, kind=kind, instance=step.instance, resolved=resolved)
            await self._instance(place, resolved.addresses)
        if self.order.watcher:
            mine = [(instance, kept) for (probe, instance), kept in self.seen.attempts.items() if probe == step.probe]
            self.order.watcher.ended(step, mine, self.clock.now())

    async def _instance(self, place: Place, addresses: Sequence[Address]) -> None:
        """Attempts until nothing more is asked for, or the plan allows no further one; a sampling is one attempt."""
        step, attempts = place.step, list[Attempt]()
        looks = Looks(step, addresses, partial(self.measurer.measure, place), self.clock.sleep)
        try:
            async with asyncio.timeout(self._patience(step)):
                attempts.append(Attempt(looks=await looks.first()))
                while ask := self.more(step, attempts):
                    if ask.looks:
                        attempts[-1] = Attempt(looks=attempts[-1].looks, again=await looks.again(ask))
                    elif len(attempts) < step.attempts:
                        await self.clock.sleep(step.spacing)
                        attempts.append(Attempt(looks=await looks.further()))
                    else:
                        break
        except TimeoutError:
            failure = Failure(reason=Reason.BUG, detail=f"kind {step.kind} went on past its time")
            attempts.append(self.measurer.never(step, place.instance, failure))
        finally:
            cut = Failure(reason=Reason.CUT_OFF, detail="the run ended before the first attempt did")
            self._keep(step, place.instance, tuple(attempts) or (self.measurer.never(step, place.instance, cut),))

    def _patience(self, step: Step) -> float | None:
        """Seconds until a kind counts as stuck: twice its worst case, and the throttle's share of all requests."""
        return None if step.turn == "watch" else step.longest * 2 + self.queue + SLACK

    def _keep(self, step: Step, instance: str, attempts: tuple[Attempt, ...]) -> None:
        if attempts:
            self.seen.attempts[step.probe, instance] = attempts
