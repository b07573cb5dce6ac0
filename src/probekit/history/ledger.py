"""The ledger of a deployment: its gates, the runs since it began, and its tickets; and what it keeps of each run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from probekit.history.store import Document, Store, StoreError
from probekit.model.history import Deployment, TargetKey, is_ahead
from probekit.model.ledger import Ledger, PastFailure, PastRun
from probekit.model.report import Report
from probekit.model.verdict import Outcome

NO_FILE: Final = "no state file keeps earlier runs: remove --state none, or name a file with --state FILE"
UNREADABLE: Final = "the state file cannot be read, so earlier runs are not known; see the warning"
NOT_READ: Final = "earlier runs were not read, because no item in scope needs them"
_GATES: Final = timedelta(days=7)  # before a deployment in which its gate is looked for
_MOST: Final = 20_000  # runs before a deployment, and since it: of a year with one each half hour
_TOO_MANY: Final = f"more than {_MOST} runs are on record for this deployment: remove old ones with probekit runs prune"
# Metrics that count earlier runs or their failures: as a failure of its own, each would cause the next one.
_OF_EARLIER_RUNS: Final = frozenset({"rollback_due", "decision_time", "reports", "unticketed_items"})


def ledger_of(store: Store, target: TargetKey, deployment: Deployment | None, now: datetime) -> Ledger:
    """Return what is on record of a deployment; of runs, only what the ledger reads of them.

    Raises:
        StoreError: the store cannot be read.
    """
    if deployment is None:
        return Ledger()
    start = deployment.started
    before = store.past_runs(target, start - _GATES, until=start, most=_MOST)
    since = store.past_runs(target, start, most=_MOST)
    if max(len(before), len(since)) == _MOST:
        return Ledger(lacking=_TOO_MANY)
    runs = tuple(run for run in since if not is_ahead(run.ended, now))
    gates = tuple(run for run in (*before, *runs) if run.stage == "before" and run.phase == "pre" and not run.partial)
    return Ledger(gates=gates, runs=runs, tickets=store.tickets(target, deployment))


def past_run(report: Report) -> PastRun:
    """Return what the ledger keeps of a run.

    The failure of an item that looks at earlier runs is left out: a lacking reason for a rollback would be the
    reason in the next run, and a lacking ticket would need a ticket of its own.
    """
    failed = (one for one in report.verdicts if one.outcome is Outcome.FAIL)
    return PastRun(
        id=report.run.id,
        ended=report.situation.now,
        subject=report.run.subject,
        commit=report.situation.identity.commit,
        stage=report.run.stage.value,
        phase=report.run.phase,
        action=report.decision.action.word,
        partial=report.situation.partial or not report.situation.complete,
        failures=tuple(
            PastFailure(item=one.item.id, severity=one.severity, confirmed=one.confirmed, since=one.since, due=one.due)
            for one in failed
            if _OF_EARLIER_RUNS.isdisjoint(one.item.metrics)
        ),
    )


def stored_ledger(file: Path, target: TargetKey, deployment: Deployment | None, now: datetime) -> Ledger:
    """Return the ledger in a state file, or one that says why it is not known: a damaged row changes nothing else."""
    try:
        with Store(file) as store:
            return ledger_of(store, target, deployment, now)
    except StoreError as error:
        return Ledger(lacking=str(error))


def reports_on_record(file: Path, runs: Iterable[str]) -> Iterator[tuple[str, Document]]:
    """Yield the id and the JSON report of each of these runs that the state file has, one at a time.

    Raises:
        StoreError: the store cannot be read.
    """
    with Store(file) as store:
        for run in runs:
            if report := store.report(run):
                yield run, report
