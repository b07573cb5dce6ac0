"""`verify --url` against real servers: a go that was earned, a wrong path that is told at once, secrets that stay."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from probekit import cli
from probekit.config import by_url

HEALTH = "deploy.services.health-endpoint"
TIMES = "deploy.smoke.smoke-response-times"
PAGE = b"<!doctype html><title>Home</title><p>Welcome"
ANSWERS = {
    "/health": (200, "application/json", b'{"status": "ok"}'),
    "/down": (200, "application/json", b'{"status": "DOWN"}'),
    "/other": (200, "application/json", b'{"name": "orders"}'),
    "/empty": (200, "text/plain", b""),
    "/hello": (200, "text/plain", b"hello world"),
    "/secret": (401, "text/plain", b"who are you?"),
    "/": (200, "text/html; charset=utf-8", PAGE),
}


class Target(ThreadingHTTPServer):
    """A server that counts the requests for each path, and may answer every path alike."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []
        self.is_catch_all = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def count(self, path: str) -> int:
        return sum(one == path for one, _ in self.asked)


class Handler(BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["X-Key"]))
        missing = (200, "text/html", PAGE) if self.server.is_catch_all else (404, "text/plain", b"not found")
        status, media, body = ANSWERS.get(self.path, missing)
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("X-Echo", self.headers["X-Key"] or "")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def target(tmp_path, monkeypatch) -> Iterator[Target]:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    text = by_url._TEXT.replace('"3s"', '"0s"')  # noqa: SLF001  # nothing is spread over time here
    text = text.replace('block = "5s"\nwindow = "30s"', 'block = "500ms"\nwindow = "4s"').replace(
        "rate = 5", "rate = 20"
    )
    monkeypatch.setattr(by_url, "_TEXT", text)
    with Target() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def verify(target, capfd):
    """Verify a URL in this process; its exit code, stdout and stderr."""

    def run(url, *words):
        capfd.readouterr()
        code = cli.run(["verify", "--url", url, *words])
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(words, code, out, err)

    return run


@pytest.fixture
def judge(target, capfd):
    """Judge the last run on record again, in this process; its exit code, stdout and stderr."""

    def run(*words):
        capfd.readouterr()
        code = cli.run(["runs", "judge", "last", "--state", "state.sqlite3", *words])
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(words, code, out, err)

    return run


def outcomes(result) -> dict[str, str]:
    return {one["item"]: one["outcome"] for one in json.loads(result.stdout)["verdicts"]}


def notes(result) -> str:
    return "\n".join(json.loads(result.stdout)["run"]["notes"])


def reasons(result) -> str:
    return "\n".join(json.loads(result.stdout)["decision"]["because"])


@pytest.mark.parametrize(("path", "code", "outcome"), [("/health", 0, "pass"), ("/down", 10, "fail")])
def test_a_run_is_judged_again_by_its_whole_url(verify, target, judge, path, code, outcome) -> None:
    url = f"{target.url}{path}"
    assert verify(url, "--state", "state.sqlite3", "--report", "json=first.json").returncode == code
    sent = len(target.asked)

    again = judge("--url", url, "--report", "json")

    first, second = json.loads(Path("first.json").read_text("utf-8")), json.loads(again.stdout)
    assert (again.returncode, again.stderr, len(target.asked)) == (code, "", sent)
    assert outcomes(again)[HEALTH] == outcome
    assert [(one["item"], one["outcome"], one["claim"]) for one in second["verdicts"]] == [
        (one["item"], one["outcome"], one["claim"]) for one in first["verdicts"]
    ]
    assert second["decision"]["action"] == first["decision"]["action"]
    assert second["run"]["config_hash"] == first["run"]["config_hash"]
    assert second["run"]["notes"][-1] == "judged again with the limits of --url; nothing was measured"


def test_a_run_of_the_origin_is_judged_again_by_its_id_alone(verify, target, judge) -> None:
    first = verify(target.url, "--state", "state.sqlite3", "--report", "json")

    again = judge("--report", "json")

    assert (again.returncode, outcomes(again)) == (first.returncode, outcomes(first))


def test_to_judge_a_run_of_another_path_its_url_is_asked_for(verify, target, judge) -> None:
    verify(f"{target.url}/health", "--quick", "--state", "state.sqlite3")
    Path("probes.toml").write_text(f'[env.prod]\nbase_url = "{target.url}"\nscope = ["{HEALTH}"]\n', "utf-8")

    without, limits = judge(), judge("--limits", "probes.toml")

    assert (without.returncode, without.stdout) == (limits.returncode, limits.stdout) == (64, "")
    assert f"its record lacks the URL's path; name the whole URL, such as --url {target.url}/health" in without.stderr
    assert "is a run of verify --url, and probes.toml has no environment 'url'; remove --limits" in limits.stderr


