from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from probekit.demo.errors import DemoError
from probekit.demo.launcher import Launcher, launching

STUBBORN = (
    "import signal; [signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGINT)];"
    "print('ready', flush=True); signal.pause()"
)
COMMAND = """
import signal
from probekit.demo.launcher import launching
with launching() as launcher:
    print(launcher.start("sleeper", ["sleep", "60"]).pid, launcher.pid, launcher.folder, flush=True)
    signal.pause()
"""
IsGone = Callable[[int], bool]
Until = Callable[..., None]


def test_all_is_gone_when_the_block_ends(is_gone: IsGone) -> None:
    with launching() as launcher:
        server = launcher.start("sleeper", ["sleep", "60"])
        folder = launcher.make_folder("probekit-test-")
        (folder / "file").write_text("content")

    assert is_gone(server.pid)
    assert not folder.exists()
    assert not launcher.folder.exists()


def test_one_that_ignores_its_farewell_is_killed(is_gone: IsGone) -> None:
    with launching() as launcher:
        server = launcher.start("stubborn", [sys.executable, "-c", STUBBORN])
        launcher.wait_ready(server, lambda: server.log.read_text() == "ready\n")

    assert is_gone(server.pid)


def test_what_a_server_started_itself_is_gone_too(is_gone: IsGone) -> None:
    with launching() as launcher:
        server = launcher.start("family", ["sh", "-c", "sleep 60 & echo $!; wait"])
        launcher.wait_ready(server, lambda: server.log.read_text().endswith("\n"))
        child = int(server.log.read_text())

    assert is_gone(child)


def test_one_server_can_be_stopped_alone(launcher: Launcher, is_gone: IsGone) -> None:
    first, second = (launcher.start(name, ["sleep", "60"]) for name in ("first", "second"))

    launcher.stop(first)

    assert is_gone(first.pid)
    assert launcher.exit_code(first) == -signal.SIGTERM
    assert launcher.exit_code(second) is None


def test_the_end_of_the_keeper_by_sigterm_ends_everything(is_gone: IsGone, until: Until) -> None:
    with launching() as launcher:
        server = launcher.start("sleeper", ["sleep", "60"])

        os.kill(launcher.pid, signal.SIGTERM)

        until(lambda: is_gone(server.pid))
        with pytest.raises(DemoError, match="the process that runs the servers"):
            launcher.exit_code(server)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_command_ends_everything(number: signal.Signals, is_gone: IsGone, until: Until) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as command:
        *pids, folder = command.stdout.readline().split() if command.stdout else [""]

        command.send_signal(number)

        until(lambda: all(is_gone(int(pid)) for pid in pids))
    assert len(pids) == 2
    assert not Path(folder).exists()


def test_a_program_that_is_not_there_is_named(launcher: Launcher, tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"cannot start nothing: .*No such file or directory: .*nothing"):
        launcher.start("nothing", [tmp_path / "nothing"])


def test_one_that_is_never_ready_shows_the_end_of_its_log(launcher: Launcher) -> None:
    server = launcher.start("slow", ["sh", "-c", "seq 20; exec sleep 60"])
    launcher.wait_ready(server, lambda: "20" in server.log.read_text())

    with pytest.raises(DemoError, match=r"slow was not ready within 0.05 s:\n9\n10\n(.|\n)*20$"):
        launcher.wait_ready(server, lambda: False, within=0.05)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("echo broken; exit 3", "failed with code 3:\nbroken"),
        ("exec sleep 60", "did not end within 0.2 s; its log is empty"),
    ],
)
def test_one_that_should_be_done_and_is_not(launcher: Launcher, command: str, message: str) -> None:
    task = launcher.start(command.partition(" ")[0], ["sh", "-c", command])

    with pytest.raises(DemoError, match=f"{task.name} {message}"):
        launcher.wait_done(task, within=0.2)
