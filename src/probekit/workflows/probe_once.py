"""Measure one probe once, without settling, retries, lock, record or decision."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from probekit.checklist import ProbeRequirement
from probekit.config.settings import Environment
from probekit.config.target import Config, Configured, Target
from probekit.engine.context import Observations
from probekit.engine.loop_lag import Lag
from probekit.engine.measure import Measurer, ProbeInstance
from probekit.judging.evaluate import number_of
from probekit.model.checklist import Item
from probekit.model.limit import Limit
from probekit.model.measurement import Failure, Measurement, Reason
from probekit.model.plan import Plan, Step, Versions
from probekit.planning.capacity import budget_of_each, sampled_for
from probekit.planning.coverage import instances
from probekit.planning.steps import step_of
from probekit.probe import ConfiguredKind, Metric
from probekit.workflows.assembly import loaded, session, target_of, unknown
from probekit.workflows.options import RequestError, RunOptions
from probekit.workflows.release import release_request

WINDOW: Final = 5.0  # seconds of a sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitResult:
    """Whether the observed value keeps a limit; the sample may be too small to verify it."""

    item: str
    limit: Limit
    kept: bool | None  # None: one measurement cannot show it


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """One metric of one measurement."""

    name: str
    unit: str
    value: float | None
    failure: Failure | None
    limits: tuple[LimitResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """One measurement of one instance, at one address if it has addresses."""

    step: Step[ConfiguredKind]
    measurement: Measurement
    metrics: tuple[MetricResult, ...]

    @property
    def is_good(self) -> bool:
        """Whether every requested metric was read and misses no limit.

        Requested metrics are those with a limit, or all if none has one.
        """
        limited = [metric for metric in self.metrics if metric.limits]
        asked = limited or list(self.metrics)
        is_kept = all(one.kept is not False for metric in asked for one in metric.limits)
        return bool(asked) and is_kept and all(metric.failure is None for metric in asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """The measurements of one call."""

    target: Target
    name: str
    results: tuple[Probed, ...]

    @property
    def is_good(self) -> bool:
        """Whether every measurement is good."""
        return all(one.is_good for one in self.results)


async def probe_once(options: RunOptions, name: str, *, window: float = WINDOW) -> ProbeReport:
    """Measure every instance of a probe once, or the one that `PROBE.INSTANCE` names.

    Args:
        options: the environment, the configuration and the release.
        name: the probe, or PROBE.INSTANCE.
        window: seconds of a sampling.

    Raises:
        ConfigError: a file is wrong.
        RequestError: the environment or the probe is unknown, or the probe is not configured.
    """
    config = loaded(options)
    target = target_of(options, config)
    chosen = _chosen(name, target)
    short = _with_window(target, window)
    budget = _budget(target, window)
    requirement = target.checklist.probes[chosen[0].probe]
    items = [item for item in target.items if item.probe == chosen[0].probe and item.id not in target.not_applicable]
    steps = tuple(_step(one, items, short, requirement, budget) for one in chosen)
    guarding = [probe for probe, needs in target.checklist.probes.items() if needs.release_guard]
    guards = [one.source for probe in guarding for one in instances(probe, target)]
    versions = release_request(options, config, target).versions(guards)
    measurements = await _measured(config, short, steps, versions)
    results = tuple(
        Probed(step=step, measurement=one, metrics=tuple(_metrics(step, one, items))) for step, one in measurements
    )
    return ProbeReport(target=target, name=name, results=results)


def _chosen(name: str, target: Target) -> list[Configured]:
    """Return the instances that a name stands for."""
    probe, _, instance = name.partition(".")
    found = instances(probe, target) if probe in target.checklist.probes else []
    if chosen := [one for one in found if instance in ("", one.instance)]:
        if any(one.source.of_record for one in chosen):
            hint = f"probekit verify --env {target.name} --probe {probe}"
            raise RequestError(f"probe '{probe}' reads probekit's state file, not the target; use: {hint}")
        return chosen
    if probe in target.checklist.probes and not found:
        hint = f"probekit explain {probe} names the kinds that can fill it"
        raise RequestError(f"no probe '{probe}' is configured for '{target.name}'; {hint}")
    known = [one for probe in target.checklist.probes for one in instances(probe, target)]
    measured = [one for one in known if not one.source.of_record]
    names = dict.fromkeys([*(one.probe for one in measured), *(_name(one) for one in measured)])
    raise unknown("probe", name, names, f"configured for '{target.name}': {', '.join(names) or 'none'}")


def _name(one: Configured) -> str:
    return f"{one.probe}.{one.instance}" if one.instance else one.probe


def _with_window(target: Target, window: float) -> Target:
    """Return the target with windows of so many seconds; a window holds whole blocks of about the configured length."""
    environment = target.environment
    block = window / max(1, round(window / environment.block))
    changed: Environment = environment.model_copy(update={"window": window, "block": block})
    return replace(target, environment=changed)


def _budget(target: Target, window: float) -> int | None:
    """Return the requests of a sampling at the rate of a run; None if load is allowed."""
    whole = budget_of_each(target)
    return None if whole is None else max(1, round(whole * min(1.0, window / sampled_for(target.environment))))


def _step(
    one: Configured, items: Sequence[Item], target: Target, requirement: ProbeRequirement, budget: int | None
) -> Step[ConfiguredKind]:
    """Return the step of one measurement of all metrics of the probe."""
    step = step_of(one, items, target, requirement)
    named = frozenset(requirement.metrics).union(*(item.metrics for item in items))
    wanted = (named & one.source.provided) or one.source.provided
    window = target.environment.window if step.window else 0.0
    return replace(step, window=window, budget=budget, wanted=wanted)


async def _measured(
    config: Config, target: Target, steps: Sequence[Step[ConfiguredKind]], versions: Versions
) -> list[tuple[Step[ConfiguredKind], Measurement]]:
    """Measure one instance after another, all addresses of an instance at once."""
    plan: Plan[ConfiguredKind] = Plan(
        items=(), steps=tuple(steps), release_guards=(), versions=versions, uncovered={}, not_applicable={}, layers={}
    )
    context = session(config, target).context
    lag = Lag()
    watching = asyncio.create_task(lag.watch())
    measurer = Measurer(plan, context, Observations(), lag)
    measurer.watched = False
    try:
        return [(step, one) for step in steps for one in await _of_step(step, measurer, target.environment.deadline)]
    finally:
        watching.cancel()


async def _of_step(step: Step[ConfiguredKind], measurer: Measurer, deadline: float) -> list[Measurement]:
    """Measure once, or once at each address; a kind that exceeds the deadline (seconds) is cut off."""
    resolved = await measurer.resolve(step)
    if isinstance(resolved, Failure):
        return [measurer.failed(step, step.instance, resolved)]
    place = ProbeInstance(step=step, instance=step.instance, resolved=resolved)
    addresses = resolved.addresses if step.each_address else resolved.addresses[:1]
    asked = (measurer.measure(place, address, step.wanted, step.is_timed) for address in addresses or (None,))
    try:
        async with asyncio.timeout(deadline):
            return list(await asyncio.gather(*asked))
    except TimeoutError:
        failure = Failure(reason=Reason.CUT_OFF, detail=f"not finished after {deadline:g} s (deadline)")
        return [measurer.failed(step, step.instance, failure)]


def _metrics(step: Step[ConfiguredKind], measurement: Measurement, items: Sequence[Item]) -> Iterator[MetricResult]:
    """Yield every metric that was read or that an item needs, in the kind's order."""
    declared = {metric.name: metric for metric in step.source.metrics}
    limits = [(item, limit) for item in items for limit in item.expect]
    asked = {limit.metric for _, limit in limits} & (step.wanted | measurement.values.keys())
    names = dict.fromkeys(name for name in (*declared, *measurement.values) if name in measurement.values)
    for name in [*names, *sorted(asked - names.keys())]:
        reading = measurement.values.get(name)
        mine = [(item, limit) for item, limit in limits if limit.metric == name]
        failure = reading if isinstance(reading, Failure) else None
        value = None if reading is None or isinstance(reading, Failure) else number_of(reading)
        yield MetricResult(
            name=name,
            unit=_unit(declared.get(name), mine),
            value=value,
            failure=failure or (None if value is not None else _missing(name, measurement)),
            limits=tuple(_held(item, limit, value) for item, limit in mine),
        )


def _unit(metric: Metric | None, limits: Sequence[tuple[Item, Limit]]) -> str:
    """Return the kind's unit; for a metric that settings name, that of a limit."""
    return metric.unit if metric else next((limit.unit for _, limit in limits if limit.of == "value"), "")


def _missing(name: str, measurement: Measurement) -> Failure:
    """Return why a requested metric has no reading at all."""
    if measurement.reached is False:
        return Failure(reason=Reason.UNREACHABLE, detail=measurement.summary or "the target was not reached")
    return Failure(reason=Reason.BAD_RESPONSE, detail=f"the answer has no {name}")


def _held(item: Item, limit: Limit, value: float | None) -> LimitResult:
    kept = None if value is None or limit.of == "baseline" else limit.holds(value)
    return LimitResult(item=item.id, limit=limit, kept=kept)
