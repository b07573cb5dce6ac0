"""What is known of earlier runs? One SQLite file: runs with their reports, deployments, windows of baselines.

The one door to state. A run is one transaction (WAL): whoever is killed loses the run in flight and nothing else.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from probekit.files import make_private
from probekit.history import retention
from probekit.history.retention import PrunedRuns, text_of as _text
from probekit.history.schema import LAST_CHANGE_OF_REPORTS, VERSIONS, WAIT, is_foreign
from probekit.log import events
from probekit.model.history import CLOCK_SKEW, Deployment, MarkReadings, TargetKey, is_ahead
from probekit.model.measurement import MetricKey

Document = Mapping[str, Any]  # as JSON has it

_PAUSE: Final = 0.01  # seconds between two tries
_MOST: Final = 64 << 20  # bytes of a report: more was not written by us
_LATEST: Final = 50  # reports that are looked through for one whose clock was right: few runs end with another clock


class StoreError(Exception):
    """The file cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run as it is listed."""

    id: str
    target: TargetKey
    started: datetime
    release: str | None
    action: str
    exit_code: int
    partial: bool


class Store:
    """An open file. Use it as a context manager; every method is one transaction.

    Raises:
        StoreError: from every method, where the file cannot be read or written, or is not ours.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, make it where there is none, and bring it to this version's schema."""
        self._path = path
        with self._as_store_error():
            if is_foreign(path):
                raise StoreError(f"{path} is another program's database: name another file with --state")
            make_private(path)
            self._connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
            try:
                self._use_wal()
                self._connection.execute("PRAGMA synchronous = FULL")
                self._upgrade()
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()

    def record(self, past: RunSummary, report: Document) -> None:
        """Keep one run."""
        row = (past.id, *_key(past.target), _text(past.started), past.release, past.action, past.exit_code)
        with self._transaction() as run:
            run("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, past.partial, _packed(report)))

    def runs(self, target: TargetKey | None = None, *, most: int = 20) -> tuple[RunSummary, ...]:
        """The runs that were recorded last, the latest first: in this order whatever the clock said when they began."""
        where, key = ("WHERE environment = ? AND base_url = ?", _key(target)) if target else ("", ())
        rows = self._read(
            "SELECT id, environment, base_url, started, release, action, exit_code, partial"  # noqa: S608  # no value in it
            f" FROM run {where} ORDER BY rowid DESC LIMIT ?",
            (*key, most),
        )
        return tuple(_past(*row) for row in rows)

    def report(self, run: str) -> Document | None:
        """The report of the run with that id, else of the one whose id begins so; None where none or several do."""
        query = "SELECT id, report FROM run WHERE substr(id, 1, length(?)) = ? ORDER BY length(id) LIMIT 2"
        found = self._read(query, (run, run))
        is_one = len(found) == 1 or (found and found[0][0] == run)
        return self._unpacked(found[0][1]) if is_one else None

    def reports(self, target: TargetKey, now: datetime) -> Iterator[Document]:
        """The latest reports of runs that did not begin in the future of now, the one that was recorded last first."""
        query = (
            "SELECT rowid FROM run WHERE environment = ? AND base_url = ? AND started <= ? ORDER BY rowid DESC LIMIT ?"
        )
        for row in self._read(query, (*_key(target), _text(now + CLOCK_SKEW), _LATEST)):
            for (packed,) in self._read("SELECT report FROM run WHERE rowid = ?", row):
                yield self._unpacked(packed)

    def begin(self, target: TargetKey, deployment: Deployment) -> None:
        """Mark that a deployment has begun (or, with its finish, was made); the same moment is written over."""
        finished = deployment.finished and _text(deployment.finished)
        row = (*_key(target), _text(deployment.started), finished, deployment.release)
        with self._transaction() as run:
            run("INSERT OR REPLACE INTO deployment VALUES (?, ?, ?, ?, ?, NULL)", row)

    def finish(self, target: TargetKey, deployment: Deployment, moment: datetime) -> None:
        """Mark the end of a deployment on record."""
        done = "UPDATE deployment SET finished = ? WHERE environment = ? AND base_url = ? AND started = ?"
        with self._transaction() as run:
            run(done, (_text(moment), *_key(target), _text(deployment.started)))

    def deployments(self, target: TargetKey) -> tuple[Deployment, ...]:
        """All deployments on record, the latest first."""
        rows = self._read(
            "SELECT release, started, finished FROM deployment WHERE environment = ? AND base_url = ?"
            " ORDER BY started DESC",
            _key(target),
        )
        return tuple(
            Deployment(release=_loaded(release), started=_moment(started), finished=finished and _moment(finished))
            for release, started, finished in rows
        )

    def deployment(self, target: TargetKey, now: datetime) -> Deployment | None:
        """The latest deployment that began by now; a finish in the future of now is none."""
        latest = next((one for one in self.deployments(target) if not is_ahead(one.started, now)), None)
        is_over = latest is not None and latest.finished is not None and not is_ahead(latest.finished, now)
        return latest if latest is None or is_over else replace(latest, finished=None)

    def drop_deployments_ahead(self, target: TargetKey, now: datetime) -> None:
        """Forget the deployments that began in the future of now: when it comes, they would be the latest."""
        ahead = "environment = ? AND base_url = ? AND started > ?"
        with self._transaction() as run:
            run(f"DELETE FROM deployment WHERE {ahead}", (*_key(target), _text(now + CLOCK_SKEW)))  # noqa: S608  # no value in it

    def previous_release(self, target: TargetKey, deployment: Deployment) -> str | None:
        """The release of the latest finished deployment before that one, if it is another; else None."""
        earlier = (one for one in self.deployments(target) if one.started < deployment.started and one.finished)
        return next((one.release for one in earlier if one.release not in (None, deployment.release)), None)

    def record_mark(self, target: TargetKey, deployment: Deployment, read: MarkReadings) -> None:
        """Keep what was read at the latest mark of a deployment on record."""
        counters = [[*source, value] for source, value in read.counters.items()]
        kept = "UPDATE deployment SET counters = ? WHERE environment = ? AND base_url = ? AND started = ?"
        packed = _packed({"counters": counters, "answered": sorted(read.answered)})
        with self._transaction() as run:
            run(kept, (packed, *_key(target), _text(deployment.started)))

    def mark(self, target: TargetKey, deployment: Deployment) -> MarkReadings:
        """What was kept by `record_mark` of that deployment; nothing of one at which nothing was read."""
        query = "SELECT counters FROM deployment WHERE environment = ? AND base_url = ? AND started = ?"
        rows = self._read(query, (*_key(target), _text(deployment.started)))
        kept = next((self._unpacked(packed) for (packed,) in rows if packed is not None), {"counters": ()})
        try:
            counters = {
                MetricKey(str(probe), str(instance), str(metric)): float(value)
                for probe, instance, metric, value in kept["counters"]
            }
            answered = frozenset(map(str, kept.get("answered", ())))  # a mark of an older version has none
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged("what was read at a deployment's mark") from error
        return MarkReadings(counters=counters, answered=answered)

    def add_window(self, target: TargetKey, taken: datetime, document: Document) -> None:
        """Keep one window of a baseline."""
        with self._transaction() as run:
            run("INSERT OR REPLACE INTO window VALUES (?, ?, ?, ?)", (*_key(target), _text(taken), _packed(document)))

    def windows(self, target: TargetKey, now: datetime) -> tuple[Document, ...]:
        """The windows of the baseline that were not taken in the future of now, oldest first."""
        query = "SELECT document FROM window WHERE environment = ? AND base_url = ? AND taken <= ? ORDER BY taken"
        rows = self._read(query, (*_key(target), _text(now + CLOCK_SKEW)))
        return tuple(self._unpacked(packed) for (packed,) in rows)

    def count_ahead(self, target: TargetKey, now: datetime) -> tuple[int, int]:
        """How many runs began, and how many windows of the baseline were taken, in the future of now."""
        key = *_key(target), _text(now + CLOCK_SKEW)
        where = "environment = ? AND base_url = ?"
        runs = f"SELECT count(*) FROM run WHERE {where} AND started > ?"  # noqa: S608  # no value in it
        windows = f"SELECT count(*) FROM window WHERE {where} AND taken > ?"  # noqa: S608  # no value in it
        return self._read(runs, key)[0][0], self._read(windows, key)[0][0]

    def prune(self, now: datetime, target: TargetKey, keep: timedelta | None = None) -> None:
        """Remove what is too old; `keep` is how long runs of that target stay (see `retention`)."""
        with self._transaction() as execute:
            retention.prune(execute, now, target, keep)

    def prune_runs(
        self, now: datetime, keep: timedelta, target: TargetKey | None = None, *, dry_run: bool = False
    ) -> PrunedRuns:
        """Remove the runs, of one target or of all, that are older than `keep`; with `dry_run` only count them."""
        with self._transaction() as execute:
            return retention.prune_runs(execute, now, target, keep, dry_run=dry_run)

    def compact(self) -> None:
        """Give the room of what was removed back to the file system; runs keep their order."""
        with self._as_store_error():
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _use_wal(self) -> None:
        """Switch to the write-ahead log; SQLite does not wait for another process's lock here, whatever its timeout."""
        until = time.monotonic() + WAIT
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    def _upgrade(self) -> None:
        if self._version() == len(VERSIONS):
            return
        with self._transaction() as run:
            version = self._version()  # another process may have been faster
            if version > len(VERSIONS):
                raise StoreError(
                    f"{self._path} was written by a newer probekit; update this one, or name another --state"
                )
            runs = run("SELECT count(*) FROM run").fetchone()[0] if version else 0
            for statements in VERSIONS[version:]:
                for statement in statements:
                    run(statement)
            run(f"PRAGMA user_version = {len(VERSIONS)}")
        if runs and version < LAST_CHANGE_OF_REPORTS:
            events().warning("history.runs_dropped", runs=runs, file=str(self._path), reason="an older report format")

    def _version(self) -> int:
        ((version,),) = self._connection.execute("PRAGMA user_version")
        return int(version)

    def _read(self, query: str, values: tuple[object, ...]) -> list[Any]:
        with self._as_store_error():
            return self._execute(query, values).fetchall()

    def _execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        return self._connection.execute(statement, tuple(map(_stored, values)))

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        with self._as_store_error():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._execute
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _as_store_error(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise StoreError(f"{self._path}: {reason}") from error

    def _unpacked(self, packed: bytes) -> Document:
        opener = zlib.decompressobj()
        try:
            text = opener.decompress(packed, _MOST)
            found = json.loads(text) if opener.eof else None
        except (zlib.error, ValueError):
            found = None
        if not isinstance(found, dict):
            raise self._damaged("a report")
        return found

    def _damaged(self, what: str) -> StoreError:
        return StoreError(f"{self._path}: {what} in it is damaged; name another --state, or delete the file")


def _key(target: TargetKey) -> tuple[str, str]:
    return target.environment, target.base_url


def _packed(document: Document) -> bytes:
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode("ascii"))


def _past(*row: Any) -> RunSummary:  # noqa: ANN401  # columns as SQLite gives them
    run, environment, base_url, started, release, action, exit_code, partial = row
    return RunSummary(
        id=_loaded(run) or "",
        target=TargetKey(environment=environment, base_url=_loaded(base_url) or ""),
        started=_moment(started),
        release=_loaded(release),
        action=action,
        exit_code=exit_code,
        partial=bool(partial),
    )


def _stored(value: object) -> object:
    """The value; a text with half a surrogate pair, which is no UTF-8, as its bytes."""
    if not isinstance(value, str):
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
    return value


def _loaded(text: str | bytes | None) -> str | None:
    """A text as `_stored` has put it there."""
    return text.decode("utf-8", "surrogatepass") if isinstance(text, bytes) else text


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
