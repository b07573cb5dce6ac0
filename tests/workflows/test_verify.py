"""The flow as a library: one call, one report."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import probekit
from probekit.model.history import Deployment, FailureKey, History
from probekit.model.record import Identity
from probekit.model.verdict import Action, Outcome, Stage
from probekit.planning.selection import Selection
from probekit.transport.client import Http
from probekit.workflows.options import RequestError, RunOptions
from probekit.workflows.verify import execute_run

HEALTH = "deploy.services.health-endpoint"
TEXT = """
[env.prod]
base_url = "http://127.0.0.1:9"
scope = ["deploy.services.health-endpoint"]
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
[env.prod.probes.health]
kind = "http"
path = "/health"
"""


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "probes.toml"
    file.write_text(TEXT)
    return file


def test_verify_returns_the_report(config) -> None:
    report = probekit.verify("prod", config=config)

    assert report.decision.action is Action.INVESTIGATE
    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.FAIL]
    assert report.exit_code == 10


def test_an_unknown_environment_is_refused(config) -> None:
    with pytest.raises(RequestError, match="no environment 'stage'"):
        probekit.verify("stage", config=config)


def test_from_python_the_earlier_runs_of_a_deployment_are_not_known(config) -> None:
    """No state file is read, so that no gate is on record proves nothing."""
    config.write_text(TEXT.replace("services.health-endpoint", "preflight.pre-deployment-gate"))

    (verdict,) = probekit.verify("prod", config=config, deployed=datetime.now(UTC), release="2.3.1").verdicts

    assert (verdict.outcome, "reads no state file" in verdict.because) == (Outcome.INCONCLUSIVE, True)


def test_a_phase_and_facts_are_selected_from_python_too(config) -> None:
    upload = "deploy.smoke.upload-roundtrip"
    config.write_text(TEXT.replace('endpoint"]', f'endpoint", "{upload}", "pre.schema"]'))

    report = probekit.verify(config=config, selection=Selection(phase="deploy"), facts={"accepts-uploads": False})

    assert (report.run.phase, report.run.facts) == ("deploy", {"accepts-uploads": False})
    outcomes = {verdict.item.id: verdict.outcome for verdict in report.verdicts}
    assert outcomes == {HEALTH: Outcome.FAIL, upload: Outcome.NOT_APPLICABLE}
    assert report.situation.in_scope == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"selection": Selection(phase="depoly")}, "no phase 'depoly'; did you mean 'deploy'"),
        ({"selection": Selection(phase="rollback")}, "no rollback is on record"),
        ({"facts": {"accepts-upload": False}}, "no fact 'accepts-upload'; did you mean 'accepts-uploads'"),
    ],
)
def test_an_unknown_phase_or_fact_is_refused(config, options, told) -> None:
    with pytest.raises(RequestError, match=told):
        probekit.verify("prod", config=config, **options)


def test_a_deployment_in_the_future_is_refused(config) -> None:
    with pytest.raises(RequestError, match="lies in the future by this machine's clock"):
        probekit.verify("prod", config=config, deployed=datetime.now(UTC) + timedelta(minutes=2))


def test_a_fixed_address_that_no_probe_goes_to_is_told(config) -> None:
    fixed = 'resolve = { "127.0.0.1:9" = "127.0.0.1", "aap.example.com:443" = "192.0.2.7" }'
    config.write_text(f"{TEXT}[env.prod.connect]\n{fixed}\n")

    notes = [note for note in probekit.verify("prod", config=config).run.notes if "connect.resolve" in note]

    assert len(notes) == 1
    assert "'aap.example.com:443'" in notes[0]
    assert "so 192.0.2.7 was not used" in notes[0]


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, probekit; print([name for name in ('httpx', 'pydantic', 'structlog') if name in sys.modules])"

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"


PROGRAM = """
[env.prod]
base_url = "http://127.0.0.1:9"
scope = ["pre.review.no-critical-vulnerabilities"]
[env.prod.probes.vulnerabilities]
kind = "command"
argv = ["{python}", "{file}"]
metrics = {{ critical = "$.critical" }}
"""
BEGAN = datetime(2026, 11, 23, 10, tzinfo=UTC)


async def test_a_program_is_told_what_the_run_is_about(tmp_path) -> None:
    seen, program = tmp_path / "seen.json", tmp_path / "program.py"
    program.write_text(f"import json, os; json.dump(dict(os.environ), open({str(seen)!r}, 'w')); print('{{}}')")
    (tmp_path / "probes.toml").write_text(PROGRAM.format(python=sys.executable, file=program))
    known = History(
        deployment=Deployment(release="2.3.1", started=BEGAN, finished=BEGAN), previous=Identity(release="2.3.0")
    )

    await execute_run(RunOptions(environment="prod", config=tmp_path / "probes.toml", history=known, settle=False))

    facts = {name: value for name, value in json.loads(seen.read_text()).items() if name.startswith("PROBEKIT_")}
    assert facts == {
        "PROBEKIT_ENVIRONMENT": "prod",
        "PROBEKIT_STAGE": "after",
        "PROBEKIT_RELEASE": "2.3.1",
        "PROBEKIT_PREVIOUS": "2.3.0",
        "PROBEKIT_DEPLOYED": "2026-11-23T10:00:00+00:00",
    }


@pytest.mark.parametrize("reached", [False, True])
def test_the_report_says_whether_the_target_itself_was_reached(config, monkeypatch, reached) -> None:
    monkeypatch.setattr(Http, "__init__", _with(Http.__init__, reached=reached))

    assert probekit.verify("prod", config=config).situation.reached is reached


def _with(init, **fields):
    def changed(self, *arguments, **more):
        init(self, *arguments, **more | fields)

    return changed


async def test_a_target_that_moved_is_a_note_of_the_run(serve, http_reply, tmp_path) -> None:
    port, _ = await serve(act=_counted(http_reply))
    (tmp_path / "probes.toml").write_text(SCRAPED.format(port=port))
    asked = RunOptions(environment="prod", config=tmp_path / "probes.toml", settle=False)
    deployment = Deployment(release="2", started=BEGAN, finished=BEGAN)
    first = await execute_run(replace(asked, history=History(deployment=deployment)))
    moved = {source: replace(one, addresses=("192.0.2.1:1",)) for source, one in first.evidence.items()}

    notes = [
        [
            note
            for note in (await execute_run(replace(asked, history=history))).run.notes
            if "which are other addresses" in note
        ]
        for history in (History(deployment=deployment, evidence=known) for known in (first.evidence, moved))
    ]

    assert notes[0] == []
    (note,) = notes[1]
    assert note.startswith(
        f"api was measured at 127.0.0.1:{port}; the earlier windows of this release were measured at "
    )


SCRAPED = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.performance.error-rate"]
settle = "0s"
block = "0.05s"
window = "0.3s"
throttle = {{ requests = 1000, per = "1s" }}
[env.prod.probes.release]
kind = "release"
path = "/version"
expect = "2"
[env.prod.probes.api]
kind = "scrape"
path = "/metrics"
requests = "requests_total"
"""


