"""The command line: exit codes that mean one thing, nothing on stdout but the report, errors that say what to do."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import click
import pytest
from terminals import Terminal

from probekit import checklist as checklists, cli, probes, reports
from probekit.cli import kind_facts, lock as locks, verifying
from probekit.config.loader import read
from probekit.model.verdict import Outcome, Verdict
from probekit.planning.coverage import kinds_for, kinds_for_any
from probekit.reports import json as json_report

ENVIRONMENT = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = [{scope}]
control = []
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"

[env.prod.probes.health]
kind = "http"
path = "/health"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path


@pytest.fixture
def probekit(folder, monkeypatch, capfd):
    """Run the command line in this process, in a folder of its own; its result."""

    def run(*arguments, env=None):
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
                patch.delenv(name)
            for name, value in ({"HOME": str(folder / "home")} | (env or {})).items():
                patch.setenv(name, value)
            capfd.readouterr()
            code = cli.run(list(arguments))
            out, err = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, code, out, err)

    return run


@pytest.fixture
def process(folder):
    """Run the program as a process of its own; its result."""

    def run(*arguments, **wishes):
        command = [sys.executable, "-m", "probekit", *arguments]
        return subprocess.run(command, **_surroundings(folder, wishes), timeout=30, check=False)

    return run


def _surroundings(folder, wishes):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROBEKIT_", "XDG_"))}
    given = wishes.pop("env", {})
    return {
        "cwd": folder,
        "env": kept | {"HOME": str(folder / "home")} | given,
        "capture_output": True,
        "text": True,
    } | wishes


@pytest.fixture
def write(folder):
    """Write a probes.toml for a port; closed if none is given."""

    def one(port=None, *, scope='"deploy.services.health-endpoint"', extra=""):
        if port is None:
            with socket.create_server(("127.0.0.1", 0)) as taken:
                port = taken.getsockname()[1]
        (folder / "probes.toml").write_text(ENVIRONMENT.format(port=port, scope=scope) + extra)
        return port

    return one


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], ["verify", "--help"], ["plan", "--help"], ["list", "--help"], ["demo", "--help"]],
)
def test_help_and_version_answer_with_0(probekit, arguments) -> None:
    result = probekit(*arguments)

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(("probekit 0", "Usage: probekit"))


def test_a_process_exits_with_0_after_its_help(process) -> None:
    result = process("verify", "--help")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: probekit verify")


@pytest.mark.parametrize("command", ["verify", "plan", "list", "explain", "demo"])
def test_every_command_s_help_has_examples(probekit, command) -> None:
    assert "Examples:" in probekit(command, "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["verfy"], "unknown command 'verfy'; did you mean 'verify'?"),
        (["runs", "shwo"], "unknown command 'shwo'; did you mean 'show'?"),
        (["nonsense"], "unknown command 'nonsense'"),
        (["verify", "--relase", "2.3.1"], "No such option '--relase'"),
        (["verify", "--url", "http://127.0.0.1:9/", "--env", "prod"], "give one of them"),
        (["verify", "--ca", __file__], "--ca works with --url only; with a file, write connect.ca"),
        (["verify", "--header", "A=B"], "--header works with --url only; with a file, write connect.headers"),
        (["verify", "--url", "http://127.0.0.1:9/", "--ca", "nowhere.pem"], "'nowhere.pem' does not exist"),
        (["verify", "--url", "http://127.0.0.1:9/", "--header", "A: B"], "expected NAME=ENV"),
        (["verify", "--url", "http://127.0.0.1:9/", "--header", "A=NOT_SET"], "variable NOT_SET is not set; export it"),
        (["verify", "--url", "127.0.0.1:9/"], "--url: it has no scheme; write https://127.0.0.1:9/"),
        (["verify", "--env", "prod", "--nonsense"], "No such option"),
        (["verify", "--env", "prdo"], "did you mean 'prod'?; known in probes.toml: prod"),
        (["verify", "--env", "prod", "--item", "deploy.services.helth"], "did you mean 'deploy.services"),
        (["verify", "--env", "prod", "--probe", "helth"], "did you mean 'health'?"),
        (["verify", "--env", "prod", "--item", "post"], "the selection matches no item in scope of 'prod'"),
        (["verify", "--env", "prod", "--phase", "post"], "the selection matches no item in scope of 'prod'"),
        (["verify", "--env", "prod", "--phase", "depoly"], "did you mean 'deploy'?; known phases: pre, deploy, post,"),
        (["plan", "--env", "prod", "--phase", "own"], "no phase 'own'; known phases: pre, deploy, post, rollback, sig"),
        (["verify", "--env", "prod", "--phase", "rollback"], "--phase rollback: no rollback is on record"),
        (["plan", "--env", "prod", "--phase", "rollback"], "probekit deployment rolled-back records one"),
        (["verify", "--env", "prod", "--fact", "uses-cdm=no"], "no fact 'uses-cdm'; did you mean 'uses-cdn'?"),
        (["plan", "--env", "prod", "--fact", "nonsense=no"], "no fact 'nonsense'; known facts: changes-schema,"),
        (["verify", "--env", "prod", "--fact", "uses-cdn"], "'uses-cdn' is not NAME=yes or NAME=no"),
        (["verify", "--env", "prod", "--fact", "=no"], "'=no' is not NAME=yes or NAME=no"),
        (["verify", "--env", "prod", "--fact", "uses-cdn=false"], "'uses-cdn=false' is not NAME=yes or NAME=no"),
        (["plan", "--env", "prod", "--fact", "uses-cdn=no", "--fact", "uses-cdn=yes"], "uses-cdn is stated more than"),
        (["verify", "--env", "prod", "--stage", "later"], "'before', 'after', 'rolled-back'"),
        (["verify", "--env", "prod", "--report", "xml"], "unknown format 'xml'; known formats: console, "),
        (["verify", "--env", "prod", "--report", "json="], "lacks a file name: write json=FILE"),
        (["verify", "--env", "prod", "--report", "json", "--report", "console"], "two reports go to stdout: write one"),
        (["verify", "--env", "prod", "--report", "json=-", "--report", "console"], "two reports go to stdout"),
        (
            ["verify", "--env", "prod", "--report", "json=r.json", "--report", "console=./r.json"],
            "give each its own file",
        ),
        (["verify", "--env", "prod", "--deployed", "yesterday"], "write 2026-11-23T10:00Z, now, or 10m"),
        (["verify", "--env", "prod", "--deployed", "1h30m"], "write 2026-11-23T10:00Z, now, or 10m"),
        (["verify", "--env", "prod", "--deployed", "99999d"], "is longer than 3650d"),
        (["verify", "--env", "prod", "--deployed", "2026-11-23T10:00"], "has no time zone"),
        (["verify", "--env", "prod", "--deployed", "2999-01-01T00:00Z"], "lies in the future"),
        (["verify", "--env", "prod", "--deployed", "0001-01-01T00:00+23:59"], "lies outside the calendar"),
        (["verify", "--env", "prod", "--wait-release", "5"], "is not a duration"),
        (["verify", "--env", "prod", "--wait-release", "999999999d"], "longer than a day"),
        (["verify", "--env", "prod", "--wait-release", "5m"], "needs a probe 'release'"),
        (["verify", "--env", "prod", "--quiet", "--verbose"], "exclude each other"),
        (["plan", "--env", "nowhere"], "no environment 'nowhere'"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_64_and_says_what_is_right(probekit, write, arguments, told) -> None:
    write()

    result = probekit(*arguments)

    assert (result.returncode, result.stdout) == (64, "")
    assert told in " ".join(result.stderr.split())


@pytest.mark.parametrize("command", [["verify", "--env", "prod"], ["plan", "--env", "prod"], ["list", "envs"]])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "probes.toml: cannot be read: No such file or directory"),
        (None, "create one: probekit init URL"),
        ("[env.prod\n", "probes.toml:1:"),
        ('[env.prod]\nbase_url = "https://a.test"\nscope = []\n', "probes.toml:3: env.prod.scope"),
    ],
)
def test_a_wrong_file_is_78_with_its_line(probekit, folder, command, text, told) -> None:
    if text is not None:
        (folder / "probes.toml").write_text(text)

    result = probekit(*command)

    assert (result.returncode, result.stdout) == (78, "")
    assert told in result.stderr


def test_an_interrupt_while_a_module_is_imported_is_no_crash(process, write, folder) -> None:
    """Python 3.11 makes a RuntimeError of an interrupt in `__set_name__`, as of the fields of a dataclass."""
    write()
    (folder / "sitecustomize.py").write_text(
        "import probekit.workflows.verify as at\n\n"
        "class Field:\n    def __set_name__(self, *_):\n        raise KeyboardInterrupt\n\n"
        "def judge(*_):\n"
        "    try:\n        class Made:\n            field = Field()\n"
        "    except RuntimeError as error:\n        raise ImportError('no module') from error\n\n"
        "at.judge = judge\n"
    )

    result = process("verify", "--env", "prod", env={"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])})

    assert (result.returncode, result.stdout) == (130, "")
    assert "internal error" not in result.stderr


def test_a_crash_of_our_own_is_70_and_never_looks_like_an_answer(process, write, folder) -> None:
    write()
    (folder / "sitecustomize.py").write_text(
        "import probekit.workflows.verify\nprobekit.workflows.verify.judge = None\n"
    )

    result = process("verify", "--env", "prod", env={"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])})

    assert (result.returncode, result.stdout) == (70, "")
    assert "internal error (TypeError" in result.stderr
    assert "says nothing about the target" in result.stderr


def test_a_target_that_is_down_is_investigated_without_a_deployment_on_record(probekit, write) -> None:
    write()

    result = probekit("verify", "--env", "prod")

    assert result.returncode == 10
    assert result.stdout.startswith("INVESTIGATE")
    assert result.stdout.endswith("investigate, exit code 10\n")


def test_the_exit_code_does_not_depend_on_the_format(probekit, write, folder) -> None:
    write()

    results = [
        probekit("verify", "--env", "prod"),
        probekit("verify", "--env", "prod", "--report", "json"),
        probekit(
            "verify",
            "--env",
            "prod",
            "--report",
            f"json={folder / 'r.json'}",
            "--report",
            f"console={folder / 'r.txt'}",
        ),
        probekit("verify", "--env", "prod", "--quiet"),
        probekit("verify", "--env", "prod", "--verbose"),
    ]

    assert [result.returncode for result in results] == [10] * 5
    assert json.loads(results[1].stdout)["decision"]["exit_code"] == 10
    assert json.loads((folder / "r.json").read_text())["decision"]["action"] == "investigate"
    assert results[2].stdout.startswith("INVESTIGATE")
    in_file = (folder / "r.txt").read_text()
    assert in_file.startswith("INVESTIGATE")
    assert not re.search(r"^item +result", in_file, re.MULTILINE)  # a file lists failures, unless --show says all


def test_piped_output_has_neither_colour_nor_progress_and_the_log_is_json(probekit, write) -> None:
    write()

    quiet = probekit("verify", "--env", "prod")
    loud = probekit("verify", "--env", "prod", "--verbose")

    assert "\x1b" not in quiet.stdout
    assert quiet.stderr == ""
    assert all(json.loads(line)["event"] for line in loud.stderr.splitlines())


@pytest.mark.parametrize("path", ["no-such-folder/r.json", "home", ".", "/", "probes.toml/r.json", "x" * 300])
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_measured(probekit, folder, path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as watched:
        text = ENVIRONMENT.format(port=watched.getsockname()[1], scope='"deploy.services.health-endpoint"')
        (folder / "probes.toml").write_text(text)
        result = probekit("verify", "--env", "prod", "--report", f"json={folder / path}")
        watched.settimeout(0)
        with pytest.raises(BlockingIOError):
            watched.accept()

    assert (result.returncode, result.stdout) == (64, "")
    assert "cannot be written" in result.stderr
    assert not list(folder.glob(".*.part"))


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_a_go_whose_report_could_not_be_written_at_the_end_is_70_with_the_report_on_stdout(
    probekit, write, folder, monkeypatch, quiet, report_of, make
) -> None:
    def fail(*_arguments, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    async def passes(*_arguments, **_named):
        passed = Verdict(item=make.item("up == 1"), outcome=Outcome.PASS, because="up 1", layer="application")
        return report_of(passed, in_scope=1)

    write()
    monkeypatch.setattr(verifying, "execute_run", passes)
    monkeypatch.setattr("probekit.cli.output.write_file", fail)

    result = probekit("verify", *quiet, "--report", f"json={folder / 'r.json'}")

    assert result.returncode == 70
    assert result.stdout.startswith("GO")
    assert "r.json cannot be written: No space left on device" in result.stderr


def test_a_bad_decision_keeps_its_code_where_its_report_could_not_be_written(probekit, write, monkeypatch) -> None:
    def fail(*_arguments, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    write()
    monkeypatch.setattr("probekit.cli.output.write_file", fail)

    result = probekit("verify", "--report", "json=r.json")

    assert result.returncode == 10
    assert result.stdout.startswith("INVESTIGATE")


def test_the_only_environment_of_a_file_needs_no_name(probekit, write, folder) -> None:
    write()
    commands = (["verify"], ["plan"], ["deployment", "start"], ["deployment", "finish"], ["baseline", "show"])
    alone = [probekit(*command) for command in commands]
    text = (folder / "probes.toml").read_text()
    (folder / "probes.toml").write_text(text + text.replace("[env.prod", "[env.staging"))
    several = [probekit(*command) for command in commands]

    assert [one.returncode for one in alone] == [10, 0, 0, 0, 64]
    assert "no baseline of 'prod' is on record" in alone[-1].stderr
    assert [one.returncode for one in several] == [64] * len(commands)
    assert all("name the environment with --env: probes.toml has prod, staging" in one.stderr for one in several)


def _options_with_one_value():
    """Every option of every command that takes one value, with the words that lead to it."""
    waiting = [((), cli.program)]
    while waiting:
        words, command = waiting.pop()
        if isinstance(command, click.Group):
            context = click.Context(command)
            waiting += [((*words, name), command.get_command(context, name)) for name in command.list_commands(context)]
            continue
        for option in command.params:
            if option.name in ("environment", "url", "release", "stage") and isinstance(option, click.Option):
                yield pytest.param(words, option.opts[0], id=" ".join((*words, option.opts[0])))


@pytest.mark.parametrize(("words", "option"), list(_options_with_one_value()))
def test_a_second_answer_to_what_is_verified_is_refused(probekit, words, option) -> None:
    result = probekit(*words, option, "1", f"{option}=2")

    assert (result.returncode, result.stdout) == (64, "")
    assert f"option {option} takes one value but was given 2 times" in result.stderr


def test_an_option_of_an_alias_is_overridden_by_its_user(probekit, tmp_path) -> None:
    result = probekit("plan", "--config", str(tmp_path / "a.toml"), "--config", str(tmp_path / "b.toml"))

    assert result.returncode == 78
    assert "b.toml: cannot be read" in result.stderr


def test_the_name_alone_shows_the_help_and_is_no_go(probekit) -> None:
    result = probekit()

    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr.startswith("Usage: probekit")
    assert "  verify      Measure a deployment" in result.stderr


def test_a_broken_line_of_dotenv_is_told_by_its_number_and_shows_no_secret(probekit, write, folder) -> None:
    write()
    (folder / ".env").write_text("A=1\n\n# a comment\nPROBEKIT_RELEASE: planted-7\nB=2\n")

    result = probekit("verify")

    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr == (
        "probekit: .env:4: invalid line, expected NAME=value; correct it, or start it with # to ignore it\n"
    )


def test_a_demo_without_its_extra_says_how_to_install_it(probekit, monkeypatch) -> None:
    monkeypatch.setattr("probekit.demo.target._EXTRA", ("no_such_package",))

    result = probekit("demo")

    assert (result.returncode, result.stdout) == (64, "")
    assert "missing: no_such_package" in result.stderr
    assert all(f"  {way}:" in result.stderr for way in ("pip", "pipx", "wheel"))


@pytest.mark.parametrize(("setting", "mode"), [("", 0o600), ('report_mode = "0640"\n', 0o640), ("", 0o604)])
def test_a_report_file_is_for_its_owner_unless_the_setting_or_an_earlier_report_says_else(
    probekit, write, folder, setting, mode
) -> None:
    write()
    text = (folder / "probes.toml").read_text().replace("control = []\n", f"control = []\n{setting}")
    (folder / "probes.toml").write_text(text)
    if mode == 0o604:
        (folder / "r.json").write_text("an earlier report")
        (folder / "r.json").chmod(mode)

    probekit("verify", "--env", "prod", "--report", "json=r.json")

    assert json.loads((folder / "r.json").read_text())["schema"] == "probekit.report/1"
    assert stat.S_IMODE((folder / "r.json").stat().st_mode) == mode


@pytest.mark.parametrize("written", ["0666", "0755", "066", "rw-------", "0200"])
def test_a_mode_that_no_report_needs_is_refused(probekit, write, folder, written) -> None:
    write()
    text = (folder / "probes.toml").read_text().replace("control = []\n", f'control = []\nreport_mode = "{written}"\n')
    (folder / "probes.toml").write_text(text)

    result = probekit("verify", "--env", "prod")

    assert result.returncode == 78
    assert "env.prod.report_mode" in result.stderr


def test_a_format_that_is_collected_is_readable_for_the_collector(probekit, write, folder, monkeypatch) -> None:
    write()
    monkeypatch.setattr(reports, "load_format", lambda _name: replace(json_report.FORMAT, is_collected=True))

    probekit("verify", "--env", "prod", "--report", "json=r.json")

    assert stat.S_IMODE((folder / "r.json").stat().st_mode) == 0o644


@pytest.mark.parametrize("command", [("verify",), ("deployment", "start"), ("runs", "list")])
def test_the_state_folder_is_for_its_owner_whatever_made_it(probekit, write, folder, command) -> None:
    write()
    state = folder / "home/.local/state/probekit"
    if command[0] != "verify":  # as an earlier version made it
        state.mkdir(parents=True)
        state.chmod(0o755)

    probekit(*command, "--env", "prod")

    assert stat.S_IMODE(state.stat().st_mode) == 0o700


@pytest.mark.parametrize("output", ["probes.toml", "other.toml"])
def test_init_follows_no_planted_link(probekit, folder, output) -> None:
    (folder / output).symlink_to(folder / "nowhere")

    result = probekit("init", "http://127.0.0.1:9", "--output", output)

    assert result.returncode == 64
    assert f"{output} exists already" in result.stderr
    assert not (folder / "nowhere").exists()


def test_a_closed_stdout_changes_nothing(folder, write) -> None:
    write()
    reader, writer = os.pipe()
    os.close(reader)

    with os.fdopen(writer, "w") as closed:
        wishes = _surroundings(folder, {"stdout": closed, "stderr": subprocess.PIPE})
        wishes.pop("capture_output")
        result = subprocess.run(
            [sys.executable, "-m", "probekit", "verify", "--env", "prod"], **wishes, timeout=30, check=False
        )

    assert (result.returncode, result.stderr) == (10, "")


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_stream_that_was_never_open_changes_nothing(folder, write, closed) -> None:
    write()
    command = f'exec "$0" -m probekit verify --env prod --report json=r.json {closed}'

    result = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable], **_surroundings(folder, {}), timeout=30, check=False
    )

    assert result.returncode == 10
    assert json.loads((folder / "r.json").read_text())["decision"]["action"] == "investigate"


@pytest.mark.parametrize(
    "words",
    [
        "list items",
        "list kinds --json",
        "explain kind:http",
        "plan --env prod",
        "plan --env prod --show-config",
        "schema",
    ],
)
def test_a_document_that_is_lost_is_no_success(probekit, write, monkeypatch, words) -> None:
    write()

    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        result = probekit(*words.split())

    assert result.returncode == 70
    assert result.stderr == "probekit: the report cannot be written to stdout: No space left on device\n"


def test_a_process_whose_document_is_lost_is_no_success(folder, write) -> None:
    write()
    command = '"$0" -m probekit plan --env prod >/dev/full'

    result = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable],
        **_surroundings(folder, {}),
        timeout=30,
        check=False,
    )

    assert result.returncode == 70
    assert result.stderr == "probekit: the report cannot be written to stdout: No space left on device\n"


@pytest.mark.parametrize("wish", ["--verbose", "--strict"])
def test_a_log_that_cannot_be_written_changes_nothing(folder, write, wish) -> None:
    write()
    text = (folder / "probes.toml").read_text().replace("control = []", 'control = ["http://127.0.0.1:9/"]')
    (folder / "probes.toml").write_text(text)
    command = f'"$0" -m probekit verify --env prod --report json=r.json {wish} 2>/dev/full'

    result = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable], **_surroundings(folder, {}), timeout=30, check=False
    )

    assert result.returncode == json.loads((folder / "r.json").read_text())["decision"]["exit_code"] == 30


@pytest.mark.parametrize(
    ("words", "events"),
    [
        ("--state /dev/null/no.db", ["command.message", "control.silent", "command.message"]),
        ("--config absent.toml", ["command.message"]),
    ],
)
def test_where_json_is_asked_for_every_line_of_the_log_is_json(probekit, folder, write, words, events) -> None:
    write()
    text = (folder / "probes.toml").read_text().replace("control = []", 'control = ["http://127.0.0.1:9/"]')
    (folder / "probes.toml").write_text(text)

    result = probekit("verify", "--env", "prod", "--log-format", "json", *words.split())

    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert [line["event"] for line in lines] == events
    assert {line["level"] for line in lines} == ({"error"} if len(lines) == 1 else {"warning"})
    assert all(line["message"] for line in lines if line["event"] == "command.message")


def test_a_short_secret_does_not_break_the_document(probekit, folder, write) -> None:
    write(extra='[env.prod.connect]\nheaders = { "X-Key" = { env = "KEY" } }\n')

    result = probekit("verify", "--env", "prod", "--report", "json", env={"KEY": "1"})

    assert json.loads(result.stdout)["schema"] == "probekit.report/1"


def test_an_ascii_terminal_shows_everything(process, write) -> None:
    write(extra='[env.prod.not_applicable]\n"deploy.services.health-endpoint" = "läuft anderswo"\n')

    result = process("verify", "--env", "prod", env={"PYTHONIOENCODING": "ascii"})

    assert result.returncode == 30  # nothing was looked at
    assert "l\\xe4uft anderswo" in result.stdout


@pytest.mark.parametrize(("name", "code"), [("SIGHUP", 129), ("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_the_run_with_its_code_and_a_report(folder, write, name, code) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        write(silent.getsockname()[1])
        text = (folder / "probes.toml").read_text().replace('timeout = "1s"', 'timeout = "60s"')
        (folder / "probes.toml").write_text(text)
        wishes = _surroundings(folder, {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE})
        wishes.pop("capture_output")
        process = subprocess.Popen(
            [sys.executable, "-m", "probekit", "verify", "--env", "prod", "--report", "json"], **wishes
        )
        silent.settimeout(20)
        silent.accept()[0].close()  # it is looking: now

        process.send_signal(getattr(signal, name))
        out, _ = process.communicate(timeout=20)

    document = json.loads(out)
    assert process.returncode == document["decision"]["exit_code"] == code
    assert (document["run"]["ended_by"], document["decision"]["action"]) == (name, "undecided")
    assert document["verdicts"][0]["outcome"] == "error"


def test_a_second_run_of_the_same_environment_is_75(probekit, folder, write) -> None:
    write()
    probekit("verify", "--env", "prod")
    (lock,) = (folder / "home").rglob("*.lock")

    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = probekit("verify", "--env", "prod")
    free = probekit("verify", "--env", "prod")

    assert (result.returncode, result.stdout) == (75, "")
    assert "another run is verifying 'prod'" in result.stderr
    assert free.returncode == 10


def test_two_copies_of_one_file_exclude_each_other_and_two_targets_do_not(probekit, folder, write) -> None:
    write()
    (folder / "copy.toml").write_text((folder / "probes.toml").read_text())
    probekit("verify", "--env", "prod")
    (lock,) = (folder / "home").rglob("*.lock")
    assert lock.parent.stat().st_mode & 0o077 == 0

    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        copy = probekit("verify", "--env", "prod", "--config", "copy.toml")
        write(1)  # the same name, another target
        other = probekit("verify", "--env", "prod")

    assert (copy.returncode, other.returncode) == (75, 10)


def test_a_run_may_wait_for_the_one_before_it(probekit, folder, write, monkeypatch) -> None:
    def told(text):
        complain(text)
        fcntl.flock(held, fcntl.LOCK_UN)

    write()
    probekit("verify", "--env", "prod")
    (lock,) = (folder / "home").rglob("*.lock")
    complain = locks.warn

    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        in_vain = probekit("verify", "--env", "prod", "--wait", "50ms")
        monkeypatch.setattr(locks, "warn", told)
        waited = probekit("verify", "--env", "prod", "--wait", "20s")

    assert (in_vain.returncode, waited.returncode) == (75, 10)
    assert "another run is verifying 'prod' (http://127.0.0.1:" in waited.stderr
    assert "waiting up to 20 s" in waited.stderr


def test_a_folder_that_cannot_be_written_is_a_warning(probekit, folder, write) -> None:
    write()
    (folder / "file").write_text("")

    result = probekit(
        "verify", "--env", "prod", env={"HOME": str(folder / "file"), "XDG_STATE_HOME": str(folder / "file")}
    )

    assert result.returncode == 10
    assert "warning: no lock could be taken" in result.stderr


def test_variables_stand_in_for_options(probekit, folder, write) -> None:
    write()
    (folder / "probes.toml").rename(folder / "other.toml")
    (folder / ".env").write_text("PROBEKIT_RELEASE=7.7\n")

    named = probekit(
        "verify",
        "--env",
        "prod",
        "--report",
        "json",
        env={"PROBEKIT_CONFIG": "other.toml", "PROBEKIT_DEPLOYED": "2026-11-23T10:00Z"},
    )
    wrong = probekit("verify", "--env", "prod", env={"PROBEKIT_CONFIG": "other.toml", "PROBEKIT_DEPLOYED": "soon"})

    situation = json.loads(named.stdout)["situation"]
    assert situation["deployment"] == {
        "release": "7.7",
        "started": "2026-11-23T10:00:00Z",
        "finished": "2026-11-23T10:00:00Z",
        "commit": None,
        "images": {},
        "previous": None,
        "failed": False,
        "rolled_back": None,
    }
    assert situation["release"]["expected"] == ["7.7"]
    assert wrong.returncode == 64


def test_all_203_items_are_in_the_account(probekit, write) -> None:
    write(scope='"pre", "deploy", "post", "rollback", "signoff"')

    document = json.loads(probekit("verify", "--env", "prod", "--report", "json").stdout)

    account = document["account"]
    assert (account["items"], account["out_of_scope"], len(document["verdicts"])) == (203, 0, 203)
    assert sum(count for word, count in account.items() if word != "items") == 203
    assert account["pending"] == 18  # and five of the rollback phase
    assert account["not_applicable"] == 20
    assert account["pass"] == 0


def test_a_narrowed_run_says_so(probekit, write) -> None:
    write(scope='"deploy"')

    document = json.loads(probekit("verify", "--env", "prod", "--probe", "health", "--report", "json").stdout)

    assert (document["situation"]["partial"], document["situation"]["in_scope"]) == (True, 54)
    assert [verdict["item"] for verdict in document["verdicts"]] == ["deploy.services.health-endpoint"]


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("items", "deploy.services.health-endpoint"),
        ("probes", "certificate"),
        ("kinds", "time_left"),
        ("envs", "prod"),
    ],
)
def test_list_names_what_there_is(probekit, write, what, line) -> None:
    write()

    result = probekit("list", what)

    assert result.returncode == 0
    assert any(line in row for row in result.stdout.splitlines())


def test_list_needs_no_configuration_for_what_is_built_in(probekit) -> None:
    result = probekit("list", "items")

    assert (result.returncode, len(result.stdout.splitlines())) == (0, 203)


def test_a_secret_that_the_target_echoes_appears_nowhere(folder, probekit, tmp_path) -> None:
    class Echo(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"status": self.headers["X-Key"]}).encode()
            self.send_response(200 if self.path == "/health" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Echo", self.headers["X-Key"] or "")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        extra = '[env.prod.connect]\nheaders = { "X-Key" = { env = "KEY" } }\n'
        text = ENVIRONMENT.format(port=server.server_port, scope='"deploy.services.health-endpoint"') + extra
        (folder / "probes.toml").write_text(text)
        arguments = ["verify", "--env", "prod", "--verbose", "--report", f"json={tmp_path / 'r.json'}"]

        result = probekit(*arguments, env={"KEY": "planted-secret-7"})
        missing = probekit(*arguments)
        server.shutdown()
        thread.join()

    everything = result.stdout + result.stderr + (tmp_path / "r.json").read_text()
    assert "planted" not in everything
    assert "[secret]" in result.stdout
    assert missing.returncode == 10
    assert "the variable KEY is not set" in missing.stdout


@pytest.fixture
def on_terminal(folder):
    """Run the program with stderr on a terminal of 80x24; what happens to it is a function of its process."""

    def run(*arguments, act=lambda _process, _terminal: None):
        place = Terminal()
        wishes = _surroundings(folder, {"stdout": subprocess.DEVNULL, "stderr": place.terminal})
        wishes.pop("capture_output")
        wishes["env"] |= {"TERM": "xterm", "CI": "", "NO_COLOR": ""}
        with subprocess.Popen([sys.executable, "-m", "probekit", *arguments], **wishes) as process:
            os.close(place.terminal)
            place.start()
            act(process, place)
            code = process.wait(30)
        return code, place.end(), place

    return run


def test_on_a_terminal_it_shows_each_verdict_and_leaves_nothing_else(on_terminal, write) -> None:
    write()

    code, shown, place = on_terminal("verify", "--env", "prod")

    (line,) = shown
    assert code == 10
    assert line.startswith("          fail  deploy.services.health-endpoint: connection refused by")
    assert "\x1b[1;31m" in place.raw
    assert not place.hides_its_cursor


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_it_waits_the_terminal_says_for_what_and_a_signal_leaves_it_clean(
    on_terminal, write, folder, number
) -> None:
    write()
    text = (folder / "probes.toml").read_text()
    (folder / "probes.toml").write_text(text.replace('settle = "0s"', 'settle = "20s"'))

    def interrupt(process, place):
        assert place.shows("waiting for the services to settle")
        process.send_signal(number)

    code, shown, place = on_terminal("verify", "--env", "prod", act=interrupt)

    assert code == 128 + number
    assert shown == [""]
    assert " of 20 s" in place.raw
    assert not place.hides_its_cursor


def test_a_killed_run_leaves_the_cursor_on_the_terminal(on_terminal, write, folder) -> None:
    write()
    text = (folder / "probes.toml").read_text()
    (folder / "probes.toml").write_text(text.replace('settle = "0s"', 'settle = "20s"'))

    def kill(process, place):
        assert place.shows("waiting for the services to settle")
        process.kill()

    _, _, place = on_terminal("verify", "--env", "prod", act=kill)

    assert not place.hides_its_cursor


@pytest.mark.parametrize("words", [("--quiet",), ("--report", "json", "--quiet")])
def test_quiet_shows_nothing_on_a_terminal(on_terminal, write, words) -> None:
    write()

    _, shown, place = on_terminal("verify", "--env", "prod", *words)

    assert (shown, place.raw) == ([""], "")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("deploy.services.health-endpoint", ["response_time < 200 ms", "3 attempts", "row 'API down'", "kind http:"]),
        ("deploy.performance.p95-latency", ["high p95 > 2000 ms 10 min, then rollback if p95 > 4000 ms"]),
        ("signoff.approvals.team-lead", ["a signature is required; without it the release is held"]),
        ("certificate", ["time_left (d)", "filled by  tls; command can"]),
        (
            "kind:tls",
            ["fingerprint none ", "at most 10 requests per measurement", "    [env.prod.probes.certificate]"],
        ),
        ("kind:postgres", ["    GRANT pg_monitor TO probekit;", "read-only transactions", 'scan_time "60s" ']),
        ("database-load", ["    [env.prod.probes.database-load]", "kind postgres: Measure PostgreSQL: its sessions"]),
    ],
)
def test_explain_tells_what_an_item_a_probe_or_a_kind_takes(probekit, name, told) -> None:
    result = probekit("explain", name)

    shown = f"{result.stdout} {' '.join(result.stdout.split())}"  # as it stands, and without its line breaks
    assert result.returncode == 0
    assert all(words in shown for words in told)
    copied = [line for line in result.stdout.splitlines() if line.startswith("    ")]
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if line not in copied)


def test_the_table_that_explain_shows_for_a_kind_is_one_that_probes_toml_takes(tmp_path) -> None:
    checklist = checklists.load("softfactory")
    fills = [
        *((probe, kind) for probe in checklist.probes for kind in kinds_for(probe, checklist)),
        *(("backup", kind) for kind in kinds_for_any()),
    ]
    assert {kind for _probe, kind in fills} == set(probes.kind_names())

    for probe, name in fills:
        text = '[env.prod]\nbase_url = "https://app.example.com"\nscope = ["deploy"]\n'
        text += kind_facts.table(probes.load_kind(name), checklist, probe=probe)

        (one,) = read(text, tmp_path / "probes.toml").targets["prod"].probes
        assert (one.probe, one.source.name) == (probe, name)


def test_explain_names_the_nearest(probekit) -> None:
    result = probekit("explain", "certificat")

    assert (result.returncode, result.stdout) == (64, "")
    assert "did you mean 'certificate'?" in result.stderr


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("probekit ver", ["verify"]),
        ("probekit verify --env p", ["prod"]),
        ("probekit plan --env ", ["prod"]),
        ("probekit verify --item pre.security.tls", ["pre.security.tls-days-left"]),
        ("probekit verify --section deploy.sm", ["deploy.smoke"]),
        ("probekit verify --probe certif", ["certificate"]),
        ("probekit verify --phase p", ["pre", "post"]),
        ("probekit plan --phase rol", ["rollback"]),
        ("probekit verify --fact uses-c", ["uses-cdn=yes", "uses-cdn=no"]),
        ("probekit plan --fact main", ["maintenance-mode=yes", "maintenance-mode=no"]),
        ("probekit demo --fault half", ["half-broken"]),
        ("probekit verify --env x --config nowhere.toml --env ", []),
    ],
)
def test_the_shell_is_offered_what_may_stand_there(probekit, write, capfd, words, offered) -> None:
    write()
    last = len(words.split(" ")) - 1
    asked = {"_PROBEKIT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(last)}

    with pytest.raises(SystemExit):  # click's own way to end it
        probekit(env=asked)

    out, err = capfd.readouterr()
    assert [line.partition(",")[2] for line in out.splitlines() if line] == offered
    assert err == ""


def test_the_shell_s_completion_is_given_as_a_script(process) -> None:
    result = process(env={"_PROBEKIT_COMPLETE": "bash_source"})

    assert (result.returncode, result.stderr) == (0, "")
    assert "complete -o nosort -F _probekit_completion probekit" in result.stdout


@pytest.mark.parametrize(
    "words",
    [
        *("", "verify", "init", "plan", "probe", "list", "explain", "schema", "demo", "deployment", "baseline", "runs"),
        *(
            "deployment start",
            "deployment finish",
            "deployment rolled-back",
            "deployment",
            "baseline capture",
            "runs list",
            "runs show",
            "runs judge",
        ),
        *("runs compare", "runs prune"),
    ],
)
def test_every_help_fits_eighty_columns(probekit, words) -> None:
    result = probekit(*words.split(), "--help", env={"COLUMNS": "80"})

    assert result.returncode == 0
    assert [line for line in result.stdout.splitlines() if len(line) > 80] == []
