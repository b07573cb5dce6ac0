"""Measure one window of a baseline: every metric that the checklist compares with one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from probekit.engine.context import Cancellation, Clock, Observations, RunObserver
from probekit.engine.runner import run
from probekit.judging.evaluate import evaluate, number_of
from probekit.judging.evidence import addresses_of
from probekit.judging.judge import judge_item
from probekit.judging.release import release_of
from probekit.judging.statistics import Risks
from probekit.model.checklist import Item
from probekit.model.history import BaselineWindow, Recorded
from probekit.model.limit import Limit
from probekit.model.measurement import Failure, MetricKey
from probekit.model.plan import Plan, Step
from probekit.model.readings import Histogram, Reading
from probekit.model.verdict import Outcome, Served, Situation, Verdict
from probekit.planning.baseline import baseline_items
from probekit.planning.plan import plan
from probekit.planning.release import ReleaseRequest
from probekit.probe import ConfiguredKind
from probekit.workflows.assembly import prepare, session
from probekit.workflows.options import RequestError, RunOptions


class CaptureError(Exception):
    """The measurement cannot serve as a baseline window; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedWindow:
    """A window, its missing metrics, and its comparison with the earlier windows."""

    window: BaselineWindow
    lacking: tuple[str, ...]
    verdicts: tuple[Verdict, ...]  # one for each row


async def capture(
    options: RunOptions,
    *,
    clock: Clock,
    cancellation: Cancellation,
    observer: RunObserver | None = None,
) -> CapturedWindow:
    """Measure one window of every metric that the checklist compares.

    Raises:
        ConfigError, RequestError: see `prepare`; or no compared metric is configured.
        CaptureError: another release than expected or two releases are served, or the run was cut off.
    """
    config, target, _ = prepare(options)
    rows = baseline_items(config.checklist)
    more = (item for item in target.checklist.items if any(limit.of == "baseline" for limit in item.expect))
    planned = plan(
        replace(target, items=(*rows, *more), not_applicable={}),
        release=ReleaseRequest(version=options.release),
    )
    if not planned.items:
        example = '"p95 within 10 % of baseline"'
        raise RequestError(f"'{target.name}' has no limit that compares with a baseline; write one, such as {example}")
    if not planned.steps:
        needed = ", ".join(sorted({row.probe or "" for row in rows}))
        raise RequestError(
            f"'{target.name}' has none of the probes that a baseline compares; configure one of: {needed}"
        )
    context = session(config, target, clock=clock, cancellation=cancellation, observer=observer).context
    observations = await run(planned, lambda _step, _attempts: None, context)
    if not observations.complete:
        raise CaptureError(f"the window was cut off ({observations.ended_by})")
    now, release = clock.now(), _served(observations, planned)
    values, lacking = _values(planned, observations)
    window = BaselineWindow(
        taken=now,
        release=release,
        vantage=target.environment.vantage,
        values=values,
        rows=sum(_is_measured(row, values) for row in rows),
    )
    situation = Situation(now=now, stage=options.stage, history=replace(options.history, deployment=None))
    judged = replace(planned, baseline_items=rows)
    verdicts = tuple(judge_item(row, judged, observations.attempts, situation) for row in rows)
    return CapturedWindow(window=window, lacking=tuple(lacking), verdicts=verdicts)


def _served(observations: Observations, planned: Plan[ConfiguredKind]) -> str | None:
    release = release_of(observations.guard_measurements, planned.versions, guarded=bool(planned.release_guards))
    if release.served is Served.OTHER:
        raise CaptureError(release.because)
    if len(release.versions) > 1:
        raise CaptureError(f"two releases are served: {', '.join(release.versions)}")
    return release.versions[0] if release.versions else None


def _values(planned: Plan[ConfiguredKind], observations: Observations) -> tuple[dict[MetricKey, Recorded], list[str]]:
    """Return every compared number, and a text for each missing one; a number that misses its own limit is left out."""
    values: dict[MetricKey, Recorded] = {}
    lacking = {item.title: planned.uncovered[item.id] for item in planned.items if item.id in planned.uncovered}
    for item, step in _pairs(planned):
        attempts = observations.attempts.get(step.key, ())
        for limit in item.expect:
            reading = attempts[-1].measurements[0].values.get(limit.metric) if attempts else None
            name, key = f"{step.name} {limit.metric}", MetricKey(*step.key, limit.metric)
            number = _number(reading, limit)
            if isinstance(number, str):
                lacking[name] = number
            if isinstance(number, str) or name in lacking:  # by any of the limits on it
                values.pop(key, None)
                continue
            requests = reading.requests if isinstance(reading, Histogram) else None
            values[key] = Recorded(
                value=number,
                fingerprint=planned.fingerprints[step.key],
                requests=requests,
                addresses=addresses_of(attempts),
            )
    return values, [f"{name}: {reason}" for name, reason in lacking.items()]


def _number(reading: Reading | Failure | None, limit: Limit) -> float | str:
    """Return the number of a reading for the baseline, or the reason why there is none."""
    if reading is None or isinstance(reading, Failure):
        return reading.detail if reading else "no reading"
    if limit.of == "value" and evaluate(reading, limit, Risks()).outcome is Outcome.FAIL:
        return f"it misses its own limit, {limit}"
    number = number_of(reading)
    return "the reading has no number" if number is None else number


def _pairs(planned: Plan[ConfiguredKind]) -> Iterator[tuple[Item, Step[ConfiguredKind]]]:
    for item in planned.items:
        for step in planned.steps:
            if step.probe == item.probe and item.id not in planned.uncovered:
                yield item, step


def _is_measured(row: Item, values: dict[MetricKey, Recorded]) -> bool:
    metric = row.expect[0].metric
    return any((probe, name) == (row.probe, metric) for probe, _, name in values)
