"""A stated deployment counts once: a line of cron that says `now` in every run makes no failure a fresh one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probekit.history.deployed import Mark, Stated, marks, note, on_record, record, repeated
from probekit.history.store import Store
from probekit.model.history import Deployment, TargetKey

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TARGET = TargetKey(environment="prod", base_url="https://app.example.com")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def mark(name: str | None, ago: float, *, is_over: bool = True) -> Mark:
    at = NOW - minutes(ago)
    return Mark(deployment=Deployment(release=name, started=at, finished=at if is_over else None), name=name)


def stated(name: str | None, ago: float = 0.0, *, is_relative: bool = True) -> Stated:
    return Stated(at=NOW - minutes(ago), release=name, is_relative=is_relative)


@pytest.mark.parametrize(
    ("known", "said", "kept"),
    [
        ([], stated("2"), None),
        ([], stated(None), None),
        ([mark("2", 500)], stated("2"), 0),  # however old: the same release is deployed once
        ([mark("2", 500)], stated("2", 3, is_relative=False), 0),
        ([mark("1", 500)], stated("2"), None),
        ([mark("1", 0.5)], stated("2"), None),
        ([mark("1", 5), mark("2", 500)], stated("2"), 1),  # two lines of cron do not take turns for ever
        ([mark("2", 9, is_over=False)], stated("2"), 0),
        ([mark(None, 9, is_over=False)], stated("2"), 0),
        ([mark("2", 9, is_over=False)], stated(None, is_relative=False), 0),
        ([mark(None, 0.5)], stated("2"), 0),
        ([mark(None, 500)], stated("2"), None),
        ([mark(None, 500)], stated(None), 0),
        ([mark("2", 500)], stated(None), 0),
        ([mark("2", 500)], stated(None, 3, is_relative=False), None),  # a fixed moment ages by itself
        ([mark(None, 3.5)], stated(None, 3, is_relative=False), 0),
    ],
)
def test_a_statement_is_about_a_mark_on_record_or_a_new_one(known, said, kept) -> None:
    assert on_record(said, known) == (None if kept is None else known[kept].deployment)


def test_the_report_says_that_a_later_moment_did_not_count() -> None:
    kept = mark("2", 500).deployment

    assert note(stated("2", 499.5), kept, TARGET) == ""
    named, unnamed = note(stated("2"), kept, TARGET), note(stated(None), kept, TARGET)
    assert named.startswith("--deployed was ignored: the deployment of 2 is already on record at 2026-11-23 01:40")
    assert named.endswith("if it was deployed again, run probekit deployment start --env prod")
    assert unnamed.endswith("name its release with --release")


@pytest.mark.parametrize("place", ["release", "declared"])
def test_a_recorded_statement_is_found_by_the_name_of_its_release(tmp_path, place) -> None:
    said = Stated(at=NOW - minutes(9), is_relative=True, **({"release": None} | {place: "2.3.1"}))
    with Store(tmp_path / "s.sqlite3") as store:
        record(store, TARGET, said, NOW)
        found = tuple(marks(store, TARGET, NOW))

    assert [one.name for one in found] == ["2.3.1"]
    # What the configuration expects is read anew by each run, and a mark must not go before it.
    assert found[0].deployment.release == (said.release)


def test_a_statement_on_record_replaces_marks_of_a_clock_that_was_ahead(tmp_path) -> None:
    """When their time comes, each would be a deployment that never was, soon after which a failure rolls back."""
    with Store(tmp_path / "s.sqlite3") as store:
        record(store, TARGET, Stated(at=NOW + minutes(600), release="2"), NOW + minutes(600))
        record(store, TARGET, stated("2"), NOW)
        later = tuple(marks(store, TARGET, NOW + minutes(610)))

    assert [one.deployment.started for one in later] == [NOW]


@pytest.mark.parametrize(
    ("earlier", "said", "at"),
    [
        (mark("2", 500), stated("2"), 500),
        (mark(None, 500), stated(None), 500),
        (mark("1", 500), stated("2"), 0),
        (mark("2", 9, is_over=False), stated("2"), 0),  # its finish is still to come
        (None, stated("2"), 0),
    ],
)
def test_an_earlier_report_knows_when_its_release_was_deployed(earlier, said, at) -> None:
    found, told = repeated(said, earlier, Path("last.json"))

    assert found.at == NOW - minutes(at)
    assert ("according to last.json, the deployment" in told) == bool(at)


def test_a_mark_in_the_future_is_none(tmp_path) -> None:
    with Store(tmp_path / "s.sqlite3") as store:
        record(store, TARGET, Stated(at=NOW + minutes(9), release="2"), NOW)

        assert not tuple(marks(store, TARGET, NOW))
