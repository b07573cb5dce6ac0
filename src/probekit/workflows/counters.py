"""What have counters that only grow come to, at the moment a deployment is marked?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from probekit.engine.context import Cancellation, Clock, Observations
from probekit.engine.runner import run
from probekit.model.measurement import Failure, InstanceKey, MetricKey
from probekit.workflows.assembly import prepare, session
from probekit.workflows.options import RunOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterReadings:
    """Totals, and in words what there is none of."""

    counters: Mapping[MetricKey, float] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()


async def read_counters(options: RunOptions, *, clock: Clock, cancellation: Cancellation) -> CounterReadings:
    """Read every total that an item in scope needs; where there is none, nothing is touched.

    Raises:
        ConfigError, RequestError: see `prepare`.
    """
    config, target, planned = prepare(options)
    counting = [(step, counted) for step in planned.steps if (counted := step.source.counters)]
    if not counting:
        return CounterReadings()
    context = session(config, target, clock=clock, cancellation=cancellation).context
    observations = await run(
        replace(planned, steps=tuple(step for step, _ in counting), release_guards=()),
        lambda _step, _attempts: None,
        context,
    )
    sources = [MetricKey(*step.key, name) for step, counted in counting for name in sorted(counted)]
    lacking = (
        f"{probe} {name}: {_why(observations, InstanceKey(probe, instance), name)}"
        for probe, instance, name in sources
        if (probe, instance, name) not in observations.counters
    )
    return CounterReadings(counters=observations.counters, lacking=tuple(lacking))


def _why(observations: Observations, place: InstanceKey, name: str) -> str:
    measurements = [
        measurement for attempt in observations.attempts.get(place, ()) for measurement in attempt.measurements
    ]
    failures = [value for measurement in measurements if isinstance(value := measurement.values.get(name), Failure)]
    return f"{failures[-1].reason}: {failures[-1].detail}" if failures else "no reading"
