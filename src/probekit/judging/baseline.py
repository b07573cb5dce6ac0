"""Choose the baseline windows to compare a run with: measured the same way, recently, before its deployment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from probekit.judging.comparison import judge_against_baseline
from probekit.judging.reference import Reference
from probekit.judging.statistics import Risks
from probekit.model.checklist import Item
from probekit.model.history import BaselineWindow
from probekit.model.limit import Limit
from probekit.model.measurement import InstanceKey, MetricKey
from probekit.model.numbers import number, span
from probekit.model.plan import Plan
from probekit.model.readings import BaselineValues
from probekit.model.verdict import Outcome, Situation

FRESH: Final = timedelta(hours=24)  # the age of the newest window beyond which it is not compared


def baseline_reference(limit: Limit, source: InstanceKey, plan: Plan[object], situation: Situation) -> Reference:
    """Return the windows that a limit on an instance's metric is compared with, or why there are none."""
    known = before_deployment(situation)
    if not known:
        return Reference(lacking="no baseline on record; capture one before a deployment: probekit baseline capture")
    mine = [window for window in known if window.vantage == plan.vantage]
    if not mine:
        return Reference(lacking=f"the baseline was measured from another vantage, '{known[-1].vantage}'")
    key, print_ = MetricKey(*source, limit.metric), plan.fingerprints.get(source)
    same = [window for window in mine if key in window.values and window.values[key].fingerprint == print_]
    if not same:
        return Reference(lacking="the baseline was measured with other settings of the probe, or of other instances")
    mark = _mark(situation)
    if mark - same[-1].taken > FRESH:
        age = span((mark - same[-1].taken).total_seconds())
        return Reference(lacking=f"the newest window of the baseline is {age} old, too old to compare with")
    kept = [window.values[key] for window in same]
    traffic = BaselineValues(tuple(one.requests for one in kept if one.requests))
    return Reference(baseline=BaselineValues(tuple(one.value for one in kept)), traffic=traffic)


def before_deployment(situation: Situation) -> tuple[BaselineWindow, ...]:
    """Return the windows before the deployment on record, else before now; oldest first."""
    mark = _mark(situation)
    return tuple(window for window in situation.history.baseline if window.taken <= mark)


def drifts(rows: Sequence[Item], windows: Sequence[BaselineWindow]) -> tuple[str, ...]:
    """Return how far the newest baseline is from the first one, where many small steps add up to a large one.

    Args:
        rows: the compared items, each with its tolerance.
        windows: all windows on record, oldest first.
    """
    if not windows:
        return ()
    first, newest = ([one for one in windows if one.release == windows[at].release] for at in (0, -1))
    if first == newest:
        return ()
    summary = (_drift(row.expect[0], row, source, first, newest) for row in rows for source in newest[-1].values)
    return tuple(text for text in summary if text)


def _drift(
    limit: Limit, row: Item, source: MetricKey, first: Sequence[BaselineWindow], newest: Sequence[BaselineWindow]
) -> str:
    probe, instance, metric = source
    if limit.of != "baseline" or (probe, metric) != (row.probe, limit.metric):
        return ""
    print_ = newest[-1].values[source].fingerprint
    before, now = (
        BaselineValues(
            tuple(kept.value for one in some if (kept := one.values.get(source)) and kept.fingerprint == print_)
        )
        for some in (first, newest)
    )
    judged = judge_against_baseline(now, before, limit.value / 100, Risks(), limit.floor)
    if judged.outcome is not Outcome.FAIL or judged.value is None:
        return ""
    name = f"{row.title} ({instance})" if instance else row.title
    since = f"{first[0].taken:%Y-%m-%d}, release {first[0].release or 'unknown'}"
    ratio = number(float(f"{judged.value:.3g}"))
    return f"{name} has drifted step by step: x{ratio} of the first baseline ({since})"


def _mark(situation: Situation) -> datetime:
    deployment = situation.history.deployment
    return deployment.started if deployment else situation.now
