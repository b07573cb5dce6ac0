"""`probekit init`: what a running system shows becomes a probes.toml that plan takes, whatever the system says."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from probekit import cli
from probekit.cli.init_command import _written
from probekit.config.loader import load, read
from probekit.workflows.discover import Discovery

SPRING = {"status": "UP", "components": {"db": {"status": "UP"}, "redis": {"status": "UP"}}}
PAGES = {
    "/": (200, "text/html", "<html>shop</html>"),
    "/healthz": (200, "application/json", '{"state": "fine", "status": "ok"}'),
    "/actuator/health": (200, "application/json", json.dumps(SPRING)),
    "/api/version": (200, "application/json", '{"version": "2.3.1"}'),
}


@pytest.fixture
def site() -> Iterator:
    """A function from pages by path to the URL of a server that has them; `everything` stands for all other paths."""
    servers = []

    def site(pages, headers=()):
        class Pages(BaseHTTPRequestHandler):
            def do_GET(self):
                status, kind, body = pages.get(self.path, pages.get("everything", (404, "text/plain", "no")))
                self.send_response(status)
                for name, value in (("Content-Type", kind), ("Content-Length", str(len(body.encode()))), *headers):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield site
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def init(tmp_path, monkeypatch, capfd):
    """Run `probekit init` in an empty folder; its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("probekit.transport.rate_limit.RateLimiter.acquire", _at_once)

    def run(*words):
        capfd.readouterr()
        code = cli.run(["init", *words])
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(words, code, out, err)

    return run


async def _at_once(_gate: object) -> float:
    """The throttle has tests of its own."""
    return 0.0


def test_what_is_seen_is_written_and_told(init, site) -> None:
    url = site(PAGES, headers=[("RateLimit-Limit", "30")])

    result = init(url)

    assert (result.returncode, result.stdout) == (0, "")
    assert "health: /healthz" in result.stderr
    assert "infrastructure: /actuator/health lists db, redis" in result.stderr
    assert "version: 2.3.1 at /api/version" in result.stderr
    assert "rate limit: ratelimit-limit" in result.stderr
    assert "Next: probekit plan --env prod" in result.stderr
    target = load(Path("probes.toml")).targets["prod"]
    assert {item.id for item in target.items} == {
        "deploy.services.settle-time",
        "deploy.services.health-endpoint",
        "deploy.services.infrastructure-health",
    }
    assert {one.probe for one in target.probes} == {"release", "health", "infrastructure"}
    text = Path("probes.toml").read_text()
    assert 'components = { db = "required", redis = "required" }' in text
    assert "# Does a CDN serve the assets?" in text
    assert '# dsn = { env = "DATABASE_URL" }' in text


def test_what_was_written_is_taken_by_plan(init, site, capfd) -> None:
    init(site(PAGES))

    assert cli.run(["plan", "--env", "prod"]) == 0
    assert "a healthy target can be go" in capfd.readouterr().out


def test_commented_tables_are_right_once_they_are_uncommented(init, site) -> None:
    text = init(site(PAGES), "--output", "-").stdout

    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("# [env"))
    uncommented = "\n".join(lines[:start] + [line.removeprefix("#").removeprefix(" ") for line in lines[start:]])
    probes = {one.probe for one in read(uncommented, Path("x")).targets["prod"].probes}
    assert probes >= {"routes", "api", "database", "cache", "cors", "rate-limit"}


def test_a_file_that_is_there_is_left_alone(init, site) -> None:
    Path("probes.toml").write_text("mine")

    result = init(site(PAGES))

    assert (result.returncode, Path("probes.toml").read_text()) == (64, "mine")
    assert "--output" in result.stderr


@pytest.mark.parametrize(
    "url",
    ["app.example.com", "ftp://app.example.com", "https://", "https://u:p@a.test", "https://a.test/?x=1", "http://a b"],
)
def test_what_is_no_url_is_told(init, url) -> None:
    result = init(url)

    assert (result.returncode, result.stdout) == (64, "")
    assert "no URL to look at" in result.stderr


