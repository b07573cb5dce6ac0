"""Read the rows of the store: runs, targets, deployments and the readings at their marks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from probekit.history.database import text_in, unpacked
from probekit.history.details import details_in, past_run_in
from probekit.model.history import Deployment, MarkReadings, TargetKey
from probekit.model.ledger import PastRun
from probekit.model.measurement import MetricKey
from probekit.model.responsible import Responsible


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """The summary of a run."""

    id: str
    target: TargetKey
    started: datetime
    release: str | None
    action: str
    exit_code: int
    partial: bool
    ledger: PastRun | None = None  # what a later run's ledger reads of it


def target_in(environment: Any, base_url: Any) -> TargetKey:  # noqa: ANN401  # columns as SQLite gives them
    """Return the target of a row."""
    return TargetKey(environment=text_in(environment), base_url=text_in(base_url))


def past_in(*row: Any) -> RunSummary:  # noqa: ANN401  # see above
    """Return the summary of a run."""
    run, environment, base_url, started, release, action, exit_code, partial, ledger = row
    return RunSummary(
        id=text_in(run),
        target=target_in(environment, base_url),
        started=_moment(started),
        release=None if release is None else text_in(release),
        action=text_in(action),
        exit_code=int(exit_code),
        partial=bool(partial),
        ledger=None if ledger is None else past_run_in(unpacked(ledger)),
    )


def deployment_in(release: Any, started: Any, finished: Any, details: Any) -> Deployment:  # noqa: ANN401  # see above
    """Return a deployment with its details."""
    return Deployment(
        release=None if release is None else text_in(release),
        started=_moment(started),
        finished=None if finished is None else _moment(finished),
        **({} if details is None else details_in(unpacked(details))),
    )


def readings_in(column: Any) -> MarkReadings:  # noqa: ANN401  # see above
    """Return the readings at a mark; empty if there are none."""
    if column is None:
        return MarkReadings()
    kept = unpacked(column)
    counters = {
        MetricKey(str(probe), str(instance), str(metric)): float(value)
        for probe, instance, metric, value in kept["counters"]
    }
    answered = frozenset(map(str, kept.get("answered", ())))  # a mark of an older version has none
    return MarkReadings(
        counters=counters,
        answered=answered,
        declared=_optional_text(kept.get("declared")),
        responsible=Responsible(
            deployed_by=_optional_text(kept.get("deployed_by")), reviewed_by=_optional_text(kept.get("reviewed_by"))
        ),
    )


def _optional_text(value: object) -> str | None:
    return None if value is None else str(value)


def _moment(column: Any) -> datetime:  # noqa: ANN401  # see above
    return datetime.fromisoformat(column)
