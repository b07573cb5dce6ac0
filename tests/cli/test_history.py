"""Runs that follow one another: the next knows what the last one knew, and no trouble with it changes an answer."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import tomllib
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from probekit import cli
from probekit.files import read_file
from probekit.history.store import RunSummary, Store
from probekit.model.history import BaselineWindow, Deployment, TargetKey
from probekit.reports.json.read import window_document

CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.services.health-endpoint", "signoff.approvals.team-lead"]
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"

[env.prod.probes.health]
kind = "http"
path = "/health"
"""
HEALTH = ("--item", "deploy.services.health-endpoint")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with the configuration of a target that nobody answers for."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "probes.toml").write_text(CONFIG.format(port=port))
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def verify(folder, capfd):
    """Verify in this process; its exit code, stdout and stderr."""

    def run(*words):
        capfd.readouterr()
        code = cli.run(["verify", "--env", "prod", *words])
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(words, code, out, err)

    return run


def since_of(result) -> str:
    return json.loads(result.stdout)["verdicts"][0]["since"]


def test_a_failure_is_known_from_run_to_run_and_its_time_runs_on(verify) -> None:
    first, second = (verify("--report", "json") for _ in range(2))

    assert since_of(first) == since_of(second)
    started = [datetime.fromisoformat(json.loads(one.stdout)["run"]["started"]) for one in (first, second)]
    assert started[0] <= datetime.fromisoformat(since_of(second)) <= started[1]
    notes = [json.loads(one.stdout)["run"]["notes"] for one in (first, second)]
    assert [any("no earlier run is known" in note for note in one) for one in notes] == [True, False]


@pytest.mark.parametrize(
    ("changes", "is_kept"),
    [
        ({'path = "/health"': 'path = "/ready"'}, False),
        ({'path = "/health"': 'path = "/health"\nrepeat = 2', 'timeout = "1s"': 'timeout = "2s"'}, True),
    ],
    ids=["another path", "other ways to measure it"],
)
@pytest.mark.parametrize("by_report", [False, True], ids=["store", "report"])
def test_the_time_of_a_failure_begins_anew_where_what_is_claimed_changed(verify, folder, changes, is_kept, by_report):
    words = ("--report", "json", *(("--state", "none") if by_report else ()))
    first = verify("--report", "json=before.json", *words)
    change(folder, changes)

    narrowed = verify(*words, *HEALTH, "--quick", *(("--since", "before.json") if by_report else ()))
    second = verify(*words, *(("--since", "before.json") if by_report else ()))

    assert since_of(narrowed) is not None
    assert (since_of(second) == since_of(first)) is is_kept


def change(folder, changes) -> None:
    text = (folder / "probes.toml").read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "probes.toml").write_text(text)


def test_a_partial_run_by_another_claim_leaves_the_time_on_record(verify, folder) -> None:
    first = verify("--report", "json")
    change(folder, {'path = "/health"': 'path = "/ready"'})
    verify(*HEALTH)
    change(folder, {'path = "/ready"': 'path = "/health"'})

    assert since_of(verify("--report", "json")) == since_of(first)


@pytest.mark.parametrize(("new", "is_kept"), [('path = "/health"', True), ('path = "/ready"', False)])
def test_a_run_that_is_judged_again_by_another_claim_has_no_older_failures(verify, folder, capfd, new, is_kept) -> None:
    verify()
    second = verify("--report", "json")
    change(folder, {'path = "/health"': new})

    cli.run(["runs", "judge", json.loads(second.stdout)["run"]["id"], "--report", "json"])

    document = json.loads(capfd.readouterr().out)
    began = document["situation"]["now"] if not is_kept else since_of(second)
    assert document["verdicts"][0]["since"] == began


def test_without_state_every_run_is_a_first_one(verify, folder) -> None:
    first, second = (verify("--report", "json", "--state", "none") for _ in range(2))

    assert since_of(first) != since_of(second)
    assert not list(folder.glob("**/*.sqlite3"))