def test_a_dead_host_leaves_no_file(init) -> None:
    result = init("http://127.0.0.1:1")

    assert (result.returncode, result.stdout) == (64, "")
    assert "nothing was written: 127.0.0.1:1 refused the connection" in result.stderr
    assert not Path("probes.toml").exists()


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        ({"everything": (200, "text/html", "<html>app</html>")}, "health: nothing at the usual paths"),
        ({"everything": (200, "application/json", '{"status": "ok"}')}, "health: nothing at the usual paths"),
        ({"everything": (404, "text/plain", "no")}, "health: nothing at the usual paths"),
        ({"/health": (401, "text/plain", "no")}, "/health: access denied"),
        ({"everything": (200, "application/json", '{"status": "ok"}')}, "catch_all = true with assertions"),
        ({"everything": (401, "text/plain", "no")}, "/up, /api/infrastructure/health"),
        ({"everything": (503, "text/plain", "no")}, "health: nothing at the usual paths"),
        ({"/version": (200, "application/json", '{"version": "1\\n2"}')}, "version: nothing at the usual paths"),
        ({"/version": (200, "application/json", '{"version": "' + "9" * 10_000 + '"}')}, "version: nothing"),
        ({"/up": (200, "text/plain", "OK")}, "health: /up"),
    ],
)
def test_what_proves_nothing_is_not_written(init, site, pages, told) -> None:
    result = init(site(pages))

    assert result.returncode == 0
    assert told in result.stderr
    load(Path("probes.toml"))


UNKNOWN = (200, "application/json", '{"phase": "steady", "queue": 3}')
PARTLY = (200, "application/json", '{"status": "ok", "components": {"db": "ok", "mail": "degraded"}}')


@pytest.mark.parametrize(
    ("pages", "path", "doubt", "line"),
    [
        ({"/health": UNKNOWN}, "/health", "no status in it", "assertions = "),
        ({"/ping": (200, "text/plain", "")}, "/ping", "the body is empty", "any_body = true"),
        ({"/status": (200, "text/html", "<p>fine</p>")}, "/status", "a page", "assertions = "),
        ({"/healthz": (200, "application/json", '{"status": "DOWN"}')}, "/healthz", 'its status is "DOWN"', ""),
        ({"/health": (503, "text/plain", "starting")}, "/health", "it answers 503", ""),
        ({"/health": PARTLY}, "/health", '"mail" says "degraded"', '# ignore = ["mail"]'),
        ({"/health": UNKNOWN, "/up": (200, "text/plain", "OK")}, "/up", "", 'path = "/up"'),
    ],
)
def test_a_health_path_that_is_no_pass_as_it_is_is_written_with_its_reason(
    init, site, pages, path, doubt, line
) -> None:
    result = init(site(pages))

    assert f"health: {path}{', which is no pass as it is' if doubt else ''}" in result.stderr
    text = Path("probes.toml").read_text()
    assert doubt in text
    assert line in text
    target = load(Path("probes.toml")).targets["prod"]
    assert "deploy.services.health-endpoint" in {item.id for item in target.items}
    assert "health" in {one.probe for one in target.probes}


@pytest.mark.parametrize(
    "pages", [{}, {"/health": UNKNOWN}, {"everything": (200, "text/html", "<html>app</html>")}], ids=str
)
def test_what_was_written_for_an_unknown_dialect_is_never_go(init, site, capfd, pages) -> None:
    init(site(pages))
    text = Path("probes.toml").read_text().replace('settle = "30s"', 'settle = "0s"\nattempt_interval = "0.1s"')
    text = text.replace('path = "/health"', 'path = "/health"\nrepeat = 2')
    Path("probes.toml").write_text(text)

    assert cli.run(["verify", "--env", "prod"]) in (10, 30)
    assert "deploy.services.health-endpoint (critical) not" in capfd.readouterr().out


@settings(max_examples=15)
@given(
    st.text(min_size=1, max_size=30),
    st.lists(st.text(min_size=1, max_size=20), max_size=4, unique=True),
    st.text(max_size=40),
)
def test_nothing_that_a_target_says_breaks_out_of_the_file(version, components, told) -> None:
    found = Discovery(
        base_url="https://app.example.com",
        health="/health",
        health_doubt=told,
        doubted=tuple(components),
        infrastructure="/parts",
        components=dict.fromkeys(components, "optional"),
        version=("/version", "$.version", version),
        notes=[told],
    )

    text = "".join(f"{line}\n" for line in _written(found, "prod", None))

    assert set(read(text, Path("probes.toml")).targets) == {"prod"}


def test_an_environment_s_name_may_be_any(init, site) -> None:
    assert init(site(PAGES), "--env", 'pro"d ]').returncode == 0

    assert list(load(Path("probes.toml")).targets) == ['pro"d ]']
