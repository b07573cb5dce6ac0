"""The interface for Python: both functions take the same, and the page's three uses run as they stand there."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import probekit
from probekit.workflows.python import run_options

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text("utf-8")
CONFIG = """
[env.staging]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.services.health-endpoint"]
timeout = "5s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
throttle = {{ requests = 1000, per = "1s" }}

[env.staging.probes.health]
kind = "http"
path = "/health"
"""


class Target(ThreadingHTTPServer):
    """A server whose health is as it is set."""

    daemon_threads = True
    request_queue_size = 64
    status = "ok"
    requests = 0


class Handler(BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        self.server.requests += 1
        is_health = self.path == "/health"
        body = json.dumps({"status": self.server.status}).encode() if is_health else b"{}"
        self.send_response(200 if is_health else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def target(tmp_path, monkeypatch) -> Iterator[Target]:
    """A target, and in this folder the configuration of its environment `staging`."""
    with Target(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        (tmp_path / "probes.toml").write_text(CONFIG.format(port=server.server_port))
        monkeypatch.chdir(tmp_path)
        yield server
        server.shutdown()
        thread.join()


def block(containing: str) -> str:
    """The one block of the page with these words."""
    (found,) = [text for text in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if containing in text]
    return found


def run_file(text: str, *words: str) -> subprocess.CompletedProcess[str]:
    Path("test_page.py").write_text(text)
    command = [sys.executable, *words, "test_page.py"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("status", "code", "told"), [("ok", 0, "1 passed"), ("DOWN", 1, "deploy.services.health")])
def test_the_page_s_test_passes_or_fails_with_the_report_s_reasons(target, status, code, told) -> None:
    target.status = status

    result = run_file(block("def test_staging"), "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert result.returncode == code, result.stdout
    assert told in result.stdout


def test_the_page_s_cell_runs_in_a_loop(target) -> None:
    cell = block("await probekit.averify")
    *lines, last = cell.rstrip().splitlines()
    body = "\n".join(f"    {line}" for line in [*lines, f"print({last})"])

    result = run_file(f"import asyncio\nasync def cell():\n{body}\nasyncio.run(cell())\n")

    assert result.stdout.startswith("[('deploy.services.health-endpoint', 'pass', '"), result.stderr


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [("ok", 0, ""), ("DOWN", 10, "deploy.services.health-endpoint (critical) failed"), (None, 78, "not verified: ")],
)
def test_the_page_s_script_exits_with_the_decision(target, status, code, told) -> None:
    target.status = status
    if status is None:
        Path("probes.toml").write_text("[env.")

    result = run_file(block("sys.exit(report.exit_code)"))

    assert (result.returncode, result.stdout) == (code, ""), result.stderr
    assert told in result.stderr


async def test_verify_in_a_running_loop_says_what_to_use_and_sends_nothing(target) -> None:
    with pytest.raises(RuntimeError, match=r"use await probekit\.averify\(\.\.\.\)"):
        probekit.verify("staging")

    assert target.requests == 0
    report = await probekit.averify("staging")
    assert (report.decision.action, target.requests > 0) == (probekit.Action.GO, True)


def test_both_take_the_same_and_say_what_each_option_is() -> None:
    functions = (run_options, probekit.verify, probekit.averify)
    taken = [dict(inspect.signature(one, eval_str=True).parameters) for one in functions]
    documented = re.findall(r"^    (\w+): ", inspect.getdoc(probekit.verify) or "", re.MULTILINE)

    assert taken[0] == taken[1] == taken[2]
    assert set(taken[0]) <= set(documented)
    assert all(f"`{name}`" in PAGE for name in taken[0])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"url": "http://127.0.0.1:1/", "environment": "staging"}, "give one of them"),
        ({"ca": "ca.pem"}, "ca and headers work with url only"),
        ({"headers": {"X-Key": "KEY"}}, "ca and headers work with url only"),
        ({"stage": "later"}, "unknown stage 'later'; known stages: before, after, rolled-back"),
        ({"deployed": datetime(2026, 11, 23, 10)}, "has no time zone"),  # noqa: DTZ001  # what is refused
        ({"wait_release": -1.0}, "wait_release is -1.0; expected a number of seconds from 0"),
        ({"wait_release": float("nan")}, "wait_release is nan; expected a number of seconds from 0"),
        ({"wait_release": float("inf")}, "wait_release is inf; expected a number of seconds from 0"),
        ({"environment": "stagin"}, "did you mean 'staging'?"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_sent(target, options, told) -> None:
    with pytest.raises(probekit.RequestError, match=re.escape(told)):
        probekit.verify(**options)

    assert target.requests == 0


def test_an_unknown_option_is_a_type_error() -> None:
    options: dict[str, Any] = {"colour": "red"}

    with pytest.raises(TypeError, match="'colour'"):
        asyncio.run(probekit.averify(**options))


def test_headers_of_a_url_come_from_variables(target) -> None:
    with pytest.raises(probekit.RequestError, match="variable NOT_SET_HERE is not set; export it, or write it into"):
        probekit.verify(url=f"http://127.0.0.1:{target.server_port}/health", headers={"X-Key": "NOT_SET_HERE"})


@pytest.mark.parametrize("name", probekit.__all__)
def test_every_name_of_the_interface_is_there(name) -> None:
    assert getattr(probekit, name) is not None