def test_a_report_stands_in_where_no_state_is_kept(verify, folder) -> None:
    first = verify("--report", "json=before.json", "--report", "json", "--state", "none")
    second = verify("--report", "json", "--state", "none", "--since", "before.json")
    missing = verify("--report", "json", "--state", "none", "--since", "nowhere.json")

    assert since_of(second) == since_of(first)
    assert missing.returncode == second.returncode
    assert "nowhere.json does not exist: this counts as the first run" in missing.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "it is not valid JSON"),
        ("[" * 100_000, "it is not valid JSON"),
        ("{}", "it was not written by this version of probekit"),
        (None, "Is a directory"),
        ("other", "the report is on environment 'other', not on 'prod'"),
    ],
)
def test_a_report_that_cannot_stand_in_is_78(verify, folder, text, told) -> None:
    if text == "other":
        verify("--report", "json=before.json", "--state", "none")
        text = (folder / "before.json").read_text().replace('"environment": "prod"', '"environment": "other"')
    if text is None:
        (folder / "before.json").mkdir(exist_ok=True)
    else:
        (folder / "before.json").write_text(text)

    result = verify("--since", "before.json")

    assert (result.returncode, result.stdout) == (78, "")
    assert f"before.json: {told}" in result.stderr


def test_a_pipe_that_gives_no_report_is_78(verify, folder, monkeypatch) -> None:
    os.mkfifo(folder / "before.json")
    monkeypatch.setattr("probekit.history.load.read_file", partial(read_file, patience=0.1))

    result = verify("--since", "before.json")

    assert (result.returncode, result.stdout) == (78, "")
    assert "before.json: the pipe was not closed within 0.1 s" in result.stderr


def test_on_change_is_silent_while_all_stays_as_it_was(verify) -> None:
    first, second = (verify("--on-change", *HEALTH) for _ in range(2))

    assert first.stdout.startswith("INVESTIGATE")
    assert (second.stdout, second.returncode) == ("", first.returncode)


def test_what_could_not_be_told_is_not_on_record(verify, folder, monkeypatch) -> None:
    def cut_off(_text):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("probekit.cli.report_files.write_stdout", cut_off)
        cut = verify("--on-change", *HEALTH)
    again = verify("--on-change", *HEALTH)

    assert (cut.returncode, cut.stdout) == (130, "")
    assert again.stdout.startswith("INVESTIGATE")


@pytest.mark.parametrize(
    "words",
    [
        ("verify", "--env", "prod", "--release", "2.3\udcff", *HEALTH),
        ("verify", "--env", "prod\udcff"),
        ("verify", "--env", "prod", "--item", "a\udcff"),
        ("verify", "--env", "prod", "--probe", "a\udcff"),
        ("verify", "--env", "prod", "--config", "a\udcff.toml"),
        ("verify", "--env", "prod", "--state", "a\udcff.sqlite3", *HEALTH),
        ("verify", "--env", "prod", "--report", "json=a\udcff.json", *HEALTH),
        ("verify", "--env", "prod", "--since", "a\udcff.json", *HEALTH),
        ("verify", "--url", "http://127.0.0.1:9/\udcff"),
        ("verify", "--url", "http://a\udcff.example.invalid/"),
        ("deployment", "start", "--env", "prod", "--release", "2.3\udcff"),
        ("deployment", "start", "--env", "prod\udcff"),
        ("runs", "show", "\udcff"),
        ("runs", "list", "--env", "prod\udcff"),
        ("explain", "a\udcff"),
        ("plan", "--env", "prod\udcff"),
        ("\udcff",),
    ],
)
def test_an_argument_that_is_no_utf_8_is_no_internal_error(folder, monkeypatch, words) -> None:
    """A crash is raised here; only the process itself makes an internal error of it."""
    for name, errors in (("stdout", "strict"), ("stderr", "backslashreplace")):  # as Python opens them
        monkeypatch.setattr(sys, name, TextIOWrapper(BytesIO(), "utf-8", errors))

    assert cli.run(list(words)) in {0, 2, 10, 20, 30, 64, 78}


