"""Fill the baseline table of a checklist's document: each metric before the deployment and in this run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from statistics import fmean
from typing import Any, Final

from probekit.judging.baseline import before_deployment
from probekit.judging.evaluate import number_of
from probekit.judging.judge import AttemptsByInstance, judge_item
from probekit.model.checklist import Item
from probekit.model.document import BaselineComparison, BaselinePoint
from probekit.model.measurement import Attempt, Failure, InstanceKey, Measurement, MetricKey
from probekit.model.plan import Plan
from probekit.model.verdict import Outcome, Situation

_POINTS: Final = 50  # windows that a report repeats


def compared_rows(
    rows: Mapping[str, BaselineComparison],
    items: Sequence[Item],
    plan: Plan[object],
    attempts: AttemptsByInstance,
    situation: Situation,
) -> tuple[BaselineComparison, ...]:
    """Return each row with its values, one for each instance of its probe.

    Args:
        rows: the rows without values, by the id of their item.
        items: the rows as items, in the document's order.
        plan: of the run.
        attempts: of the run.
        situation: with the windows of the baseline on record.
    """
    return tuple(one for item in items for one in _compared(rows[item.id], item, plan, attempts, situation))


def _compared(
    row: BaselineComparison, item: Item, plan: Plan[object], attempts: AttemptsByInstance, situation: Situation
) -> Iterator[BaselineComparison]:
    probe, metric = item.probe or "", item.expect[0].metric
    known = [key.instance for key in attempts if key.probe == probe]
    for instance in known or sorted(_on_record(probe, metric, situation)) or [""]:
        key = InstanceKey(probe, instance)
        mine = {key: attempts[key]} if key in attempts else {}
        before = _before(key, metric, plan, situation)
        filled = replace(
            row,
            instance=instance,
            before=fmean(one.value for one in before) if before else None,
            windows=len(before),
            points=tuple(before[-_POINTS:]),
            after=_after(mine.get(key, ()), metric),
        )
        if filled.after is None:
            yield replace(filled, **_unmeasured(probe, plan))
            continue
        asked = {key: tuple(_asked_for(metric, one) for one in some) for key, some in mine.items()}
        verdict = judge_item(item, _with_metric(plan, probe, metric), asked, situation)
        yield replace(filled, outcome=verdict.outcome, because=verdict.because)


def _unmeasured(probe: str, plan: Plan[object]) -> dict[str, Any]:
    """Return the outcome of a row without a value, and why."""
    if any(step.probe == probe for step in plan.steps):
        return {"outcome": Outcome.INCONCLUSIVE, "because": "no value was measured in this run"}
    return {"outcome": Outcome.NOT_CONFIGURED, "because": "no probe of this run measures it"}


def _with_metric(plan: Plan[object], probe: str, metric: str) -> Plan[object]:
    """Return the plan in which the probe is asked for the metric, which the items in scope may not need."""
    steps = (replace(one, wanted=one.wanted | {metric}) if one.probe == probe else one for one in plan.steps)
    return replace(plan, steps=tuple(steps))


def _asked_for(metric: str, attempt: Attempt) -> Attempt:
    """Return the attempt in which each measurement with the metric was asked for it, so that it counts for the row."""

    def asked(some: Sequence[Measurement]) -> tuple[Measurement, ...]:
        return tuple(replace(one, asked=one.asked | {metric}) if metric in one.values else one for one in some)

    return replace(attempt, measurements=asked(attempt.measurements), rechecks=asked(attempt.rechecks))


def _on_record(probe: str, metric: str, situation: Situation) -> set[str]:
    """Return the instances with a value on record."""
    return {
        key.instance
        for window in before_deployment(situation)
        for key in window.values
        if (key.probe, key.metric) == (probe, metric)
    }


def _before(source: InstanceKey, metric: str, plan: Plan[object], situation: Situation) -> list[BaselinePoint]:
    """Return the values on record that were measured from the same vantage with the same settings.

    A probe that is not part of the plan has no settings: then those of the newest window count.
    """
    key = MetricKey(*source, metric)
    windows = [one for one in before_deployment(situation) if one.vantage == plan.vantage and key in one.values]
    if not windows:
        return []
    print_ = plan.fingerprints.get(source, windows[-1].values[key].fingerprint)
    return [
        BaselinePoint(taken=one.taken, value=one.values[key].value)
        for one in windows
        if one.values[key].fingerprint == print_
    ]


def _after(attempts: Sequence[Attempt], metric: str) -> float | None:
    """Return the number of the last attempt; None where it has none."""
    reading = attempts[-1].measurements[-1].values.get(metric) if attempts and attempts[-1].measurements else None
    value = None if reading is None or isinstance(reading, Failure) else number_of(reading)
    return value if value is not None and isfinite(value) else None
