"""What does probekit itself have on record of this deployment?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from probekit.model.history import BaselineWindow, History
from probekit.probe import Context, Exact, Failure, Kind, Metric, ProbeConfig, Readings, Reason

_ENOUGH: Final = 3  # windows of a baseline with which anything can be compared
_MINUTE: Final = timedelta(minutes=1)


class Ledger(ProbeConfig):
    """Needs no settings: it reads the run's own record."""

    kind: Literal["ledger"] = "ledger"


async def measure(_config: Ledger, context: Context) -> Readings:
    """Read how long the release has been in place, and which baseline was captured before it and after it."""
    if "settled" in context.wanted or not context.wanted:
        return _settled(context)
    return _baseline(context.history)


def _settled(context: Context) -> Readings:
    if context.settling_since is None:
        return Readings(settled=Failure(reason=Reason.MISSING_SETTING, detail="no moment is known to count from"))
    seconds = (context.now() - context.settling_since).total_seconds()
    if seconds < 0:
        detail = f"the deployment on record is {-seconds:.0f} s in the future; look at the clocks and --deployed"
        return Readings(settled=Failure(reason=Reason.BAD_RESPONSE, detail=detail))
    return Readings("", {"since": context.settling_since.isoformat(timespec="seconds")}, settled=Exact(seconds))


def _baseline(memory: History) -> Readings:
    """What was captured before the deployment on record, and since."""
    if memory.deployment is None:
        detail = "no deployment is on record: probekit deployment start, or --deployed"
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
    """The metrics that each of the latest windows holds; none of too few windows."""
    return min((window.rows for window in windows[-_ENOUGH:]), default=0) if len(windows) >= _ENOUGH else 0


def _age(before: list[BaselineWindow], began: datetime) -> Exact | Failure:
    if not before:
        detail = "no baseline was captured before the deployment: probekit baseline capture"
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
            help="time since the deployment was finished, else since the run began",
            by_settling=True,
        ),
        Metric(name="metrics", unit="", help="metrics of the baseline that was captured before the deployment"),
        Metric(name="age_at_deployment", unit="min", help="age of its newest window when the deployment began"),
        Metric(name="new_metrics", unit="", help="metrics of the baseline that was captured after the deployment"),
    ),
    measure=measure,
    enabled_by_default=lambda _base_url: True,
    requests=0,
    of_record=True,
    example="""\
kind = "ledger"  # it needs no table: marks and windows are in probekit's own store
""",
    safety="it asks the target nothing",
)
