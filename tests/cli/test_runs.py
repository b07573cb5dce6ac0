"""The commands about the past: deployments are marked, earlier runs are listed and shown."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from probekit.cli import deployment_command, runs_command
from probekit.cli.output import warn
from probekit.history.store import RunSummary, Store
from probekit.model.history import Deployment, TargetKey
from probekit.model.measurement import InstanceKey
from probekit.model.verdict import Outcome, Verdict
from probekit.reports.json import write
from probekit.text import moment

PLACE = TargetKey(environment="prod", base_url="https://app.example.com")
CONFIG = f"""
[env.prod]
base_url = "{PLACE.base_url}"
scope = ["deploy.services.health-endpoint"]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "probes.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROBEKIT_STATE", "state.sqlite3")
    return tmp_path


@pytest.fixture
def call(folder):
    """A function from the words of a command to its exit code, stdout and stderr."""

    def call(command, *words):
        result = CliRunner().invoke(command, words, standalone_mode=False)
        assert result.exception is None, result.exception
        return result.return_value, result.stdout, result.stderr

    return call


@pytest.fixture
def remember(folder, make, report_of):
    """A function that records a run with one verdict of the health item."""

    def remember(run, minutes, outcome, observed, action="go", because="it is so", **fields):
        item = make.item("first_byte < 200 ms", **fields)
        verdict = Verdict(item=item, outcome=outcome, because=because, observed=observed, limit=item.expect[0])
        document = json.loads(write.render(report_of(verdict, run={"id": run})))
        started = datetime(2026, 11, 23, 10, 0, tzinfo=UTC) + timedelta(minutes=minutes)
        facts = {"release": "2.3.1", "action": action, "exit_code": 0, "partial": False}
        with Store(folder / "state.sqlite3") as store:
            store.record(RunSummary(id=run, target=PLACE, started=started, **facts), document)

    return remember


@pytest.fixture
def record(folder):
    """A function that records a run of a release, without a report."""

    def record(run, release):
        facts = {"action": "go", "exit_code": 0, "partial": False}
        with Store(folder / "state.sqlite3") as store:
            store.record(RunSummary(id=run, target=PLACE, started=datetime.now(UTC), release=release, **facts), {})

    return record


def test_what_a_target_said_moves_and_recolours_nothing_on_a_terminal(call, record, capsys) -> None:
    record("aaa", "2.3\x1b[31m\u202e")

    _, listed, _ = call(runs_command.list_)
    warn("no window was kept: it says \x1b[2J\u202e\nand more")

    assert listed.endswith("2.3\\x1b[31m\\u202e\n")
    assert capsys.readouterr().err == "probekit: no window was kept: it says \\x1b[2J\\u202e\nand more\n"


def test_a_deployment_is_marked_at_its_start_and_its_finish(call, folder) -> None:
    words = ("--env", "prod", "--release", "2.3.1", "--at", "2026-11-23T10:00Z")
    assert call(deployment_command.start, *words)[:2] == (
        0,
        "prod: the deployment of 2.3.1 began 2026-11-23 10:00:00 UTC\n",
    )
    code, told, _ = call(deployment_command.finish, "--env", "prod", "--at", "2026-11-23T10:04Z")
    assert (code, told) == (0, "prod: the deployment of 2.3.1 took 4 min\n")

    with Store(folder / "state.sqlite3") as store:
        found = store.deployment(PLACE, datetime.now(UTC))
    assert (found.release, found.started.minute, found.finished.minute) == ("2.3.1", 0, 4)


def test_a_finish_needs_a_start_before_it(call) -> None:
    code, told, said = call(deployment_command.finish, "--env", "prod")
    assert (code, told) == (64, "")
    assert "no deployment of 'prod' is under way" in said

    call(deployment_command.start, "--env", "prod", "--at", "2026-11-23T10:00Z")
    code, _, said = call(deployment_command.finish, "--env", "prod", "--at", "2026-11-23T09:00Z")
    assert code == 64
    assert "it began 2026-11-23 10:00:00 UTC, after 2026-11-23 09:00:00 UTC" in said


@pytest.fixture
def marked(folder):
    """A function that puts a mark on record, so many minutes from now, and one that reads all of them, latest first."""

    def mark(release, started, finished=None):
        moments = [None if one is None else datetime.now(UTC) + timedelta(minutes=one) for one in (started, finished)]
        with Store(folder / "state.sqlite3") as store:
            store.begin(PLACE, Deployment(release=release, started=moments[0], finished=moments[1]))

    def read():
        with Store(folder / "state.sqlite3") as store:
            return [(one.release, one.finished is not None) for one in store.deployments(PLACE)]

    return mark, read


