"""Read which release is served, before and after the other steps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from probekit import probes
from probekit.engine.context import Order, Seen
from probekit.engine.measure import Measurer, Place
from probekit.model.measurement import Attempt, Failure, Measurement
from probekit.model.plan import Plan, Step
from probekit.model.readings import Exact


class ReleaseGuard:
    """The measurements of the plan's release guard; nothing where there is none."""

    def __init__(self, plan: Plan, order: Order, seen: Seen, measurer: Measurer) -> None:
        self._plan = plan
        self._order = order
        self._seen = seen
        self._measurer = measurer

    async def wait(self) -> None:
        """Measure until every address serves the expected version; settling counts from then."""
        if self._plan.guard is None:
            return
        clock = self._order.clock
        until = clock.now() + timedelta(seconds=self._order.wait_release)
        if self._order.watcher:
            self._order.watcher.waiting(f"release {self._plan.release} to be served", until)
        waited = False
        while not _is_expected(await self._everywhere(self._plan.guard)) and clock.now() < until:
            waited = True
            await clock.sleep(self._plan.guard.spacing)
        if waited:
            self._seen.settling_since = clock.now()

    async def check(self) -> None:
        """Measure every address once more, and keep what was read."""
        if self._plan.guard is None:
            return
        if self._order.watcher:
            until = self._order.clock.now() + timedelta(seconds=self._plan.guard.timeout)
            self._order.watcher.waiting("the served release to be read", until)
        found = await self._everywhere(self._plan.guard)
        self._seen.guards += found
        for address in {look.address for look in found}:
            looks = tuple(look for look in found if look.address == address)
            self._seen.attempts[self._plan.guard.probe, address] = (Attempt(looks=looks),)

    async def _everywhere(self, step: Step) -> list[Measurement]:
        """So many measurements at each address as the plan says."""
        kind = probes.load(step.kind)
        resolved = await self._measurer.resolve(step, kind)
        if isinstance(resolved, Failure):
            return [self._measurer.failed(step, "", resolved)]
        place = Place(step=step, kind=kind, instance="", resolved=resolved)
        addresses = [address for address in resolved.addresses for _ in range(step.looks)]
        return list(await asyncio.gather(*(self._measurer.measure(place, to, step.wanted) for to in addresses)))


def _is_expected(looks: Sequence[Measurement]) -> bool:
    return bool(looks) and all(look.values.get("other_versions") == Exact(0) for look in looks)
