"""What is remembered for a run, and of it; no trouble with the store changes an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from probekit.history.store import Past, Place, Store, StoreError
from probekit.model.history import Memory
from probekit.model.report import Report
from probekit.reports.json.read import RecallError, memory_of, window_of

Warn = Callable[[str], None]

_MOST = 64 << 20  # bytes of a report that is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The past of one place."""

    memory: Memory
    action: str | None  # that the last run decided


def recall(file: Path | None, place: Place, now: datetime, *, warn: Warn) -> Remembered:
    """What the store knows; nothing, and that is said, where it cannot be read."""
    try:
        return _of_store(file, place, now) if file else Remembered(memory=Memory(), action=None)
    except (StoreError, RecallError) as error:
        warn(f"warning: nothing of the past is known: {error}")
        return Remembered(memory=Memory(), action=None)


def _of_store(file: Path, place: Place, now: datetime) -> Remembered:
    with Store(file) as store:
        last, deployment, totals = store.last(place), store.deployment(place), store.totals(place)
        windows = tuple(map(window_of, store.windows(place)))
    memory = Memory() if last is None else memory_of(last, place.environment, now)
    action = str(last["decision"]["action"]) if last else None
    return Remembered(memory=replace(memory, deployment=deployment, totals=totals, baseline=windows), action=action)


def of_report(file: Path, environment: str, now: datetime, *, warn: Warn) -> Memory:
    """What the report of an earlier run knows; nothing, and that is said, where there is none: this is a first run.

    Raises:
        RecallError: it cannot be read, or is no report on that environment.
    """
    try:
        with file.open("rb") as stream:
            text = stream.read(_MOST + 1)
    except FileNotFoundError:
        warn(f"{file} is not there: no earlier run is known")
        return Memory()
    except OSError as error:
        raise RecallError(f"{file}: {error.strerror}") from error
    try:
        return memory_of(json.loads(text) if len(text) <= _MOST else None, environment, now)
    except (ValueError, RecursionError):
        raise RecallError(f"{file}: it is no JSON") from None
    except RecallError as error:
        raise RecallError(f"{file}: {error}") from None


def keep(file: Path | None, place: Place, report: Report, document: str, *, warn: Warn) -> None:
    """Record one run."""
    if file is None:
        return
    run, versions = report.run, report.situation.release.versions
    past = Past(
        id=run.id,
        place=place,
        started=run.started,
        release=versions[0] if len(versions) == 1 else None,
        action=report.decision.action.word,
        exit_code=report.exit_code,
        narrowed=run.narrowed,
    )
    try:
        with Store(file) as store:
            store.record(past, json.loads(document))
            store.prune(report.situation.now)
    except StoreError as error:
        warn(f"warning: this run is not on record: {error}")
