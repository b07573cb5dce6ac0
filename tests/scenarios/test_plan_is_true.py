"""`plan` and `verify` agree: a plan without an obstacle is a go at a healthy target, and none with an obstacle is."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from probekit import cli

ANSWERS = {
    "/health": b'{"status": "ok"}',
    "/version": b'{"version": "2.3.1"}',
    "/worker": b'{"version": "7"}',
    "/api": b"[1, 2]",
    "/login": b"sign in",
}
MOVED = {"/moved": "/moved/2", "/moved/2": "/moved/3", "/moved/3": "/health"}
HEAD = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = [{scope}]
timeout = "2s"
settle = "{settle}"
spread = "0s"
attempt_interval = "0s"
block = "100ms"
window = "600ms"
throttle = {{ requests = 1000, per = "1s" }}
{settings}
"""
HEALTH = '[env.prod.probes.health]\nkind = "http"\npath = "/health"\n'
RELEASE = '[env.prod.probes.release]\nkind = "release"\npath = "/version"\n'
API = '[env.prod.probes.api]\nkind = "latency"\nrate = {rate}\nroutes = [{{ path = "/api" }}]\n'
REPORTED = """
[env.prod.probes.health]
kind = "command"
argv = ["/bin/echo", '{"up": 1, "status": 200, "wrong": 0, "time": 5}']
metrics = { up = "$.up", status = "$.status", failed_assertions = "$.wrong", response_time = "$.time" }
"""
CHECKS = """
[env.prod.probes.repository]
kind = "command"
argv = ["/bin/echo", '{"failed": 0, "missing": 0, "release": "2.3.1"}']
metrics = { failed_checks = "$.failed", missing_checks = "$.missing" }
"""
CACHE = '[env.prod.probes.cache]\nkind = "redis"\nurl = { env = "CACHE_URL" }\n'
LIMIT = '[env.prod.probes.rate-limit]\nkind = "rate_limit"\npath = "/api"\nlimit = 3\nper = "1s"\n'
SECURE = HEALTH.replace('path = "/', 'url = "https://localhost:1/')
OWN_VERSION = RELEASE.replace("probes.release", "probes.worker")
OWN_PROGRAM = '[env.prod.probes.jobs]\nkind = "command"\nargv = ["{program}"]\n'
MANY = f"""[env.prod.probes.many]
kind = "routes"
routes = [{", ".join(['{ path = "/api" }', *(f'{{ path = "/api?{number}" }}' for number in range(250))])}]
"""
KEYS = '[env.prod.connect]\nheaders = { "X-Key" = { env = "PROBE_KEY" } }\n'
ITEM = "deploy.services.health-endpoint"
SETTLED = """
schema = 1
name = "own"
title = "Own"
version = "1"
count = 2
escalate_after = "15 min"
[phases]
deploy = "During"
[sections]
"deploy.services" = "Services"
[probes.health]
help = "health"
layer = "application"
claims_reachability = true
metrics = { up = "" }
[probes.deployment]
help = "marks"
layer = "record"
default_kind = "ledger"
metrics = { settled = "s" }
[[role]]
name = "Lead"
text = "Leads"
[[item]]
id = "deploy.services.health-endpoint"
text = "Health"
title = "It answers"
severity = "critical"
owner = "Lead"
probe = "health"
expect = ["up == 1"]
[[item]]
id = "deploy.services.settled"
text = "Settled"
title = "It has settled"
severity = "high"
owner = "Lead"
probe = "deployment"
bound_to = "nothing"
expect = ["settled >= 1 s"]
"""


class Target(BaseHTTPRequestHandler):
    """A healthy target that counts what it is asked, with redirects."""

    asked: ClassVar[Counter[str]] = Counter()
    port = 0
    failing = 0  # every so manyth request; 0: none

    def do_GET(self) -> None:
        type(self).asked["all"] += 1
        path = self.path.partition("?")[0]
        body = ANSWERS.get(path)
        is_bad = self.failing and self.asked["all"] % self.failing == 0
        self.send_response(503 if is_bad else 302 if path in MOVED else 200 if body else 404)
        if path in MOVED:
            self.send_header("Location", MOVED[path])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_arguments: object) -> None:
        pass