def test_a_process_s_argument_that_is_no_utf_8_is_no_internal_error(folder) -> None:
    words = map(os.fsencode, ("verify", "--env", "prod", "--release", "2.3\udcff", *HEALTH))
    result = subprocess.run([sys.executable, "-m", "probekit", *words], capture_output=True, check=False, timeout=60)

    assert result.returncode in {0, 2, 10, 20, 30, 64, 78}, result.stderr.decode()
    assert b"internal error" not in result.stderr


def test_machine_only_leaves_signatures_out(verify) -> None:
    whole, machine = verify("--report", "json"), verify("--report", "json", "--machine-only")

    assert [len(json.loads(one.stdout)["verdicts"]) for one in (whole, machine)] == [2, 1]
    assert [json.loads(one.stdout)["situation"]["in_scope"] for one in (whole, machine)] == [2, 2]
    assert not json.loads(machine.stdout)["situation"]["partial"]  # nothing that could be measured was left out


def test_a_deployment_on_record_is_known_to_every_later_run(verify, folder) -> None:
    assert cli.run(["deployment", "start", "--env", "prod", "--release", "2.3.1", "--at", "2026-11-23T10:00Z"]) == 0
    assert cli.run(["deployment", "finish", "--env", "prod", "--at", "2026-11-23T10:04Z"]) == 0

    known = json.loads(verify("--report", "json").stdout)["situation"]
    said = json.loads(verify("--report", "json", "--deployed", "2026-11-23T12:00Z").stdout)["situation"]

    assert known["deployment"]["finished"] == "2026-11-23T10:04:00Z"
    assert known["release"]["expected"] == ["2.3.1"]
    assert said["deployment"]["started"] == "2026-11-23T12:00:00Z"


@pytest.mark.parametrize("state", ["probes.toml", "/proc/nowhere/state.sqlite3", "pipe", "/dev/null"])
def test_a_store_that_cannot_be_used_is_said_and_changes_no_answer(verify, folder, state) -> None:
    os.mkfifo(folder / "pipe")
    usual = verify("--state", "none")

    result = verify("--state", state)

    assert result.returncode == usual.returncode
    assert "warning: earlier runs cannot be used" in result.stderr
    assert "warning: this run was not recorded" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_damaged_past_is_said_and_the_run_goes_on(verify, folder) -> None:
    verify("--state", "s.sqlite3")
    place = TargetKey(environment="prod", base_url=(folder / "probes.toml").read_text().split('"')[1])
    with Store(Path("s.sqlite3")) as store:
        (run,) = store.runs(place)
        store._connection.execute("UPDATE run SET report = x'00'")  # noqa: SLF001  # damage

    result = verify("--state", "s.sqlite3")

    assert result.returncode == run.exit_code
    assert "damaged" in result.stderr


def test_a_run_that_is_on_record_says_so_where_old_ones_cannot_be_removed(verify, folder) -> None:
    verify("--state", "s.sqlite3")
    with Store(Path("s.sqlite3")) as store:
        store._connection.execute("UPDATE run SET started = '0'")  # noqa: SLF001  # damage

    result = verify("--state", "s.sqlite3")

    assert "warning: old runs were not removed" in result.stderr
    assert "not on record" not in result.stderr
    with Store(Path("s.sqlite3")) as store:
        assert len(store._read("SELECT id FROM run")) == 2  # noqa: SLF001  # runs() tells of the damage


def test_a_run_is_on_record_and_can_be_shown(verify, capfd) -> None:
    verify()
    assert cli.run(["runs", "list", "--env", "prod"]) == 0

    heading, _, row = capfd.readouterr().out.splitlines()
    run, _, _, action, code, *_ = row.split()
    assert (heading[:6], action, code) == ("prod, ", "investigate", "10")
    assert cli.run(["runs", "show", run[:6]]) == 0
    assert "deploy.services.health-endpoint" in capfd.readouterr().out


@pytest.fixture
def target(folder) -> Iterator[list[int]]:
    """The status that /health answers from now on, as the one element of a list."""
    status = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            code = status[0] if self.path == "/health" else 404
            body = b'{"status": "ok"}' if code == 200 else b""
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    text = CONFIG.format(port=server.server_address[1]).replace(', "signoff.approvals.team-lead"', "")
    (folder / "probes.toml").write_text(text)
    yield status
    server.shutdown()
    thread.join()
    server.server_close()


