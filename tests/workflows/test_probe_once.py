"""One measurement of one probe: what it takes, what it shows, and what it leaves alone."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from probekit import cli
from probekit.cli import probe_report
from probekit.model.limit import parse_limit
from probekit.reports import View
from probekit.workflows.options import RequestError, RunOptions
from probekit.workflows.probe_once import LimitResult, MetricResult, probe_once

TEXT = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.services.health-endpoint", "deploy.performance.p95-latency"]
timeout = "2s"
block = "100ms"
{settings}
[env.prod.probes.health]
kind = "http"
path = "/health"
[env.prod.probes.api]
kind = "latency"
rate = 20
made_up_path = false
routes = [{{ path = "/api" }}]
[env.prod.probes.routes.shop]
kind = "routes"
routes = [{{ path = "/api" }}]
made_up_path = false
[env.prod.probes.routes.pay]
kind = "routes"
routes = [{{ path = "/pay" }}]
made_up_path = false
{tables}
"""
BODIES = {b"/health": b'{"status": "ok"}', b"/api": b"[]", b"/version": b'{"version": "2"}'}
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def probe(serve, http_reply, tmp_path):
    """Measure a probe of a target; the report and the paths that were asked."""

    async def probe(name, *, settings="", tables="", bodies=None, **more):
        asked, known = [], BODIES | (bodies or {})

        async def act(reader, writer):
            while True:
                path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
                asked.append(path)
                writer.write(http_reply(known[path]) if path in known else NOT_FOUND)
                await writer.drain()

        port, _ = await serve(act=act)
        (tmp_path / "probes.toml").write_text(TEXT.format(port=port, settings=settings, tables=tables))
        options = RunOptions(environment="prod", config=tmp_path / "probes.toml")
        return await probe_once(options, name, **more), asked

    return probe


def values(report, number=0):
    return {metric.name: metric.value for metric in report.results[number].metrics}


async def test_it_measures_once_without_settling_and_shows_every_metric_and_limit(probe) -> None:
    report, asked = await probe("health", settings='settle = "1h"')

    (result,) = report.results
    limits = {str(one.limit): one.kept for metric in result.metrics for one in metric.limits}
    assert asked.count(b"/health") == 1
    assert len(asked) == 3  # and two paths that cannot exist
    assert {"up", "status", "failed_assertions", "response_time", "total", "connect", "bytes"} <= values(report).keys()
    assert limits["up == 1"] is limits["status == 200"] is limits["failed_assertions == 0"] is True
    assert result.measurement.notes["content type"] == "application/json"
    assert report.is_good == (limits["response_time < 200 ms"] is True)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b'{"status": "down"}', "\nfailed_assertions == 0 is missed\n"),
        (b"<html>", "\nup, failed_assertions of health were not read\n"),
    ],
)
async def test_a_missed_limit_and_a_missing_reading_are_not_good(probe, body, wrong) -> None:
    report, _ = await probe("health", bodies={b"/health": body})

    assert not report.is_good
    assert wrong in probe_report.text(report)


async def test_all_instances_are_measured_or_the_one_that_is_named(probe) -> None:
    both, _ = await probe("routes")
    one, asked = await probe("routes.shop")

    assert [result.step.name for result in both.results] == ["routes.shop", "routes.pay"]
    assert [result.step.name for result in one.results] == ["routes.shop"]
    assert asked == [b"/api"]
    assert (both.is_good, one.is_good) == (False, True)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("healt", "no probe 'healt'; did you mean 'health'?"),
        ("routes.shp", "no probe 'routes.shp'; did you mean 'routes.shop'?"),
        ("database", "no probe 'database' is configured for 'prod'; probekit explain database"),
        ("deployment", "probekit verify --env prod --probe deployment"),
        ("health\x1b[31m", "did you mean 'health'?"),
    ],
)
async def test_what_cannot_be_measured_says_what_can(probe, name, message) -> None:
    with pytest.raises(RequestError) as error:
        await probe(name)

    assert message in str(error.value)


async def test_a_sampling_keeps_the_rate_of_a_run_within_a_short_window(probe) -> None:
    # A run would spread six requests over 0.6 s; a third of that window takes a third of them.
    report, asked = await probe("api", settings='window = "600ms"\nbudget = 6\n', window=0.2)

    assert asked == [b"/api"] * 2
    assert report.results[0].step.window == 0.2
    assert values(report)["error_rate"] == 0
    assert "a sample of 200 ms is too small to verify a limit" in probe_report.text(report)


