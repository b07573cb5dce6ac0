"""What is remembered for a run, and of it; no trouble with the store changes an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from probekit.files import read_file
from probekit.history.ahead import ignored, ignored_marks
from probekit.history.store import Document, RunSummary, Store, StoreError
from probekit.model.history import History, TargetKey
from probekit.model.report import Report
from probekit.reports.json.read import AheadError, ReportError, history_of, window_of

Warn = Callable[[str], None]

_MOST = 64 << 20  # bytes of a report that is read


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedHistory:
    """The past of one place."""

    history: History
    last: Document | None  # the report of the last run


def load_history(file: Path | None, target: TargetKey, now: datetime, *, warn: Warn) -> LoadedHistory:
    """What the store knows; nothing, and that is said, where it cannot be read."""
    try:
        return _of_store(file, target, now, warn) if file else LoadedHistory(history=History(), last=None)
    except (StoreError, ReportError) as error:
        warn(f"warning: nothing of the past is known: {error}")
        return LoadedHistory(history=History(), last=None)


def _of_store(file: Path, target: TargetKey, now: datetime, warn: Warn) -> LoadedHistory:
    with Store(file) as store:
        history, last = _of_last_run(store, target, now, warn)
        windows = tuple(map(window_of, store.windows(target, now)))
        for mark in ignored_marks(store, target, now):
            warn(f"warning: {mark}")
        if deployment := store.deployment(target, now):
            read = store.mark(target, deployment)
            history = replace(
                history,
                deployment=deployment,
                previous_release=store.previous_release(target, deployment),
                counters=read.counters,
                answered=history.answered | read.answered,
            )
    return LoadedHistory(history=replace(history, baseline=windows), last=last)


def _of_last_run(store: Store, target: TargetKey, now: datetime, warn: Warn) -> tuple[History, Document | None]:
    """What the latest run on record knows, and its report; what lies in the future of now is ignored with a warning."""
    (runs, windows), found = store.count_ahead(target, now), None
    for report in store.reports(target, now):
        try:
            found = history_of(report, target, now), report
            break
        except AheadError:  # it ended there
            runs += 1
    for count, what in ((runs, "run"), (windows, "baseline window")):
        if count:
            warn(f"warning: {ignored(count, what)}")
    return found or (History(), None)


def history_of_report(file: Path, target: TargetKey, now: datetime, *, warn: Warn) -> History | None:
    """What the report of an earlier run knows; nothing, and that is said, where there is none: this is a first run.

    None, with a warning, where the run lies in the future of now.

    Raises:
        ReportError: it cannot be read, or is no report on that target.
    """
    try:
        text = read_file(file, largest=_MOST)
    except FileNotFoundError:
        warn(f"{file} is not there: no earlier run is known")
        return History()
    except OSError as error:
        raise ReportError(f"{file}: {error.strerror}") from error
    try:
        return history_of(json.loads(text), target, now)
    except (ValueError, RecursionError):
        raise ReportError(f"{file}: it is no JSON") from None
    except AheadError as error:
        warn(f"warning: {file} is ignored: {error}")
        return None
    except ReportError as error:
        raise ReportError(f"{file}: {error}") from None


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
    )
    trouble = "this run is not on record"
    try:
        with Store(file) as store:
            store.record(past, document)
            trouble = "no old run is removed"
            store.prune(report.situation.now, target, None if keep is None else timedelta(seconds=keep))
    except StoreError as error:
        warn(f"warning: {trouble}: {error}")