def test_a_start_replaces_a_mark_in_the_future_and_counts(call, marked) -> None:
    mark, read = marked
    mark("2.2.0", -60, -50)
    mark("2.3.0", 2 * 24 * 60)

    code, _, said = call(deployment_command.start, "--env", "prod", "--release", "2.3.1")
    assert code == 0
    assert "warning: the start of the deployment of 2.3.0 is marked at " in said
    assert "in the future of this clock, and is removed" in said

    code, told, said = call(deployment_command.finish, "--env", "prod")
    assert (code, told, said) == (0, "prod: the deployment of 2.3.1 took 0 min\n", "")
    assert read() == [("2.3.1", True), ("2.2.0", True)]


def test_a_finish_refuses_where_the_start_is_marked_in_the_future(call, marked) -> None:
    mark, read = marked
    mark("2.2.0", -60)
    mark("2.3.0", 2)

    code, told, said = call(deployment_command.finish, "--env", "prod")

    assert (code, told) == (64, "")
    assert "the start of the deployment of 2.3.0 is marked at " in said
    assert "mark it again: probekit deployment start --env prod --at TIME" in said
    assert read() == [("2.3.0", False), ("2.2.0", False)]  # the one before it was not meant


def test_a_finish_in_the_future_is_told_and_may_be_marked_again(call, marked) -> None:
    mark, read = marked
    mark("2.3.0", -5, 24 * 60)

    code, told, said = call(deployment_command.finish, "--env", "prod")

    assert (code, told) == (0, "prod: the deployment of 2.3.0 took 5 min\n")
    assert "warning: the finish of the deployment of 2.3.0 is marked at " in said
    assert call(deployment_command.finish, "--env", "prod")[0] == 64
    assert read() == [("2.3.0", True)]


def test_a_start_by_a_clock_a_little_ahead_can_be_finished_at_once(call, marked) -> None:
    mark, read = marked
    mark("2.3.0", 0.9)

    assert call(deployment_command.finish, "--env", "prod") == (0, "prod: the deployment of 2.3.0 took 0 min\n", "")
    assert read() == [("2.3.0", True)]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--env", "pro"], 64, "no environment 'pro'; did you mean 'prod'?"),
        (["--env", "prod", "--config", "nowhere.toml"], 78, "nowhere.toml"),
        (["--env", "prod", "--state", "none"], 64, "--state none"),
        (["--env", "prod", "--state", "probes.toml"], 78, "probes.toml: file is not a database"),
    ],
)
def test_what_cannot_be_marked_is_told(call, words, code, told) -> None:
    found, out, said = call(deployment_command.start, *words)

    assert (found, out) == (code, "")
    assert told in said


def test_runs_are_listed_newest_first(call, remember) -> None:
    remember("aaaa", 0, Outcome.PASS, 100.0)
    remember("bbbb", 5, Outcome.FAIL, 300.0, action="rollback")

    code, told, _ = call(runs_command.list_, "--env", "prod")

    first, second = told.splitlines()
    assert code == 0
    assert first.split() == ["bbbb", "2026-11-23", "10:05:00", "UTC", "prod", "rollback", "0", "2.3.1"]
    assert second.startswith("aaaa")


def test_one_item_is_followed_from_run_to_run(call, remember) -> None:
    for number, observed in enumerate((100.0, 150.0, None, 240.0)):
        outcome = Outcome.PASS if observed and observed < 200 else Outcome.FAIL
        remember(f"run{number}", number, outcome, observed)

    code, told, _ = call(runs_command.list_, "--item", "deploy.services.health-endpoint")

    newest, *_, trend = told.splitlines()
    assert code == 0
    assert newest.endswith("fail            240 ms  (limit first_byte < 200 ms)")
    assert trend == "oldest ▁▃ █ newest"


def test_a_run_is_shown_by_the_beginning_of_its_id(call, remember) -> None:
    remember("abcd", 0, Outcome.FAIL, 300.0, action="investigate", because="all measurements were slow \x1b[31m")

    code, told, _ = call(runs_command.show, "ab")

    assert code == 0
    assert "run abcd: " in told
    assert "fail deploy.services.health-endpoint: all measurements were slow \\x1b[31m" in told
    assert json.loads(call(runs_command.show, "ab", "--json")[1])["run"]["id"] == "abcd"


def test_a_run_of_own_checks_is_shown_with_their_count_in_80_columns(call, remember) -> None:
    remember("abcd", 0, Outcome.FAIL, 300.0, because="slow " * 30, id="own.checks.shop", probe="shop", is_own=True)

    told = call(runs_command.show, "ab")[1].splitlines()

    assert told[-1] == "own checks: 1 fail"
    assert max(map(len, told)) <= 80


def test_a_run_that_is_not_there_is_told(call) -> None:
    assert call(runs_command.list_)[0] == 64
    code, told, said = call(runs_command.show, "ab")
    assert (code, told) == (64, "")
    assert "probekit runs list" in said


