"""Read which release is served, before and after the other steps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from probekit.engine.context import Observations, RunContext
from probekit.engine.measure import Measurer, ProbeInstance
from probekit.model.measurement import Attempt, Failure, InstanceKey, Measurement
from probekit.model.plan import Plan, Step
from probekit.probe import ConfiguredKind

_ENOUGH: Final = 32  # measurements of one guard, but at least two at each address


class ReleaseGuard:
    """Takes the measurements of the plan's release guards; does nothing without a guard."""

    def __init__(
        self, plan: Plan[ConfiguredKind], context: RunContext, observations: Observations, measurer: Measurer
    ) -> None:
        self._plan = plan
        self._context = context
        self._observations = observations
        self._measurer = measurer
        self._kept: dict[InstanceKey, list[Measurement]] = {}

    async def wait(self) -> None:
        """Measure until every address serves the expected version; settling counts from that moment."""
        guards = self._plan.release_guards
        if not guards:
            return
        clock = self._context.clock
        until = clock.now() + timedelta(seconds=self._context.wait_release)
        waited = False
        with self._context.observer.wait(f"release {self._plan.versions} to be served", until):
            while not self._is_expected(await self._measured()) and clock.now() < until:
                waited = True
                await clock.sleep(guards[0].attempt_interval)
        if waited:
            self._observations.settling_since = clock.now()

    async def check(self) -> None:
        """Measure every address once more and keep the readings."""
        guards = self._plan.release_guards
        if not guards:
            return
        until = self._context.clock.now() + timedelta(seconds=max(guard.timeout for guard in guards))
        with self._context.observer.wait("the served release to be read", until):
            measured = await self._measured()
        for measurement in measured:
            self._observations.guard_measurements.append(measurement)
            name = f"{measurement.instance} {measurement.address}".strip()
            self._kept.setdefault(InstanceKey(measurement.probe, name), []).append(measurement)
        for key, measurements in self._kept.items():
            self._observations.attempts[key] = (Attempt(measurements=tuple(measurements)),)

    async def _measured(self) -> list[Measurement]:
        """Measure each address of each guard as often as planned; less often if there are many addresses."""
        found = await asyncio.gather(*(self._everywhere(guard) for guard in self._plan.release_guards))
        return [measurement for some in found for measurement in some]

    async def _everywhere(self, step: Step[ConfiguredKind]) -> list[Measurement]:
        resolved = await self._measurer.resolve(step)
        if isinstance(resolved, Failure):
            return [self._measurer.failed(step, step.instance, resolved)]
        place = ProbeInstance(step=step, instance=step.instance, resolved=resolved)
        each = min(step.repeat, max(2, -(-_ENOUGH // max(1, len(resolved.addresses)))))
        addresses = [address for address in resolved.addresses for _ in range(each)]
        return list(await asyncio.gather(*(self._measurer.measure(place, to, step.wanted) for to in addresses)))

    def _is_expected(self, measurements: Sequence[Measurement]) -> bool:
        """Return whether an expected version is served, and only accepted versions."""
        versions, read = self._plan.versions, [one.version for one in measurements]
        return any(version in versions.expected for version in read) and all(
            version is not None and versions.accept(version) for version in read
        )
