"""The record of earlier runs in one SQLite file: runs with their reports, deployments, and baseline windows.

All access to state goes through this class; every method is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from probekit.history import retention
from probekit.history.database import Database, Document, StoreError, packed, text_in, unpacked
from probekit.history.details import details_of, past_run_document, past_run_in
from probekit.history.retention import PrunedRuns, text_of as _text
from probekit.history.rows import RunSummary, deployment_in, past_in, readings_in, target_in
from probekit.model.history import CLOCK_SKEW, Deployment, MarkReadings, TargetKey, is_ahead
from probekit.model.ledger import PastRun
from probekit.model.record import Identity

__all__ = ["Document", "RunSummary", "Store", "StoreError"]

_LATEST: Final = 50  # reports that are searched for one with a correct clock: few runs end with another clock
_RUN: Final = "a run"
_REPORT: Final = "a report"


class Store(Database):
    """The runs, deployments and baseline windows in an open file."""

    def record(self, past: RunSummary, report: Document) -> None:
        """Record one run."""
        row = (past.id, *_key(past.target), _text(past.started), past.release, past.action, past.exit_code)
        ledger = past.ledger and packed(past_run_document(past.ledger))
        with self._transaction() as run:
            run("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, past.partial, packed(report), ledger))

    def runs(self, target: TargetKey | None = None, *, most: int = 20) -> tuple[RunSummary, ...]:
        """Return the runs that were recorded last, in reverse order of recording, whatever their start times."""
        where, key = ("WHERE environment = ? AND base_url = ?", _key(target)) if target else ("", ())
        query = (
            "SELECT id, environment, base_url, started, release, action, exit_code, partial, ledger"  # noqa: S608  # no value in it
            f" FROM run {where} ORDER BY rowid DESC LIMIT ?"
        )
        return self._rows(_RUN, past_in, query, (*key, most))

    def targets(self) -> tuple[TargetKey, ...]:
        """Return every target with a run on record, the one with the latest recorded run first."""
        query = "SELECT environment, base_url FROM run GROUP BY environment, base_url ORDER BY max(rowid) DESC"
        return self._rows(_RUN, target_in, query)

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
        """Record a deployment; replace one of the same start."""
        finished = deployment.finished and _text(deployment.finished)
        row = (*_key(target), _text(deployment.started), finished, deployment.release, packed(details_of(deployment)))
        with self._transaction() as run:
            run("INSERT OR REPLACE INTO deployment VALUES (?, ?, ?, ?, ?, NULL, ?)", row)

    def change(self, target: TargetKey, deployment: Deployment) -> None:
        """Record what changed of a deployment on record; its start names it."""
        changed = (
            "UPDATE deployment SET finished = ?, details = ? WHERE environment = ? AND base_url = ? AND started = ?"
        )
        finished = deployment.finished and _text(deployment.finished)
        row = finished, packed(details_of(deployment)), *_key(target), _text(deployment.started)
        with self._transaction() as run:
            run(changed, row)

    def deployments(self, target: TargetKey) -> tuple[Deployment, ...]:
        """Return all deployments on record, the latest first."""
        query = (
            "SELECT release, started, finished, details FROM deployment WHERE environment = ? AND base_url = ?"
            " ORDER BY started DESC"
        )
        return self._rows("a deployment", deployment_in, query, _key(target))

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

    def previous(self, target: TargetKey, deployment: Deployment) -> Identity:
        """Return the release before that deployment: the stated one, else that of the latest successful deployment.

        A deployment that failed or was rolled back left no release behind.
        """
        earlier = [one for one in self.deployments(target) if one.started < deployment.started and one.finished]
        if named := deployment.previous:
            found = next((one.identity for one in earlier if one.release == named), Identity())
            return Identity(release=named).completed(found)
        lasting = (one for one in earlier if not one.failed and one.rolled_back is None)
        return next((one.identity for one in lasting if one.release not in (None, deployment.release)), Identity())

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
        found = self._rows("the readings at a deployment's mark", readings_in, query, key)
        return next(iter(found), MarkReadings())

    def past_runs(
        self, target: TargetKey, since: datetime, *, until: datetime | None = None, most: int = 500
    ) -> tuple[PastRun, ...]:
        """Return the latest runs that started at `since` or later, and before `until`, the oldest first."""
        ended, key = ("", ()) if until is None else (" AND started < ?", (_text(until),))
        query = (
            "SELECT ledger FROM run WHERE environment = ? AND base_url = ? AND started >= ?"  # noqa: S608  # no value in it
            f" AND ledger IS NOT NULL{ended} ORDER BY rowid DESC LIMIT ?"
        )
        row = *_key(target), _text(since), *key, most
        return self._rows(_RUN, lambda column: past_run_in(unpacked(column)), query, row)[::-1]

    def add_ticket(self, target: TargetKey, deployment: Deployment, item: str, url: str) -> None:
        """Record the ticket of an item's failure in that deployment; replace an earlier one."""
        row = (*_key(target), _text(deployment.started), item, url)
        with self._transaction() as run:
            run("INSERT OR REPLACE INTO ticket VALUES (?, ?, ?, ?, ?)", row)

    def tickets(self, target: TargetKey, deployment: Deployment) -> Mapping[str, str]:
        """Return the URL of each item's ticket in that deployment."""
        query = "SELECT item, url FROM ticket WHERE environment = ? AND base_url = ? AND started = ? ORDER BY item"
        key = *_key(target), _text(deployment.started)
        return dict(self._rows("a ticket", lambda item, url: (text_in(item), text_in(url)), query, key))

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