@pytest.fixture
def measured(folder, make, report_of):
    """A run on record that saw eight good measurements of health, each with a whole answer after 150 ms."""
    measurements = [make.measurement(up=1, status=200.0, failed_assertions=0.0, response_time=150.0) for _ in range(8)]
    item = make.item("up == 1")
    verdict = Verdict(item=item, outcome=Outcome.PASS, because="up 1")
    report = report_of(verdict, measurements=tuple(measurements), run={"id": "abcd"}, complete=True)
    report = replace(report, attempts={InstanceKey("health", ""): (make.attempt(*measurements),)})
    past = RunSummary(id="abcd", target=PLACE, started=make.now, release=None, action="go", exit_code=0, partial=False)
    with Store(folder / "state.sqlite3") as store:
        store.record(past, json.loads(write.render(report)))


PROBE = """
[env.prod.probes.health]
kind = "http"
path = "/health"
"""


def test_a_run_is_judged_again_by_the_limits_of_now_and_by_others(call, folder, measured) -> None:
    (folder / "probes.toml").write_text(CONFIG + PROBE)
    limit = '{ expect = ["response_time < 100 ms"], reason = "tried" }'
    stricter = f'\n[env.prod.limits]\n"deploy.services.health-endpoint" = {limit}\n'
    (folder / "stricter.toml").write_text(CONFIG + PROBE + stricter)

    code, told, _ = call(runs_command.judge, "abcd", "--report", "json")
    assert (code, json.loads(told)["verdicts"][0]["outcome"]) == (0, "pass")
    assert json.loads(told)["run"]["notes"][-1] == "judged again by probes.toml; nothing was measured anew"

    code, told, _ = call(runs_command.judge, "abcd", "--limits", "stricter.toml")
    assert code == 10
    assert "median response time 150 ms, limit < 100 ms" in told


@pytest.mark.usefixtures("measured")
def test_a_run_is_judged_by_limits_that_come_from_a_pipe(call) -> None:
    read, write = os.pipe()
    os.write(write, (CONFIG + PROBE).encode())
    os.close(write)
    try:
        code, told, _ = call(runs_command.judge, "abcd", "--limits", f"/dev/fd/{read}", "--report", "json")
    finally:
        os.close(read)

    assert (code, json.loads(told)["verdicts"][0]["outcome"]) == (0, "pass")


def test_a_run_whose_items_are_out_of_scope_by_now_is_not_judged(call, folder, measured) -> None:
    (folder / "probes.toml").write_text(CONFIG.replace("deploy.services.health-endpoint", "post.security.headers"))

    code, told, said = call(runs_command.judge, "abcd")

    assert (code, told) == (64, "")
    assert "nothing that this run judged is in scope of 'prod' in probes.toml" in said


@pytest.fixture
def on_record(folder):
    """25 runs of prod, five of them 100 days old, and 21 of another target, as old; the last 20 of each stay."""
    now = datetime.now(UTC)
    other = TargetKey(environment="stage", base_url="https://stage.example.com")
    old = [(target, now - timedelta(days=100)) for target in [other] * 21 + [PLACE] * 5]
    with Store(folder / "state.sqlite3") as store:
        for number, (target, started) in enumerate([*old, *[(PLACE, now)] * 20]):
            facts = {"release": None, "action": "go", "exit_code": 0, "partial": False}
            store.record(RunSummary(id=f"r{number}", target=target, started=started, **facts), {})
    return now


@pytest.mark.parametrize(
    ("words", "told", "left"),
    [
        (["--keep", "90d"], "6 of 46 runs removed: begun before ", 40),
        (["--keep", "90d", "--env", "prod"], "5 of 46 runs removed: begun before ", 41),
        (["--keep", "90d", "--dry-run"], "6 of 46 runs would be removed: begun before ", 46),
        (["--keep", "101d"], "0 of 46 runs removed: begun before ", 46),
    ],
)
def test_old_runs_are_removed_at_a_word(call, folder, on_record, words, told, left) -> None:
    code, said, warned = call(runs_command.prune, *words)

    begun = moment(on_record - timedelta(days=int(words[1].removesuffix("d"))))
    assert (code, warned) == (0, "")
    assert said == f"{told}{begun}; each target keeps its last 20\n"
    with Store(folder / "state.sqlite3") as store:
        assert len(store.runs(most=100)) == left


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--keep", "90d", "--env", "pro"], 64, "did you mean 'prod'?"),
        (["--keep", "90d", "--state", "none"], 64, "--state none"),
        (["--keep", "90d", "--state", "probes.toml"], 78, "file is not a database"),
    ],
)
def test_what_cannot_be_pruned_is_told(call, words, code, told) -> None:
    found, out, said = call(runs_command.prune, *words)

    assert (found, out) == (code, "")
    assert told in said


@pytest.mark.parametrize(
    ("words", "told"),
    [([], "--keep"), (["--keep", "90"], "is no duration"), (["--keep", "5000d"], "'5000d' is longer than 3650d")],
)
def test_how_long_runs_are_kept_must_be_said(call, words, told) -> None:
    with pytest.raises(click.UsageError) as refused:
        runs_command.prune.make_context("prune", list(words))

    assert told in refused.value.format_message()
