"""Sites of few pages, and `probekit init` in an empty folder."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from probekit import cli


class Site(ThreadingHTTPServer):
    """A server of pages by path: (status, media type, body) and, as a fourth, headers; `everything` is all others."""

    def __init__(self, pages, headers=(), tls=None) -> None:
        super().__init__(("127.0.0.1", 0), _Pages)
        self.pages, self.headers, self.scheme = pages, dict(headers), "http"
        if tls:
            self.socket, self.scheme = tls.wrap_socket(self.socket, server_side=True), "https"
        self.requests: list[tuple[str, dict[str, str]]] = []  # path and headers of each

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"


class _Pages(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers.items())))
        pages = self.server.pages
        status, kind, body, *more = pages.get(self.path, pages.get("everything", (404, "text/plain", "no")))
        data = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(data)), **self.server.headers, **(more or [{}])[0]}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def site() -> Iterator:
    """A function from pages to a running site of them."""
    running = []

    def site(pages, headers=(), tls=None) -> Site:
        server = Site(pages, headers, tls)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return server

    yield site
    for server, thread in running:
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


class HealthTable:
    """From pages to the lines of the health probe that init writes; `stderr` is what it said, on one line."""

    def __init__(self, init, site) -> None:
        self._init, self._site, self.stderr = init, site, ""

    def __call__(self, pages, *words, path="") -> list[str]:
        result = self._init(self._site(pages).url + path, *words)
        assert result.returncode == 0, result.stderr
        self.stderr = " ".join(result.stderr.split())
        text = Path("probes.toml").read_text()
        return text[: text.index("\n\n# For a second service")].rpartition("\n\n")[2].splitlines()


@pytest.fixture
def health_table(init, site) -> HealthTable:
    return HealthTable(init, site)
