"""Load the history for a run and record the run; a failure of the store never changes a decision."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from probekit.files import read_file
from probekit.history.ahead import ignored, ignored_marks
from probekit.history.deployed import UNKNOWN, Mark, Stated, history_of_mark, marks, note, on_record, record
from probekit.history.ledger import NO_FILE, NOT_READ, UNREADABLE, past_run, stored_ledger
from probekit.history.store import Document, RunSummary, Store, StoreError
from probekit.model.history import History, TargetKey
from probekit.model.ledger import Ledger
from probekit.model.maintenance import Period
from probekit.model.report import Report
from probekit.reports.json.read import AheadError, ReportError, deployment_of, history_of, window_of

Warn = Callable[[str], None]

_MOST = 64 << 20  # bytes of a report


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentPlans:
    """What the configuration of an environment plans for its deployments."""

    window: Period | None = None  # in which one should start
    archive: str | None = None  # the folder of its log and reports
    reads_ledger: bool = True  # an item in scope reads earlier runs: two thousand take 20 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedHistory:
    """The history of one target."""

    history: History
    notes: tuple[str, ...] = ()  # notes for the report
    is_new: bool = False  # the stated deployment is not on record


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRun:
    """The content of an earlier run's report."""

    history: History = field(default_factory=History)
    mark: Mark | None = None  # the deployment from which it counted


def load_history(  # noqa: PLR0913  # the last ones by name
    file: Path | None,
    target: TargetKey,
    now: datetime,
    *,
    warn: Warn,
    stated: Stated | None = None,
    plans: DeploymentPlans | None = None,
) -> LoadedHistory:
    """Return the history in the store, the stated deployment and what is planned for it; warn about a bad store.

    If it cannot be read, a relative moment does not count as a deployment, because it may repeat one on record.
    """
    found = _loaded(file, target, now, warn, stated)
    plans = plans or DeploymentPlans()
    ledger = found.history.ledger
    if file is not None and not ledger.lacking:
        deployment = found.history.deployment
        ledger = stored_ledger(file, target, deployment, now) if plans.reads_ledger else Ledger(lacking=NOT_READ)
    ledger = replace(ledger, window=plans.window, archive=plans.archive)
    return replace(found, history=replace(found.history, ledger=ledger))


def _loaded(file: Path | None, target: TargetKey, now: datetime, warn: Warn, stated: Stated | None) -> LoadedHistory:
    known = History(deployment=stated.deployment, declared=stated.declared) if stated else History()
    if file is None:
        return LoadedHistory(history=replace(known, ledger=Ledger(lacking=NO_FILE)))
    try:
        return _of_store(file, target, now, warn, stated)
    except (StoreError, ReportError) as error:
        warn(f"warning: earlier runs cannot be used: {error}")
    is_unknown = stated is not None and stated.is_relative
    history = replace(History() if is_unknown else known, ledger=Ledger(lacking=UNREADABLE))
    return LoadedHistory(history=history, notes=(UNKNOWN,) if is_unknown else ())


def _of_store(file: Path, target: TargetKey, now: datetime, warn: Warn, stated: Stated | None) -> LoadedHistory:
    with Store(file) as store:
        history = _of_last_run(store, target, now, warn)
        windows = tuple(map(window_of, store.windows(target, now)))
        for mark in ignored_marks(store, target, now):
            warn(f"warning: {mark}")
        kept = on_record(stated, marks(store, target, now)) if stated else store.deployment(target, now)
        if kept:
            history = history_of_mark(store, target, kept, history)
        elif stated:
            history = replace(history, deployment=stated.deployment, declared=stated.declared)
        notes = tuple(filter(None, [note(stated, kept, target)])) if stated and kept else ()
    is_new = stated is not None and kept is None
    return LoadedHistory(history=replace(history, baseline=windows), notes=notes, is_new=is_new)


def _of_last_run(store: Store, target: TargetKey, now: datetime, warn: Warn) -> History:
    """Return the history of the latest run on record; ignore runs in the future with a warning."""
    (runs, windows), found = store.count_ahead(target, now), None
    for report in store.reports(target, now):
        try:
            found = history_of(report, target, now)
            break
        except AheadError:  # it ended in the future
            runs += 1
    for count, what in ((runs, "run"), (windows, "baseline window")):
        if count:
            warn(f"warning: {ignored(count, what)}")
    return found or History()


def last_report(file: Path | None, target: TargetKey, now: datetime, *, phase: str | None) -> Document | None:
    """Return the report of the latest run on record that covered the same phase; None: no such run, or a bad store.

    Runs of several phases alternate. Compared with a run of another phase, each of them would be news.
    """
    if file is None:
        return None
    with suppress(StoreError, ReportError), Store(file) as store:
        for report in store.reports(target, now):
            with suppress(AheadError):
                history_of(report, target, now)
                if report["run"].get("phase") == phase:
                    return report
    return None


def earlier_run(file: Path, target: TargetKey, now: datetime, *, warn: Warn) -> EarlierRun | None:
    """Return the content of an earlier run's report; empty, with a warning, if the file is missing (a first run).

    None, with a warning, if the run lies in the future.

    Raises:
        ReportError: the file cannot be read, or is not a report on that target.
    """
    try:
        text = read_file(file, largest=_MOST)
    except FileNotFoundError:
        warn(f"{file} does not exist: this counts as the first run")
        return EarlierRun()
    except OSError as error:
        raise ReportError(f"{file}: {error.strerror}") from error
    try:
        report = json.loads(text)
        history, (deployment, name) = history_of(report, target, now), deployment_of(report)
    except (ValueError, RecursionError):
        raise ReportError(f"{file}: it is not valid JSON") from None
    except AheadError as error:
        warn(f"warning: {file} is ignored: {error}")
        return None
    except ReportError as error:
        raise ReportError(f"{file}: {error}") from None
    return EarlierRun(history=history, mark=Mark(deployment=deployment, name=name) if deployment else None)


def record_deployment(file: Path | None, target: TargetKey, stated: Stated, now: datetime, *, warn: Warn) -> None:
    """Record a stated deployment for later runs."""
    if file is None:
        return
    try:
        with Store(file) as store:
            record(store, target, stated, now)
    except StoreError as error:
        warn(f"warning: this deployment was not recorded: {error}")


def record_run(  # noqa: PLR0913  # the last two by name
    file: Path | None, target: TargetKey, report: Report, document: Document, *, warn: Warn, keep: float | None = None
) -> None:
    """Record one run with its JSON report, and remove what is older than `keep` (seconds; None: the defaults)."""
    if file is None:
        return
    run, versions = report.run, report.situation.release.versions
    past = RunSummary(
        id=run.id,
        target=target,
        started=run.started,
        release=versions[0] if len(versions) == 1 else None,
        action=report.decision.action.word,
        exit_code=report.exit_code,
        partial=report.situation.partial,
        ledger=past_run(report),
    )
    failed = "this run was not recorded"
    try:
        with Store(file) as store:
            store.record(past, document)
            failed = "old runs were not removed"
            store.prune(report.situation.now, target, None if keep is None else timedelta(seconds=keep))
    except StoreError as error:
        warn(f"warning: {failed}: {error}")
