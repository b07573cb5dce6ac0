"""What a run leaves for the ledger of later runs, and what they load of it; a bad store changes no decision."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from probekit import reports
from probekit.history import ledger as module
from probekit.history.deployed import Stated
from probekit.history.ledger import past_run
from probekit.history.load import DeploymentPlans, load_history, record_run
from probekit.history.store import RunSummary, Store
from probekit.model.checklist import Severity
from probekit.model.history import Deployment, TargetKey
from probekit.model.ledger import Ledger, PastFailure, PastRun
from probekit.model.maintenance import Period
from probekit.model.verdict import Outcome, Stage, Verdict

PROD = TargetKey(environment="prod", base_url="https://app.example.com")
OTHER = TargetKey(environment="prod", base_url="https://other.example.com")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "state.sqlite3"


@pytest.fixture
def start(make):
    return make.now - 30 * MINUTE


@pytest.fixture(scope="module")
def document(report_of):
    """The JSON report of a run of that target."""
    return json.loads(reports.load_format("json").text(report_of()))


@pytest.fixture
def remember(file, document):
    """A function that records a run which began and ended at these moments."""

    def record(run, started, ended=None, *, target=PROD, **facts):
        known = {"subject": "2.3.1", "stage": "after", "phase": None, "action": "go", "partial": False} | facts
        past = PastRun(id=run, ended=ended or started + MINUTE, **known)
        summary = {"release": None, "action": past.action, "exit_code": 0, "partial": past.partial}
        with Store(file) as store:
            store.record(RunSummary(id=run, target=target, started=started, ledger=past, **summary), document)
        return past

    return record


@pytest.fixture
def loaded(file, make, start):
    """A function that loads the ledger of the deployment that it records, with the warnings."""

    def load(*, deployment=True, **more):
        warnings: list[str] = []
        if deployment and file.exists():
            with Store(file) as store:
                store.begin(PROD, Deployment(release="2.3.1", started=start, finished=start + MINUTE))
        found = load_history(more.pop("file", file), PROD, make.now, warn=warnings.append, **more)
        return found.history.ledger, warnings

    return load


GATE = {"stage": "before", "phase": "pre"}


def test_gates_and_runs_are_loaded_for_the_deployment_on_record(remember, loaded, start) -> None:
    remember("old", start - 8 * DAY, **GATE)
    remember("elsewhere", start - MINUTE, target=OTHER, **GATE)
    remember("earlier", start - 10 * MINUTE)
    remember("partial", start - 10 * MINUTE, **GATE, partial=True)
    first = remember("g1", start - 6 * DAY, **GATE)
    across = remember("g2", start - MINUTE, start + MINUTE, **GATE)
    later = remember("g3", start + MINUTE, **GATE)
    run = remember("r1", start + 5 * MINUTE)
    part = remember("r2", start + 6 * MINUTE, partial=True)

    found, _ = loaded()

    assert found == Ledger(gates=(first, across, later), runs=(later, run, part))


def test_runs_of_the_future_are_left_out(remember, loaded, start, make) -> None:
    remember("r1", start + MINUTE, make.now + 2 * MINUTE)

    assert loaded()[0].runs == ()


def test_what_is_planned_and_the_tickets_are_added(remember, loaded, start, file) -> None:
    remember("r1", start + MINUTE)
    window = Period(start=start - MINUTE, end=start + MINUTE)
    loaded()
    with Store(file) as store:
        store.add_ticket(PROD, store.deployments(PROD)[0], "a.b.c", "https://t.test/1")

    found, _ = loaded(plans=DeploymentPlans(window=window, archive="/srv/archive"))

    assert (found.window, found.archive, found.tickets) == (window, "/srv/archive", {"a.b.c": "https://t.test/1"})


def test_runs_that_were_not_read_are_not_taken_for_absent_ones(remember, loaded, start) -> None:
    remember("r1", start + MINUTE)

    found, _ = loaded(plans=DeploymentPlans(archive="/srv/archive", reads_ledger=False))

    assert found == Ledger(archive="/srv/archive", lacking=module.NOT_READ)


def test_without_a_deployment_no_run_is_read(remember, loaded, start) -> None:
    remember("r1", start + MINUTE)

    assert loaded(deployment=False)[0] == Ledger()


def test_a_stated_deployment_has_its_gate(remember, loaded, start) -> None:
    gate = remember("g1", start - MINUTE, start, **GATE)

    found, _ = loaded(deployment=False, stated=Stated(at=start, release="2.3.1"))

    assert found.gates == (gate,)


def test_without_a_state_file_the_runs_are_not_known(loaded, start) -> None:
    plans = DeploymentPlans(archive="/srv/archive")

    found, warnings = loaded(file=None, stated=Stated(at=start, release="2.3.1"), plans=plans)

    assert (found.archive, warnings) == ("/srv/archive", [])
    assert "--state none" in found.lacking


def test_a_state_file_that_cannot_be_read_is_a_warning(loaded, file, start) -> None:
    file.write_bytes(b"not a database" * 100)

    found, (warning,) = loaded(deployment=False, stated=Stated(at=start, release="2.3.1"))

    assert warning.startswith("warning: earlier runs cannot be used: ")
    assert found.lacking


@pytest.mark.parametrize("column", ["x'00ff'", "'text'", "5"])
def test_a_damaged_row_leaves_the_rest_of_the_history(remember, loaded, file, start, column) -> None:
    remember("r1", start + MINUTE)
    loaded()
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute(f"UPDATE run SET ledger = {column}")  # noqa: S608  # of this test

    found, _ = loaded(deployment=False)

    assert "damaged data (a run)" in found.lacking
    with Store(file) as store:
        assert store.deployments(PROD)


def test_a_run_of_an_older_version_has_no_ledger(remember, loaded, file, start) -> None:
    remember("r1", start + MINUTE)
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("UPDATE run SET ledger = NULL")

    assert loaded()[0] == Ledger()


def test_more_runs_than_are_read_are_not_taken_for_all(remember, loaded, start, monkeypatch) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    for number in range(3):
        remember(f"r{number}", start + number * MINUTE)

    assert "probekit runs prune" in loaded()[0].lacking


def test_a_run_leaves_its_failures(report_of, make, file) -> None:
    item = make.item("up == 1", id="a.b.c")
    since = make.now - 5 * MINUTE
    failed = Verdict(item=item, outcome=Outcome.FAIL, because="x", since=since, confirmed=False)
    high = replace(failed, item=replace(item, id="a.b.d", severity=Severity.HIGH), confirmed=True)
    passed = Verdict(item=replace(item, id="a.b.e"), outcome=Outcome.PASS, because="x")
    report = report_of(failed, high, passed)
    run = replace(report.run, phase="pre", subject="2.3.1", stage=Stage.BEFORE)

    found = past_run(replace(report, run=run))

    assert found == PastRun(
        id=report.run.id,
        ended=report.situation.now,
        subject="2.3.1",
        stage="before",
        phase="pre",
        action=report.decision.action.word,
        partial=report.situation.partial,
        failures=(
            PastFailure(item="a.b.c", severity=Severity.CRITICAL, confirmed=False, since=since, due=None),
            PastFailure(item="a.b.d", severity=Severity.HIGH, confirmed=True, since=since, due=high.due),
        ),
    )
    assert high.due is not None
    record_run(file, PROD, report, {}, warn=pytest.fail)
    with Store(file) as store:
        assert store.past_runs(PROD, report.run.started) == (past_run(report),)


@pytest.mark.parametrize(
    "limit", ["rollback_due == 1", "decision_time <= 5 min", "reports >= 1", "unticketed_items == 0"]
)
def test_a_failure_that_looks_at_earlier_runs_is_not_kept(report_of, make, limit) -> None:
    """Otherwise each run would find the failure of the run before it, and fail because of it."""
    failed = Verdict(item=make.item(limit, severity=Severity.CRITICAL), outcome=Outcome.FAIL, because="x")

    assert past_run(report_of(failed)).failures == ()


def test_a_lacking_archive_is_a_failure_like_others(report_of, make) -> None:
    failed = Verdict(item=make.item("missing_archives == 0"), outcome=Outcome.FAIL, because="x")

    assert [one.item for one in past_run(report_of(failed)).failures] == [failed.item.id]
