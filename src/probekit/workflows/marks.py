"""Readings at a deployment mark: cumulative counters, and which requests are answered as expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from probekit.engine.context import Cancellation, Clock, Observations
from probekit.engine.runner import run
from probekit.model.history import MarkReadings
from probekit.model.measurement import Failure, InstanceKey, MetricKey
from probekit.model.plan import Plan
from probekit.probe import ConfiguredKind
from probekit.workflows.assembly import prepare, session
from probekit.workflows.options import RunOptions


async def read_mark(
    options: RunOptions, *, is_start: bool, clock: Clock, cancellation: Cancellation
) -> tuple[MarkReadings, tuple[str, ...]]:
    """Read every counter that an item in scope needs; at the start also send the requests whose answers are recorded.

    Returns:
        What was read, and a text for each counter that was not. If nothing needs reading, nothing is sent.

    Raises:
        ConfigError, RequestError: see `prepare`.
    """
    config, target, planned = prepare(options)
    asked = [step for step in planned.steps if step.source.counters or (is_start and step.source.remembers)]
    if not asked:
        return MarkReadings(), ()
    once = tuple(replace(step, repeat=1, spread=0.0) for step in asked)
    context = session(config, target, clock=clock, cancellation=cancellation).context
    seen = await run(replace(planned, steps=once, release_guards=()), lambda _step, _attempts: None, context)
    return MarkReadings(counters=seen.counters, answered=frozenset(seen.answered)), tuple(_lacking(planned, seen))


def _lacking(planned: Plan[ConfiguredKind], seen: Observations) -> Iterator[str]:
    for step in planned.steps:
        for name in sorted(step.source.counters):
            if MetricKey(*step.key, name) not in seen.counters:
                yield f"{step.probe} {name}: {_why(seen, step.key, name)}"


def _why(observations: Observations, place: InstanceKey, name: str) -> str:
    measurements = [
        measurement for attempt in observations.attempts.get(place, ()) for measurement in attempt.measurements
    ]
    failures = [value for measurement in measurements if isinstance(value := measurement.values.get(name), Failure)]
    return f"{failures[-1].reason}: {failures[-1].detail}" if failures else "no reading"