def outcome_of(result) -> str:
    return json.loads(result.stdout)["verdicts"][0]["outcome"]


@pytest.mark.parametrize("status", [301, 404])
def test_a_question_that_was_answered_well_once_and_is_not_now_is_a_failure(verify, target, status) -> None:
    target[0] = status
    first = verify("--report", "json")
    target[0] = 200
    well = verify("--report", "json", "--report", "json=well.json")
    target[0] = status
    later = [verify("--report", "json") for _ in range(2)]
    told = verify("--report", "json", "--state", "none", "--since", "well.json")
    unknown = verify("--report", "json", "--state", "none")

    assert [outcome_of(one) for one in (first, well, *later, told, unknown)] == [
        "inconclusive", "pass", "fail", "fail", "fail", "inconclusive",
    ]  # fmt: skip


@pytest.mark.parametrize(("at_start", "outcome"), [(200, "fail"), (404, "inconclusive")])
def test_what_is_answered_well_when_a_deployment_begins_is_remembered(verify, target, at_start, outcome) -> None:
    target[0] = at_start
    words = ("--env", "prod", "--state", "marked.sqlite3")
    assert cli.run(["deployment", "start", *words]) == 0
    target[0] = 404
    assert cli.run(["deployment", "finish", *words]) == 0

    assert outcome_of(verify("--report", "json", "--state", "marked.sqlite3")) == outcome


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"/health"', '"/health?deep=1"'),
        ("[env.prod.probes.health]", '[env.prod.connect]\nfamily = "ipv4"\n[env.prod.probes.health]'),
    ],
)
def test_another_way_of_asking_is_another_question(verify, target, folder, before, after) -> None:
    verify("--report", "json")
    target[0] = 404
    text = (folder / "probes.toml").read_text()
    (folder / "probes.toml").write_text(text.replace(before, after))

    assert outcome_of(verify("--report", "json")) == "inconclusive"


STATE = Path("state.sqlite3")


@pytest.fixture
def past(folder):
    """A function that calls another with the store and the target."""
    target = TargetKey(environment="prod", base_url=(folder / "probes.toml").read_text().split('"')[1])

    def past(do):
        with Store(STATE) as store:
            return do(store, target)

    return past


def move_latest_run(*, started=timedelta(), ended=timedelta()) -> None:
    """As if the clock of the latest run had been ahead when it began, or ended."""
    with closing(sqlite3.connect(STATE)) as raw, raw:
        rowid, began, packed = raw.execute("SELECT rowid, started, report FROM run ORDER BY rowid DESC").fetchone()
        document = json.loads(zlib.decompress(packed))
        for part, name, ahead in (("run", "started", started), ("situation", "now", ended)):
            document[part][name] = (datetime.fromisoformat(document[part][name]) + ahead).isoformat()
        document["decision"]["action"] = "rollback"
        for one in document["history"]["since"]:
            one["since"] = (datetime.fromisoformat(one["since"]) + ended).isoformat()
        moved = (datetime.fromisoformat(began) + started).isoformat(timespec="microseconds")
        row = (moved, zlib.compress(json.dumps(document).encode()), rowid)
        raw.execute("UPDATE run SET started = ?, report = ? WHERE rowid = ?", row)


@pytest.mark.parametrize("began", [timedelta(days=2), timedelta()], ids=["all of it", "its end"])
def test_a_run_by_a_clock_that_was_ahead_is_ignored_and_hides_nothing(verify, began) -> None:
    words = ("--state", str(STATE))
    first, _ = verify("--report", "json", *words), verify(*words)
    move_latest_run(started=began, ended=timedelta(days=2))

    third, fourth = verify("--on-change", *words), verify("--report", "json", *words)

    assert third.stdout == ""  # its decision is that of the first run; the one that was ahead had another
    assert since_of(fourth) == since_of(first)
    assert third.stderr.count("warning: ") == 1
    assert "warning: 1 run on record lies in the future by this machine's clock, and is ignored" in third.stderr


