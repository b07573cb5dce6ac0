"""Our own trouble: whatever happens to a run, its code is right, and its report is whole or absent."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from probekit.reports.json import write

SCHEMA = json.loads(Path(write.__file__).with_name("report.schema.json").read_text("utf-8"))
CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.services.health-endpoint"]
timeout = "{timeout}"
settle = "0s"
spread = "0s"
attempt_interval = "0s"

[env.prod.probes.health]
kind = "http"
path = "/health"
"""
WORDS = (sys.executable, "-m", "probekit", "verify", "--env", "prod", "--report", "json=report.json")
CODES = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a configuration whose target refuses every connection."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "probes.toml").write_text(CONFIG.format(port=port, timeout="1s"))
    (tmp_path / "home").mkdir()
    return tmp_path


def surroundings(folder: Path, **env: str) -> dict:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROBEKIT_", "XDG_"))}
    return {"cwd": folder, "env": kept | {"HOME": str(folder / "home")} | env}


def run(folder: Path, *words: str, env=None, **wishes) -> subprocess.CompletedProcess:
    around = surroundings(folder, **(env or {}))
    return subprocess.run([*WORDS, *words], capture_output=True, text=True, timeout=60, check=False, **around, **wishes)


def is_whole_or_absent(folder: Path) -> bool:
    """Whether the report is one, or none is there, and nothing half-written lies about."""
    left = [path.name for path in folder.iterdir() if path.name.startswith(".") or path.name.endswith(".part")]
    assert left == []
    file = folder / "report.json"
    if file.exists():
        jsonschema.validate(json.loads(file.read_text("utf-8")), SCHEMA, cls=jsonschema.Draft202012Validator)
    return True


@pytest.mark.parametrize(
    "env",
    [{"LANG": "C", "LC_ALL": "C"}, {"TERM": ""}, {"TMPDIR": "/nowhere"}, {"PATH": ""}, {"HOME": "/nowhere/at/all"}],
    ids=str,
)
def test_a_bare_environment_changes_no_answer(folder, env) -> None:
    result = run(folder, env=env)

    assert result.returncode == 10
    assert "Traceback" not in result.stderr
    assert is_whole_or_absent(folder)


def test_a_full_disk_leaves_the_report_of_before_and_changes_no_answer(folder) -> None:
    (folder / "report.json").write_text("the one before")

    result = run(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))

    assert result.returncode == 10
    assert "report.json cannot be written" in result.stderr
    assert (folder / "report.json").read_text() == "the one before"
    assert [path.name for path in folder.iterdir() if path.name.endswith(".part")] == []


def test_a_device_that_is_full_changes_no_answer(folder) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            WORDS, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False, **surroundings(folder)
        )

    assert result.returncode == 10
    assert "cannot be written to stdout" in result.stderr
    assert is_whole_or_absent(folder)


def test_few_open_files_are_our_own_trouble(folder) -> None:
    result = run(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24)))

    assert result.returncode in (10, 70)
    assert "Traceback" not in result.stderr
    assert is_whole_or_absent(folder)


@pytest.fixture
def slow(folder) -> Iterator[Path]:
    """The folder, with a target that takes its time before it hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        (folder / "probes.toml").write_text(CONFIG.format(port=server.getsockname()[1], timeout="100ms"))
        held: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield folder
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in held:
            connection.close()


def struck(folder: Path, number: signal.Signals, after: float) -> None:
    """Send a signal so long after the start; whatever was going on, all is as it should be."""
    process = subprocess.Popen(WORDS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **surroundings(folder))
    try:
        out, err = process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    ended_before_it_began = (-number, 130 if number == signal.SIGINT else -number)  # Python itself was starting
    if "Could not import runpy module" in err:  # as does Python where it cannot even find the program
        return
    assert process.returncode in (CODES[number], 10, *ended_before_it_began), err
    assert is_whole_or_absent(folder)
    if process.returncode == CODES[number] and out:
        assert out.splitlines()[-1].endswith(f"exit code {CODES[number]}")
    (folder / "report.json").unlink(missing_ok=True)


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_a_signal_at_any_moment_leaves_a_whole_report_or_none_and_a_free_lock(slow, number) -> None:
    rng = random.Random(number)
    for _ in range(5):
        struck(slow, number, after=rng.uniform(0.05, 1.2))

    assert run(slow, "--item", "deploy.services").returncode == 10


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_a_hundred_signals(slow, number) -> None:
    rng = random.Random(1000 + number)
    for _ in range(100):
        struck(slow, number, after=rng.uniform(0.05, 2.5))
