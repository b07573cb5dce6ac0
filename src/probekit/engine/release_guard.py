"""Read which release is served, before and after the other steps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from probekit import probes
from probekit.engine.context import Observations, RunContext
from probekit.engine.measure import Measurer, ProbeInstance
from probekit.model.measurement import Attempt, Failure, InstanceKey, Measurement
from probekit.model.plan import Plan, Step
from probekit.model.readings import Exact


class ReleaseGuard:
    """The measurements of the plan's release guard; nothing where there is none."""

    def __init__(self, plan: Plan, context: RunContext, observations: Observations, measurer: Measurer) -> None:
        self._plan = plan
        self._context = context
        self._observations = observations
        self._measurer = measurer

    async def wait(self) -> None:
        """Measure until every address serves the expected version; settling counts from then."""
        guard = self._plan.release_guard
        if guard is None:
            return
        clock = self._context.clock
        until = clock.now() + timedelta(seconds=self._context.wait_release)
        self._context.observer.waiting(f"release {self._plan.release} to be served", until)
        waited = False
        while not _is_expected(await self._everywhere(guard)) and clock.now() < until:
            waited = True
            await clock.sleep(guard.attempt_interval)
        if waited:
            self._observations.settling_since = clock.now()

    async def check(self) -> None:
        """Measure every address once more, and keep what was read."""
        guard = self._plan.release_guard
        if guard is None:
            return
        until = self._context.clock.now() + timedelta(seconds=guard.timeout)
        self._context.observer.waiting("the served release to be read", until)
        found = await self._everywhere(guard)
        self._observations.guard_measurements += found
        for address in {measurement.address for measurement in found}:
            measurements = tuple(measurement for measurement in found if measurement.address == address)
            self._observations.attempts[InstanceKey(guard.probe, address)] = (Attempt(measurements=measurements),)

    async def _everywhere(self, step: Step) -> list[Measurement]:
        """So many measurements at each address as the plan says."""
        kind = probes.load(step.kind)
        resolved = await self._measurer.resolve(step, kind)
        if isinstance(resolved, Failure):
            return [self._measurer.failed(step, "", resolved)]
        place = ProbeInstance(step=step, kind=kind, instance="", resolved=resolved)
        addresses = [address for address in resolved.addresses for _ in range(step.repeat)]
        return list(await asyncio.gather(*(self._measurer.measure(place, to, step.wanted) for to in addresses)))


def _is_expected(measurements: Sequence[Measurement]) -> bool:
    return bool(measurements) and all(
        measurement.values.get("other_versions") == Exact(0) for measurement in measurements
    )
