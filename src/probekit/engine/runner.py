"""From a plan to what was seen: looks, attempts, spacing, guards and controls; no exception escapes a probe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from traceback import extract_tb

from probekit import probes
from probekit.engine.attempts import Looks
from probekit.engine.context import Order, Seen
from probekit.engine.loop_lag import Lag
from probekit.engine.windows import put_together
from probekit.log import events
from probekit.model.measurement import Attempt, Failure, Measurement, ProbeFailedError, Reason
from probekit.model.plan import Ask, Plan, Step, Turn
from probekit.model.readings import Exact, Reading, Total
from probekit.probe import Context, Kind, Readings, Window
from probekit.transport.client import Look
from probekit.transport.resolver import Resolved
from probekit.transport.urls import Address

SLACK = 60.0  # seconds beyond twice a step's worst case and its share of the throttle
OURS = 4  # a look of which a fourth went into a lag of ours says nothing of a target that kept silent
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where looks go: a step's instance and the addresses of its endpoint."""

    step: Step
    kind: Kind
    instance: str
    resolved: Resolved


class _Run:
    """One run on its way."""

    def __init__(self, plan: Plan, more: More, order: Order, seen: Seen) -> None:
        self.plan = plan
        self.more = more
        self.order = order
        self.seen = seen
        self.environment = order.environment
        self.clock = order.clock
        self.allow = frozenset(self.environment.allow)
        self.events = events().bind()
        throttle = self.environment.throttle
        self.queue = (
            sum(step.cost for step in plan.steps) * throttle.per / throttle.requests
        )  # seconds for all requests
        self.lag = Lag()
        self.watched = True  # whether there is still something for the watchers to watch

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
            await self._wait_for_release()
        await self._settle()
        await self._guard()
        await self._probes()
        await self._guard()
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
            self.watched = False

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

    async def _wait_for_release(self) -> None:
        """Look until every address serves the expected version; settling counts from then."""
        if self.plan.guard is None:
            return
        until = self.clock.now() + timedelta(seconds=self.order.wait_release)
        if self.order.watcher:
            self.order.watcher.waiting(f"release {self.plan.release} to be served", until)
        waited = False
        while not _is_expected(await self._look_everywhere(self.plan.guard)) and self.clock.now() < until:
            waited = True
            await self.clock.sleep(self.plan.guard.spacing)
        if waited:
            self.seen.settling_since = self.clock.now()

    def _say(self, what: str, seconds: float) -> None:
        if self.order.watcher:
            self.order.watcher.waiting(what, self.clock.now() + timedelta(seconds=seconds))

    async def _guard(self) -> None:
        if self.plan.guard:
            self._say("the served release to be read", self.plan.guard.timeout)
            found = await self._look_everywhere(self.plan.guard)
            self.seen.guards += found
            for address in {look.address for look in found}:
                looks = tuple(look for look in found if look.address == address)
                self._keep(self.plan.guard, address, (Attempt(looks=looks),))

    async def _look_everywhere(self, step: Step) -> list[Measurement]:
        """One look at each address."""
        kind = probes.load(step.kind)
        resolved = await self._resolve(step, kind)
        if isinstance(resolved, Failure):
            return [self._failed(step, "", resolved)]
        place = _Place(step=step, kind=kind, instance="", resolved=resolved)
        addresses = [address for address in resolved.addresses for _ in range(step.looks)]
        return list(await asyncio.gather(*(self._look(place, to, step.wanted) for to in addresses)))

    async def _step(self, step: Step) -> None:
        """Every instance of one step, within the time that its worst case takes."""
        if self.order.watcher:
            self.order.watcher.began(step, self.clock.now() + timedelta(seconds=step.longest))
        kind = probes.load(step.kind)
        resolved = await self._resolve(step, kind)
        if isinstance(resolved, Failure):
            self._keep(step, step.instance, (self._never(step, step.instance, resolved),))
        elif kind.each_address:
            async with asyncio.TaskGroup() as group:
                for address in resolved.addresses:
                    name = f"{step.instance} {address}".strip() if len(resolved.addresses) > 1 else step.instance
                    place = _Place(step=step, kind=kind, instance=name, resolved=resolved)
                    group.create_task(self._instance(place, (address,)))
        else:
            place = _Place(step=step, kind=kind, instance=step.instance, resolved=resolved)
            await self._instance(place, resolved.addresses)
        if self.order.watcher:
            mine = [(instance, kept) for (probe, instance), kept in self.seen.attempts.items() if probe == step.probe]
            self.order.watcher.ended(step, mine, self.clock.now())

    async def _instance(self, place: _Place, addresses: Sequence[Address]) -> None:
        """Attempts until nothing more is asked for, or the plan allows no further one; a sampling is one attempt."""
        step, attempts = place.step, list[Attempt]()
        looks = Looks(step, addresses, partial(self._look, place), self.clock.sleep)
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
            attempts.append(self._never(step, place.instance, failure))
        finally:
            cut = Failure(reason=Reason.CUT_OFF, detail="the run ended before the first attempt did")
            self._keep(step, place.instance, tuple(attempts) or (self._never(step, place.instance, cut),))

    def _patience(self, step: Step) -> float | None:
        """Seconds until a kind counts as stuck: twice its worst case, and the throttle's share of all requests."""
        return None if step.turn == "watch" else step.longest * 2 + self.queue + SLACK

    def _keep(self, step: Step, instance: str, attempts: tuple[Attempt, ...]) -> None:
        if attempts:
            self.seen.attempts[step.probe, instance] = attempts

    async def _resolve(self, step: Step, kind: Kind) -> Resolved | Failure:
        """Every address of the step's endpoint; one nameless place for a kind that connects nowhere."""
        try:
            if kind.endpoint is None:
                return Resolved((), 0.0)
            async with asyncio.timeout(step.timeout):
                return await self.order.http.resolve(kind.endpoint(step.config, self.environment.base_url))
        except TimeoutError:
            return Failure(reason=Reason.UNRESOLVED, detail=f"no address within {step.timeout:g} s")
        except ProbeFailedError as error:
            return Failure(reason=error.reason, detail=error.detail)
        except Exception as error:  # noqa: BLE001  # a kind's bug ends its own step, not the run
            return _bug(step, error)

    async def _look(self, place: _Place, address: Address | None, asked: frozenset[str]) -> Measurement:
        """One call of the kind; whatever it raises becomes a reason."""
        step = place.step
        door = self.order.http.look(address=address, timeout=step.timeout)
        context = self._context(place, address, asked, door)
        taken_at, start, began = self.clock.now(), perf_counter(), asyncio.get_running_loop().time()
        try:
            readings = await self._readings(place, context)
            values, notes = readings.values, readings.notes
        except ProbeFailedError as error:
            values, notes = dict.fromkeys(asked, Failure(reason=error.reason, detail=error.detail)), {}
        except Exception as error:  # noqa: BLE001  # a kind's bug ends its own look, not the run
            values, notes = dict.fromkeys(asked, _bug(step, error)), {}
        lag = self.lag.since(began)
        if values.get("up") == Exact(0) and lag > step.timeout / OURS:
            detail = f"our own event loop stood still for {lag:.1f} s of a look of {step.timeout:g} s"
            ours = Failure(reason=Reason.OVERLOADED, detail=detail)
            values = dict.fromkeys(asked, ours) | values | {"up": ours}
        clean, notes = self.order.redactor.clean, dict(notes)
        counted = {name: self._since_the_mark(place, name, value, notes) for name, value in values.items()}
        return self._seen(
            Measurement(
                probe=step.probe,
                instance=place.instance,
                address=str(address or ""),
                taken_at=taken_at,
                seconds=perf_counter() - start - door.waited,
                waited=door.waited,
                lag=lag,
                asked=asked,
                values={name: _cleaned(value, clean) for name, value in counted.items()},
                notes={name: clean(text) for name, text in notes.items()},
            )
        )

    def _since_the_mark(
        self, place: _Place, name: str, value: Reading | Total | Failure, notes: dict[str, str]
    ) -> Reading | Failure:
        """Of a total its growth since the deployment mark; one that went down began anew, and tells nothing."""
        if not isinstance(value, Total):
            return value
        source = (place.step.probe, place.instance, name)
        self.seen.totals[source] = value.value
        before = self.order.memory.totals.get(source)
        if before is None:
            detail = (
                f"{name} is {value.value:g} in all, and nobody knows what it was: mark the deployment that began it"
            )
            return Failure(reason=Reason.MISSING_SETTING, detail=f"{detail} (probekit deployment --help)")
        if value.value < before:
            detail = f"{name} went from {before:g} at the deployment mark to {value.value:g}: it began anew meanwhile"
            return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
        notes[name] = f"{before:g} at the deployment mark, {value.value:g} now"
        return Exact(value.value - before)

    async def _readings(self, place: _Place, context: Context) -> Readings:
        """One look's readings; of a sampling those of its blocks, put together."""
        kind, config = place.kind, place.step.config
        if not place.step.window:
            if kind.measure is None:
                raise ProbeFailedError(Reason.BUG, f"kind {place.step.kind} can only sample")
            return await kind.measure(config, context)
        if kind.sample is None:
            raise ProbeFailedError(Reason.BUG, f"kind {place.step.kind} cannot sample")
        async with aclosing(kind.sample(config, context)) as sampler:
            blocks = [block async for block in sampler]
        if not blocks:
            raise ProbeFailedError(Reason.BAD_RESPONSE, "the window ended without a reading")
        return put_together(blocks)

    def _context(self, place: _Place, address: Address | None, asked: frozenset[str], door: Look) -> Context:
        step, environment = place.step, self.environment
        return Context(
            base_url=environment.base_url,
            timeout=step.timeout,
            http=door,
            reveal=self.order.reveal,
            now=self.clock.now,
            address=address,
            resolved=place.resolved,
            wanted=asked,
            memory=self.order.memory,
            release=self.plan.release,
            settling_since=self.seen.settling_since,
            allow=self.allow,
            window=self._window(step) if step.window else None,
            budget=step.budget,
        )

    def _window(self, step: Step) -> Window:
        block = self.environment.block
        return Window(
            block=block,
            least=max(1, round(step.window / block)),
            goes_on=lambda: step.turn == "watch" and self.watched,
            now=self.clock.now,
            sleep=self.clock.sleep,
        )

    def _never(self, step: Step, instance: str, failure: Failure) -> Attempt:
        """An attempt that never came to pass."""
        return Attempt(looks=(self._failed(step, instance, failure),))

    def _failed(self, step: Step, instance: str, failure: Failure) -> Measurement:
        """A look that never came to pass."""
        return self._seen(
            Measurement(
                probe=step.probe,
                instance=instance,
                address="",
                taken_at=self.clock.now(),
                seconds=0.0,
                waited=0.0,
                asked=step.wanted,
                values=dict.fromkeys(step.wanted, _cleaned(failure, self.order.redactor.clean)),
            )
        )

    def _seen(self, look: Measurement) -> Measurement:
        self.seen.measurements.append(look)
        self.events.debug("probe.measured", probe=look.probe, address=look.address, seconds=look.seconds)
        return look


def _cleaned(value: Reading | Failure, clean: Callable[[str], str]) -> Reading | Failure:
    return replace(value, detail=clean(value.detail)) if isinstance(value, Failure) else value


def _bug(step: Step, error: Exception) -> Failure:
    """What is told of an exception that nobody expected: its type and place, not its text, which may hold a secret."""
    events().error("probe.bug", probe=step.name, kind=step.kind, error=type(error).__name__)
    frames = extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return Failure(reason=Reason.BUG, detail=f"kind {step.kind} raised {type(error).__name__}{place}")


def _is_expected(looks: Sequence[Measurement]) -> bool:
    return bool(looks) and all(look.values.get("other_versions") == Exact(0) for look in looks)