def test_http_on_loopback_can_be_go(verify, target) -> None:
    result = verify(f"{target.url}/health")

    assert result.returncode == 0, result.stdout
    assert result.stdout.startswith("GO: url: 2 items verified, 3 not applicable or waived\n")
    assert "http on a loopback address" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


@pytest.mark.parametrize(
    ("path", "outcome", "told", "advice"),
    [
        ("/down", "fail", 'its status is "DOWN"', ""),
        (
            "/helth",
            "inconclusive",
            "404 for /helth from 127.0.0.1",
            "give the URL of the health endpoint; probekit init {}",
        ),
        (
            "/other",
            "inconclusive",
            "the body has no status",
            "probekit init {}/other writes a file with an assertion on it",
        ),
        ("/empty", "inconclusive", "the body is empty", "probekit init {}/empty writes a file with an assertion"),
        (
            "/hello",
            "inconclusive",
            'its status "hello world" is not a recognised word',
            "probekit init {}/hello writes",
        ),
        ("/secret", "error", "access denied", "to send a credential, use --header Authorization=VARIABLE"),
    ],
)
def test_a_path_that_says_nothing_good_is_no_go_and_nothing_is_sampled(  # a table of four
    verify, target, path, outcome, told, advice
) -> None:
    result = verify(f"{target.url}{path}", "--report", "json")

    assert result.returncode == 10
    assert (outcomes(result)[HEALTH], outcomes(result)[TIMES]) == (outcome, "inconclusive")
    assert told in result.stdout.replace('\\"', '"')
    assert target.count(path) <= 32
    assert advice.format(target.url) in notes(result)
    assert ("probekit init" in notes(result)) == ("probekit init" in advice)


def test_a_page_for_every_path_is_no_go_and_nothing_is_sampled(verify, target) -> None:
    target.is_catch_all = True

    result = verify(f"{target.url}/", "--report", "json")

    assert result.returncode == 10
    assert outcomes(result)[HEALTH] == "inconclusive"
    assert "this server answers anything" in result.stdout
    assert target.count("/") <= 32


def test_a_page_counts_by_its_status_and_the_report_calls_it_so(verify, target) -> None:
    result = verify(f"{target.url}/", "--quick", "--report", "json")

    assert result.returncode == 0
    assert outcomes(result)[HEALTH] == "pass"
    assert "health: only the status of an HTML page counts" in reasons(result)


def test_all_measures_the_window_of_a_wrong_path_too(verify, target) -> None:
    verify(f"{target.url}/hello", "--all")

    assert target.count("/hello") > 32


@pytest.mark.parametrize("place", ["variable", ".env"])
def test_a_header_goes_to_the_target_and_is_shown_nowhere(verify, target, tmp_path, monkeypatch, place) -> None:
    if place == "variable":
        monkeypatch.setenv("HEALTH_KEY", "planted-secret-7")
    else:
        (tmp_path / ".env").write_text("HEALTH_KEY=planted-secret-7\n")

    words = ("--header", "X-Key=HEALTH_KEY", "--quick", "--verbose", "--report", "json")
    result = verify(f"{target.url}/health", *words, "--report", "console=r.txt")

    assert result.returncode == 0
    assert {key for path, key in target.asked if path == "/health"} == {"planted-secret-7"}
    assert "planted" not in result.stdout + result.stderr + (tmp_path / "r.txt").read_text()


def test_a_private_authority_is_named_with_ca(verify, target, tmp_path) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # what lies below is the machine's own default
    authority.issue_cert("127.0.0.1").configure_cert(context)
    target.socket = context.wrap_socket(target.socket, server_side=True, do_handshake_on_connect=False)
    url = f"{target.url.replace('http', 'https')}/health"

    unknown = verify(url, "--quick", "--report", "json")
    known = verify(url, "--quick", "--report", "json", "--ca", "ca.pem")

    assert outcomes(unknown)[HEALTH] == "error"
    assert "--ca FILE" in notes(unknown)
    assert (outcomes(known)[HEALTH], outcomes(known)["pre.infra.tls-deployed"]) == ("pass", "pass"), known.stdout


def test_the_deployment_of_a_url_is_not_remembered(verify, target) -> None:
    verify(f"{target.url}/down", "--deployed", "now", "--state", "s.sqlite3")
    later = verify(f"{target.url}/down", "--report", "json", "--state", "s.sqlite3")

    assert json.loads(later.stdout)["situation"]["deployment"] is None