def test_on_change_compares_with_the_run_that_was_recorded_last_by_a_clock_that_was_right(verify) -> None:
    words = ("--on-change", "--state", str(STATE))
    first, second = verify(*words), verify(*words)
    move_latest_run(started=timedelta(days=2), ended=timedelta(days=2))
    with closing(sqlite3.connect(STATE)) as raw, raw:
        yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="microseconds")
        raw.execute("UPDATE run SET started = ? WHERE rowid = (SELECT min(rowid) FROM run)", (yesterday,))

    assert first.stdout
    assert not second.stdout
    assert not verify(*words).stdout


def test_a_mark_in_the_future_is_ignored_and_the_one_before_it_counts(verify, past) -> None:
    now = datetime.now(UTC)
    before = Deployment(release="2.3.0", started=now - timedelta(minutes=9), finished=now - timedelta(minutes=5))
    past(lambda store, target: store.begin(target, before))
    past(lambda store, target: store.begin(target, Deployment(release="2.3.1", started=now + timedelta(days=2))))

    result = verify("--report", "json", "--state", str(STATE))

    assert json.loads(result.stdout)["situation"]["deployment"]["release"] == "2.3.0"
    assert result.stderr.count("warning: ") == 1
    assert "warning: the start of the deployment of 2.3.1 is marked at " in result.stderr
    assert "is ignored; correct the clock, or mark it again: probekit deployment start --env prod" in result.stderr


def test_a_window_of_the_baseline_in_the_future_is_ignored(verify, past) -> None:
    ahead = BaselineWindow(taken=datetime.now(UTC) + timedelta(days=2), release="2", vantage="here", values={}, rows=0)
    past(lambda store, target: store.add_window(target, ahead.taken, window_document(ahead)))

    result = verify("--state", str(STATE))

    assert (
        "warning: 1 baseline window on record lies in the future by this machine's clock, and is ignored"
        in result.stderr
    )


def test_a_report_of_the_future_stands_in_for_nothing_and_the_store_is_asked(verify, folder) -> None:
    words = ("--report", "json", "--state", str(STATE))
    first = verify("--report", "json=before.json", *words)
    document = json.loads((folder / "before.json").read_text())
    document["run"]["started"] = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    (folder / "before.json").write_text(json.dumps(document))

    second = verify("--since", "before.json", *words)

    assert since_of(second) == since_of(first)
    assert second.stderr.count("warning: ") == 1
    assert "warning: before.json is ignored: the report is from the future of this clock" in second.stderr


def test_a_deployment_by_a_variable_in_the_future_is_refused_by_its_name(verify, monkeypatch) -> None:
    monkeypatch.setenv("PROBEKIT_DEPLOYED", "2999-01-01T00:00Z")

    result = verify()

    assert (result.returncode, result.stdout) == (64, "")
    assert "PROBEKIT_DEPLOYED: '2999-01-01T00:00Z' lies in the future; this machine's clock says" in result.stderr


@pytest.mark.parametrize(("setting", "left"), [("", 26), ('keep = "7d"', 21), ('keep = "20d"', 26)])
def test_a_run_removes_those_that_are_older_than_the_setting(verify, folder, setting, left) -> None:
    config = folder / "probes.toml"
    config.write_text(config.read_text().replace("[env.prod]", f"[env.prod]\n{setting}"))
    base_url = tomllib.loads(config.read_text())["env"]["prod"]["base_url"]
    now = datetime.now(UTC)
    file = folder / "state.sqlite3"
    with Store(file) as store:
        for number, started in enumerate([now - timedelta(days=10)] * 5 + [now] * 20):
            facts = {"release": None, "action": "go", "exit_code": 0, "partial": False}
            target = TargetKey(environment="prod", base_url=base_url)
            store.record(RunSummary(id=f"r{number}", target=target, started=started, **facts), {})

    verify(*HEALTH, "--state", str(file))

    with Store(file) as store:
        assert len(store.runs(most=100)) == left
