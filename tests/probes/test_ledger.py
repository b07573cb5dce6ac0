"""Every number of the record of a deployment, and each case in which the record does not have it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from probekit.archive import Archive
from probekit.model.checklist import Severity
from probekit.model.history import BaselineWindow, Deployment, History
from probekit.model.ledger import DeploymentLog, Ledger as Kept, PastFailure, PastRun
from probekit.model.maintenance import Period
from probekit.model.measurement import Reason
from probekit.model.readings import Exact
from probekit.model.record import Record
from probekit.probe import Context
from probekit.probes.ledger import KIND, Ledger
from probekit.transport.client import Http

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def read():
    async def one(since):
        measurement = Http(run="test").probe_client(timeout=1)
        context = Context(
            base_url="https://app.test", timeout=1, http=measurement, reveal=str, now=lambda: NOW, settling_since=since
        )
        return (await KIND.measure(Ledger(), context)).values["settled"]

    return one


@pytest.mark.parametrize("seconds", [0, 29.5, 30])
async def test_settled_counts_from_the_mark(read, seconds) -> None:
    assert await read(NOW - timedelta(seconds=seconds)) == Exact(seconds)


async def test_a_mark_in_the_future_is_no_reading(read) -> None:
    assert (await read(NOW + timedelta(seconds=5))).reason is Reason.BAD_RESPONSE


async def test_without_a_mark_there_is_no_reading(read) -> None:
    assert (await read(None)).reason is Reason.MISSING_SETTING


def test_it_needs_no_settings_and_no_network() -> None:
    assert KIND.enabled_by_default("http://app.test")
    assert (KIND.requests, KIND.endpoint) == (0, None)


@pytest.fixture
def recorded():
    """A function from the ages of windows, in minutes before the deployment's start, to the ledger's readings."""

    async def recorded(*minutes, rows=7, deployment=True):
        windows = tuple(
            BaselineWindow(taken=NOW - timedelta(minutes=age), release="1", vantage="", values={}, rows=rows)
            for age in sorted(minutes, reverse=True)
        )
        deployed = Deployment(release="2", started=NOW, finished=NOW + timedelta(minutes=5))
        history = History(baseline=windows, deployment=deployed if deployment else None)
        measurement = Http(run="test").probe_client(timeout=1)
        context = Context(
            base_url="https://app.test",
            timeout=1,
            http=measurement,
            reveal=str,
            now=lambda: NOW,
            history=history,
            wanted=frozenset({"metrics", "age_at_deployment", "new_metrics"}),
        )
        return (await KIND.measure(Ledger(), context)).values

    return recorded


@pytest.mark.parametrize(
    ("minutes", "metrics", "new"),
    [((90, 60, 30), 7, 0), ((60, 30), 0, 0), ((), 0, 0), ((-10, -20, -30), 7, 7), ((90, 60, 30, -1, -2, -3), 7, 0)],
)
async def test_a_baseline_counts_with_three_windows_on_its_side_of_the_deployment(
    recorded, minutes, metrics, new
) -> None:
    values = await recorded(*minutes)

    assert (values["metrics"], values["new_metrics"]) == (Exact(metrics), Exact(new))


async def test_its_age_is_taken_when_the_deployment_began(recorded) -> None:
    assert (await recorded(90, 60, 30))["age_at_deployment"] == Exact(30)
    assert (await recorded())["age_at_deployment"].reason is Reason.BAD_RESPONSE


async def test_without_a_deployment_on_record_a_baseline_has_no_age(recorded) -> None:
    values = await recorded(90, 60, 30, deployment=False)

    assert {value.reason for value in values.values()} == {Reason.MISSING_SETTING}


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = NOW - 30 * MINUTE
DONE = Deployment(release="2.3.1", started=START, finished=START + 10 * MINUTE)
UNDER_WAY = replace(DONE, finished=None)
UNDONE = replace(DONE, rolled_back=START + 20 * MINUTE)
MISSING, NONE, NO_FILE = Reason.MISSING_SETTING, Reason.BAD_RESPONSE, Reason.MISSING_FILE


@pytest.fixture
def fact():
    """A function that reads one number of the ledger: its value or the reason for none, its note and its records."""

    async def one(name, deployment=DONE, ledger=None, *, others=(), **more):
        history = History(deployment=deployment, ledger=ledger or Kept(), **more.pop("history", {}))
        context = Context(
            base_url="https://app.test",
            timeout=1,
            http=Http(run="test").probe_client(timeout=1),
            reveal=str,
            now=lambda: NOW,
            wanted=frozenset({name, *others}),
            history=history,
            **more,
        )
        readings = await KIND.measure(Ledger(), context)
        value = readings.values[name]
        if isinstance(value, Exact):
            return value.value, readings.notes.get(name, ""), readings.records
        return value.reason, value.detail, readings.records

    return one


def gate(minutes, action="go", **more):
    """A gate run that ended so many minutes before the start."""
    facts = {"subject": "2.3.1", "stage": "before", "phase": "pre", "partial": False} | more
    return PastRun(id=f"g{minutes}", ended=START - minutes * MINUTE, action=action, **facts)


def run(minutes, *failures, action="go", **more):
    """A run that ended so many minutes after the start."""
    facts = {"subject": "2.3.1", "stage": "after", "phase": None, "partial": False} | more
    return PastRun(id=f"r{minutes}", ended=START + minutes * MINUTE, action=action, failures=failures, **facts)


def failure(severity=Severity.CRITICAL, item="a.b.c", *, confirmed=True, since=None, due=None):
    def at(minutes):
        return None if minutes is None else START + minutes * MINUTE

    return PastFailure(item=item, severity=severity, confirmed=confirmed, since=at(since), due=at(due))


@pytest.mark.parametrize(
    ("gates", "passed", "age", "made"),
    [
        ((gate(60),), 1, 1.0, 60),
        ((gate(0),), 1, 0.0, 0),
        ((gate(60), gate(30, "no_go")), 0, 0.5, 30),
        ((gate(30), gate(60, "no_go")), 1, 0.5, 30),  # whatever the order of recording
        ((gate(60, "undecided"),), 0, 1.0, 60),
        ((gate(60, "partial"),), 0, 1.0, 60),
        ((gate(60), gate(-5, "no_go")), 1, 1.0, 60),
        ((gate(-20, "no_go"), gate(-5)), 1, 0.0, -5),  # the first after the start, which its record shows
        ((gate(60), gate(30, subject="2.3.2")), 1, 1.0, 60),
        ((gate(60), gate(30, "no_go", partial=True)), 1, 1.0, 60),
        ((gate(60), gate(30, "no_go", phase=None)), 1, 1.0, 60),
        ((gate(60), gate(30, "no_go", stage="after")), 1, 1.0, 60),
    ],
)
async def test_the_gate_is_the_latest_whole_run_of_phase_pre_before_the_start(fact, gates, passed, age, made) -> None:
    ledger = Kept(gates=gates)
    record = Record(release="2.3.1", made=START - made * MINUTE, by="probekit", place=f"run g{made}")

    value, note, records = await fact("gate_passed", DONE, ledger)
    assert (value, records) == (passed, (record,))
    assert f"gate run g{made} of release 2.3.1" in note
    assert await fact("gate_age_at_deployment", DONE, ledger) == (age, "", (record,))


@pytest.mark.parametrize(
    "gates", [(), (gate(60, subject="2.3.0"),), (gate(60, subject=None),), (gate(60, partial=True),)]
)
async def test_without_a_gate_the_deployment_fails_and_has_no_age(fact, gates) -> None:
    told = "no gate run of release 2.3.1 is on record (probekit verify --phase pre --stage before --release 2.3.1)"

    assert await fact("gate_passed", DONE, Kept(gates=gates)) == (0, told, ())
    assert await fact("gate_age_at_deployment", DONE, Kept(gates=gates)) == (NONE, told, ())


GATE, AGE = "gate_passed", "gate_age_at_deployment"
LOG, ARCHIVES = "log_age_at_deployment", "missing_archives"
LEDGER = {"gate_passed", "gate_age_at_deployment", "rollback_due", "decision_time", "missing_archives", "reports"}
RUN_GATE = "run the gate until it ends with go (probekit verify --phase pre --stage before --release VERSION), then"
CAPTURE = "run 'probekit baseline capture', then"
FIRST = {GATE: RUN_GATE, AGE: RUN_GATE, "metrics": CAPTURE, "age_at_deployment": CAPTURE}  # too late after a start
ALL = sorted({metric.name for metric in KIND.metrics} - {"settled"})


@pytest.mark.parametrize("name", ALL)
async def test_without_a_deployment_on_record_nothing_is_read(fact, name) -> None:
    reason, detail, records = await fact(name, None, Kept(gates=(gate(60),), runs=(run(15),)))

    assert (reason, records) == (MISSING, ())
    assert (
        detail == f"no deployment is on record: {FIRST.get(name, 'run')} 'probekit deployment start', or use --deployed"
    )


@pytest.mark.parametrize("name", sorted({*LEDGER, "unticketed_items"}))
async def test_without_the_runs_on_record_nothing_is_read(fact, name) -> None:
    """A state file that cannot be read is no proof that there was no gate."""
    ledger = Kept(gates=(gate(60),), runs=(run(15),), archive="/nowhere", lacking="the state file is damaged")

    assert (await fact(name, DONE, ledger))[:2] == (NONE, "the state file is damaged")


@pytest.mark.parametrize("name", [GATE, AGE])
async def test_a_gate_needs_a_release_and_a_deployment_that_has_begun(fact, name) -> None:
    reason, detail, _ = await fact(name, replace(DONE, release=None), Kept(gates=(gate(60),)))
    assert (reason, detail) == (
        MISSING,
        "the deployment on record names no release: probekit deployment start --release VERSION",
    )
    reason, detail, _ = await fact(name, DONE, Kept(gates=(gate(60),)), stage="before")
    assert (reason, RUN_GATE in detail) == (MISSING, True)
    assert (await fact(name, UNDER_WAY, Kept(gates=(gate(60),)), stage="before"))[0] == 1


@pytest.mark.parametrize(
    ("name", "deployment", "ledger", "expected"),
    [
        ("started_in_window", DONE, Kept(window=Period(start=START, end=NOW)), 1),
        ("started_in_window", DONE, Kept(window=Period(start=START + MINUTE, end=NOW)), 0),
        ("started_in_window", DONE, Kept(window=Period(start=START - HOUR, end=START - MINUTE)), 0),
        ("started_in_window", DONE, Kept(), MISSING),
        ("duration", DONE, Kept(), 10),
        ("duration", UNDONE, Kept(), 10),
        ("duration", replace(UNDONE, finished=None), Kept(), 20),
        ("duration", replace(DONE, finished=START), Kept(), 0),
        ("duration", UNDER_WAY, Kept(), MISSING),
        ("reports", DONE, Kept(), 0),
        ("reports", DONE, Kept(runs=(run(12), run(15))), 2),
        ("reports", DONE, Kept(runs=(run(12, partial=True), run(0), run(14, stage="before"))), 0),
        ("reports", DONE, Kept(runs=(run(25, stage="rolled-back"),)), 1),
        ("reports", DONE, Kept(runs=(run(12, phase="pre"), run(13, phase="post"))), 1),
        ("unticketed_items", DONE, Kept(), NONE),
        ("unticketed_items", DONE, Kept(runs=(run(12, failure(), partial=True),)), NONE),
        ("unticketed_items", DONE, Kept(runs=(run(12, failure(), stage="before"),)), NONE),
        ("unticketed_items", DONE, Kept(runs=(run(12, failure()), run(15))), 0),
        ("unticketed_items", DONE, Kept(runs=(run(15, failure()), run(12))), 1),
        ("unticketed_items", DONE, Kept(runs=(run(15, failure()), run(16, partial=True))), 1),
        ("unticketed_items", DONE, Kept(runs=(run(12, failure(), phase="a"), run(15, phase="x"))), 1),
        ("unticketed_items", DONE, Kept(runs=(run(15, phase="x"), run(12, failure(), phase="a"))), 1),
        ("unticketed_items", DONE, Kept(runs=(run(12, failure(), phase="a"), run(15, phase="a"))), 0),
        ("unticketed_items", DONE, Kept(runs=(run(12, failure(), phase="a"), run(15))), 0),
        ("unticketed_items", DONE, Kept(runs=(run(12, failure()), run(15, failure(item="x.y.z"), phase="x"))), 2),
        ("unticketed_items", DONE, Kept(runs=(run(12, failure(item="ab.b.c")), run(15, phase="a"))), 1),
        ("unticketed_items", DONE, Kept(runs=(run(12, failure(item="own.checks.a")), run(15, phase="x"))), 0),
        ("unticketed_items", DONE, Kept(runs=(run(12, failure()), run(15, failure(), phase="a"))), 1),
        (
            "unticketed_items",
            DONE,
            Kept(runs=(run(15, failure(), failure(item="x.y.z")),), tickets={"x.y.z": "https://t.test/1"}),
            1,
        ),
        ("rollback_due", DONE, Kept(), NONE),
        ("rollback_due", DONE, Kept(runs=(run(12, failure(), stage="before"),)), NONE),
        ("rollback_due", UNDONE, Kept(runs=(run(25, failure(), stage="rolled-back"),)), NONE),
        ("rollback_due", DONE, Kept(runs=(run(12),)), 0),
        ("rollback_due", DONE, Kept(runs=(run(12, action="rollback"), run(14))), 1),
        ("rollback_due", DONE, Kept(runs=(run(12, failure()),)), 1),
        ("rollback_due", DONE, Kept(runs=(run(12, failure(confirmed=False)),)), 0),
        ("rollback_due", DONE, Kept(runs=(run(12, failure(Severity.HIGH, due=11)),)), 1),
        ("rollback_due", DONE, Kept(runs=(run(12, failure(Severity.HIGH, due=12)),)), 1),
        ("rollback_due", DONE, Kept(runs=(run(12, failure(Severity.HIGH, due=13)),)), 0),
        ("rollback_due", DONE, Kept(runs=(run(12, failure(Severity.HIGH)),)), 0),
        ("rollback_due", DONE, Kept(runs=(run(12, failure(Severity.MEDIUM)),)), 0),
        ("rollback_due", UNDONE, Kept(runs=(run(12), run(25, failure()))), 0),
        ("rollback_due", DONE, Kept(runs=(run(12, failure(since=-1)),)), 0),  # older than the deployment
        ("rollback_due", DONE, Kept(runs=(run(12, failure(since=-1), failure(since=0)),)), 1),
        ("rollback_due", UNDONE, Kept(runs=(run(20, failure(), partial=True),)), 1),
        ("decision_time", UNDONE, Kept(), NONE),
        ("decision_time", UNDONE, Kept(runs=(run(12, failure(Severity.HIGH)),)), NONE),
        ("decision_time", UNDONE, Kept(runs=(run(12, failure(confirmed=False)),)), NONE),
        ("decision_time", UNDONE, Kept(runs=(run(12, failure(since=-1)),)), NONE),
        ("decision_time", UNDONE, Kept(runs=(run(25, failure()),)), NONE),
        ("decision_time", DONE, Kept(runs=(run(12, failure()),)), MISSING),
        ("decision_time", DONE, Kept(runs=(run(12, failure()), run(14, action="rollback", partial=True))), MISSING),
        ("decision_time", UNDONE, Kept(runs=(run(12, failure()),)), 8),
        ("decision_time", UNDONE, Kept(runs=(run(14, failure(since=12)), run(13, failure()))), 8),
        ("decision_time", UNDONE, Kept(runs=(run(12, failure()), run(15, failure(since=12), action="rollback"))), 3),
        ("decision_time", DONE, Kept(runs=(run(12, failure(since=11), action="rollback"),)), 1),
        ("decision_time", DONE, Kept(runs=(run(11, action="rollback"), run(12, failure()))), MISSING),
        ("missing_archives", DONE, Kept(runs=(run(12),)), MISSING),
        ("missing_archives", DONE, Kept(archive="/nowhere"), NONE),
        ("missing_archives", DONE, Kept(archive="/nowhere", runs=(run(131),)), NONE),  # cron goes on for weeks
        ("missing_archives", DONE, Kept(archive="/nowhere", runs=(run(129), run(131))), 2),
        ("missing_archives", DONE, Kept(archive="/nowhere", runs=(run(12), run(13))), 3),
        ("missing_archives", DONE, Kept(archive="/no\0where", runs=(run(12), run(13))), 3),
        ("log_age_at_deployment", DONE, Kept(), MISSING),
    ],
)
async def test_each_number_counts_what_is_on_record(fact, name, deployment, ledger, expected) -> None:
    value, told, records = await fact(name, deployment, ledger)

    assert (value, records) == (expected, ())
    assert told or isinstance(expected, int)


async def test_a_decision_of_the_future_rollback_phase_names_both_moments(fact) -> None:
    _, note, _ = await fact("decision_time", UNDONE, Kept(runs=(run(12, failure()),)))

    assert note == (
        "the first critical failure was at 2026-11-23 09:42:00 UTC, the decision at 2026-11-23 09:50:00 UTC"
    )


@pytest.fixture
def log(tmp_path):
    """A function that writes a log and sets its last change to so many minutes after the start."""

    def write(minutes, text="done\n"):
        path = tmp_path / "deploy.log"
        path.write_text(text)
        os.utime(path, times=((START + minutes * MINUTE).timestamp(),) * 2)
        return str(path)

    return write


@pytest.mark.parametrize(
    ("deployment", "changed", "written", "expected"),
    [
        (DONE, 9, None, 60),
        (DONE, 10, None, 0),
        (DONE, 10.5, None, 0),  # clocks differ by up to a minute
        (DONE, 12, None, NONE),
        (DONE, 12, 9.5, 30),  # written as at the finish mark, whatever happened to the file later
        (DONE, 9, 12, NONE),  # a finish that was marked late
        (UNDER_WAY, 29, None, 60),
        (UNDER_WAY, 29, 5, 60),  # resumed: what an earlier finish read is over
        (UNDER_WAY, 35, None, NONE),
        (replace(UNDONE, finished=None), 19, None, 60),
    ],
)
async def test_the_log_s_age_counts_to_the_finish(fact, log, deployment, changed, written, expected) -> None:
    noted = DeploymentLog(path=log(changed), written=None if written is None else START + written * MINUTE)

    value, told, _ = await fact(LOG, replace(deployment, log=noted))

    assert value == expected
    assert told


async def test_a_log_that_was_written_after_the_finish_says_so(fact, log) -> None:
    _, told, _ = await fact(LOG, replace(DONE, log=DeploymentLog(path=log(12))))

    assert "it was written after the finish; its age then is not known" in told


async def test_a_noted_log_may_be_gone_after_the_finish(fact, tmp_path) -> None:
    noted = DeploymentLog(path=str(tmp_path / "rotated.log"), written=START + 9 * MINUTE)

    assert (await fact(LOG, replace(DONE, log=noted)))[0] == 60


def fifo(folder):
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def empty(folder):
    (folder / "empty.log").touch()
    return folder / "empty.log"


def below_file(folder):
    return empty(folder) / "deploy.log"


def looping(folder):
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: folder / "absent.log", "it does not exist"),
        (lambda folder: folder, "it is a folder, not a file"),
        (fifo, "it is not a regular file"),
        (empty, "it is empty"),
        (below_file, "Not a directory"),
        (looping, "Too many levels of symbolic links"),
        (lambda folder: f"{folder}/deploy\0.log", "null"),
        (lambda folder: folder / ("x" * 5000), "File name too long"),
        (lambda _folder: "/dev/zero", "it is not a regular file"),
    ],
)
async def test_a_log_that_cannot_be_read_has_no_age_and_blocks_nothing(fact, tmp_path, make, told) -> None:
    reason, detail, _ = await fact(LOG, replace(DONE, log=DeploymentLog(path=str(make(tmp_path)))))

    assert reason is NO_FILE
    assert told in detail


async def test_an_archive_must_hold_the_log_and_the_report_of_each_run(fact, log, tmp_path) -> None:
    archive = Archive(root=tmp_path / "archive", release="2.3.1", started=START)
    ledger = Kept(archive=str(tmp_path / "archive"), runs=(run(12), run(14, partial=True)))
    noted = replace(DONE, log=DeploymentLog(path=log(9)))

    assert (await fact(ARCHIVES, noted, ledger))[0] == 3
    archive.add_log(log(9))
    archive.add_report("r12", "{}")
    value, told, _ = await fact(ARCHIVES, noted, ledger)
    assert (value, "the report of run r14" in told) == (1, True)
    archive.add_report("r14", "{}")
    assert (await fact(ARCHIVES, noted, ledger))[:2] == (0, "")
    value, told, _ = await fact(ARCHIVES, DONE, ledger)
    assert (value, "probekit deployment log FILE" in told) == (1, True)


async def test_a_baseline_is_a_record_of_its_release_and_time(fact) -> None:
    def window(minutes):
        taken = START - minutes * MINUTE
        return BaselineWindow(taken=taken, release="2.3.0", vantage="", values={}, rows=7)

    def read(*minutes, **more):
        return fact("metrics", DONE, history={"baseline": tuple(map(window, minutes))}, **more)

    def record(minutes):
        return (Record(release="2.3.0", made=START - minutes * MINUTE, by="probekit"),)

    assert (await read(90, 60, 30, -5))[::2] == (7, record(30))
    assert (await read(-5, -6, -7))[::2] == (7, record(-7))
    assert (await read())[::2] == (0, ())
    # A run before the next deployment asks for a baseline that is there now.
    assert (await read(-5, -6, -7, stage="before"))[::2] == (7, record(-7))


async def test_one_measurement_reads_all_that_is_wanted(fact) -> None:
    ledger = Kept(gates=(gate(60),), runs=(run(12),))

    assert (await fact("settled", DONE, ledger, others=(GATE, "reports"), settling_since=NOW))[::2] == (
        0,
        (Record(release="2.3.1", made=START - HOUR, by="probekit", place="run g60"),),
    )
    assert (await fact("reports", DONE, ledger, others=(GATE, "duration")))[0] == 1
