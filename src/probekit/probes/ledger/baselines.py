"""The baselines that were captured before and after the deployment on record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from probekit.model.history import BaselineWindow
from probekit.model.numbers import count
from probekit.model.record import Record
from probekit.probe import Context, Exact
from probekit.probes.ledger.fact import MINUTE, Fact, deployment_of, is_to_come, unknown

_FIRST: Final = "run 'probekit baseline capture'"  # one after the start would be too late
_ENOUGH: Final = 3  # windows of a baseline that a comparison needs


def metrics(context: Context) -> Fact:
    """Return the metrics of the baseline from before the deployment; without one, of the one since its start.

    Raises:
        ProbeFailedError: no deployment is on record.
    """
    before, since = _windows(context)
    note = f"{count(len(before), 'window')} captured before the deployment, {len(since)} since"
    return Fact(value=Exact(_complete(before or since)), note=note, record=_record(before or since))


def age_at_deployment(context: Context) -> Fact:
    """Return the minutes from the newest window of that baseline to the start; 0 for one that was captured later.

    Raises:
        ProbeFailedError: no deployment or no baseline is on record.
    """
    before, since = _windows(context)
    if not before and not since:
        raise unknown(
            "no baseline was captured before the deployment: run 'probekit baseline capture' before the next one"
        )
    age = max((_start(context) - (before or since)[-1].taken) / MINUTE, 0.0)
    return Fact(value=Exact(age), record=_record(before or since))


def new_metrics(context: Context) -> Fact:
    """Return the metrics of the baseline that was captured since the end of the deployment.

    Raises:
        ProbeFailedError: no deployment is on record.
    """
    mark = deployment_of(context).mark
    after = [window for window in context.history.baseline if window.taken > mark]
    return Fact(value=Exact(_complete(after)), note=f"{count(len(after), 'window')} captured since the deployment")


def _windows(context: Context) -> tuple[list[BaselineWindow], list[BaselineWindow]]:
    """Return the windows before and since the start, the oldest first."""
    started = _start(context)
    windows = sorted(context.history.baseline, key=lambda window: window.taken)
    return [one for one in windows if one.taken <= started], [one for one in windows if one.taken > started]


def _start(context: Context) -> datetime:
    """Return the start of the deployment; now, in a run before the next one."""
    deployment = deployment_of(context, first=_FIRST)
    return context.now() if is_to_come(context) else deployment.started


def _complete(windows: Sequence[BaselineWindow]) -> int:
    """Return the number of metrics that each of the latest windows holds; 0 if there are too few windows."""
    return min((window.rows for window in windows[-_ENOUGH:]), default=0) if len(windows) >= _ENOUGH else 0


def _record(windows: Sequence[BaselineWindow]) -> Record | None:
    return Record(release=windows[-1].release, made=windows[-1].taken, by="probekit") if windows else None
