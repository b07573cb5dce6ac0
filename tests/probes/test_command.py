"""A program's numbers: read within bounds, with nothing around it that was not named, and nothing left behind."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from probekit.http import Http
from probekit.model import Exact, Reason
from probekit.probe import Context, ProbeFailedError
from probekit.probes import command
from probekit.probes.command import KIND


@pytest.fixture
def script(tmp_path):
    """A function from the text of a Python program to the words that run it."""

    def script(text):
        file = tmp_path / "program.py"
        file.write_text(text)
        return [sys.executable, str(file)]

    return script


@pytest.fixture
def plugin(script):
    """A function from an exit code and an output to the words of a monitoring plugin."""
    return lambda code, text: script(f"import sys; sys.stdout.write({text!r}); sys.exit({code})")


async def run(argv, **settings):
    given = {"kind": "command", "argv": argv} | settings
    context = Context(
        base_url="https://app.test",
        timeout=5,
        http=Http(run="test").look(timeout=5),
        reveal=lambda kept: {"KEPT": "s3cret"}[kept.env],
        now=lambda: datetime.now(UTC),
    )
    return await KIND.measure(KIND.config.model_validate(given), context)


async def refusal(argv, **settings):
    with pytest.raises(ProbeFailedError) as failed:
        await run(argv, **{"nagios": True, **settings})
    return failed.value


async def test_numbers_are_read_from_json_each_at_its_place(script) -> None:
    argv = script("import json; print(json.dumps({'rows': {'orphans': 3, 'share': 0.5, 'ok': True, 'name': 'x'}}))")
    reads = {
        "orphans": "$.rows.orphans",
        "share": {"at": "$.rows.share", "times": 100},
        "ok": "$.rows.ok",
        "name": "$.rows.name",
        "missing": "$.nothing",
    }

    values = (await run(argv, reads=reads)).values

    assert {name: value for name, value in values.items() if isinstance(value, Exact)} == {
        "orphans": Exact(3),
        "share": Exact(50),
        "ok": Exact(1),
    }
    assert {values[name].reason for name in ("name", "missing")} == {Reason.BAD_RESPONSE}


@pytest.mark.parametrize(
    ("text", "told"),
    [("nothing", "no JSON"), ("", "no JSON"), ("NaN", "no JSON"), ("\\xff", "no JSON"), ("[" * 100_000, "64 KiB")],
)
async def test_output_that_is_no_json_is_no_reading(script, text, told) -> None:
    argv = script(
        f"import sys; sys.stdout.buffer.write({text!r}.encode('latin-1').decode('unicode_escape').encode('latin-1'))"
    )

    failed = await refusal(argv, nagios=False, reads={"a": "$.a"})

    assert failed.reason is Reason.BAD_RESPONSE
    assert told in failed.detail


async def test_an_exit_code_that_was_not_declared_is_no_reading(script) -> None:
    argv = script("import sys; print('{\"a\": 1}'); print('no route', file=sys.stderr); sys.exit(3)")

    failed = await refusal(argv, nagios=False, reads={"a": "$.a"})
    assert (failed.reason, "ended with 3" in failed.detail, "no route" in failed.detail) == (
        Reason.BAD_RESPONSE,
        True,
        True,
    )
    assert (await run(argv, reads={"a": "$.a"}, exits=[0, 3])).values["a"] == Exact(1)


@pytest.mark.parametrize(("code", "word"), [(0, "OK"), (1, "WARNING"), (2, "CRITICAL")])
async def test_a_monitoring_plugin_s_state_and_performance_data_are_read(plugin, code, word) -> None:
    text = (
        "DISK fine | /=2643MB;5948;5958;0;5968 'it''s 50%'=50%;;80\n"
        "more text\n"
        "and more | time=0.05s;1 bad=U lost=1,5s\n"
        "late=7c\n"
    )
    reads = {
        "disk": "/",
        "share": "it's 50%",
        "took": {"at": "time", "times": 1000},
        "late": "late",
        "bad": "bad",
        "lost": "lost",
    }

    readings = await run(plugin(code, text), nagios=True, reads=reads)

    numbers = {name: value.value for name, value in readings.values.items() if isinstance(value, Exact)}
    assert numbers == {"status": code, "disk": 2643, "share": 50, "took": 50, "late": 7}
    assert {readings.values[name].reason for name in ("bad", "lost")} == {Reason.BAD_RESPONSE}
    assert readings.notes["seen"] == f"{word}: DISK fine"


@pytest.mark.parametrize("code", [3, 4, 127, 255])
async def test_a_plugin_that_does_not_know_is_no_reading(plugin, code) -> None:
    failed = await refusal(plugin(code, "cannot connect"))

    assert failed.reason is Reason.BAD_RESPONSE
    assert f"UNKNOWN ({code}): cannot connect" in failed.detail


async def test_a_program_that_was_killed_is_no_reading(script) -> None:
    failed = await refusal(script("import os; os.kill(os.getpid(), 9)"))

    assert (failed.reason, "signal 9" in failed.detail) == (Reason.BAD_RESPONSE, True)


@pytest.mark.parametrize("program", ["/nowhere/check", "no-such-program-here"])
async def test_a_program_that_is_not_there_is_our_own_error(program) -> None:
    assert (await refusal([program])).reason is Reason.MISSING_FILE


async def test_a_file_that_is_no_program_is_our_own_error(tmp_path) -> None:
    (tmp_path / "text").write_text("hello")

    assert (await refusal([str(tmp_path / "text")])).reason is Reason.MISSING_FILE


async def test_it_sees_no_variable_that_was_not_named(script, monkeypatch) -> None:
    monkeypatch.setenv("PLANTED", "planted")
    monkeypatch.setenv("NAMED", "named")
    argv = script("import os, json; print(json.dumps({name: 1 for name in os.environ}))")
    reads = {name: f"$.{name}" for name in ("PLANTED", "NAMED", "TOKEN", "PATH", "HOME")}

    readings = await run(argv, reads=reads, variables=["NAMED"])

    assert {name for name, value in readings.values.items() if isinstance(value, Exact)} == {"NAMED", "PATH"}


async def test_a_secret_is_handed_over_by_reference(script) -> None:
    argv = script("import os, json; print(json.dumps({'length': len(os.environ['TOKEN'])}))")
    readings = await run(argv, reads={"length": "$.length"}, secrets={"TOKEN": {"env": "KEPT"}})

    assert readings.values["length"] == Exact(6)
    assert "s3cret" not in str(readings.notes)


async def test_no_shell_reads_the_arguments_and_the_folder_is_empty(script, tmp_path) -> None:
    argv = script("import sys, os, json; print(json.dumps({'n': len(sys.argv), 'files': len(os.listdir())}))")

    readings = await run([*argv, "; touch planted", "$(id)", "*"], reads={"n": "$.n", "files": "$.files"})

    assert readings.values == {"n": Exact(4), "files": Exact(0)}
    assert not (tmp_path / "planted").exists()


ENDLESS = "import sys\nwhile True: sys.{stream}.write('x' * 4096)"
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    open({file!r}, "w").write(str(os.getpid()))
    time.sleep(60)
while not os.path.exists({file!r}): time.sleep(0.01)
{then}
"""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_endless_output_is_cut_off_and_the_program_ended(script, stream) -> None:
    failed = await refusal(script(ENDLESS.format(stream=stream)))

    assert (failed.reason, "64 KiB" in failed.detail) == (Reason.BAD_RESPONSE, True)


