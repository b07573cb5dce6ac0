"""Programs that will not stop, will not be quiet or leave others behind."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from probekit.model.measurement import Reason
from probekit.probe import ProbeFailedError
from probekit.probes.command import program

ENDLESS = "import sys\nwhile True: sys.{stream}.write('x' * 4096)"
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    {leave}
    with open({file!r}, "w") as file: file.write(str(os.getpid()))
    time.sleep(60)
while not (os.path.exists({file!r}) and os.path.getsize({file!r})): time.sleep(0.01)
{then}
"""


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(program, "_GRACE", 0.2)


@pytest.fixture
def child(tmp_path):
    """The file into which the child of a stubborn program writes its number."""
    return tmp_path / "pid"


def stubborn(child, then, leave="pass"):
    return STUBBORN.format(file=str(child), then=then, leave=leave)


async def run(text, *, within=20.0, is_heard=True):
    return await program.run([sys.executable, "-c", text], variables={}, within=within, is_heard=is_heard)


async def refusal(text, **settings):
    with pytest.raises(ProbeFailedError) as failed:
        await run(text, **settings)
    return failed.value


async def begun(file: Path) -> int:
    """The number in that file, once it is there."""
    while (number := written(file)) is None:  # noqa: ASYNC110  # another process writes it
        await asyncio.sleep(0.01)
    return number


def written(file: Path) -> int | None:
    return int(text) if file.exists() and (text := file.read_text()) else None


def gone(number: int) -> bool:
    """Whether that process ends within a while."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


async def test_what_it_says_and_how_it_ends_is_kept() -> None:
    ended = await run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(5)")

    assert ended == program.Ended(code=5, out=b"out\n", err=b"err\n")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_endless_output_is_cut_off_and_the_program_ended(stream) -> None:
    failed = await refusal(ENDLESS.format(stream=stream))

    assert (failed.reason, "64 KiB" in failed.detail) == (Reason.BAD_RESPONSE, True)


async def test_output_that_nobody_reads_may_be_of_any_length() -> None:
    ended = await run("print('CREATE TABLE x ();' * 100_000)", is_heard=False)

    assert ended == program.Ended(code=0, out=b"", err=b"")


async def test_nobody_answers_its_questions() -> None:
    ended = await run("import sys; print(repr(sys.stdin.read()))")

    assert ended.out == b"''\n"


async def test_a_program_that_was_killed_is_no_reading() -> None:
    failed = await refusal("import os; os.kill(os.getpid(), 9)")

    assert (failed.reason, "signal 9" in failed.detail) == (Reason.BAD_RESPONSE, True)


@pytest.mark.parametrize("leave", ["pass", "os.setpgid(0, 0)"])  # the second as timeout(1) and a shell's jobs do
async def test_what_runs_too_long_is_ended_with_all_its_children(child, impatient, leave) -> None:
    failed = await refusal(stubborn(child, "time.sleep(60)", leave), within=3.0)

    assert failed.reason is Reason.TIMEOUT
    assert gone(await begun(child))


async def test_it_is_asked_before_it_is_killed(child) -> None:
    text = f"""
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: (os.mkdir({str(child)!r}), os._exit(0)))
time.sleep(60)
"""

    failed = await refusal(text, within=3.0)

    assert failed.reason is Reason.TIMEOUT
    assert child.is_dir()


async def test_a_child_that_keeps_the_pipe_open_holds_nobody_up(child, impatient) -> None:
    text = stubborn(child, "print('here'); sys.stdout.flush(); os._exit(0)")

    ended = await asyncio.wait_for(run(text), 20)

    assert (ended.code, ended.out) == (0, b"here\n")
    assert gone(await begun(child))


@pytest.mark.parametrize("leave", ["pass", "os.setsid()"])
async def test_a_run_that_is_cut_off_leaves_no_process_behind(child, impatient, leave) -> None:
    task = asyncio.create_task(run(stubborn(child, "time.sleep(60)", leave)))
    number = await begun(child)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert gone(number)


CUT_OFF_TWICE = """
import asyncio, os, sys
from probekit.probes.command import program

async def main():
    argv = [sys.executable, "-c", {text!r}]
    task = asyncio.create_task(program.run(argv, variables={{}}, within=60, is_heard=True))
    while not os.path.exists({file!r}) or not os.path.getsize({file!r}):
        await asyncio.sleep(0.01)
    task.cancel()
    for _ in range(20):  # turns of the loop, until it waits for the program to end
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

asyncio.run(main())
"""


def test_a_process_that_ends_in_a_hurry_leaves_no_process_behind(child) -> None:
    text = CUT_OFF_TWICE.format(text=stubborn(child, "time.sleep(60)"), file=str(child))

    subprocess.run([sys.executable, "-c", text], check=True, timeout=60, stderr=subprocess.DEVNULL)

    assert gone(int(child.read_text()))


async def test_one_that_nothing_can_end_holds_nobody_up(monkeypatch, impatient) -> None:
    async def never(_process: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(program, "_exited", never)

    failed = await asyncio.wait_for(refusal("import time; time.sleep(60)", within=0.1), 20)

    assert failed.reason is Reason.TIMEOUT


async def test_one_that_we_may_not_end_is_let_be(monkeypatch, impatient) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    with monkeypatch.context() as sudo:
        sudo.setattr(os, "killpg", refused)
        failed = await refusal("import time; time.sleep(3)", within=0.1)

    assert failed.reason is Reason.TIMEOUT


async def test_a_process_of_another_session_is_let_be() -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(sleeper) as bystander:  # noqa: ASYNC220  # not what is tested
        await run("pass")

        assert bystander.poll() is None
        bystander.kill()


async def test_its_folder_is_empty_and_goes_with_it() -> None:
    ended = await run("import os; print(os.listdir(), os.getcwd()); open('kept', 'w').write('x')")
    files, folder = ended.out.decode().split()

    assert files == "[]"
    assert folder.startswith(tempfile.gettempdir())
    assert not os.access(folder, os.F_OK)


@pytest.mark.parametrize("missing", ["/nowhere/check", "no-such-program-here"])
async def test_a_program_that_is_not_there_is_our_own_error(missing) -> None:
    with pytest.raises(ProbeFailedError, match=f"{missing} cannot be started") as failed:
        await program.run([missing], variables={"PATH": os.defpath}, within=5, is_heard=True)

    assert failed.value.reason is Reason.MISSING_FILE


@pytest.mark.parametrize(("mode", "told"), [(0o600, "Permission denied"), (0o700, "Exec format error")])
async def test_a_file_that_is_no_program_is_our_own_error(tmp_path, mode, told) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "text").chmod(mode)

    with pytest.raises(ProbeFailedError, match=told) as failed:
        await program.run([str(tmp_path / "text")], variables={}, within=5, is_heard=True)

    assert failed.value.reason is Reason.MISSING_FILE


async def test_no_room_for_another_process_is_no_missing_program(monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", full)

    assert (await refusal("pass")).reason is Reason.OVERLOADED
