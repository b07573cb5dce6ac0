"""Spread the measurements of one attempt over addresses and time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from probekit.model.measurement import Measurement
from probekit.model.plan import Retry, Step
from probekit.transport.urls import Address

TakeMeasurement = Callable[[Address | None, frozenset[str], bool], Awaitable[Measurement]]  # True: alone at its host


class AttemptRunner:
    """Takes the measurements of one probe instance: few in flight, every address among them.

    Those whose durations count are taken one after another, each alone at its host, until one gets no answer: what
    hangs is not waited for in a row, and no duration decides there.
    """

    def __init__(
        self,
        step: Step[object],
        addresses: Sequence[Address | None],
        measure: TakeMeasurement,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._step = step
        self._addresses = addresses or (None,)  # None: a kind that connects nowhere
        self._measure = measure
        self._sleep = sleep
        self._reached = False

    async def first(self) -> tuple[Measurement, ...]:
        """The first attempt: as many measurements as the plan says and every address, spread over the step's time."""
        self._reached = False
        count = max(self._step.repeat, len(self._addresses))
        return await self._take(self._in_turn(count), apart=self._step.spread / count)

    async def next(self) -> tuple[Measurement, ...]:
        """A further attempt: every address once, at least two measurements where the first took several."""
        self._reached = False
        return await self._take(self._in_turn(max(min(self._step.repeat, 2), len(self._addresses))))

    async def recheck(self, retry: Retry) -> tuple[Measurement, ...]:
        """More measurements in the same attempt, so many of them at each address that was asked for."""
        named = [address for address in self._addresses for _ in range(retry.each) if str(address or "") in retry.at]
        return await self._take([*named, *self._in_turn(retry.rechecks)][: max(retry.rechecks, len(named))])

    def _in_turn(self, count: int) -> list[Address | None]:
        return [self._addresses[number % len(self._addresses)] for number in range(count)]

    async def _take(self, addresses: Sequence[Address | None], apart: float = 0.0) -> tuple[Measurement, ...]:
        slots, turn, unanswered = asyncio.Semaphore(self._step.in_flight), asyncio.Lock(), False

        async def measured(address: Address | None, *, alone: bool) -> Measurement:
            asked = self._step.reachability_metrics if self._reached else self._step.wanted
            seen = await self._measure(address, asked, alone)
            self._reached = self._reached or bool(seen.reached)
            return seen

        async def one(number: int, address: Address | None) -> Measurement:
            nonlocal unanswered
            if apart and number:
                await self._sleep(number * apart)
            if self._step.is_timed:
                async with turn:
                    if not unanswered:
                        seen = await measured(address, alone=True)
                        unanswered = seen.reached is False
                        return seen
            async with slots:
                return await measured(address, alone=False)

        if len(addresses) == 1:
            return (await one(0, addresses[0]),)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(number, address)) for number, address in enumerate(addresses)]
        return tuple(task.result() for task in tasks)