def gone(file: Path) -> bool:
    """Whether the process whose number stands in that file ends within a while."""
    number = int(file.read_text())
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


def begun(file: Path) -> bool:
    return file.exists() and bool(file.read_text())


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(command, "_GRACE", 0.2)


async def test_what_runs_too_long_is_ended_with_all_its_children(script, tmp_path, impatient) -> None:
    file = tmp_path / "pid"

    failed = await refusal(script(STUBBORN.format(file=str(file), then="time.sleep(60)")), limit="1s")

    assert failed.reason is Reason.TIMEOUT
    assert gone(file)


async def test_a_child_that_keeps_the_pipe_open_holds_nobody_up(script, tmp_path, impatient) -> None:
    file = tmp_path / "pid"
    argv = script(STUBBORN.format(file=str(file), then="print('OK | a=1'); sys.stdout.flush(); os._exit(0)"))

    readings = await asyncio.wait_for(run(argv, nagios=True, reads={"a": "a"}), 20)

    assert readings.values == {"status": Exact(0), "a": Exact(1)}
    assert gone(file)


async def test_a_run_that_is_cut_off_leaves_no_process_behind(script, tmp_path, impatient) -> None:
    file = tmp_path / "pid"
    task = asyncio.create_task(run(script(STUBBORN.format(file=str(file), then="time.sleep(60)")), nagios=True))
    while not begun(file):  # noqa: ASYNC110  # another process writes it
        await asyncio.sleep(0.01)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert gone(file)


