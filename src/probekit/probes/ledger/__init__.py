"""Read probekit's own record of a deployment: gate, marks, log, runs, archive, tickets, and baselines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

from probekit.probe import Context, Failure, Kind, Metric, ProbeConfig, ProbeFailedError, Readings
from probekit.probes.ledger import baselines, gate, marks, runs
from probekit.probes.ledger.fact import Fact

_READERS: Final[Mapping[str, Callable[[Context], Fact | Awaitable[Fact]]]] = {
    "gate_passed": gate.gate_passed,
    "gate_age_at_deployment": gate.gate_age_at_deployment,
    "log_age_at_deployment": marks.log_age_at_deployment,
    "started_in_window": marks.started_in_window,
    "settled": marks.settled,
    "duration": marks.duration,
    "missing_archives": runs.missing_archives,
    "unticketed_items": runs.unticketed_items,
    "reports": runs.reports,
    "rollback_due": runs.rollback_due,
    "decision_time": runs.decision_time,
    "metrics": baselines.metrics,
    "age_at_deployment": baselines.age_at_deployment,
    "new_metrics": baselines.new_metrics,
}


class Ledger(ProbeConfig):
    """The settings of kind `ledger`, which needs none."""

    kind: Literal["ledger"] = "ledger"


async def measure(_config: Ledger, context: Context) -> Readings:
    """Read the wanted numbers of the record; without any wanted, the time since the deployment."""
    facts = {name: await _read(name, context) for name in sorted(context.wanted or {"settled"}) if name in _READERS}
    notes = {name: fact.note for name, fact in facts.items() if fact.note}
    readings = Readings("", notes, **{name: fact.value for name, fact in facts.items()})
    readings.records = tuple(dict.fromkeys(fact.record for fact in facts.values() if fact.record))
    return readings


async def _read(name: str, context: Context) -> Fact:
    """Return one number; a failure if the record does not have it."""
    try:
        found = _READERS[name](context)
        return found if isinstance(found, Fact) else await found
    except ProbeFailedError as error:
        return Fact(value=Failure(reason=error.reason, detail=error.detail))


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
        Metric(
            name="gate_passed",
            unit="",
            help="1 if the latest run of phase pre of this release before the deployment ended with go, else 0.",
        ),
        Metric(name="gate_age_at_deployment", unit="h", help="Time from the end of that run to the deployment."),
        Metric(
            name="log_age_at_deployment",
            unit="s",
            help="Time from the last change of the noted log to the finish of the deployment; while under way, to now.",
        ),
        Metric(
            name="started_in_window",
            unit="",
            help="1 if the deployment began in deployment_window, else 0.",
        ),
        Metric(name="duration", unit="min", help="Time from the start to the finish of the deployment."),
        Metric(
            name="rollback_due",
            unit="",
            help="1 if a run of this deployment ordered a rollback, confirmed a critical failure, or found a high one "
            "past its deadline; 0 if none did.",
        ),
        Metric(
            name="decision_time",
            unit="min",
            help="Time from the first critical failure of this deployment to the decision: the earlier of the "
            "rollback and the run that ordered it.",
        ),
        Metric(
            name="missing_archives",
            unit="",
            help="Files of this deployment (its log, the report of each earlier run) that are missing from the "
            "archive or differ from their checksums.",
        ),
        Metric(name="reports", unit="", help="Earlier whole runs of this deployment on record."),
        Metric(
            name="unticketed_items",
            unit="",
            help="Failures of the latest whole run of this deployment without a ticket.",
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
kind = "ledger"  # needs no table: marks, runs and windows are in probekit's own store
""",
    safety="Sends nothing to the target. Reads the archive, and when the deployment's log was last changed.",
)