async def test_what_is_not_allowed_is_not_done(probe) -> None:
    table = '[env.prod.probes.rate-limit]\nkind = "rate_limit"\npath = "/api"\nlimit = 3\nper = "1s"\n'

    report, asked = await probe("rate-limit", tables=table)

    reasons = {metric.name: metric.failure for metric in report.results[0].metrics}
    assert asked == [b"/api"]
    assert 'set allow = ["load"]' in reasons["tripped"].detail
    assert not report.is_good


async def test_a_target_s_words_are_redacted_and_escaped_and_fit_the_terminal(probe, monkeypatch) -> None:
    monkeypatch.setenv("PROBE_KEY", "planted-5ecret-value")
    connect = '[env.prod.connect]\nheaders = { "X-Key" = { env = "PROBE_KEY" } }\n'
    body = json.dumps({"status": "planted-5ecret-value \x1b[31m " + "down " * 40}).encode()
    assertion = 'assertions = [{ path = "$.status", equals = "ok" }]\n'
    tables = connect + '[env.prod.probes.infrastructure]\nkind = "infrastructure_health"\npath = "/parts"\n'
    parts = json.dumps({"status": "UP", "components": {"planted-5ecret-value\x1b[31m": {"status": "DOWN"}}}).encode()

    report, _ = await probe("infrastructure", tables=tables, bodies={b"/parts": parts, b"/health": body})

    everything = probe_report.text(report) + probe_report.document(report) + assertion
    assert "planted-5ecret" not in everything
    assert "\x1b" not in everything
    assert max(map(len, probe_report.text(report).splitlines())) <= 80


async def test_the_version_that_is_expected_is_known(probe) -> None:
    table = '[env.prod.probes.release]\nkind = "release"\npath = "/version"\nexpect = "3"\n'

    report, _ = await probe("release", tables=table)

    assert values(report) == {"other_versions": 1}
    assert report.results[0].measurement.version == "2"


@pytest.fixture
def bare(tmp_path, monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("health",), 10),
        (("nowhere",), 64),
        (("health", "--window", "0s"), 64),
        (("health", "--window", "1h"), 64),
        ((), 64),
    ],
)
def test_its_exit_code_says_what_it_found_and_nothing_is_recorded(tmp_path, capfd, words, code) -> None:
    (tmp_path / "probes.toml").write_text(TEXT.format(port=1, settings="", tables=""))

    assert cli.run(["probe", "--env", "prod", *words]) == code
    assert list((tmp_path / "home").rglob("*")) == []
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.usefixtures("bare")
def test_the_document_holds_what_the_text_says(tmp_path, capfd) -> None:
    (tmp_path / "probes.toml").write_text(TEXT.format(port=1, settings="", tables=""))

    assert cli.run(["probe", "health", "--env", "prod", "--json"]) == 10

    document = json.loads(capfd.readouterr().out)
    (measurement,) = document["measurements"]
    metrics = {metric["name"]: metric for metric in measurement["metrics"]}
    assert (document["schema"], document["good"]) == ("probekit.probe/1", False)
    assert metrics["up"]["value"] == 0
    assert metrics["up"]["limits"] == [{"item": "deploy.services.health-endpoint", "limit": "up == 1", "kept": False}]
    assert metrics["status"]["reason"] == "unreachable"


@pytest.mark.parametrize(
    ("kept", "colour", "shown"),
    [
        ((True, False, None), "1;31", "MISSED: response_time < 200 ms"),
        ((True, None, True), "33", "not verified: response_time < 200 ms"),
        ((True, True, True), "32", "met: response_time < 200 ms"),
    ],
)
async def test_a_metric_has_the_colour_of_its_gravest_limit_and_a_value_apart_from_its_limit(
    probe, monkeypatch, kept, colour, shown
) -> None:
    monkeypatch.setattr(probe_report, "view", lambda: View(colour=True, width=120))
    report, _ = await probe("health")
    (probed,) = report.results
    limits = [
        LimitResult(item="a.b.c", limit=parse_limit(f"response_time < {199 + n} ms"), kept=one)
        for n, one in enumerate(kept)
    ]
    metric = MetricResult(name="response_time", unit="ms", value=200.00004, failure=None, limits=tuple(limits))

    text = probe_report.text(replace(report, results=(replace(probed, metrics=(metric,)),)))

    (line,) = [line for line in text.splitlines() if "200.00004 ms" in line]
    assert shown in line
    assert f"\x1b[{colour}m" in line