def _counted(http_reply):
    """A server that tells its version, and counts twenty more requests with each scrape."""
    count = 0

    async def answer(reader, writer):
        nonlocal count
        head = await reader.readuntil(b"\r\n\r\n")
        count += 20
        metrics = f'# TYPE requests_total counter\nrequests_total{{status="200"}} {count}\n'.encode()
        writer.write(http_reply(b'{"version": "2"}' if b"/version" in head else metrics))
        await writer.drain()
        writer.close()

    return answer


BUSY = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.services.infrastructure-health", "deploy.smoke.core-endpoints"]
settle = "0s"
spread = "0s"
throttle = {{ requests = 1000, per = "1s" }}
{more}
[env.prod.probes.infrastructure]
kind = "infrastructure_health"
path = "/parts"
made_up_path = false
[env.prod.probes.routes]
kind = "routes"
made_up_path = false
routes = [{{ path = "/a" }}, {{ path = "/b" }}, {{ path = "/c" }}, {{ path = "/d" }}]
"""


@pytest.mark.parametrize(("more", "is_bounded"), [("", True), ('allow = ["load"]', False)])
async def test_a_run_has_four_requests_in_flight_unless_load_is_allowed(
    serve, http_reply, tmp_path, more, is_bounded
) -> None:
    now, most = 0, 0

    async def slow(reader, writer):
        nonlocal now, most
        await reader.readuntil(b"\r\n\r\n")
        now += 1
        most = max(most, now)
        for _ in range(50):
            await asyncio.sleep(0)
        now -= 1
        writer.write(http_reply(b'{"status": "ok", "components": {"db": "ok"}}'))
        await writer.drain()
        writer.close()

    port, _ = await serve(act=slow)
    (tmp_path / "probes.toml").write_text(BUSY.format(port=port, more=more))

    report = await execute_run(RunOptions(environment="prod", config=tmp_path / "probes.toml", settle=False))

    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.PASS] * 2
    assert most == 4 if is_bounded else most > 4


BROKEN = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.services.health-endpoint", "deploy.performance.error-rate"]
control = ["http://127.0.0.1:{control}/"]
settle = "0s"
spread = "0s"
attempt_interval = "0s"
block = "0.05s"
window = "0.3s"
throttle = {{ requests = 1000, per = "1s" }}
[env.prod.probes.health]
kind = "http"
path = "/health"
[env.prod.probes.api]
kind = "latency"
rate = 100
routes = [{{ path = "/orders" }}]
"""


