"""With --exit nagios the process is a monitoring plugin: 0 is a go alone, and whatever is no answer is 3."""

from __future__ import annotations

import errno
import fcntl
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from probekit import __main__ as entry
from probekit.cli import verifying
from probekit.model.checklist import Severity
from probekit.model.verdict import Action, Decision, Outcome, Verdict

CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.services.health-endpoint"]
control = []
timeout = "{timeout}"
settle = "0s"
spread = "0s"
attempt_interval = "0s"

[env.prod.probes.health]
kind = "http"
path = "/health"
"""
NAGIOS = ("verify", "--env", "prod", "--exit", "nagios")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a configuration whose target refuses every connection."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "probes.toml").write_text(CONFIG.format(port=port, timeout="1s"))
    (tmp_path / "home").mkdir()
    return tmp_path


def surroundings(folder, **env):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROBEKIT_", "XDG_"))}
    return {"cwd": folder, "env": kept | {"HOME": str(folder / "home")} | env, "text": True}


@pytest.fixture
def process(folder):
    """Run the program as a process of its own, with a module that is imported before it; its result."""

    def run(*arguments, before="", **wishes):
        (folder / "sitecustomize.py").write_text(before)
        path = os.pathsep.join([str(folder), *sys.path])
        command = [sys.executable, "-m", "probekit", *arguments]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | wishes
        return subprocess.run(command, **surroundings(folder, PYTHONPATH=path), **streams, timeout=60, check=False)

    return run


@pytest.fixture
def decided(folder, monkeypatch, capfd, report_of, make):
    """Run `main` in this process, with a run that ends with a decision; its exit code and what it wrote."""

    def run(*arguments, action, minutes=None, severity=Severity.LOW, outcome=Outcome.PASS, **facts):
        async def report(*_arguments, **_named):
            verdict = Verdict(
                item=make.item("up == 1", severity=severity), outcome=outcome, because="up", layer="application"
            )
            decision = Decision(action=action, minutes=minutes, because=("because",))
            return replace(report_of(verdict, in_scope=1, **facts), decision=decision)

        monkeypatch.setattr(verifying, "execute_run", report)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("HOME", str(folder / "home"))
        monkeypatch.setattr(sys, "argv", ["probekit", *arguments])
        threshold = gc.get_threshold()
        with pytest.raises(SystemExit) as ended:
            entry.main()
        gc.set_threshold(*threshold)
        return ended.value.code, *capfd.readouterr()

    return run


@pytest.mark.parametrize(
    ("action", "facts", "code", "state"),
    [
        (Action.GO, {}, 0, "OK - GO: "),
        (Action.PARTIAL, {}, 0, "OK - PASS (partial run): "),
        (Action.HOLD, {}, 1, "WARNING - HOLD: "),
        (Action.INVESTIGATE, {"minutes": 5.0}, 1, "WARNING - INVESTIGATE within 5 min: "),
        (Action.INVESTIGATE, {"minutes": 0.5}, 2, "CRITICAL - INVESTIGATE NOW: "),
        (
            Action.INVESTIGATE,
            {"minutes": 5.0, "severity": Severity.HIGH, "outcome": Outcome.FAIL},
            2,
            "CRITICAL - INVESTIGATE within 5 min: ",
        ),
        (Action.NO_GO, {}, 2, "CRITICAL - NO GO: "),
        (Action.ROLLBACK, {}, 2, "CRITICAL - ROLLBACK NOW: "),
        (Action.UNDECIDED, {}, 3, "UNKNOWN - UNDECIDED: "),
    ],
)
def test_each_decision_has_the_code_and_the_word_of_its_state(decided, action, facts, code, state) -> None:
    ended, out, err = decided(*NAGIOS, action=action, **facts)

    assert (ended, err) == (code, "")
    assert out.startswith(f"PROBEKIT {state}")
    assert out.count("\n") == 1


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("arguments", [(), ("--exit", "probekit"), ("--exit", "nagios", "--exit", "probekit")])
def test_without_it_the_codes_are_probekit_s_own(decided, action, arguments) -> None:
    ended, out, _ = decided("verify", "--env", "prod", *arguments, action=action)

    assert ended == action.exit_code
    assert not out.startswith("PROBEKIT ")


@pytest.mark.parametrize("words", [("--exit=nagios",), ("--exit", "probekit", "--exit", "nagios")])
def test_it_may_be_written_in_both_ways_and_the_last_one_counts(decided, words) -> None:
    assert decided("verify", "--env", "prod", *words, action=Action.HOLD)[0] == 1


def test_another_report_on_stdout_keeps_the_codes(decided, folder) -> None:
    ended, out, _ = decided(*NAGIOS, "--report", "json", action=Action.HOLD)

    assert (ended, json.loads(out)["decision"]["exit_code"]) == (1, 11)

    ended, out, _ = decided(*NAGIOS, "--report", f"json={folder / 'r.json'}", action=Action.HOLD)
    assert (ended, out.startswith("PROBEKIT WARNING")) == (1, True)


@pytest.mark.parametrize("option", ["--quiet", "--on-change"])
def test_a_plugin_always_prints_its_line(decided, option) -> None:
    ended, out, err = decided(*NAGIOS, option, action=Action.GO)

    assert (ended, out) == (
        3,
        "PROBEKIT UNKNOWN - --exit nagios prints its line in every run: remove --quiet and --on-change\n",
    )
    assert "remove --quiet and --on-change" in err


def test_quiet_without_it_stays_as_it_is(decided) -> None:
    assert decided("verify", "--env", "prod", "--quiet", "--report", "nagios", action=Action.GO) == (0, "", "")


@pytest.mark.parametrize(("action", "code"), [(Action.GO, 3), (Action.PARTIAL, 3), (Action.HOLD, 1), (Action.NO_GO, 2)])
def test_a_go_whose_report_could_not_be_written_is_unknown_and_prints_no_go(
    decided, folder, monkeypatch, action, code
) -> None:
    def fail(*_arguments, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("probekit.cli.output.write_file", fail)

    ended, out, err = decided(*NAGIOS, "--report", f"json={folder / 'r.json'}", action=action)

    assert ended == code
    assert "r.json cannot be written: No space left on device" in err
    assert out.startswith(f"PROBEKIT {('', 'WARNING', 'CRITICAL', 'UNKNOWN')[code]} - ")
    assert ("r.json cannot be written: No space left on device\n" in out) == (code == 3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupted_run_prints_its_line_once(decided, number) -> None:
    ended, out, _ = decided(*NAGIOS, action=Action.UNDECIDED, complete=False, run={"ended_by": number.name})

    assert ended == 3
    assert out.startswith(f"PROBEKIT UNKNOWN - UNDECIDED: prod: the run was interrupted by {number.name}; ")
    assert out.count("\n") == 1


# ---------------------------------------------------------------- as a process of its own


def test_a_failure_is_the_plugin_s_critical(process) -> None:
    result = process(*NAGIOS)

    assert (result.returncode, result.stderr) == (2, "")
    assert result.stdout.startswith("PROBEKIT CRITICAL - INVESTIGATE NOW: prod: health-endpoint failed: connection")
    assert result.stdout.endswith(" | 'deploy.services.health-endpoint/up'=0;;1:1\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([*NAGIOS, "--nope"], "No such option '--nope'."),
        (["verify", "--exit=nagios", "--env"], "Option '--env' requires an argument."),
        (["verify", "--env", "a|b\nc", "--exit", "nagios"], "no environment 'a/b"),
        (["verfy", "--exit", "nagios"], "unknown command 'verfy'; did you mean 'verify'?"),
        (["probe", "health", "--exit", "nagios"], "No such option '--exit'"),
        ([*NAGIOS, "--report", "json=/no/such/folder/r.json"], "the report /no/such/folder/r.json cannot be written:"),
        (["demo", "--exit", "nagios", "--fault", "nonsense"], "Invalid value for '--fault':"),
        (["runs", "judge", "3f", "--exit", "nagios"], "no run id on record begins with"),
        ([*NAGIOS, "--deployed-by", "\u00e9 \x1b[2J"], "Invalid value for '--deployed-by':"),
        (["verify", "--env", "<script>x</script>", "--exit", "nagios"], "no environment '< script>x< /script>'"),
    ],
)
def test_a_wrong_command_line_is_unknown_with_one_line_on_stdout(process, arguments, line) -> None:
    result = process(*arguments)

    assert result.returncode == 3
    assert result.stdout.startswith(f"PROBEKIT UNKNOWN - {line}")
    assert result.stdout.count("\n") == 1
    assert "|" not in result.stdout
    assert result.stdout[:-1].isprintable()
    assert result.stderr


def test_a_long_message_is_cut_on_the_line_of_a_plugin(process) -> None:
    result = process("verify", "--env", "x" * 5_000, "--exit", "nagios")

    assert (result.returncode, len(result.stdout) < 1_100) == (3, True)


def test_after_two_dashes_it_is_no_option(process) -> None:
    result = process("verify", "--", "--exit", "nagios")

    assert (result.returncode, result.stdout) == (64, "")


def test_another_value_of_the_option_is_a_wrong_command_line(process) -> None:
    result = process("verify", "--exit", "nagio")

    assert (result.returncode, result.stdout) == (64, "")
    assert "'nagio' is not one of 'probekit', 'nagios'" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["verify", "--exit", "nagios", "--help"], ["--version", "verify", "--exit=nagios"]]
)
def test_help_is_no_go(process, arguments) -> None:
    assert process(*arguments).returncode == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[env.prod\n", "probes.toml:1"),
        ('[env.prod]\nbase_url = "https://a.test"\nscope = []\n', "probes.toml:3: env.prod.scope"),
        (None, "probes.toml: cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_file_is_unknown_with_its_line(process, folder, text, line) -> None:
    (folder / "probes.toml").unlink()
    if text is not None:
        (folder / "probes.toml").write_text(text)

    result = process(*NAGIOS)

    assert result.returncode == 3
    assert result.stdout.startswith(f"PROBEKIT UNKNOWN - {line}")
    assert result.stdout.count("\n") == 1


CRASHES = {
    "import probekit.workflows.verify as at\nat.judge = None\n": "internal error (TypeError at ",
    "import sys\nsys.modules['probekit.cli'] = None\n": "internal error (ModuleNotFoundError at ",
    "import sys\nsys.modules['click'] = None\n": "internal error (ModuleNotFoundError at ",
    "import sys\nsys.modules['probekit.reports.nagios'] = None\n": "internal error (ModuleNotFoundError at ",
    "import sys\nsys.modules['probekit.reports._support.nagios_status'] = None\n": "internal error (ModuleNotFound",
    "import probekit.workflows.verify as at\ndef judge(*_):\n    raise SystemExit(0)\nat.judge = judge\n": (
        "internal error (SystemExit at "
    ),
    "import probekit.workflows.verify as at\ndef judge(*_):\n    raise KeyboardInterrupt\nat.judge = judge\n": (
        "interrupted\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "line"), CRASHES.items(), ids=range(len(CRASHES)))
def test_a_crash_is_unknown_whatever_cannot_be_imported(process, before, line) -> None:
    result = process(*NAGIOS, before=before)

    assert result.returncode == 3
    assert result.stdout.startswith(f"PROBEKIT UNKNOWN - {line}")
    assert result.stdout.count("\n") == 1
    assert "Traceback (most recent call last)" not in result.stderr.partition("Exception ignored")[0]


def test_a_kind_that_ends_the_process_has_a_bug_and_is_never_a_go(process) -> None:
    before = (
        "import sys\nimport probekit.probes.http as kind\n"
        "async def measure(*_):\n    sys.exit(0)\n"
        "object.__setattr__(kind.KIND, 'measure', measure)\n"
    )

    result = process("verify", "--env", "prod", before=before)
    assert result.returncode == 10
    assert "kind http raised SystemExit" in result.stdout
    assert process(*NAGIOS, before=before).returncode == 1


def test_a_locked_environment_is_unknown(process, folder) -> None:
    assert process(*NAGIOS).returncode == 2  # makes the lock's file
    (lock,) = (folder / "home").rglob("*.lock")

    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = process(*NAGIOS)

    assert result.returncode == 3
    assert result.stdout.startswith("PROBEKIT UNKNOWN - another run is verifying 'prod' (http://127.0.0.1:")


def test_a_go_that_cannot_be_written_to_stdout_is_unknown(process) -> None:
    before = (
        "from probekit.reports._support import nagios_status as at\n"
        "at._BY_ACTION = dict.fromkeys(at._BY_ACTION, at.NagiosStatus.OK)\n"
        "at.Action = type('Other', (), {'INVESTIGATE': None})\n"
    )

    assert process(*NAGIOS, before=before).returncode == 0  # the target is down, and the state is broken to OK
    with Path("/dev/full").open("w") as full:
        assert process(*NAGIOS, before=before, stdout=full).returncode == 3


@pytest.mark.parametrize("closed", [1, 2])
def test_a_closed_stream_changes_no_code(process, closed) -> None:
    assert process(*NAGIOS, preexec_fn=lambda: os.close(closed)).returncode == 2


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_message_is_written_in_any_encoding(folder, encoding) -> None:
    command = [sys.executable, "-m", "probekit", "verify", "--env", "\u00e9", "--exit", "nagios"]
    around = surroundings(folder, PYTHONIOENCODING=encoding)

    result = subprocess.run(command, capture_output=True, timeout=60, check=False, **around | {"encoding": "utf-8"})

    assert result.returncode == 3
    written = {"ascii": "\\xe9", "utf-8": "\u00e9"}[encoding]
    assert result.stdout.startswith(f"PROBEKIT UNKNOWN - no environment '{written}'")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_in_the_middle_of_a_run_is_unknown(folder, number) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        (folder / "probes.toml").write_text(CONFIG.format(port=server.getsockname()[1], timeout="30s"))
        command = [sys.executable, "-m", "probekit", *NAGIOS]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **surroundings(folder)
        ) as running:
            server.settimeout(30)
            connection, _ = server.accept()  # it measures
            running.send_signal(number)
            out, _ = running.communicate(timeout=30)
            connection.close()

    assert running.returncode == 3
    assert out.startswith(f"PROBEKIT UNKNOWN - UNDECIDED: prod: the run was interrupted by {number.name}; ")
    assert out.count("\n") == 1


def test_an_earlier_run_judged_again_has_the_state_of_its_decision(process) -> None:
    assert process("verify", "--env", "prod").returncode == 10

    result = process("runs", "judge", "last", "--env", "prod", "--exit", "nagios")
    other = process("runs", "judge", "last", "--env", "prod", "--exit", "nagios", "--report", "console")

    assert (result.returncode, other.returncode) == (2, 2)
    assert result.stdout.startswith("PROBEKIT CRITICAL - INVESTIGATE NOW: prod: health-endpoint failed")
    assert other.stdout.startswith("INVESTIGATE NOW: ")
