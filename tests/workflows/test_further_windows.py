"""A run whose sampling goes on while it is undecided: its report tells it, and is judged again as it was."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from probekit.model.history import Deployment, History
from probekit.model.measurement import InstanceKey
from probekit.model.verdict import Outcome
from probekit.reports.json import FORMAT as JSON
from probekit.workflows.options import RunOptions
from probekit.workflows.rejudge import rejudge
from probekit.workflows.verify import execute_run

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
API = InstanceKey("api", "")
TEXT = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.performance.error-rate", "deploy.performance.p95-latency"]
settle = "0s"
block = "0.05s"
window = "0.3s"
budget = {budget}
throttle = {{ requests = 1000, per = "1s" }}
not_applicable = {{ "deploy.performance.p95-latency" = "the smallest window is enough for this test" }}
[env.prod.limits]
"deploy.performance.error-rate" = {{ expect = ["error_rate < 5 %"], reason = "45 requests" }}
[env.prod.probes.release]
kind = "release"
path = "/version"
expect = "2"
[env.prod.probes.api]
kind = "latency"
rate = 150
made_up_path = false
routes = [{{ path = "/" }}]
"""


async def shop(reader, writer):
    """Answer with the version on a connection that stays open."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            body = b'{"version": "2"}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n" + body)
            await writer.drain()


@pytest.fixture
def verified(serve, tmp_path):
    """The report of a run with so much of a budget, and its configuration."""

    async def verified(budget):
        port, _ = await serve(act=shop)
        config = tmp_path / "probes.toml"
        config.write_text(TEXT.format(port=port, budget=budget))
        deployment = Deployment(release="2", started=LONG_AGO, finished=LONG_AGO)
        options = RunOptions(environment="prod", config=config, history=History(deployment=deployment), settle=False)
        return await execute_run(options), config

    return verified


@pytest.mark.parametrize(
    ("budget", "windows", "outcome"),
    [
        (89, 1, Outcome.INCONCLUSIVE),  # 45 a window, and 59 are needed
        (90, 1, Outcome.INCONCLUSIVE),  # two windows could not prove it either: 104 are needed then
        (135, 3, Outcome.PASS),
    ],
)
async def test_a_sampling_goes_on_within_its_budget(verified, budget, windows, outcome) -> None:
    report, _ = await verified(budget)
    (attempt,) = report.attempts[API]
    verdict = report.verdicts[0]

    assert 1 + len(attempt.rechecks) == windows
    assert verdict.outcome is outcome
    assert len(report.evidence[API].values["error_rate"].sample.failures) == 6 * windows


async def test_all_windows_are_reported_and_judged_again_alike(verified) -> None:
    report, config = await verified(135)

    again = rejudge(json.loads(JSON.text(report)), config)

    verdict = report.verdicts[0]
    assert verdict.because.startswith("error rate 0 % (3 windows: 0 of 135 failed, between 0 and 3.8 %)")
    assert [(one.outcome, one.because) for one in again.verdicts] == [
        (one.outcome, one.because) for one in report.verdicts
    ]