TWO_VERSIONS = """
[env.prod.release]
version = "2.3.1"
[env.prod.probes.release]
kind = "release"
path = "/version"
expect = "2.3.0"
"""


@pytest.fixture
def target() -> Iterator[type[Target]]:
    """A class of its own for each test, served until its end."""

    class Handler(Target):
        asked: ClassVar[Counter[str]] = Counter()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        Handler.port = server.server_port
        yield Handler
        server.shutdown()
        thread.join()


@pytest.fixture
def codes(tmp_path, monkeypatch, capfd, target):
    """The exit codes of plan and of verify for one configuration, and the plan's document."""

    def codes(scope, tables, *, settings="", head="", settle="0s", words=()):
        text = head + HEAD.format(port=target.port, scope=scope, settings=settings, settle=settle) + tables
        (tmp_path / "probes.toml").write_text(text)
        monkeypatch.chdir(tmp_path)
        for name in ("PROBE_KEY", "CACHE_URL"):
            monkeypatch.delenv(name, raising=False)
        capfd.readouterr()
        planned = cli.run(["plan", "--env", "prod", "--state", "none", "--json", *words])
        document = json.loads(capfd.readouterr().out)
        assert target.asked["all"] == 0  # plan sends nothing
        verified = cli.run(["verify", "--env", "prod", "--state", "none", "--report", "json", *words])
        report = json.loads(capfd.readouterr().out)
        return planned, verified, document, report

    return codes


def quoted(*items: str) -> str:
    return ", ".join(f'"{item}"' for item in items)


P95 = "deploy.performance.p95-latency"
SERVING = "rollback.steps.previous-version-serving"


@pytest.mark.parametrize(
    ("scope", "tables", "settings"),
    [
        (quoted(ITEM), HEALTH, ""),
        (quoted(ITEM), HEALTH.replace("/health", "/moved") + "follow = 3\n", ""),
        (quoted(ITEM, "deploy.services.settle-time"), HEALTH, ""),  # not settled, which can be followed up
        (quoted(ITEM, SERVING), HEALTH + RELEASE + 'expect = "2.3.1"\n', ""),
        (quoted(ITEM, "pre.security.rate-limit-configured"), HEALTH + LIMIT, ""),
        (quoted(ITEM, P95), HEALTH + API.format(rate=110), ""),
        (quoted(ITEM), HEALTH + OWN_VERSION + 'expect = "2.3.1"\n', ""),
        (quoted(ITEM), HEALTH + OWN_PROGRAM.format(program="/bin/echo"), ""),
        (quoted(ITEM), HEALTH + '[env.prod.connect]\nca = "nowhere.pem"\n', ""),  # nothing speaks TLS
        (quoted(ITEM), HEALTH + API.format(rate=110), 'allow = ["load"]'),  # six blocks of 0.1 s are 0.6 s
    ],
    ids=[
        *("health", "redirect", "follow-up", "release", "open item", "latency"),
        *("own version", "program", "no TLS", "load"),
    ],
)
def test_a_plan_without_an_obstacle_is_a_go(codes, scope, tables, settings) -> None:
    planned, verified, document, report = codes(scope, tables, settings=settings)

    assert (planned, document["obstacles"], document["go_possible"]) == (0, [], True)
    assert verified == 0, report["decision"]


