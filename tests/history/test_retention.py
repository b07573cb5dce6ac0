"""What is removed by its age, and what stays, whatever a clock says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probekit.history.retention import LAST
from probekit.history.store import RunSummary, Store
from probekit.model.history import Deployment, TargetKey

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
DAY = timedelta(days=1)
PROD = TargetKey(environment="prod", base_url="https://app.example.com")
OTHER = TargetKey(environment="prod", base_url="https://other.example.com")
YEAR_3000 = datetime(3000, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "probekit.sqlite3") as opened:
        opened._connection.execute("PRAGMA synchronous = OFF")  # noqa: SLF001  # nothing is killed here
        yield opened


@pytest.fixture
def record(store):
    """A function that records runs of a target and a decision: one that began at each of these moments."""

    def record(name, *moments, target=PROD, action="go"):
        for number, started in enumerate(moments):
            facts = {"release": None, "exit_code": 0, "partial": False}
            run = RunSummary(id=f"{name}-{number}", target=target, started=started, action=action, **facts)
            store.record(run, {"name": name})

    return record


def ago(days, times=1):
    return [NOW - days * DAY + timedelta(minutes=number) for number in range(times)]


def names(store):
    """The runs that are left, by their names without numbers."""
    return {run.id.partition("-")[0] for run in store.runs(most=1000)}


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        (None, {"go29", "no29", "no31", "no179"}),
        (DAY, set()),
        (30 * DAY, {"go29", "no29"}),
        (90 * DAY, {"go29", "no29", "go31", "no31"}),
        (400 * DAY, {f"{name}{days}" for name in ("go", "no") for days in (29, 31, 179, 181, 399)}),
    ],
)
def test_runs_of_the_target_are_kept_as_long_as_its_setting_says(store, record, keep, kept) -> None:
    for days in (402, 399, 181, 179, 31, 29):
        record(f"go{days}", *ago(days))
        record(f"no{days}", *ago(days), action="investigate")
    record("latest", *ago(0, LAST))

    store.prune(NOW, PROD, keep)

    assert names(store) == kept | {"latest"}


def test_another_target_s_runs_are_kept_the_longest(store, record) -> None:
    record("old", *ago(402), target=OTHER)
    record("kept", *ago(399), target=OTHER)
    record("its", *ago(300, LAST), target=OTHER)
    record("latest", *ago(0, LAST))

    store.prune(NOW, PROD, DAY)

    assert names(store) == {"kept", "its", "latest"}


def test_the_last_runs_of_each_target_stay_however_old(store, record) -> None:
    record("more", *ago(500, 5), target=OTHER)
    record("its", *ago(500, LAST), target=OTHER)
    record("latest", *ago(0, LAST))

    store.prune(NOW, PROD, DAY)

    assert names(store) == {"its", "latest"}


def test_windows_are_kept_a_year_of_the_same_hours(store, record) -> None:
    record("latest", *ago(0, LAST))
    for days in (401, 399):
        store.add_window(PROD, NOW - days * DAY, {"days": days})

    store.prune(NOW, PROD, DAY)

    assert [window["days"] for window in store.windows(PROD, NOW)] == [399]


@pytest.mark.parametrize("ahead", [1, LAST - 1])
def test_a_clock_far_ahead_removes_nothing_until_twenty_runs_in_a_row_saw_it(store, record, ahead) -> None:
    record("right", *ago(1, 30))
    store.add_window(PROD, NOW - DAY, {"n": 1})

    for number in range(ahead):
        record(f"ahead{number}", YEAR_3000)
        store.prune(YEAR_3000, PROD)

    assert len(store.runs(PROD, most=1000)) == 30 + ahead
    assert len(store.windows(PROD, NOW)) == 1

    record("last", *[YEAR_3000] * (LAST - ahead))
    store.prune(YEAR_3000, PROD)
    assert "right" not in names(store)  # twenty agree: so much time has passed


def test_records_of_the_future_make_no_others_old(store, record) -> None:
    record("ahead", *[YEAR_3000] * 30)
    record("right", *ago(100, 5), *ago(0, LAST))

    store.prune(NOW, PROD, 200 * DAY)

    assert names(store) == {"ahead", "right"}
    assert len(store.runs(PROD, most=1000)) == 55


def test_where_the_last_runs_are_all_of_the_future_age_counts_from_now(store, record) -> None:
    record("old", *ago(100))
    record("right", *ago(80))
    record("ahead", *[YEAR_3000] * LAST)

    store.prune(NOW, PROD, 90 * DAY)

    assert names(store) == {"right", "ahead"}


def test_a_clock_far_behind_removes_nothing(store, record) -> None:
    record("right", *ago(100, 5), *ago(0, LAST))
    record("behind", datetime(1970, 1, 1, tzinfo=UTC))

    store.prune(datetime(1970, 1, 1, tzinfo=UTC), PROD, DAY)

    assert len(store.runs(PROD, most=1000)) == 26


def test_an_empty_store_is_pruned(store) -> None:
    store.prune(NOW, PROD)

    assert store.prune_runs(NOW, DAY).count == 0
    assert store.prune_runs(NOW, None).count == 0


def test_without_an_age_runs_are_removed_as_a_run_removes_them(store, record) -> None:
    for days in (402, 399, 181, 179, 31, 29):
        record(f"go{days}", *ago(days))
        record(f"no{days}", *ago(days), action="investigate")
    record("latest", *ago(0, LAST))

    counted = store.prune_runs(NOW, None, PROD, dry_run=True)
    assert len(store.runs(most=1000)) == 12 + LAST
    removed = store.prune_runs(NOW, None, PROD)

    assert counted == removed
    assert removed.count == 8
    assert names(store) == {"go29", "no29", "no31", "no179", "latest"}


@pytest.mark.parametrize(("target", "count"), [(None, 12), (PROD, 5), (OTHER, 7)])
def test_runs_are_counted_and_removed_at_a_word(store, record, target, count) -> None:
    record("old", *ago(100, 5))
    record("theirs", *ago(100, 7), *ago(99, LAST), target=OTHER)
    record("latest", *ago(0, LAST))
    store.begin(PROD, Deployment(release="1", started=NOW - 300 * DAY))
    store.add_window(PROD, NOW - 300 * DAY, {"n": 1})

    counted = store.prune_runs(NOW, 90 * DAY, target, dry_run=True)
    assert len(store.runs(most=1000)) == 52
    removed = store.prune_runs(NOW, 90 * DAY, target)

    assert counted == removed
    assert (removed.count, removed.total, removed.counted_from) == (count, 52, NOW)
    assert len(store.runs(most=1000)) == 52 - count
    assert len(store.deployments(PROD)) == len(store.windows(PROD, NOW)) == 1  # marks and baselines stay


def test_a_smaller_file_keeps_the_order_in_which_runs_were_recorded(tmp_path, store, record) -> None:
    def pages():
        return store._connection.execute("PRAGMA page_count").fetchone()[0]  # noqa: SLF001  # of the whole database

    record("b", *ago(3, 1))
    record("old", *ago(100, 400))
    record("b2", *ago(3, 1))
    record("a", *ago(5, LAST))  # the clock was set back
    before = [run.id for run in store.runs(most=1000) if not run.id.startswith("old")]
    store.prune_runs(NOW, 90 * DAY)
    held = pages()

    store.compact()

    assert [run.id for run in store.runs(most=1000)] == before
    assert [one["name"] for one in store.reports(PROD, NOW)] == ["a"] * LAST + ["b2", "b"]
    assert pages() < held / 2
    assert (tmp_path / "probekit.sqlite3-wal").stat().st_size == 0
    record("c", *ago(0))
    assert store.runs(most=1)[0].id == "c-0"
