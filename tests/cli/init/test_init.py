"""`probekit init`: what a running system shows becomes a probes.toml that plan takes."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from probekit import checklist, cli
from probekit.config.loader import load
from probekit.planning.coverage import kinds_for_item
from probekit.workflows.discover import MOST_REQUESTS

SPRING = {"status": "UP", "components": {"db": {"status": "UP"}, "redis": {"status": "UP"}}}
PAGES = {
    "/": (200, "text/html", "<html>shop</html>"),
    "/healthz": (200, "application/json", '{"state": "fine", "status": "ok"}'),
    "/actuator/health": (200, "application/json", json.dumps(SPRING)),
    "/api/version": (200, "application/json", '{"version": "2.3.1"}'),
}
README = Path(__file__).parents[3] / "README.md"
METRICS = (200, "text/plain; version=0.0.4", "# HELP up Whether.\n# TYPE up gauge\nup 1\n")


def test_what_is_seen_is_written_and_told(init, site) -> None:
    result = init(site(PAGES, headers=[("RateLimit-Limit", "30")]).url)

    assert (result.returncode, result.stdout) == (0, "")
    assert "health: /healthz is understood\n" in result.stderr
    assert "infrastructure: /actuator/health lists db, redis" in result.stderr
    assert "version: 2.3.1 at /api/version" in result.stderr
    assert "rate limit: ratelimit-limit" in result.stderr
    target = load(Path("probes.toml")).targets["prod"]
    assert {item.id for item in target.items} == {
        "deploy.services.settle-time",
        "deploy.services.health-endpoint",
        "deploy.services.infrastructure-health",
    }
    assert {one.probe for one in target.probes} == {"release", "health", "infrastructure"}
    text = Path("probes.toml").read_text()
    assert 'components = { db = "required", redis = "required" }' in text
    assert '# expect = "2.3.1"' in text


def test_one_line_says_what_else_there_is(init, site) -> None:
    lines = init(site(PAGES).url, "--output", "-").stdout.splitlines()

    (line,) = [line for line in lines if "probekit list items" in line]
    known = checklist.load("softfactory")
    able = sum(bool(kinds_for_item(item, known)) for item in known.items)
    assert line == f"# `probekit list items` lists all 203; kinds measure {able} of them."
    assert f"Kinds of probekit measure {able} of the 203 items" in README.read_text("utf-8")
    assert len(lines) < 50


def test_one_comment_says_how_a_second_service_is_added(init, site) -> None:
    text = init(site(PAGES).url, "--env", "eu", "--output", "-").stdout

    assert "[env.eu.probes.health.NAME]" in text
    assert "[env.eu.probes.checkout-api]" in text


def test_the_last_lines_name_the_next_commands(init, site) -> None:
    lines = init(site(PAGES).url).stderr.splitlines()

    assert lines[-4:] == [
        "Wrote probes.toml. Next:",
        "  probekit probe health --env prod",
        "  probekit plan --env prod",
        "  probekit verify --env prod --deployed now",
    ]


def test_the_file_begins_with_the_next_commands(init, site) -> None:
    server = site(PAGES)
    init(server.url)

    assert Path("probes.toml").read_text().splitlines()[:4] == [
        f"# What `probekit init` found at {server.url}. Next:",
        "#   probekit probe health --env prod",
        "#   probekit plan --env prod",
        "#   probekit verify --env prod --deployed now",
    ]


@pytest.mark.parametrize(
    ("health", "then"),
    [
        ((200, "text/plain", "pong"), "Next:"),
        ((200, "application/json", '{"phase": "steady"}'), "Complete its health probe, then:"),
        (
            (200, "application/json", '{"status": "ok", "checks": {"db": "degraded"}}'),
            "Complete its health probe, then:",
        ),
        ((401, "text/plain", "no"), "Complete its health probe, then:"),
        ((404, "text/plain", "no"), "Complete its health probe, then:"),
    ],
)
def test_a_health_probe_that_is_not_complete_comes_first(init, site, health, then) -> None:
    assert f"Wrote probes.toml. {then}" in init(site({"/health": health}).url).stderr.splitlines()


def test_the_next_commands_name_another_file_and_quote_the_environment(init, site) -> None:
    lines = init(site(PAGES).url, "--env", "my env", "--output", "own.toml").stderr.splitlines()

    assert lines[-1] == "  probekit verify --env 'my env' --config own.toml --deployed now"
    assert "#   probekit probe health --env 'my env' --config own.toml" in Path("own.toml").read_text().splitlines()


def test_what_was_written_is_taken_by_plan(init, site, capfd) -> None:
    init(site(PAGES).url)

    assert cli.run(["plan", "--env", "prod"]) == 0
    assert "GO is possible for a healthy target" in capfd.readouterr().out


def test_a_file_that_is_there_is_left_alone(init, site) -> None:
    Path("probes.toml").write_text("mine")

    result = init(site(PAGES).url)

    assert (result.returncode, Path("probes.toml").read_text()) == (64, "mine")
    assert "--output" in result.stderr


@pytest.mark.parametrize(
    "url",
    [
        *("app.example.com", "ftp://app.example.com", "https://", "https://u:p@a.test", "https://a.test/?x=1"),
        *("http://a b", "https://a.test/health#x", "https://a.test/he alth", "http://a.test:99999/health"),
    ],
)
def test_what_is_no_url_is_told(init, url) -> None:
    result = init(url)

    assert (result.returncode, result.stdout) == (64, "")
    assert "invalid URL, expected https://HOST" in result.stderr
    assert not Path("probes.toml").exists()


def test_a_url_without_its_scheme_is_given_with_it(init) -> None:
    result = init("localhost:18731/health")

    assert result.returncode == 64
    assert "write https://localhost:18731/health, or http:// without TLS" in " ".join(result.stderr.split())


def test_a_prometheus_page_is_told_in_one_line(init, site) -> None:
    stderr = init(site({**PAGES, "/metrics": METRICS}).url).stderr

    assert "  metrics: /metrics is a Prometheus page, which kind scrape can read\n" in stderr


def test_the_metrics_of_spring_boot_are_looked_for_where_it_runs(init, site) -> None:
    pages = {**PAGES, "/actuator/prometheus": METRICS, "/metrics": (200, "text/html", "<html>our figures</html>")}

    assert "metrics: /actuator/prometheus is" in init(site(pages).url).stderr


def test_an_environment_s_name_may_be_any(init, site) -> None:
    assert init(site(PAGES).url, "--env", 'pro"d ]').returncode == 0

    assert list(load(Path("probes.toml")).targets) == ['pro"d ]']


def test_no_more_requests_are_sent_than_help_says(init, site, capfd) -> None:
    page = (200, "text/html", "<p>app</p>")
    server = site({"/": (302, "text/plain", "", {"Location": "/app/"}), "/app/": page, "/shop": page})

    result = init(f"{server.url}/shop")

    assert 40 < len(server.requests) <= MOST_REQUESTS
    assert f"{MOST_REQUESTS} requests was reached: not every usual path was tried" in result.stderr
    cli.run(["init", "--help"])
    assert f"most {MOST_REQUESTS} GET requests" in " ".join(capfd.readouterr().out.split())


def test_it_stops_where_it_has_what_it_needs(init, site) -> None:
    pages = {
        "/health": (200, "application/json", '{"status": "ok", "components": {"db": "ok"}}'),
        "/version": (200, "application/json", '{"version": "1.2"}'),
    }
    server = site(pages)

    init(server.url)

    assert len(server.requests) == 6  # /, /health, two that cannot exist, /version, /metrics


def test_a_site_that_falls_silent_is_not_asked_on(init, site) -> None:
    unreadable = (200, "text/plain", "x", {"Content-Encoding": "br"})
    server = site({"everything": unreadable, "/": PAGES["/"]})

    result = init(server.url)

    assert result.returncode == 0
    assert "3 paths in a row got no response: the other usual paths were not tried" in result.stderr
    assert '# path = "/..."' in Path("probes.toml").read_text()
    assert len(server.requests) < 10


def test_a_component_whose_name_is_too_long_for_a_line_is_counted(init, site) -> None:
    parts = {"db": "ok", "n" * 100: "ok", "m" * 40: "ok"}
    body = json.dumps({"status": "ok", "components": parts})

    init(site({"/health": (200, "application/json", body)}).url)

    text = Path("probes.toml").read_text()
    table = tomllib.loads(text)["env"]["prod"]["probes"]["infrastructure"]["components"]
    assert table == {"db": "required", "m" * 40: "required"}
    assert "# 1 more have names that are too long for a line." in text


def test_the_first_hour_of_the_readme_ends_with_go(init, site) -> None:
    (loop,) = re.findall(r"```sh\n(probekit init .*?)```", README.read_text("utf-8"), re.DOTALL)
    first, *others = [shlex.split(line, comments=True)[1:] for line in loop.splitlines()]
    assert first == ["init", "https://app.example.com"]
    assert init(site({"/health": (200, "text/plain", "OK")}).url).returncode == 0

    file = Path("probes.toml")
    file.write_text(file.read_text().replace('settle = "30s"', 'settle = "0s"\nspread = "0s"'))
    assert [words[0] for words in others] == ["probe", "plan", "verify"]
    assert [cli.run(words) for words in others] == [0, 0, 0]
