"""What is remembered for a run, and of it; no trouble with the store changes an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from probekit.history.store import RunSummary, Store, StoreError
from probekit.model.history import History, TargetKey
from probekit.model.report import Report
from probekit.reports.json.read import ReportError, history_of, window_of

Warn = Callable[[str], None]

_MOST = 64 << 20  # bytes of a report that is read


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedHistory:
    """The past of one place."""

    history: History
    last_action: str | None  # that the last run decided


def load_history(file: Path | None, target: TargetKey, now: datetime, *, warn: Warn) -> LoadedHistory:
    """What the store knows; nothing, and that is said, where it cannot be read."""
    try:
        return _of_store(file, target, now) if file else LoadedHistory(history=History(), last_action=None)
    except (StoreError, ReportError) as error:
        warn(f"warning: nothing of the past is known: {error}")
        return LoadedHistory(history=History(), last_action=None)


def _of_store(file: Path, target: TargetKey, now: datetime) -> LoadedHistory:
    with Store(file) as store:
        last, deployment, counters = store.last(target), store.deployment(target), store.counters(target)
        windows, previous = tuple(map(window_of, store.windows(target))), store.previous_release(target)
    history = History() if last is None else history_of(last, target, now)
    action = str(last["decision"]["action"]) if last else None
    history = replace(history, deployment=deployment, counters=counters, baseline=windows, previous_release=previous)
    return LoadedHistory(history=history, last_action=action)


def history_of_report(file: Path, target: TargetKey, now: datetime, *, warn: Warn) -> History:
    """What the report of an earlier run knows; nothing, and that is said, where there is none: this is a first run.

    Raises:
        RecallError: it cannot be read, or is no report on that target.
    """
    try:
        with file.open("rb") as stream:
            text = stream.read(_MOST + 1)
    except FileNotFoundError:
        warn(f"{file} is not there: no earlier run is known")
        return History()
    except OSError as error:
        raise ReportError(f"{file}: {error.strerror}") from error
    try:
        return history_of(json.loads(text) if len(text) <= _MOST else None, target, now)
    except (ValueError, RecursionError):
        raise ReportError(f"{file}: it is no JSON") from None
    except ReportError as error:
        raise ReportError(f"{file}: {error}") from None


def record_run(file: Path | None, target: TargetKey, report: Report, document: str, *, warn: Warn) -> None:
    """Record one run."""
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
    try:
        with Store(file) as store:
            store.record(past, json.loads(document))
            store.prune(report.situation.now)
    except StoreError as error:
        warn(f"warning: this run is not on record: {error}")
