"""The commands about the past: deployments are marked, earlier runs are listed and shown."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from full_report import everything

from probekit.cli import verify_command
from probekit.cli.deployment import finish, start
from probekit.cli.output import warn
from probekit.cli.runs import compare, item as items, judge, list_runs, prune, show
from probekit.cli.runs.difference import Pair
from probekit.history.store import RunSummary, Store
from probekit.model.history import Deployment, TargetKey
from probekit.model.measurement import InstanceKey
from probekit.model.verdict import Outcome, Stage, Verdict
from probekit.reports import View, format_names
from probekit.reports.json import write
from probekit.reports.json.recorded import RecordedVerdict
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

    def remember(
        run, minutes, outcome, observed, action="go", because="it is so", *, place=PLACE, facts=None, claim="", **fields
    ):
        limit = fields.pop("limit", "first_byte < 200 ms")
        item = make.item(limit, **fields)
        verdict = Verdict(
            item=item, outcome=outcome, because=because, observed=observed, limit=item.expect[0], claim=claim
        )
        known = {"id": run, "environment": place.environment, "base_url": place.base_url, **(facts or {})}
        document = json.loads(write.render(report_of(verdict, run=known)))
        started = datetime(2026, 11, 23, 10, 0, tzinfo=UTC) + timedelta(minutes=minutes)
        summary = {"release": "2.3.1", "action": action, "exit_code": 0, "partial": False}
        with Store(folder / "state.sqlite3") as store:
            store.record(RunSummary(id=run, target=place, started=started, **summary), document)

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

    _, listed, _ = call(list_runs.command)
    warn("no window was kept: it says \x1b[2J\u202e\nand more")

    assert listed.endswith("2.3\\x1b[31m\\u202e\n")
    assert capsys.readouterr().err == "probekit: no window was kept: it says \\x1b[2J\\u202e\nand more\n"


def test_a_deployment_is_marked_at_its_start_and_its_finish(call, folder) -> None:
    words = ("--env", "prod", "--release", "2.3.1", "--at", "2026-11-23T10:00Z")
    assert call(start.command, *words)[:2] == (
        0,
        "prod: the deployment of 2.3.1 started at 2026-11-23 10:00:00 UTC\n",
    )
    code, told, _ = call(finish.command, "--env", "prod", "--at", "2026-11-23T10:04Z")
    assert (code, told) == (0, "prod: the deployment of 2.3.1 is finished; it took 4 min\n")

    with Store(folder / "state.sqlite3") as store:
        found = store.deployment(PLACE, datetime.now(UTC))
    assert (found.release, found.started.minute, found.finished.minute) == ("2.3.1", 0, 4)


def test_a_finish_needs_a_start_before_it(call) -> None:
    code, told, said = call(finish.command, "--env", "prod")
    assert (code, told) == (64, "")
    assert "no deployment of 'prod' is under way" in said

    call(start.command, "--env", "prod", "--at", "2026-11-23T10:00Z")
    code, _, said = call(finish.command, "--env", "prod", "--at", "2026-11-23T09:00Z")
    assert code == 64
    assert "--at 2026-11-23 09:00:00 UTC is before the deployment's start (2026-11-23 10:00:00 UTC)" in said


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

    code, _, said = call(start.command, "--env", "prod", "--release", "2.3.1")
    assert code == 0
    assert "warning: the start of the deployment of 2.3.0 is marked at " in said
    assert "in the future by this machine's clock, and is replaced by the new mark" in said

    code, told, said = call(finish.command, "--env", "prod")
    assert (code, told, said) == (0, "prod: the deployment of 2.3.1 is finished; it took less than a minute\n", "")
    assert read() == [("2.3.1", True), ("2.2.0", True)]


def test_a_finish_refuses_where_the_start_is_marked_in_the_future(call, marked) -> None:
    mark, read = marked
    mark("2.2.0", -60)
    mark("2.3.0", 2)

    code, told, said = call(finish.command, "--env", "prod")

    assert (code, told) == (64, "")
    assert "the start of the deployment of 2.3.0 is marked at " in said
    assert "mark it again: probekit deployment start --env prod --at TIME" in said
    assert read() == [("2.3.0", False), ("2.2.0", False)]  # the one before it was not meant


def test_a_finish_in_the_future_is_told_and_may_be_marked_again(call, marked) -> None:
    mark, read = marked
    mark("2.3.0", -5, 24 * 60)

    code, told, said = call(finish.command, "--env", "prod")

    assert (code, told) == (0, "prod: the deployment of 2.3.0 is finished; it took 5 min\n")
    assert "warning: the finish of the deployment of 2.3.0 is marked at " in said
    assert call(finish.command, "--env", "prod")[0] == 64
    assert read() == [("2.3.0", True)]


def test_a_start_by_a_clock_a_little_ahead_can_be_finished_at_once(call, marked) -> None:
    mark, read = marked
    mark("2.3.0", 0.9)

    assert call(finish.command, "--env", "prod") == (
        0,
        "prod: the deployment of 2.3.0 is finished; it took less than a minute\n",
        "",
    )
    assert read() == [("2.3.0", True)]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--env", "pro"], 64, "no environment 'pro'; did you mean 'prod'?"),
        (["--env", "prod", "--config", "nowhere.toml"], 78, "nowhere.toml"),
        (["--env", "prod", "--state", "none"], 64, "--state none"),
        (
            ["--env", "prod", "--state", "probes.toml"],
            78,
            "probes.toml: it is not an SQLite database; name another file",
        ),
    ],
)
def test_what_cannot_be_marked_is_told(call, words, code, told) -> None:
    found, out, said = call(start.command, *words)

    assert (found, out) == (code, "")
    assert told in said


def test_runs_are_listed_newest_first(call, remember) -> None:
    remember("aaaa", 0, Outcome.PASS, 100.0)
    remember("bbbb", 5, Outcome.FAIL, 300.0, action="rollback")

    code, told, _ = call(list_runs.command, "--env", "prod")

    heading, titles, first, second = told.splitlines()
    assert (code, heading) == (0, "prod, https://app.example.com")
    assert titles.split() == ["run", "started", "(UTC)", "decision", "exit", "scope", "release"]
    assert first.split() == ["bbbb", "2026-11-23", "10:05", "rollback", "0", "whole", "2.3.1"]
    assert second.startswith("aaaa")


OTHER = TargetKey(environment="stage", base_url="https://stage.example.com")
BY_URL = TargetKey(environment="url", base_url="https://www.example.com")
MOVED = TargetKey(environment="stage", base_url="https://stage.example.org")


@pytest.fixture
def several(remember):
    """Runs of three targets: one of the file, one that only the record knows, one of a URL."""
    for place in (PLACE, OTHER, BY_URL):
        remember(f"run-{place.environment}", 0, Outcome.PASS, 100.0, place=place)


@pytest.mark.usefixtures("several")
def test_each_target_has_a_list_of_its_own(call) -> None:
    code, told, _ = call(list_runs.command)

    lines = told.splitlines()
    headings = [line for line in lines if "https://" in line]
    assert (code, headings) == (
        0,
        ["https://www.example.com", "stage, https://stage.example.com", "prod, https://app.example.com"],
    )
    assert [lines[lines.index(heading) + 2][:8] for heading in headings] == ["run-url ", "run-stag", "run-prod"]


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("words", "run"),
    [
        (["--env", "prod"], "run-prod"),
        (["--env", "stage"], "run-stage"),  # the file does not know it, the record does
        (["--env", "prod", "--config", "nowhere.toml"], "run-prod"),
        (["--url", "https://www.example.com/health"], "run-url"),
        (["--env", "stage", "--url", "https://stage.example.com/"], "run-stage"),
    ],
)
def test_a_target_is_named_by_file_by_record_or_by_url(call, words, run) -> None:
    code, told, _ = call(list_runs.command, "--json", *words)
    shown = call(show.command, "last", *words)[1]

    assert (code, [one["id"] for one in json.loads(told)["runs"]]) == (0, [run])
    assert f"run {run}: " in shown


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--env", "stag"], 64, "no environment 'stag'"),
        (["--env", "stag", "--config", "nowhere.toml"], 78, "nowhere.toml"),
        (["--url", "www.example.com"], 64, "--url: it has no scheme"),
        (["--url", "https://other.example.com"], 64, "on record: --url https://www.example.com"),
        (["--env", "prod", "--url", "https://old.example.com"], 64, "name one with --env prod"),
        (["--item", "deploy.services.health-endpoint"], 64, "name one with --url https://www.example.com or --env s"),
        (["--env", "prod", "--item", "deploy.services.health-endpont"], 64, "did you mean 'deploy.services.health-end"),
    ],
)
def test_a_target_or_an_item_that_is_not_known_is_told_with_what_to_type(call, words, code, told) -> None:
    found, out, said = call(list_runs.command, *words)

    assert (found, out) == (code, "")
    assert told in said


@pytest.mark.usefixtures("several")
def test_of_two_targets_of_one_name_that_no_file_knows_one_is_named_by_its_url(call, remember) -> None:
    remember("run-moved", 5, Outcome.PASS, 100.0, place=MOVED)

    code, _, said = call(list_runs.command, "--env", "stage")

    assert code == 64
    assert "--env stage --url https://stage.example.org or --env stage --url https://stage.example.com" in said
    assert call(list_runs.command, "--env", "stage", "--url", MOVED.base_url)[0] == 0


def test_one_item_is_followed_from_run_to_run(call, remember) -> None:
    for number, observed in enumerate((100.0, 150.0, None, 240.0)):
        outcome = Outcome.PASS if observed and observed < 200 else Outcome.FAIL
        remember(f"run{number}", number, outcome, observed)

    code, told, _ = call(list_runs.command, "--item", "deploy.services.health-endpoint")
    document = json.loads(call(list_runs.command, "--item", "deploy.services.health-endpoint", "--json")[1])

    heading, _, newest, missing, *_ = told.splitlines()
    assert (code, heading) == (0, "deploy.services.health-endpoint: prod, https://app.example.com")
    assert " ".join(newest.split()) == "run3 2026-11-23 10:03 fail 240 ms first_byte < 200 ms"
    assert missing.split()[3:5] == ["fail", "-"]
    assert "▁" not in told  # no terminal
    assert [one["observed"] for one in document["runs"]] == [240, None, 150, 100]


def test_the_trend_of_an_item_is_drawn_of_one_metric(folder, remember) -> None:
    for number, observed in enumerate((100.0, 150.0, None, 240.0)):
        remember(f"run{number}", number, Outcome.FAIL, observed)
    remember("other", 2, Outcome.FAIL, 9999.0, limit="response_time < 200 ms")
    remember("newest", 9, Outcome.PASS, 170.0)

    with Store(folder / "state.sqlite3") as store:
        judged = items.verdicts_of(store, PLACE, "deploy.services.health-endpoint", 20)
    *_, line = items.table_of(judged, is_drawn=True)

    assert line.text == "older ▁▃ █ ▅ newer, first_byte 100 ms to 240 ms"


def test_the_trend_of_the_greatest_numbers_is_drawn() -> None:
    assert items.bars([1e308, None, -1e308, 0.0]) == "█ ▁▅"
    assert items.bars([5.0, 5.0]) == "▁▁"


def test_the_trend_is_drawn_on_a_terminal(folder, remember) -> None:
    for number, observed in enumerate((100.0, 240.0)):
        remember(f"run{number}", number, Outcome.PASS, observed)
    controller, terminal = pty.openpty()
    words = ["runs", "list", "--item", "deploy.services.health-endpoint"]
    surroundings = os.environ | {"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1", "TERM": "xterm"}

    with subprocess.Popen(
        [sys.executable, "-m", "probekit", *words], cwd=folder, env=surroundings, stdout=terminal
    ) as process:
        os.close(terminal)
        shown = b""
        with suppress(OSError):  # the other side is closed
            while part := os.read(controller, 4096):
                shown += part
        process.wait(20)
    os.close(controller)

    assert "older ▁█ newer, first_byte 100 ms to 240 ms" in shown.decode()


def test_a_run_is_shown_by_the_beginning_of_its_id(call, remember) -> None:
    remember("abcd", 0, Outcome.FAIL, 300.0, action="investigate", because="all measurements were slow \x1b[31m")

    code, told, _ = call(show.command, "ab")

    assert code == 0
    assert "run abcd: " in told
    assert "failed: 1\n  deploy.services.health-endpoint (critical, Backend Lead)\n" in told
    assert "    all measurements were slow \\x1b[31m" in told
    assert json.loads(call(show.command, "ab", "--json")[1])["run"]["id"] == "abcd"


def test_a_run_on_record_is_written_in_the_formats_of_verify(call, remember, folder) -> None:
    remember("abcd", 0, Outcome.FAIL, 300.0, action="investigate", because="all measurements were slow")

    code, shown, _ = call(show.command, "ab", "--report", "console", "--report", "json=again.json")

    assert code == 0
    assert shown.startswith("INVESTIGATE")
    assert "all measurements were slow" in shown
    document = json.loads((folder / "again.json").read_text())
    assert document == json.loads(call(show.command, "ab", "--json")[1])


def test_a_run_on_record_is_written_as_the_run_wrote_it(call, folder, monkeypatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    pace = 'control = []\nsettle = "0s"\nspread = "0s"\nattempt_interval = "0s"\n'
    limits = '[env.prod.limits]\n"deploy.services.health-endpoint" = { expect = ["up == 1"], reason = "less" }\n'
    (folder / "probes.toml").write_text(CONFIG.replace(PLACE.base_url, url) + pace + limits + PROBE)
    for name in ("run", "shown"):
        (folder / name).mkdir()

    def written(command, *words):
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", f"{words[-1]}/summary")
        named = [word for form in format_names() for word in ("--report", f"{form}={words[-1]}/{form}")]
        call(command, *words[:-1], *named)
        files = {file.name: file.read_text() for file in (folder / words[-1]).iterdir()}
        return {**files, "json": json.loads(files["json"])}

    run = written(verify_command.command, "--env", "prod", "--deployed", "5m", "--release", "2.4.0", "run")

    assert run["json"]["decision"]["exit_code"] == 10
    assert written(show.command, "last", "shown") == run


@pytest.mark.parametrize("command", [show.command, judge.command])
def test_a_report_of_a_run_on_record_that_is_lost_is_no_success(call, folder, measured, command) -> None:
    (folder / "probes.toml").write_text(CONFIG + PROBE)

    code, _, said = call(command, "abcd", "--report", "json=/dev/full")

    assert code == 70
    assert "/dev/full cannot be written: No space left on device" in said


def test_runs_judge_writes_several_reports_and_the_console_s(call, remember, folder) -> None:
    remember("abcd", 0, Outcome.FAIL, 300.0)

    _, shown, _ = call(judge.command, "ab", "--report", "json=again.json")

    assert "exit code" in shown
    assert json.loads((folder / "again.json").read_text())["run"]["id"] == "abcd"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--report", "json", "--report", "console"), "two reports go to stdout"),
        (("--report", "json=a", "--report", "console=a"), "two reports go to"),
        (("--report", "json=missing/a"), "cannot be written"),
        (("--report", "json", "--json"), "--json and --report exclude each other"),
    ],
)
def test_reports_of_a_run_on_record_that_cannot_be_written_are_refused(call, remember, words, message) -> None:
    remember("abcd", 0, Outcome.FAIL, 300.0)

    code, shown, said = call(show.command, "ab", *words)

    assert (code, shown) == (64, "")
    assert message in said
    assert "measured" not in said


def test_a_run_is_shown_with_what_passed_and_its_number(call, remember) -> None:
    remember("abcd", 0, Outcome.PASS, 1234.5678, limit="first_byte < 2000 ms")

    lines = call(show.command, "last")[1].splitlines()

    assert lines[0] == "GO, exit code 0: prod, https://app.example.com"
    assert "deploy.services.health-endpoint  pass     1,235 ms  < 2000 ms" in lines
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("command", [show.command, judge.command])
def test_a_run_of_another_target_than_the_named_one_is_refused(call, remember, command) -> None:
    remember("abcd", 0, Outcome.PASS, 12.0)
    remember("beef", 0, Outcome.PASS, 12.0, place=TargetKey(environment="url", base_url="https://b.example.com"))

    code, _, told = call(command, "ab", "--url", "https://b.example.com")

    assert code == 64
    assert "run ab is a run of prod, https://app.example.com, not of https://b.example.com" in " ".join(told.split())


def test_the_previous_run_needs_two(call, remember) -> None:
    remember("aaaa", 0, Outcome.PASS, 100.0)

    code, _, said = call(show.command, "previous")

    assert code == 64
    assert "'prod' has only one run on record, so there is no previous run" in said


def test_a_target_is_named_to_judge_its_last_run(call, remember, folder) -> None:
    remember("aaaa", 0, Outcome.PASS, 100.0)
    remember("bbbb", 1, Outcome.PASS, 100.0, place=replace(PLACE, environment="staging"))
    (folder / "other.toml").write_text(CONFIG)

    code, told, said = call(judge.command, "last")
    assert (code, told) == (64, "")
    assert "name one with --env staging or --env prod" in said

    code, told, _ = call(judge.command, "last", "--env", "prod", "--limits", "other.toml", "--report", "json")
    assert (code, json.loads(told)["run"]["id"]) == (10, "aaaa")


def test_a_target_without_a_file_is_named_by_its_url(call, remember) -> None:
    remember("aaaa", 0, Outcome.PASS, 100.0, place=replace(PLACE, environment="url"))
    url = ("--url", PLACE.base_url)

    said = [call(show.command, "previous", *url)[2], call(list_runs.command, "--item", "up", *url)[2]]
    said += [call(show.command, "last", "--url", "https://eu.example.com")[2]]

    assert said == [
        "probekit: https://app.example.com has only one run on record, so there is no previous run\n",
        "probekit: none of the last 20 runs of https://app.example.com judged 'up'; see: probekit list items\n",
        "probekit: no run of https://eu.example.com is on record; on record: --url https://app.example.com\n",
    ]


def test_a_narrow_terminal_shows_the_release(call, record, monkeypatch) -> None:
    record("aaa", "2.3.1-rc.4")
    monkeypatch.setattr(list_runs, "view", lambda: View(width=20))

    assert "2.3.1-rc.4\n" in call(list_runs.command)[1]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"severity": "high"}, {"severity": "critical"}, (True, False, False)),
        ({"changed": None}, {"changed": {"to": ["status == 200"], "reason": ""}}, (False, True, False)),
        ({"claim": None}, {"claim": "a"}, (False, False, False)),  # written before there were claims
        ({"claim": "b"}, {"claim": "a"}, (False, False, True)),
        ({}, {"since": "2026-11-23T10:00:00Z", "because": "else"}, (False, False, False)),
    ],
)
def test_what_differs_of_an_item(before, after, found) -> None:
    facts = {"item": "a", "outcome": "fail", "severity": "high", "because": "", "observed": 1, "unit": "ms"}
    facts |= {"limit": "status == 201", "flags": (), "since": None}
    one, other = (RecordedVerdict.model_validate(facts | each) for each in (before, after))

    pair = Pair(before=one, after=other)

    assert (pair.is_other_outcome, pair.is_other_limit, pair.is_other_claim) == found


def test_one_run_is_no_runs(call, remember) -> None:
    remember("aaaa", 0, Outcome.PASS, 100.0)

    assert call(prune.command, "--keep", "90d")[1].startswith("0 of 1 run removed: ")


ODD = (None, -1, 10**400, float("nan"), float("inf"), "\ud800", [[]], {}, "0001-01-01T00:00:00+14:00")


@pytest.mark.parametrize(
    "keys",
    [
        ("run",),
        *(("run", name) for name in ("id", "started", "seconds", "vantage", "ended_by", "notes")),
        ("verdicts",),
        *(("verdicts", 0, name) for name in ("item", "observed", "limit", "since", "flags")),
        *(("situation", name) for name in ("now", "in_scope", "runner")),
        ("measurements", 0, "values", "up"),
        ("account", "pass"),
    ],
)
def test_no_part_of_a_report_on_record_makes_a_command_crash(call, folder, make, report_of, keys) -> None:
    seen = make.measurement(up=1)
    attempts = {InstanceKey("health", ""): (make.attempt(seen),)}
    verdict = Verdict(item=make.item("up == 1"), outcome=Outcome.PASS, because="", since=make.now, observed=1.0)
    report = replace(report_of(verdict, measurements=(seen,)), attempts=attempts)
    facts = {"started": make.now, "release": None, "action": "go", "exit_code": 0, "partial": False}
    with Store(folder / "state.sqlite3") as store:
        for number, odd in enumerate(("left out", *ODD)):
            document = json.loads(write.render(report))
            part = document
            for key in keys[:-1]:
                part = part[key]
            part[keys[-1]] = odd
            if odd == "left out":
                del part[keys[-1]]
            store.record(RunSummary(id=f"{number}000", target=PLACE, **facts), document)

    for number in range(1 + len(ODD)):
        run = f"{number}000"
        for command, *words in ((show.command, run), (compare.command, run, "last"), (judge.command, run)):
            assert call(command, *words)[0] in (0, 10, 30, 64, 78)
        assert call(judge.command, run, "--report", "json")[0] in (0, 10, 30, 64, 78)
    assert call(list_runs.command, "--item", verdict.item.id)[0] in (0, 64)


@pytest.mark.parametrize(
    "keys",
    [
        *(("decision", name) for name in ("because", "minutes", "action")),
        ("account", "items"),
        ("run", "config_hash"),
        *(("places", 0, name) for name in ("probe", "file", "keys")),
        *((name,) for name in ("places", "lines", "baseline", "success", "document")),
        *(("baseline", 0, name) for name in ("before", "unit", "outcome")),
        *(("document", name) for name in ("phases", "sections", "signers")),
        *(("verdicts", 0, name) for name in ("observed", "limit", "due", "row", "changed", "records", "probe")),
        ("situation", "identity"),
        ("situation", "release", "answers"),
    ],
)
def test_no_part_of_a_report_on_record_makes_a_format_crash(call, folder, make, report_of, monkeypatch, keys) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary")
    report = everything(make, report_of)
    facts = {"started": make.now, "release": None, "action": "go", "exit_code": 0, "partial": False}
    with Store(folder / "state.sqlite3") as store:
        for number, odd in enumerate(("left out", *ODD)):
            document = json.loads(write.render(report))
            part = document
            for key in keys[:-1]:
                part = part[key]
            part[keys[-1]] = odd
            if odd == "left out":
                del part[keys[-1]]
            store.record(RunSummary(id=f"{number}000", target=PLACE, **facts), document)

    named = [word for form in format_names() for word in ("--report", f"{form}={form}")]
    codes = [call(show.command, f"{number}000", *named)[0] for number in range(1 + len(ODD))]

    assert set(codes) <= {0, 78}
    assert 78 in codes


@pytest.mark.parametrize("document", [{}, {"schema": "probekit.report/1"}, {"schema": "probekit.report/9"}])
def test_a_report_that_cannot_be_read_is_told(call, folder, document) -> None:
    facts = {"release": None, "action": "go", "exit_code": 0, "partial": False}
    with Store(folder / "state.sqlite3") as store:
        for run in ("aaaa", "bbbb"):
            store.record(RunSummary(id=run, target=PLACE, started=datetime.now(UTC), **facts), document)

    results = [call(show.command, "aa"), call(compare.command, "aa", "bb")]

    assert [(code, told) for code, told, _ in results] == [(78, "")] * 2
    assert all(
        "not written by this version of probekit, or is damaged; runs show RUN --json" in said for *_, said in results
    )
    assert call(list_runs.command, "--item", "up")[0] == 64
    assert call(show.command, "aa", "--json")[0] == 0


def test_two_runs_are_compared(call, remember) -> None:
    remember("aaaa", 0, Outcome.PASS, 100.0, claim="a" * 16)
    changed = {"config_hash": "1" * 64, "version": "0.2.0", "stage": Stage.BEFORE, "vantage": "ci-8"}
    words = {"because": "slow \x1b[31m", "facts": changed, "claim": "b" * 16, "limit": "first_byte < 180 ms"}
    remember("bbbb", 5, Outcome.FAIL, 300.0, **words)

    code, told, _ = call(compare.command, "previous", "last")
    document = json.loads(call(compare.command, "aaaa", "bb", "--json")[1])

    for line in (
        "prod, https://app.example.com: aaaa to bbbb",
        "seen from             ci-7          ci-8",
        "stage                 after         before",
        "configuration digest  000000000000  111111111111",
        "probekit              0.1.0         0.2.0",
        "  deploy.services.health-endpoint: pass (critical) -> fail (critical)",
        "    slow \\x1b[31m",
        "deploy.services.health-endpoint  100 ms  300 ms     x 3  < 180 ms",
        "  deploy.services.health-endpoint: first_byte < 200 ms -> first_byte < 180 ms",
    ):
        assert line in told.splitlines(), told
    assert (code, max(map(len, told.splitlines())) <= 80) == (0, True)
    assert (document["numbers"][0]["after"], document["claims"]) == (300, ["deploy.services.health-endpoint"])
    assert document["is_same_target"] is True


@pytest.mark.parametrize(
    ("one", "other", "change"),
    [
        ((100.0, "first_byte < 200 ms"), (150.0, "first_byte < 200 ms"), "x 1.5"),
        ((0.0, "first_byte < 200 ms"), (150.0, "first_byte < 200 ms"), "+150 ms"),
        ((0.25, "error_rate < 1 %"), (0.75, "error_rate < 1 %"), "+0.5 %"),
        ((7.0, "restarts == 0"), (3.0, "restarts == 0"), "-4"),
        ((7.0, "restarts == 0"), (7.0, "restarts == 0"), None),
        ((7.0, "restarts == 0"), (3.0, "crashes == 0"), None),
        ((None, "restarts == 0"), (3.0, "restarts == 0"), None),
    ],
)
def test_a_number_is_compared_with_one_of_its_metric(call, remember, one, other, change) -> None:
    for run, (observed, limit) in (("aaaa", one), ("bbbb", other)):
        remember(run, 0, Outcome.FAIL, observed, limit=limit)

    told = call(compare.command, "aaaa", "bbbb")[1]

    assert ("different value: 1" in told) is (change is not None)
    assert change is None or change in " ".join(told.split())


@pytest.mark.usefixtures("several")
def test_runs_of_different_targets_are_compared_and_said_to_be(call) -> None:
    code, told, _ = call(compare.command, "run-prod", "run-stage")

    assert code == 0
    different = "these are runs of different targets: run-prod is a run of prod, https://app.example.com"
    assert different in " ".join(told.split())
    assert "No outcome, value, limit or item differs." in told


def test_items_of_one_run_alone_are_named(call, remember) -> None:
    remember("aaaa", 0, Outcome.PASS, 100.0)
    remember("bbbb", 1, Outcome.PASS, 100.0, id="deploy.services.other")

    told = call(compare.command, "aaaa", "bbbb")[1]

    assert "judged only by the later run: 1\n  deploy.services.other\n" in told
    assert "judged only by the earlier run: 1\n  deploy.services.health-endpoint\n" in told


def test_a_run_of_own_checks_is_shown_with_their_count_in_80_columns(call, remember) -> None:
    remember("abcd", 0, Outcome.FAIL, 300.0, because="slow " * 30, id="own.checks.shop", probe="shop", is_own=True)

    told = call(show.command, "ab")[1].splitlines()

    assert told[-1] == "own checks: 1 fail"
    assert max(map(len, told)) <= 80


def test_a_run_that_is_not_there_is_told(call) -> None:
    assert call(list_runs.command)[0] == 64
    code, told, said = call(show.command, "ab")
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

    code, told, _ = call(judge.command, "abcd", "--report", "json")
    assert (code, json.loads(told)["verdicts"][0]["outcome"]) == (0, "pass")
    assert json.loads(told)["run"]["notes"][-1] == "judged again with the limits of probes.toml; nothing was measured"
    assert len(json.loads(told)["lines"]) > 100
    assert {place["probe"] for place in json.loads(told)["places"]} == {"", "health"}

    code, told, _ = call(judge.command, "abcd", "--limits", "stricter.toml")
    assert code == 10
    assert "median response time 150 ms, limit < 100 ms" in told


@pytest.mark.usefixtures("measured")
def test_a_run_is_judged_by_limits_that_come_from_a_pipe(call) -> None:
    read, write = os.pipe()
    os.write(write, (CONFIG + PROBE).encode())
    os.close(write)
    try:
        code, told, _ = call(judge.command, "abcd", "--limits", f"/dev/fd/{read}", "--report", "json")
    finally:
        os.close(read)

    assert (code, json.loads(told)["verdicts"][0]["outcome"]) == (0, "pass")


def test_a_run_whose_items_are_out_of_scope_by_now_is_not_judged(call, folder, measured) -> None:
    (folder / "probes.toml").write_text(CONFIG.replace("deploy.services.health-endpoint", "post.security.headers"))

    code, told, said = call(judge.command, "abcd")

    assert (code, told) == (64, "")
    assert "no item that this run judged is in scope of 'prod' in probes.toml" in said


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
        (["--keep", "90d"], "6 of 46 runs removed: started before ", 40),
        (["--keep", "90d", "--env", "prod"], "5 of 46 runs removed: started before ", 41),
        (["--keep", "90d", "--dry-run"], "6 of 46 runs would be removed: started before ", 46),
        (["--keep", "101d"], "0 of 46 runs removed: started before ", 46),
    ],
)
def test_old_runs_are_removed_at_a_word(call, folder, on_record, words, told, left) -> None:
    code, said, warned = call(prune.command, *words)

    begun = moment(on_record - timedelta(days=int(words[1].removesuffix("d"))))
    assert (code, warned) == (0, "")
    assert said == f"{told}{begun}; the last 20 of each target stay\n"
    with Store(folder / "state.sqlite3") as store:
        assert len(store.runs(most=100)) == left


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--keep", "90d", "--env", "pro"], 64, "did you mean 'prod'?"),
        (["--keep", "90d", "--state", "none"], 64, "--state none"),
        (["--keep", "90d", "--state", "probes.toml"], 78, "it is not an SQLite database"),
    ],
)
def test_what_cannot_be_pruned_is_told(call, words, code, told) -> None:
    found, out, said = call(prune.command, *words)

    assert (found, out) == (code, "")
    assert told in said


@pytest.mark.parametrize(
    ("words", "told"),
    [(["--keep", "90"], "is not a duration"), (["--keep", "5000d"], "'5000d' is longer than 3650d")],
)
def test_how_long_runs_are_kept_must_be_said(call, words, told) -> None:
    with pytest.raises(click.UsageError) as refused:
        prune.command.make_context("prune", list(words))

    assert told in refused.value.format_message()


@pytest.mark.usefixtures("on_record")
def test_runs_are_not_removed_without_a_duration(folder) -> None:
    refused = CliRunner().invoke(prune.command, [])

    assert refused.exit_code != 0
    assert "--keep is missing: give a duration such as --keep 90d, or only count with --dry-run" in refused.stderr
    with Store(folder / "state.sqlite3") as store:
        assert len(store.runs(most=100)) == 46


def test_without_a_duration_runs_are_counted_by_the_default_retention(call, folder, on_record) -> None:
    with Store(folder / "state.sqlite3") as store:  # the two oldest: one that no default keeps, one that 180d keep
        facts = {"release": None, "action": "investigate", "exit_code": 10, "partial": False}
        for days in (190, 170):
            started = on_record - timedelta(days=days)
            store.record(RunSummary(id=f"i{days}", target=PLACE, started=started, **facts), {})
        for number in range(20):  # the last runs of the target, which stay
            kept = facts | {"action": "go"}
            store.record(RunSummary(id=f"k{number}", target=PLACE, started=on_record, **kept), {})

    code, said, warned = call(prune.command, "--dry-run")

    go, others = (moment(on_record - timedelta(days=days)) for days in (30, 180))
    rule = f"each go started before {go}, any other decision before {others}"
    assert (code, warned) == (0, "")
    assert said == f"7 of 68 runs would be removed: {rule}; the last 20 of each target stay\n"  # 5 + i190, 1 of stage
    with Store(folder / "state.sqlite3") as store:
        assert len(store.runs(most=100)) == 68


def test_without_a_duration_runs_are_counted_by_the_environment_s_own_retention(call, folder, on_record) -> None:
    (folder / "probes.toml").write_text(CONFIG + 'keep = "101d"\n')
    begun = moment(on_record - timedelta(days=101))

    kept = call(prune.command, "--dry-run", "--env", "prod")[1]
    (folder / "probes.toml").write_text(CONFIG + 'keep = "99d"\n')
    removed = call(prune.command, "--dry-run", "--env", "prod")[1]

    assert kept == f"0 of 46 runs would be removed: started before {begun}; the last 20 of each target stay\n"
    assert removed.startswith("5 of 46 runs would be removed: started before ")


def test_the_environment_s_own_retention_is_not_guessed_where_its_file_is_wrong(call, folder, on_record) -> None:
    (folder / "probes.toml").write_text(CONFIG + 'keep = "99 moons"\n')
    code, said, warned = call(prune.command, "--dry-run", "--env", "prod")
    assert (code, said) == (78, "")
    assert "keep" in warned

    (folder / "probes.toml").unlink()  # no file has a setting: the default holds
    code, said, _ = call(prune.command, "--dry-run", "--env", "prod")
    assert (code, said.split(": ")[1].startswith("each go started before ")) == (0, True)
