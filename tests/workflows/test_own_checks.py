"""Checks of the user's own in a whole run: they decide by their severity, outside the account of the checklist."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from probekit.model.history import Deployment, History
from probekit.model.verdict import Action, Outcome
from probekit.planning.selection import Selection
from probekit.reports import console
from probekit.reports.json.write import render
from probekit.workflows.options import RunOptions
from probekit.workflows.verify import execute_run

TEXT = """
{top}
[env.prod]
base_url = "http://127.0.0.1:{port}"
{scope}
control = ["http://127.0.0.1:{control}/"]
timeout = "2s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
[env.prod.probes.health]
kind = "http"
path = "/health"
[env.prod.probes.checkout-api]
kind = "http"
path = "/checkout"
{keys}
"""
SCOPE = 'scope = ["deploy.services.health-endpoint"]'


@pytest.fixture
async def verified(tmp_path, serve, http_reply):
    """The report on a target whose checkout answers with that status, by a check with these keys."""

    async def of(status: str, keys: str = "", *, scope: str = SCOPE, top: str = "", selection: Selection | None = None):
        async def shop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            known = {b"/health": http_reply(), b"/checkout": http_reply(status=status)}
            writer.write(known.get(head.split()[1], http_reply(b"", status="404 No")))
            await writer.drain()

        (port, _), (control, _) = await serve(act=shop), await serve(http_reply())
        file = tmp_path / "probes.toml"
        file.write_text(TEXT.format(port=port, control=control, keys=keys, scope=scope, top=top))
        deployment = Deployment(release="1", started=datetime.now(UTC), finished=datetime.now(UTC))
        options = RunOptions(
            environment="prod",
            config=file,
            selection=selection or Selection(),
            history=History(deployment=deployment),
        )
        return await execute_run(options)

    return of


@pytest.mark.parametrize(
    ("status", "keys", "action", "outcome"),
    [
        ("200 OK", "", Action.GO, Outcome.PASS),
        ("503 No", "", Action.INVESTIGATE, Outcome.FAIL),
        ("503 No", 'severity = "critical"', Action.INVESTIGATE, Outcome.FAIL),
        ("503 No", 'severity = "critical"\nrollback = true', Action.ROLLBACK, Outcome.FAIL),
        ("503 No", "rollback = true", Action.INVESTIGATE, Outcome.FAIL),  # high: at its deadline
        ("503 No", 'severity = "low"', Action.GO, Outcome.FAIL),
        ("503 No", 'expect = ["status == 503"]', Action.INVESTIGATE, Outcome.INCONCLUSIVE),  # its body was not read
    ],
)
async def test_a_check_counts_in_the_decision_by_its_severity(verified, status, keys, action, outcome) -> None:
    report = await verified(status, keys)

    assert report.decision.action is action, report.decision.because
    assert {one.item.probe: one.outcome for one in report.own_checks} == {"checkout-api": outcome}
    if 'severity = "critical"' in keys:
        assert f"rollback = {'true' if 'rollback' in keys else 'false'}" in report.decision.because[0]


async def test_it_stands_outside_the_account_and_under_its_own_title(verified) -> None:
    report = await verified("503 No")

    document = json.loads(render(report))
    text = console.render(report)
    assert report.account == document["account"]
    assert (report.account["items"], report.account["pass"], report.account["fail"]) == (203, 1, 0)
    assert [(one["item"], one["own"]) for one in document["verdicts"]] == [
        ("deploy.services.health-endpoint", False),
        ("own.checks.checkout-api", True),
    ]
    assert "own checks: 1\n  checkout-api  fail\n" in text
    assert "203 items = 1 pass + 202 out of scope" in text


async def test_without_a_checklist_own_checks_alone_decide(verified) -> None:
    report = await verified("200 OK", scope="", top='checklist = "none"')

    assert report.decision.action is Action.GO
    assert [one.item.probe for one in report.own_checks] == ["health", "checkout-api"]
    assert " items = " not in console.render(report)
    assert "own checks only" in console.render(report)


async def test_a_run_can_be_narrowed_to_them(verified) -> None:
    for selection in (Selection(sections=("own.checks",)), Selection(probes=("checkout-api",))):
        report = await verified("200 OK", selection=selection)
        assert (report.decision.action, len(report.verdicts)) == (Action.PARTIAL, 1)