@pytest.mark.parametrize(
    ("stage", "deployed", "measure_all", "action", "is_measured"),
    [
        (Stage.AFTER, True, False, Action.ROLLBACK, False),
        (Stage.AFTER, True, True, Action.ROLLBACK, True),
        (Stage.AFTER, False, False, Action.INVESTIGATE, True),
        (Stage.BEFORE, False, False, Action.NO_GO, False),
    ],
)
async def test_no_window_begins_once_a_confirmed_failure_has_fixed_the_decision(
    serve, http_reply, tmp_path, stage, deployed, measure_all, action, is_measured
) -> None:
    answers = {"/health": http_reply(b'{"status": "down"}', "503 Down"), "/orders": http_reply(b'{"rows": []}')}

    async def act(reader, writer):
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        writer.write(answers.get(path, http_reply(b"", "404 Not Found")))
        await writer.drain()
        writer.close()

    (port, peer), (control, _) = await serve(act=act), await serve(http_reply())
    (tmp_path / "probes.toml").write_text(BROKEN.format(port=port, control=control))
    now = datetime.now(UTC)
    history = History(deployment=Deployment(release="2", started=now, finished=now) if deployed else None, known=True)
    asked = RunOptions(environment="prod", config=tmp_path / "probes.toml", stage=stage)
    options = replace(asked, history=history, measure_all=measure_all)

    report = await execute_run(options)

    health, errors = report.verdicts
    assert health.outcome is Outcome.FAIL
    assert report.decision.action is action
    assert ("not_measured: decision fixed" in errors.because) is not is_measured
    assert errors.outcome is Outcome.INCONCLUSIVE
    assert report.situation.complete
    assert report.since.keys() == {FailureKey(health.item.id, health.severity, health.claim)}
    assert (peer.connections < 20) is not is_measured
    assert any("--all measures everything" in note for note in report.run.notes) is not is_measured


HANGING = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.services.health-endpoint", "deploy.smoke.core-endpoints"]
timeout = "0.2s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
throttle = {{ requests = 1000, per = "1s" }}
[env.prod.probes.health]
kind = "http"
path = "/health"
[env.prod.probes.routes]
kind = "routes"
routes = [{{ path = "/a" }}, {{ path = "/b" }}]
"""


async def test_a_server_of_four_workers_that_hangs_on_one_route_keeps_its_others(serve, http_reply, tmp_path) -> None:
    workers, hung, over = asyncio.Semaphore(4), 0, asyncio.Event()

    async def act(reader, writer):
        nonlocal hung
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        async with workers:
            if path == b"/health":
                hung += 1
                await over.wait()  # the worker never comes back
            writer.write(http_reply(b'{"rows": []}') if path in (b"/a", b"/b") else http_reply(b"", "404 Not Found"))
            await writer.drain()
        writer.close()

    port, _ = await serve(act=act)
    (tmp_path / "probes.toml").write_text(HANGING.format(port=port))

    report = await execute_run(RunOptions(environment="prod", config=tmp_path / "probes.toml", settle=False))
    over.set()

    outcomes = {verdict.item.id: verdict.outcome for verdict in report.verdicts}
    assert outcomes["deploy.services.health-endpoint"] is Outcome.FAIL
    assert outcomes["deploy.smoke.core-endpoints"] is Outcome.PASS
    assert hung == 3


async def test_an_address_that_does_not_count_is_a_note_of_the_run(serve, http_reply, tmp_path, monkeypatch) -> None:
    port, _ = await serve(http_reply())
    found = [(family, socket.SOCK_STREAM, 6, "", (ip, port)) for family, ip in FAMILIES]
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **named: found if host == "both.test" else real(host, *more, **named)
    )
    text = TEXT.replace("http://127.0.0.1:9", f"http://both.test:{port}") + "made_up_path = false\n"
    (tmp_path / "probes.toml").write_text(text)

    report = await execute_run(RunOptions(environment="prod", config=tmp_path / "probes.toml"))

    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.PASS]
    assert f"[2001:db8::1]:{port} did not count: IPv6 not tested from here" in report.run.notes


FAMILIES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "2001:db8::1"))  # the second is for documents: RFC 3849