async def test_control_characters_stay_what_they_are_for_the_report_to_write_out(plugin) -> None:
    readings = await run(plugin(0, "fine\x1b[2J | a=1"), nagios=True)

    assert readings.notes["seen"] == "OK: fine\x1b[2J"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"argv": []}, "at least 1"),
        ({"argv": ["./check"], "nagios": True}, "the whole path"),
        ({"argv": ["a\0b"], "nagios": True}, "NUL"),
        ({"argv": ["check"]}, "gives no number"),
        ({"argv": ["check"], "reads": {"a": "no path"}}, "no JSONPath"),
        ({"argv": "check -x", "nagios": True}, "tuple"),
        ({"argv": ["check"], "nagios": True, "variables": ["A=B"]}, "pattern"),
        ({"argv": ["check"], "nagios": True, "secrets": {"TOKEN": "in clear"}}, "Secret"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(settings, told) -> None:
    with pytest.raises(ValidationError, match=told):
        KIND.config.model_validate({"kind": "command"} | settings)


def test_its_settings_say_which_metrics_it_gives() -> None:
    config = KIND.config.model_validate({"kind": "command", "argv": ["check"], "nagios": True, "reads": {"a": "b"}})

    assert KIND.given(config) == {"status", "a"}


# ---------------------------------------------------------------- real plugins (make test-services)

PLUGINS = Path("/usr/lib/nagios/plugins")


@pytest.mark.services
async def test_a_real_plugin_s_disk(tmp_path) -> None:
    readings = await run(
        [str(PLUGINS / "check_disk"), "-w", "1%", "-c", "0%", "-p", "/"], nagios=True, reads={"used": "/"}
    )

    assert readings.values["status"] in (Exact(0), Exact(1), Exact(2))
    assert readings.values["used"].value > 0


@pytest.mark.services
async def test_a_real_plugin_s_request(serve, http_reply) -> None:
    port, _ = await serve(http_reply())
    argv = [str(PLUGINS / "check_http"), "-I", "127.0.0.1", "-p", str(port), "-u", "/health"]

    good = await run(argv, nagios=True, reads={"took": {"at": "time", "times": 1000}, "bytes": "size"})
    bad = await run([*argv, "-e", "HTTP/1.1 503"], nagios=True)

    assert (good.values["status"], bad.values["status"]) == (Exact(0), Exact(2))
    assert 0 < good.values["took"].value < 10_000
    assert good.values["bytes"].value > 0


@pytest.mark.services
async def test_a_real_plugin_that_is_refused_says_critical() -> None:
    readings = await run([str(PLUGINS / "check_tcp"), "-H", "127.0.0.1", "-p", "1"], nagios=True)

    assert readings.values["status"] == Exact(2)
