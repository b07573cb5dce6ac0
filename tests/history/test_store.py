"""The store: what was written is read again, whoever is killed, whatever lies there instead of our file."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from probekit.history import database, schema
from probekit.history.store import RunSummary, Store, StoreError
from probekit.model.history import Deployment, MarkReadings, TargetKey
from probekit.model.measurement import MetricKey

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
PROD = TargetKey(environment="prod", base_url="https://app.example.com")
OTHER = TargetKey(environment="prod", base_url="https://other.example.com")


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "state" / "probekit.sqlite3"


def past(run="a1", *, place=PROD, started=NOW, action="go", **more) -> RunSummary:
    facts = {"release": "2.3.1", "exit_code": 0, "partial": False} | more
    return RunSummary(id=run, target=place, started=started, action=action, **facts)


def test_a_run_is_read_as_it_was_written_and_listed_newest_first(file) -> None:
    with Store(file) as store:
        store.record(past("a1"), {"run": {"id": "a1"}, "text": "Grüße \ud800"})
        store.record(
            past("b2", started=NOW + timedelta(minutes=5), action="rollback", exit_code=20), {"run": {"id": "b2"}}
        )
        store.record(past("c3", place=OTHER), {"run": {"id": "c3"}})

    with Store(file) as store:
        assert store.runs(PROD) == (
            past("b2", started=NOW + timedelta(minutes=5), action="rollback", exit_code=20),
            past("a1"),
        )
        assert [run.id for run in store.runs(most=2)] == ["c3", "b2"]
        assert store.report("a1") == {"run": {"id": "a1"}, "text": "Grüße \ud800"}
        assert next(store.reports(PROD, LATER)) == {"run": {"id": "b2"}}
        assert not list(store.reports(TargetKey(environment="stage", base_url="https://app.example.com"), LATER))


def test_a_run_is_found_by_the_beginning_of_its_id_where_it_is_one(file) -> None:
    with Store(file) as store:
        store.record(past("abc1"), {"n": 1})
        store.record(past("abd2"), {"n": 2})

        store.record(past("abc12"), {"n": 3})

        assert store.report("abc12") == {"n": 3}
        assert store.report("abc1") == {"n": 1}
        assert store.report("abd") == {"n": 2}
        assert store.report("abc") is None
        assert store.report("%") is None


def test_a_deployment_begins_and_is_finished(file) -> None:
    with Store(file) as store:
        assert store.deployment(PROD, LATER) is None

        begun = Deployment(release="2.3.1", started=NOW)
        store.begin(PROD, begun)
        assert store.deployment(PROD, LATER) == begun
        assert store.deployment(OTHER, LATER) is None

        store.change(PROD, replace(begun, finished=NOW + timedelta(minutes=3)))

    with Store(file) as store:
        assert store.deployment(PROD, LATER) == replace(begun, finished=NOW + timedelta(minutes=3))


def test_windows_come_back_oldest_first(file) -> None:
    with Store(file) as store:
        for minutes in (20, 0, 10):
            store.add_window(PROD, NOW + timedelta(minutes=minutes), {"minutes": minutes})

        assert [window["minutes"] for window in store.windows(PROD, LATER)] == [0, 10, 20]
        assert store.windows(OTHER, LATER) == ()


def test_moments_of_any_zone_sort_as_they_follow_one_another(file) -> None:
    berlin = timedelta(hours=2)
    with Store(file) as store:
        for release, moment in (("late", "10:30:00+00:00"), ("early", "12:00:00.5+02:00")):
            started = datetime.fromisoformat(f"2026-11-23T{moment}")
            store.begin(PROD, Deployment(release=release, started=started))

        late, early = store.deployments(PROD)
        assert (late.release, early.release) == ("late", "early")
        assert early.started.utcoffset() != berlin


def test_the_run_that_was_recorded_last_is_the_latest_whatever_its_clock_said(file) -> None:
    with Store(file) as store:
        store.record(past("a1", started=NOW), {"n": 1})
        store.record(past("b2", started=NOW - timedelta(minutes=30)), {"n": 2})  # the clock was set back

        assert [run.id for run in store.runs(PROD)] == ["b2", "a1"]
        assert list(store.reports(PROD, LATER)) == [{"n": 2}, {"n": 1}]


def test_what_lies_in_the_future_of_now_hides_nothing(file) -> None:
    def mark(release, minutes, took=1):
        started = NOW + timedelta(minutes=minutes)
        return Deployment(release=release, started=started, finished=started + timedelta(minutes=took))

    within, ahead = timedelta(minutes=1), timedelta(minutes=1, microseconds=1)  # of what clocks may differ
    with Store(file) as store:
        for one in (mark("1", -20), mark("2", -10), mark("3", 5)):
            store.begin(PROD, one)
        for number, moment in enumerate((NOW - ahead, NOW + within, NOW + ahead)):
            store.record(past(f"r{number}", started=moment), {"n": number})
            store.add_window(PROD, moment, {"n": number})

        latest = store.deployment(PROD, NOW)
        assert latest == mark("2", -10)
        assert store.previous(PROD, latest).release == "1"
        assert [one["n"] for one in store.reports(PROD, NOW)] == [1, 0]
        assert [one["n"] for one in store.windows(PROD, NOW)] == [0, 1]
        assert store.count_ahead(PROD, NOW) == (1, 1)

        store.drop_deployments_ahead(PROD, NOW)
        assert store.deployments(PROD) == (mark("2", -10), mark("1", -20))


def test_a_finish_in_the_future_is_none_and_may_be_marked_again(file) -> None:
    begun = Deployment(release="2", started=NOW)
    with Store(file) as store:
        store.begin(PROD, replace(begun, finished=NOW + timedelta(days=2)))
        assert store.deployment(PROD, LATER) == begun

        store.change(PROD, replace(begun, finished=LATER))
        assert store.deployment(PROD, LATER) == replace(begun, finished=LATER)


def test_counters_are_those_of_their_own_deployment(file) -> None:
    restarts = MetricKey("containers", "", "restarts")
    first, second = (Deployment(release=None, started=NOW + timedelta(minutes=minutes)) for minutes in (0, 5))
    with Store(file) as store:
        for number, one in enumerate((first, second)):
            store.begin(PROD, one)
            store.record_mark(PROD, one, MarkReadings(counters={restarts: number}))

        assert [store.mark(PROD, one).counters for one in (first, second)] == [{restarts: 0}, {restarts: 1}]


def test_a_file_of_a_newer_version_is_left_alone(file) -> None:
    Store(file).__exit__()
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("PRAGMA user_version = 99")

    with pytest.raises(StoreError, match=r"newer probekit.*--state"):
        Store(file)
    with closing(sqlite3.connect(file)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (99,)


@pytest.mark.parametrize("version", range(len(schema.VERSIONS)))  # every schema that ever was
def test_every_earlier_version_is_upgraded_and_runs_of_another_format_are_dropped(tmp_path, capfd, version) -> None:
    old = tmp_path / "old.sqlite3"
    with closing(sqlite3.connect(old)) as raw, raw:
        for statements in schema.VERSIONS[:version]:
            for statement in statements:
                raw.execute(statement)
        raw.execute(f"PRAGMA user_version = {version}")
        if version:
            mark = ("prod", PROD.base_url, "2026-11-23T10:00:00.000000+00:00", "2.3.1")
            raw.execute("INSERT INTO deployment (environment, base_url, started, release) VALUES (?, ?, ?, ?)", mark)
            run = ("old", "prod", PROD.base_url, "2026-11-23T10:00:00.000000+00:00", "2.3.1", "go", 0, 0, b"")
            raw.execute("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", run)

    with Store(old) as store:
        is_readable = version >= schema.LAST_CHANGE_OF_REPORTS
        assert [run.id for run in store.runs()] == ["old"] * is_readable
        assert ("history.runs_dropped" in capfd.readouterr().err) == (version > 0 and not is_readable)
        store.record(past(), {"n": 1})
        assert next(store.reports(PROD, LATER)) == {"n": 1}
        found = store.deployment(PROD, LATER)
        assert (found is not None) == (version > 0)
        assert found is None or store.mark(PROD, found) == MarkReadings()


def test_what_is_no_store_of_ours_is_told(tmp_path) -> None:
    (tmp_path / "text").write_text("not a database, but longer than the header of one" * 40)
    (tmp_path / "folder").mkdir()
    for name in ("text", "folder", "text/below"):
        with pytest.raises(StoreError, match=name):
            Store(tmp_path / name)


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE customers (id, name)",),
        ("CREATE TABLE customers (id, name)", "PRAGMA user_version = 1"),
        ("CREATE TABLE run (id)", "CREATE TABLE customers (id)", "PRAGMA user_version = 3"),
        ("CREATE TABLE run (id)", "PRAGMA application_id = 1196444487"),  # a GeoPackage
        ("PRAGMA application_id = 252006674",),
        ("PRAGMA journal_mode = WAL", "CREATE TABLE customers (id, name)"),
        ("CREATE VIEW customers AS SELECT 1",),
        ("CREATE TABLE run (id, name)",),
        ("CREATE TABLE run (id)", "PRAGMA user_version = 2"),
        ("PRAGMA user_version = 3",),
        ("PRAGMA user_version = 4",),
        (
            "CREATE TABLE run (id)",
            "CREATE TABLE deployment (id)",
            "CREATE TABLE window (id)",
            "PRAGMA user_version = 7",
        ),
    ],
)
def test_the_database_of_another_program_is_refused_and_left_as_it_is(tmp_path, statements) -> None:
    other = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(other)) as raw:
        for statement in statements:
            raw.execute(statement)
        raw.commit()
    before, names = other.read_bytes(), {path.name for path in tmp_path.iterdir()}

    with pytest.raises(StoreError, match="database of another program"):
        Store(other)

    assert other.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == names


def test_the_database_of_another_program_that_is_open_there_is_left_as_it_is(tmp_path) -> None:
    other = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(other)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("CREATE TABLE customers (id, name)")  # in the write-ahead log, not in the file
        before = [path.read_bytes() for path in (other, tmp_path / "other.sqlite3-wal")]

        with pytest.raises(StoreError, match="database of another program"):
            Store(other)

        assert [path.read_bytes() for path in (other, tmp_path / "other.sqlite3-wal")] == before


def test_a_store_is_known_while_another_process_has_it_open(file) -> None:
    with Store(file) as one, Store(file) as other:
        one.record(past(), {"n": 1})
        assert [run.id for run in other.runs()] == ["a1"]
    assert int.from_bytes(file.read_bytes()[68:72], "big") == int.from_bytes(b"pbkt", "big")


@pytest.mark.parametrize("text", ["2.3\udcff", "\ud800", "\x00", "2.3\U0001f600", "'; DROP TABLE run"])
def test_any_text_is_kept_and_found(file, text) -> None:
    place = TargetKey(environment="prod", base_url=f"https://example.com/{text}")
    deployment = Deployment(release=text, started=NOW)
    with Store(file) as store:
        store.record(past(place=place, release=text), {"text": text})
        store.begin(place, deployment)
        assert store.runs(place) == (past(place=place, release=text),)
        assert store.report("a1") == {"text": text}
        assert store.report(f"a1{text}") is None
        assert store.deployments(place) == (deployment,)


def test_a_damaged_report_is_told_and_a_huge_one_is_not_unpacked(file, monkeypatch) -> None:
    with Store(file) as store:
        store.record(past("a1"), {"text": "x" * 100_000})
        monkeypatch.setattr(database, "_MOST", 50_000)
        with pytest.raises(StoreError, match="damaged"):
            store.report("a1")
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("UPDATE run SET report = x'00ff'")
    with Store(file) as store, pytest.raises(StoreError, match="damaged"):
        store.report("a1")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"counters": 3},
        {"counters": [["a", "b"]]},
        {"counters": [["a", "", "b", "x"]]},
        {"counters": [], "answered": 3},
    ],
)
def test_damaged_counters_are_told(file, document) -> None:
    with Store(file) as store:
        deployment = Deployment(release=None, started=NOW)
        store.begin(PROD, deployment)
        read = MarkReadings(counters={MetricKey("containers", "", "restarts"): 12.0}, answered=frozenset({"a", "b"}))
        store.record_mark(PROD, deployment, read)
        assert store.mark(PROD, deployment) == read
        with closing(sqlite3.connect(file)) as raw, raw:
            raw.execute("UPDATE deployment SET counters = ?", (database.packed(document),))

        with pytest.raises(StoreError, match=r"damaged data \(the readings at a deployment's mark\)"):
            store.mark(PROD, deployment)


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("UPDATE run SET started = 'soon'", lambda store: store.runs()),
        ("UPDATE run SET started = x'ff'", lambda store: store.runs()),
        ("UPDATE run SET release = x'ff'", lambda store: store.runs()),
        ("UPDATE run SET base_url = x'ff'", lambda store: store.runs()),
        ("UPDATE run SET exit_code = 'none'", lambda store: store.runs()),
        ("UPDATE run SET started = 'soon'", lambda store: store.prune(NOW, PROD)),
        ("UPDATE run SET started = 'soon'", lambda store: store.prune_runs(NOW, timedelta(days=1))),
        ("UPDATE run SET report = 'text'", lambda store: store.report("a1")),
        ("UPDATE run SET report = 5", lambda store: list(store.reports(PROD, LATER))),
        ("UPDATE deployment SET started = 'soon'", lambda store: store.deployment(PROD, LATER)),
        ("UPDATE deployment SET finished = 5", lambda store: store.deployments(PROD)),
        (
            "UPDATE deployment SET counters = 'text'",
            lambda store: store.mark(PROD, Deployment(release=None, started=NOW)),
        ),
        ("UPDATE window SET document = 'text'", lambda store: store.windows(PROD, LATER)),
    ],
)
def test_a_column_of_another_type_is_damage_and_no_crash(file, change, read) -> None:
    with Store(file) as store:
        store.record(past(), {"n": 1})
        store.begin(PROD, Deployment(release=None, started=NOW))
        store.add_window(PROD, NOW, {"n": 1})
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute(change)

    with Store(file) as store, pytest.raises(StoreError, match=r"; name another file with --state, or delete this one"):
        read(store)


def test_only_its_owner_may_read_it(file) -> None:
    Store(file).__exit__()

    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


class BusyAtFirst(sqlite3.Connection):
    """A connection as SQLite gives it while another process switches the same new file to WAL."""

    refusals = 3

    def execute(self, query, *values):
        if "journal_mode" in query and BusyAtFirst.refusals:
            BusyAtFirst.refusals -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return super().execute(query, *values)


def test_a_new_file_that_another_process_prepares_is_waited_for(file, monkeypatch) -> None:
    monkeypatch.setattr(database.sqlite3, "connect", partial(sqlite3.connect, factory=BusyAtFirst))

    with Store(file) as store:
        store.record(past(), {"n": 1})
        assert next(store.reports(PROD, LATER)) == {"n": 1}
    assert BusyAtFirst.refusals == 0


@pytest.mark.servers
def test_several_processes_write_at_once(file) -> None:
    writers = [_writer(file, f"w{number}", runs=20) for number in range(4)]

    assert [len(writer.communicate(timeout=60)[0].splitlines()) for writer in writers] == [20] * 4
    with Store(file) as store:
        assert len(store.runs(most=1000)) == 80


@pytest.mark.servers
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [5, pytest.param(200, marks=pytest.mark.soak)])
def test_whoever_is_killed_loses_the_run_in_flight_and_nothing_else(file, kills) -> None:
    rng = random.Random(20261125)  # a seed, so that a difference can be found again
    for number in range(kills):
        with _writer(file, f"k{number}", runs=10_000) as writer:
            told = [writer.stdout.readline() for _ in range(rng.randint(1, 40))]
            writer.send_signal(signal.SIGKILL)
            told += writer.stdout.readlines()

        with Store(file) as store:
            kept = {run.id for run in store.runs(most=100_000)}
            assert {line.strip() for line in told if line.endswith("\n")} <= kept
            assert all(store.report(run) == {"id": run} for run in kept)
        with closing(sqlite3.connect(file)) as raw:
            assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


_WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from probekit.history.store import RunSummary, Store
from probekit.model.history import TargetKey
file, name, runs = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
place = TargetKey(environment="prod", base_url="https://app.example.com")
with Store(file) as store:
    for number in range(runs):
        run = f"{name}-{number}"
        facts = {"release": None, "action": "go", "exit_code": 0, "partial": False}
        store.record(RunSummary(id=run, target=place, started=datetime.now(UTC), **facts), {"id": run})
        print(run, flush=True)
"""


def _writer(file: Path, name: str, *, runs: int) -> subprocess.Popen[str]:
    """A process that imports the store only, and tells each run that it has recorded."""
    words = [sys.executable, "-c", _WRITER, str(file), name, str(runs)]
    return subprocess.Popen(words, env=os.environ, stdout=subprocess.PIPE, text=True)