@pytest.mark.parametrize(
    ("cause", "scope", "tables", "settings"),
    [
        ("not_configured", quoted(ITEM, "deploy.services.database-connectivity"), HEALTH, ""),
        ("not_configured", quoted(ITEM, "pre.infra.tls-deployed"), HEALTH, ""),
        (
            "setting",
            quoted(ITEM, "pre.infra.tls-deployed"),
            HEALTH + '[env.prod.probes.certificate]\nkind = "tls"\n',
            "",
        ),
        ("not_allowed", quoted(ITEM, "deploy.services.cache-connectivity"), HEALTH + CACHE, ""),
        ("unsigned", quoted(ITEM, "signoff.approvals"), HEALTH, ""),
        ("missing_secret", quoted(ITEM), HEALTH + KEYS, ""),
        (
            "missing_secret",
            quoted(ITEM, "deploy.services.cache-connectivity"),
            HEALTH + CACHE,
            'allow = ["canary-write"]',
        ),
        ("missing_secret", quoted(ITEM), HEALTH + '[env.prod.connect]\nproxy = { file = "none" }\n', ""),
        ("untrusted_program", quoted(ITEM), REPORTED, ""),
        ("unknown_release", quoted(ITEM, "pre.review.ci-checks-green"), HEALTH + CHECKS, ""),
        ("contradiction", quoted(ITEM), HEALTH + TWO_VERSIONS, ""),
        ("record", quoted(ITEM, "deploy.preflight.baseline-captured"), HEALTH, ""),
        ("record", quoted(ITEM, "post.immediate.metrics-stable"), HEALTH + API.format(rate=110), ""),
        ("sample", quoted(ITEM, P95), HEALTH + API.format(rate=10), ""),
        ("deadline", quoted(ITEM, P95), HEALTH + API.format(rate=110), 'deadline = "300ms"'),
        ("no_expected_version", quoted(ITEM), HEALTH + OWN_VERSION, ""),
        ("setting", quoted(ITEM), HEALTH + OWN_PROGRAM.format(program="/nowhere/program"), ""),
        ("setting", quoted(ITEM), HEALTH + OWN_PROGRAM.format(program="/bin/echo") + 'env = ["NO_SUCH"]\n', ""),
        ("setting", quoted(ITEM), HEALTH + '[env.prod.probes.machine]\nkind = "host"\nhost = "no.such.machine"\n', ""),
        ("missing_file", quoted(ITEM), SECURE + '[env.prod.connect]\nca = "nowhere.pem"\n', ""),
        ("missing_file", quoted(ITEM), SECURE + '[env.prod.connect]\nclient_cert = "nowhere.pem"\n', ""),
        ("deadline", quoted(ITEM), HEALTH + MANY, 'deadline = "500ms"'),
        ("nothing_read", quoted("pre.security.rate-limit-configured", "deploy.services.settle-time"), "", ""),
    ],
)
def test_each_obstacle_is_named_and_verify_is_no_go(codes, cause, scope, tables, settings) -> None:
    planned, verified, document, report = codes(scope, tables, settings=settings)

    assert planned == 10
    assert cause in {one["cause"] for one in document["obstacles"]}
    assert all(one["what"] and one["remedy"] for one in document["obstacles"])
    assert report["decision"]["action"] != "go"
    assert verified != 0


def test_a_limit_that_a_setting_cannot_keep_is_an_obstacle_until_the_setting_is_changed(codes, tmp_path) -> None:
    (tmp_path / "own.toml").write_text(SETTLED)
    head, scope = 'checklist = "own.toml"\n', quoted("deploy")

    planned, verified, document, _ = codes(scope, HEALTH, head=head)
    (obstacle,) = document["obstacles"]

    assert (planned, verified, obstacle["cause"]) == (10, 10, "setting")
    assert obstacle["items"] == ["deploy.services.settled"]
    assert 'settle = "1s"' in obstacle["remedy"]


def test_the_same_limit_is_kept_once_the_setting_is_long_enough(codes, tmp_path) -> None:
    (tmp_path / "own.toml").write_text(SETTLED.replace(">= 1 s", ">= 0.2 s"))

    planned, verified, _, _ = codes(quoted("deploy"), HEALTH, head='checklist = "own.toml"\n', settle="200ms")

    assert (planned, verified) == (0, 0)


def test_a_record_of_the_release_that_is_named_is_no_obstacle(codes) -> None:
    scope = quoted(ITEM, "pre.review.ci-checks-green")

    planned, verified, _, report = codes(scope, HEALTH + CHECKS, words=("--release", "2.3.1"))

    assert (planned, verified) == (0, 0), report["decision"]


def test_an_own_version_is_held_against_its_own_expected_one(codes) -> None:
    """The worker's release is another one than the application's, and `--release` names the latter."""
    tables = HEALTH + RELEASE + OWN_VERSION.replace("/version", "/worker") + 'expect = "7"\n'

    planned, verified, _, report = codes(quoted(ITEM, SERVING), tables, words=("--release", "2.3.1"))

    assert (planned, verified) == (0, 0), report["decision"]


