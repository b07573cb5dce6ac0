"""Runs as cron makes them, with a clock that enters: a failure is investigated until its deadline, and then decided."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from probekit.engine.context import Clock
from probekit.model.history import Deployment, History, TargetKey
from probekit.model.verdict import Action
from probekit.reports.json import write
from probekit.reports.json.read import history_of
from probekit.workflows.options import RunOptions
from probekit.workflows.verify import execute_run

CONFIG = """
[env.prod]
base_url = "{url}"
scope = ["deploy.performance.p95-latency"]
control = ["{control}"]
settle = "0s"
block = "0.05s"
window = "0.3s"
throttle = {{ requests = 1000, per = "1s" }}

[env.prod.probes.api]
kind = "scrape"
path = "/metrics"
duration = "took_seconds"
"""
EDGES = ("0.5", "2.0", "4.0", "+Inf")


class Target(ThreadingHTTPServer):
    """A server that counts its requests and is as slow as its `bucket` says."""

    count = 0
    bucket = 0


class Counting(BaseHTTPRequestHandler):
    """Twenty more requests with each scrape, each as slow as the server's `bucket` says."""

    server: Target

    def do_GET(self) -> None:
        self.server.count += 20
        counts = [self.server.count if at >= self.server.bucket else 0 for at in range(len(EDGES))]
        lines = [f'took_seconds_bucket{{le="{edge}"}} {count}' for edge, count in zip(EDGES, counts, strict=True)]
        text = "\n".join(["# TYPE took_seconds histogram", *lines, f"took_seconds_count {self.server.count}", ""])
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Target]:
    server = Target(("127.0.0.1", 0), Counting)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def target() -> Iterator[Target]:
    with serving() as server:
        yield server


@pytest.fixture
def control() -> Iterator[str]:
    with serving() as server:
        yield f"http://127.0.0.1:{server.server_port}/"


@pytest.fixture
def cron(target, control, tmp_path):
    """A function that makes a run so many minutes after the first one, knowing the one before it; its decision."""
    url = f"http://127.0.0.1:{target.server_port}"
    place = TargetKey(environment="prod", base_url=url)
    (tmp_path / "probes.toml").write_text(CONFIG.format(url=url, control=control))
    began = datetime.now(UTC)
    known = History(deployment=Deployment(release="2", started=began - timedelta(minutes=2), finished=began))

    async def cron(minutes):
        nonlocal known
        clock = Clock(now=lambda: datetime.now(UTC) + timedelta(minutes=minutes))
        request = RunOptions(environment="prod", config=tmp_path / "probes.toml", history=known)
        report = await execute_run(request, clock=clock)
        document = json.loads(write.render(report))
        known = replace(history_of(document, place, clock.now()), deployment=known.deployment)
        return report.decision.action, report.decision.minutes

    return cron


async def test_a_grave_slow_down_is_investigated_until_its_deadline_and_then_rolled_back(target, cron) -> None:
    target.bucket = 3  # slower than 4 s

    seen = [await cron(minutes) for minutes in (0, 5, 9, 11)]

    assert [action for action, _ in seen] == [Action.INVESTIGATE] * 3 + [Action.ROLLBACK]
    assert [round(minutes) for _, minutes in seen] == [10, 5, 1, 0]


async def test_one_that_is_not_so_grave_calls_somebody_instead(target, cron) -> None:
    target.bucket = 2  # between 2 and 4 s

    seen = [await cron(minutes) for minutes in (0, 11)]

    assert [action for action, _ in seen] == [Action.INVESTIGATE] * 2
    assert round(seen[-1][1]) == 0


async def test_a_pass_in_between_starts_the_clock_anew(target, cron) -> None:
    target.bucket = 3
    await cron(0)
    target.bucket = 0
    assert (await cron(5))[0] is Action.GO
    target.bucket = 3

    action, minutes = await cron(11)

    assert (action, round(minutes)) == (Action.INVESTIGATE, 10)


async def test_a_window_in_between_that_refutes_the_band_starts_the_clock_anew(target, cron) -> None:
    target.bucket = 3
    await cron(0)
    target.bucket = 1  # between 0.5 and 2 s: too slow for a pass, and not gravely
    assert (await cron(5))[0] is Action.INVESTIGATE
    target.bucket = 3

    action, minutes = await cron(11)

    assert (action, round(minutes)) == (Action.INVESTIGATE, 10)
