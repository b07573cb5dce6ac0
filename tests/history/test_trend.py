"""The last runs on one target, for the trend in a report."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from probekit.history.store import RunSummary, Store
from probekit.history.trend import past_results
from probekit.model.history import TargetKey
from probekit.model.verdict import Outcome, Verdict
from probekit.reports.json import write

TARGET = TargetKey(environment="prod", base_url="https://app.example.com")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state.sqlite3"


@pytest.fixture
def remember(file, make, report_of):
    """A function that records a run, so many minutes ago."""

    def remember(name, minutes, observed=100.0, *, target=TARGET, change=None):
        item = make.item("first_byte < 200 ms")
        outcome = Outcome.PASS if observed < 200 else Outcome.FAIL
        verdict = Verdict(item=item, outcome=outcome, because="so", observed=observed, limit=item.expect[0])
        started = make.now - timedelta(minutes=minutes)
        report = report_of(verdict, run={"id": name, "started": started})
        document = json.loads(write.render(report))
        if change:
            change(document)
        summary = RunSummary(
            id=name, target=target, started=started, release=None, action="go", exit_code=0, partial=False
        )
        with Store(file) as store:
            store.record(summary, document)

    return remember


def test_the_runs_before_come_oldest_first_with_their_values(make, file, remember) -> None:
    remember("one", 30, 100.0)
    remember("two", 20, 300.0)

    one, two = past_results(file, TARGET, make.now)

    assert (one.id, one.started, one.failed) == ("one", make.now - timedelta(minutes=30), 0)
    assert (two.id, two.failed, two.values) == ("two", 1, {"deploy.services.health-endpoint": 300.0})


def test_the_run_itself_later_runs_and_other_targets_are_left_out(make, file, remember) -> None:
    remember("earlier", 30)
    remember("itself", 20)
    remember("later", 10)
    remember("other", 25, target=replace(TARGET, environment="stage"))

    assert [one.id for one in past_results(file, TARGET, make.now - timedelta(minutes=20))] == ["earlier"]


def test_twenty_runs_are_enough(make, file, remember) -> None:
    for number in range(25):
        remember(f"run-{number:02}", 60 - number)

    found = past_results(file, TARGET, make.now)

    assert [one.id for one in found] == [f"run-{number:02}" for number in range(5, 25)]


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("run"),
        lambda document: document.update(verdicts=7),
        lambda document: document["run"].update(started="soon"),
        lambda document: document["run"].update(started="2026-11-23T09:00:00"),
        lambda document: document["verdicts"][0].pop("outcome"),
        lambda document: document.update(decision=[]),
    ],
)
def test_a_report_that_is_none_is_left_out(make, file, remember, change) -> None:
    remember("good", 30)
    remember("bad", 20, change=change)

    assert [one.id for one in past_results(file, TARGET, make.now)] == ["good"]


def test_numbers_without_an_end_are_no_values(make, file, remember) -> None:
    remember("one", 30, change=lambda document: document["verdicts"][0].update(observed=True))
    remember("two", 20, change=lambda document: document["verdicts"][0].update(observed=None))

    assert [one.values for one in past_results(file, TARGET, make.now)] == [{}, {}]


def test_without_a_state_file_or_with_a_damaged_one_there_is_no_trend(make, file) -> None:
    assert past_results(None, TARGET, make.now) == ()
    file.write_bytes(b"not a database" * 1000)
    assert past_results(file, TARGET, make.now) == ()
