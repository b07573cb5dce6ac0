"""Read probekit's own record of a deployment: its age, and the baselines before and after it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from probekit.model.history import BaselineWindow, History
from probekit.probe import Context, Exact, Failure, Kind, Metric, ProbeConfig, Readings, Reason

_ENOUGH: Final = 3  # windows of a baseline that a comparison needs
_MINUTE: Final = timedelta(minutes=1)


class Ledger(ProbeConfig):
    """The settings of kind `ledger`, which needs none."""

    kind: Literal["ledger"] = "ledger"


async def measure(_config: Ledger, context: Context) -> Readings:
    """Read the time since the deployment, or the baselines that were captured before and after it."""
    if "settled" in context.wanted or not context.wanted:
        return _settled(context)
    return _baseline(context.history)


def _settled(context: Context) -> Readings:
    if context.settling_since is None:
        detail = "no deployment time known: use --deployed"
        return Readings(settled=Failure(reason=Reason.MISSING_SETTING, detail=detail))
    seconds = (context.now() - context.settling_since).total_seconds()
    if seconds < 0:
        detail = f"the deployment on record is {-seconds:.0f} s in the future: check the clocks and --deployed"
        return Readings(settled=Failure(reason=Reason.BAD_RESPONSE, detail=detail))
    return Readings("", {"since": context.settling_since.isoformat(timespec="seconds")}, settled=Exact(seconds))


def _baseline(memory: History) -> Readings:
    """The baselines that were captured before the deployment on record and since then."""
    if memory.deployment is None:
        detail = "no deployment is on record: run 'probekit deployment start', or use --deployed"
        unknown = Failure(reason=Reason.MISSING_SETTING, detail=detail)
        return Readings(metrics=unknown, age_at_deployment=unknown, new_metrics=unknown)
    began, mark = memory.deployment.started, memory.deployment.mark
    before = [window for window in memory.baseline if window.taken <= began]
    after = [window for window in memory.baseline if window.taken > mark]
    return Readings(
        f"{len(before)} windows captured before the deployment, {len(after)} since",
        metrics=Exact(_complete(before)),
        age_at_deployment=_age(before, began),
        new_metrics=Exact(_complete(after)),
    )


def _complete(windows: list[BaselineWindow]) -> int:
    """The number of metrics that each of the latest windows holds; 0 if there are too few windows."""
    return min((window.rows for window in windows[-_ENOUGH:]), default=0) if len(windows) >= _ENOUGH else 0


def _age(before: list[BaselineWindow], began: datetime) -> Exact | Failure:
    if not before:
        detail = "no baseline was captured before the deployment: run 'probekit baseline capture' before the next one"
        return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
    return Exact((began - before[-1].taken) / _MINUTE)


KIND = Kind(
    config=Ledger,
    fills=("deployment", "baseline"),
    layer="record",
    default_limits=lambda _: ("settled >= 30 s",),
    metrics=(
        Metric(
            name="settled",
            unit="s",
            help="Time since the deployment was finished, or since the start of the run if that is not known.",
            by_settling=True,
        ),
        Metric(name="metrics", unit="", help="Metrics of the baseline that was captured before the deployment."),
        Metric(
            name="age_at_deployment",
            unit="min",
            help="Age of the newest window of that baseline when the deployment began.",
        ),
        Metric(name="new_metrics", unit="", help="Metrics of the baseline that was captured after the deployment."),
    ),
    measure=measure,
    enabled_by_default=lambda _base_url: True,
    requests=0,
    of_record=True,
    example="""\
kind = "ledger"  # needs no table: marks and windows are in probekit's own store
""",
    safety="Sends nothing to the target.",
)
