"""Spread the measurements of one attempt over addresses and time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from probekit.engine.places import Places, QuietTurns
from probekit.model.measurement import Measurement
from probekit.model.plan import Retry, Step
from probekit.transport.urls import Address

TakeMeasurement = Callable[[Address | None, frozenset[str], bool], Awaitable[Measurement]]  # True: alone at its host
_OF_TIMEOUT: Final = 0.9  # share of the timeout after which a silent measurement counts as timed out


class AttemptRunner:
    """Takes the measurements of one probe instance, few at a time and at every address.

    Measurements whose durations count are taken one after another, each alone at its host. None begins before the first
    one ends, or after a timeout: each request to a hanging route may block a worker of the target.
    """

    def __init__(  # noqa: PLR0913  # the last two by name
        self,
        step: Step[object],
        addresses: Sequence[Address | None],
        measure: TakeMeasurement,
        sleep: Callable[[float], Awaitable[None]],
        *,
        turns: QuietTurns,
        repeat: int | None = None,
    ) -> None:
        """`turns` are shared by the instances of a step; `repeat` replaces the step's own."""
        self._turns = turns
        self._step = step
        self._addresses = addresses or (None,)  # None: a kind that connects nowhere
        self._measure = measure
        self._sleep = sleep
        self._repeat = repeat or step.repeat
        self._reached = False

    async def first(self) -> tuple[Measurement, ...]:
        """Take the first attempt: the planned number of measurements, at every address, spread over the step's time."""
        self._reached = False
        count = max(self._repeat, len(self._addresses))
        return await self._take(self._in_turn(count), apart=self._step.spread / count)

    async def next(self, places: Places) -> tuple[Measurement, ...]:
        """Take a further attempt: every address once, each in its own place."""
        self._reached = False

        async def one(address: Address | None) -> Measurement:
            async with places.at(address):
                return await self._measured(address)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(address)) for address in self._addresses]
        return tuple(task.result() for task in tasks)

    async def recheck(self, retry: Retry) -> tuple[Measurement, ...]:
        """Take more measurements in the same attempt, `retry.each` of them at each address in `retry.at`."""
        named = [address for address in self._addresses for _ in range(retry.each) if str(address or "") in retry.at]
        return await self._take([*named, *self._in_turn(retry.rechecks)][: max(retry.rechecks, len(named))])

    def _in_turn(self, count: int) -> list[Address | None]:
        return [self._addresses[number % len(self._addresses)] for number in range(count)]

    async def _take(self, addresses: Sequence[Address | None], apart: float = 0.0) -> tuple[Measurement, ...]:
        """Measure one after another if durations count, else few at once; stop after a timeout."""
        slots = asyncio.Semaphore(1 if self._step.is_timed else self._step.in_flight)
        answered, waiting = asyncio.Event(), dict[int, asyncio.Task[Measurement]]()

        async def one(number: int, address: Address | None) -> Measurement:
            if number:
                await self._sleep(number * apart) if apart else None
                await answered.wait()
            async with slots:
                waiting.pop(number)
                seen = await self._measured(address, turns=self._turns if self._step.is_timed else None)
            if self._timed_out(seen):
                for task in waiting.values():
                    task.cancel()
            answered.set()
            return seen

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(number, address)) for number, address in enumerate(addresses)]
            waiting.update(enumerate(tasks))
        return tuple(task.result() for task in tasks if not task.cancelled())

    async def _measured(self, address: Address | None, *, turns: QuietTurns | None = None) -> Measurement:
        is_enough = self._reached and not self._step.window  # every window needs all metrics
        asked = self._step.reachability_metrics if is_enough else self._step.wanted
        if turns is None:
            seen = await self._measure(address, asked, False)  # noqa: FBT003  # a callback's
        else:
            seen = await turns.take(lambda alone: self._measure(address, asked, alone))
        self._reached = self._reached or bool(seen.reached)
        return seen

    def _timed_out(self, seen: Measurement) -> bool:
        return seen.reached is not True and seen.seconds >= _OF_TIMEOUT * self._step.timeout
