"""The record of earlier runs in one SQLite file: runs with their reports, deployments, and baseline windows.

All access to state goes through this class; every method is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from probekit.history import retention
from probekit.history.database import Database, Document, StoreError, packed, text_in, unpacked
from probekit.history.retention import PrunedRuns, text_of as _text
from probekit.model.history import CLOCK_SKEW, Deployment, MarkReadings, TargetKey, is_ahead
from probekit.model.measurement import MetricKey
from probekit.model.responsible import Responsible

__all__ = ["Document", "RunSummary", "Store", "StoreError"]

_LATEST: Final = 50  # reports that are searched for one with a correct clock: few runs end with another clock
_RUN: Final = "a run"
_REPORT: Final = "a report"


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


class Store(Database):
    """The runs, deployments and baseline windows in an open file."""

    def record(self, past: RunSummary, report: Document) -> None:
        """Record one run."""
        row = (past.id, *_key(past.target), _text(past.started), past.release, past.action, past.exit_code)
        with self._transaction() as run:
            run("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, past.partial, packed(report)))

    def runs(self, target: TargetKey | None = None, *, most: int = 20) -> tuple[RunSummary, ...]:
        """Return the runs that were recorded last, in reverse order of recording, whatever their start times."""
        where, key = ("WHERE environment = ? AND base_url = ?", _key(target)) if target else ("", ())
        query = (
            "SELECT id, environment, base_url, started, release, action, exit_code, partial"  # noqa: S608  # no value in it
            f" FROM run {where} ORDER BY rowid DESC LIMIT ?"
        )
        return self._rows(_RUN, _past, query, (*key, most))

    def targets(self) -> tuple[TargetKey, ...]:
        """Return every target with a run on record, the one with the latest recorded run first."""
        query = "SELECT environment, base_url FROM run GROUP BY environment, base_url ORDER BY max(rowid) DESC"
        return self._rows(_RUN, _target, query)

    def report(self, run: str) -> Document | None:
        """Return the report of the run with that id or beginning of an id; None if none or several match."""
        query = "SELECT id, report FROM run WHERE substr(id, 1, length(?)) = ? ORDER BY length(id) LIMIT 2"
        found = self._read(query, (run, run))
        is_one = len(found) == 1 or (found and found[0][0] == run)
        with self._as_damage(_REPORT):
            return unpacked(found[0][1]) if is_one else None

    def ids(self, beginning: str) -> tuple[str, ...]:
        """Return up to ten run ids with that beginning, in order."""
        query = "SELECT id FROM run WHERE substr(id, 1, length(?)) = ? ORDER BY id LIMIT 10"
        return self._rows(_RUN, text_in, query, (beginning, beginning))

    def reports(self, target: TargetKey, now: datetime) -> Iterator[Document]:
        """Yield the latest reports of runs that did not start in the future, the one recorded last first."""
        query = (
            "SELECT rowid FROM run WHERE environment = ? AND base_url = ? AND started <= ? ORDER BY rowid DESC LIMIT ?"
        )
        for row in self._read(query, (*_key(target), _text(now + CLOCK_SKEW), _LATEST)):
            yield from self._rows(_REPORT, unpacked, "SELECT report FROM run WHERE rowid = ?", row)

    def begin(self, target: TargetKey, deployment: Deployment) -> None:
        """Record the start of a deployment, with its finish if it has one; replace one of the same moment."""
        finished = deployment.finished and _text(deployment.finished)
        row = (*_key(target), _text(deployment.started), finished, deployment.release)
        with self._transaction() as run:
            run("INSERT OR REPLACE INTO deployment VALUES (?, ?, ?, ?, ?, NULL)", row)

    def finish(self, target: TargetKey, deployment: Deployment, moment: datetime) -> None:
        """Record the finish of a deployment on record."""
        done = "UPDATE deployment SET finished = ? WHERE environment = ? AND base_url = ? AND started = ?"
        with self._transaction() as run:
            run(done, (_text(moment), *_key(target), _text(deployment.started)))

    def deployments(self, target: TargetKey) -> tuple[Deployment, ...]:
        """Return all deployments on record, the latest first."""
        query = (
            "SELECT release, started, finished FROM deployment WHERE environment = ? AND base_url = ?"
            " ORDER BY started DESC"
        )
        return self._rows("a deployment", _deployment, query, _key(target))

    def deployment(self, target: TargetKey, now: datetime) -> Deployment | None:
        """Return the latest started deployment; ignore its finish if that lies in the future."""
        latest = next((one for one in self.deployments(target) if not is_ahead(one.started, now)), None)
        is_over = latest is not None and latest.finished is not None and not is_ahead(latest.finished, now)
        return latest if latest is None or is_over else replace(latest, finished=None)

    def drop_deployments_ahead(self, target: TargetKey, now: datetime) -> None:
        """Remove deployments that start in the future, because they would count as the latest later."""
        ahead = "environment = ? AND base_url = ? AND started > ?"
        with self._transaction() as run:
            run(f"DELETE FROM deployment WHERE {ahead}", (*_key(target), _text(now + CLOCK_SKEW)))  # noqa: S608  # no value in it

    def previous_release(self, target: TargetKey, deployment: Deployment) -> str | None:
        """Return the release of the latest finished deployment before that one if it differs, else None."""
        earlier = (one for one in self.deployments(target) if one.started < deployment.started and one.finished)
        return next((one.release for one in earlier if one.release not in (None, deployment.release)), None)

    def record_mark(self, target: TargetKey, deployment: Deployment, read: MarkReadings) -> None:
        """Record the readings at the latest mark of a deployment on record."""
        counters = [[*source, value] for source, value in read.counters.items()]
        kept = "UPDATE deployment SET counters = ? WHERE environment = ? AND base_url = ? AND started = ?"
        document = packed(
            {
                "counters": counters,
                "answered": sorted(read.answered),
                "declared": read.declared,
                "deployed_by": read.responsible.deployed_by,
                "reviewed_by": read.responsible.reviewed_by,
            }
        )
        with self._transaction() as run:
            run(kept, (document, *_key(target), _text(deployment.started)))

    def mark(self, target: TargetKey, deployment: Deployment) -> MarkReadings:
        """Return the readings that `record_mark` recorded for that deployment; empty if there are none."""
        query = "SELECT counters FROM deployment WHERE environment = ? AND base_url = ? AND started = ?"
        key = *_key(target), _text(deployment.started)
        found = self._rows("the readings at a deployment's mark", _readings, query, key)
        return next(iter(found), MarkReadings())

    def add_window(self, target: TargetKey, taken: datetime, document: Document) -> None:
        """Record one baseline window."""
        with self._transaction() as run:
            run("INSERT OR REPLACE INTO window VALUES (?, ?, ?, ?)", (*_key(target), _text(taken), packed(document)))

    def windows(self, target: TargetKey, now: datetime) -> tuple[Document, ...]:
        """Return the baseline windows that were not taken in the future, the oldest first."""
        query = "SELECT document FROM window WHERE environment = ? AND base_url = ? AND taken <= ? ORDER BY taken"
        return self._rows("a baseline window", unpacked, query, (*_key(target), _text(now + CLOCK_SKEW)))

    def count_ahead(self, target: TargetKey, now: datetime) -> tuple[int, int]:
        """Return how many runs started and how many baseline windows were taken in the future."""
        key = *_key(target), _text(now + CLOCK_SKEW)
        where = "environment = ? AND base_url = ?"
        runs = f"SELECT count(*) FROM run WHERE {where} AND started > ?"  # noqa: S608  # no value in it
        windows = f"SELECT count(*) FROM window WHERE {where} AND taken > ?"  # noqa: S608  # no value in it
        return self._read(runs, key)[0][0], self._read(windows, key)[0][0]

    def prune(self, now: datetime, target: TargetKey, keep: timedelta | None = None) -> None:
        """Remove old runs and windows; `keep` is how long runs of that target stay (see `retention`)."""
        with self._transaction() as execute, self._as_damage(_RUN):
            retention.prune(execute, now, target, keep)

    def prune_runs(
        self, now: datetime, keep: timedelta | None, target: TargetKey | None = None, *, dry_run: bool = False
    ) -> PrunedRuns:
        """Remove the runs, of one target or of all, that are older than `keep`; with `dry_run` only count them.

        Without `keep` the default retention applies (see `retention`).
        """
        with self._transaction() as execute, self._as_damage(_RUN):
            return retention.prune_runs(execute, now, target, keep, dry_run=dry_run)


def _key(target: TargetKey) -> tuple[str, str]:
    return target.environment, target.base_url


def _target(environment: Any, base_url: Any) -> TargetKey:  # noqa: ANN401  # columns as SQLite gives them
    return TargetKey(environment=text_in(environment), base_url=text_in(base_url))


def _past(*row: Any) -> RunSummary:  # noqa: ANN401  # see above
    run, environment, base_url, started, release, action, exit_code, partial = row
    return RunSummary(
        id=text_in(run),
        target=_target(environment, base_url),
        started=_moment(started),
        release=None if release is None else text_in(release),
        action=text_in(action),
        exit_code=int(exit_code),
        partial=bool(partial),
    )


def _deployment(release: Any, started: Any, finished: Any) -> Deployment:  # noqa: ANN401  # see above
    return Deployment(
        release=None if release is None else text_in(release),
        started=_moment(started),
        finished=None if finished is None else _moment(finished),
    )


def _readings(column: Any) -> MarkReadings:  # noqa: ANN401  # see above
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