def test_a_secret_of_the_headers_keeps_nothing_that_does_not_send_them(codes, target) -> None:
    elsewhere = HEALTH.replace('path = "/health"', f'url = "http://localhost:{target.port}/health"')

    planned, verified, document, report = codes(quoted(ITEM), elsewhere + KEYS)

    assert (planned, document["obstacles"], verified) == (0, [], 0), report["decision"]


def test_a_probe_that_nothing_asks_for_is_named_by_plan_and_report(codes, target) -> None:
    """`search` is a name of the checklist: whoever takes it for a check of his own must see that it is not measured."""
    search = HEALTH.replace("health]", "search]").replace("/health", "/nowhere")

    planned, verified, document, report = codes(quoted(ITEM), HEALTH + search)
    target.asked.clear()
    narrowed = codes(quoted(ITEM), HEALTH + search, words=("--probe", "health"))
    target.asked.clear()

    assert (planned, verified, document["unasked"]) == (0, 0, ["search"])
    assert any("probe 'search' is not measured" in why for why in report["decision"]["because"])
    assert narrowed[2]["unasked"] == ["search"]
    assert codes(quoted(ITEM), HEALTH)[2]["unasked"] == []


def test_no_scope_is_proposed_that_reads_nothing_of_the_target(codes) -> None:
    """A go by records alone is no advice where the probe that reads the target is missing."""
    planned, _, document, _ = codes(quoted(ITEM, "deploy.services.settle-time"), "")

    assert (planned, document["possible_scope"]) == (10, [])


def test_a_part_of_the_scope_exits_by_what_is_in_the_way_of_that_part(codes) -> None:
    scope = quoted(ITEM, "deploy.services.database-connectivity")

    planned, verified, document, report = codes(scope, HEALTH, words=("--item", ITEM))

    assert (planned, verified, document["partial"]) == (0, 0, True)
    assert report["decision"]["action"] == "partial"


def test_what_fails_beside_a_metric_without_its_allowance_is_still_measured(codes, monkeypatch) -> None:
    """The cache's canary is not allowed, so a go is impossible; that the cache is down must be seen all the same."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = nobody.getsockname()[1]
    monkeypatch.setenv("CLOSED_URL", f"redis://127.0.0.1:{closed}/0")

    planned, _, document, report = codes(
        quoted("deploy.services.cache-connectivity"), CACHE.replace("CACHE_URL", "CLOSED_URL")
    )

    (verdict,) = report["verdicts"]
    assert (planned, document["obstacles"][0]["cause"]) == (10, "not_allowed")
    assert (verdict["outcome"], verdict["limit"]) == ("fail", "up == 1")


@pytest.mark.parametrize("failing", [0, 2, 3, 30])
@pytest.mark.parametrize(
    "tables",
    [
        HEALTH,
        HEALTH.replace("/health", "/moved") + "follow = 3\n",
        HEALTH + RELEASE + 'expect = "2.3.1"\n',
    ],
    ids=["health", "redirect", "release"],
)
def test_no_run_sends_more_requests_than_its_plan_says(codes, target, tables, failing) -> None:
    target.failing = failing

    _, _, document, _ = codes(quoted(ITEM), tables)

    assert 0 < target.asked["all"] <= document["requests"]


def test_routes_send_no_more_requests_than_planned(codes, target) -> None:
    table = '[env.prod.probes.routes]\nkind = "routes"\nroutes = [{ path = "/api" }, { path = "/health" }]\n'
    target.failing = 5

    _, _, document, _ = codes(quoted("deploy.smoke"), HEALTH + table)

    assert any(step["kind"] == "routes" for step in document["steps"])
    assert 0 < target.asked["all"] <= document["requests"]


@pytest.mark.parametrize(("ca", "possible"), [("", [ITEM]), ('[env.prod.connect]\nca = "nowhere.pem"\n', [])])
def test_no_scope_is_proposed_where_the_run_as_a_whole_has_an_obstacle(codes, ca, possible) -> None:
    """A smaller scope removes the item that is not configured, and not the missing CA file."""
    planned, _, document, _ = codes(quoted(ITEM, "deploy.services.cache-connectivity"), SECURE + ca)

    assert (planned, document["possible_scope"]) == (10, possible)
