"""Which windows is a run compared with? Those measured as it measures, before its deployment, and not long ago."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from probekit.model import BaselineWindow, Item, Limit, Plan, Situation, Windows

FRESH: Final = timedelta(hours=24)  # the age of the newest window, beyond which nothing is compared


def with_baseline(item: Item, instance: str, plan: Plan, situation: Situation) -> Item:
    """The item with, in each limit that compares, the windows of that instance, or why there are none."""
    if item.probe is None or all(limit.of == "value" for limit in item.expect):
        return item
    source = item.probe, instance
    expect = tuple(
        _filled(limit, source, plan, situation) if limit.of == "baseline" else limit for limit in item.expect
    )
    return replace(item, expect=expect)


def _filled(limit: Limit, source: tuple[str, str], plan: Plan, situation: Situation) -> Limit:
    known = before_deployment(situation)
    if not known:
        return replace(limit, lacking="no baseline was captured before this: probekit baseline capture")
    mine = [window for window in known if window.vantage == plan.vantage]
    if not mine:
        return replace(limit, lacking=f"the baseline was measured from another vantage, '{known[-1].vantage}'")
    key, print_ = (*source, limit.metric), plan.fingerprints.get(source)
    same = [window for window in mine if key in window.values and window.values[key].fingerprint == print_]
    if not same:
        return replace(limit, lacking="the baseline was measured by other settings of the probe, or of other instances")
    mark = _mark(situation)
    if mark - same[-1].taken > FRESH:
        hours = (mark - same[-1].taken) / timedelta(hours=1)
        return replace(
            limit, lacking=f"the newest window of the baseline is {hours:.0f} h old, too old to compare with"
        )
    return replace(limit, before=Windows(tuple(window.values[key].value for window in same)))


def before_deployment(situation: Situation) -> tuple[BaselineWindow, ...]:
    """The windows that were taken before the deployment on record, else before now; oldest first."""
    mark = _mark(situation)
    return tuple(window for window in situation.memory.baseline if window.taken <= mark)


def _mark(situation: Situation) -> datetime:
    deployment = situation.memory.deployment
    return deployment.started if deployment else situation.now
