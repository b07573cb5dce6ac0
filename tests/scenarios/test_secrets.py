"""Secrets that were planted wherever one can be kept stand in nothing that leaves, whatever a target does with them."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from probekit.history.store import Store
from probekit.reports import format_names

FORMATS = format_names()
QUOTING = {"console", "json", "junit", "markdown", "github", "html"}  # formats with the reasons of failures

PLANTED = {
    "header": "h3ader-S3cret+/=<&'\"x",
    "file": "f1le-S3cret.of.a.token",
    "dotenv": "d0tenv-S3cret~token",
    "database": "dat4base-S3cret%pass",
    "cache": "c4che-S3cret:pass",
}
CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = [
    "deploy.services.health-endpoint",
    "deploy.services.infrastructure-health",
    "deploy.smoke.core-endpoints",
    "deploy.services.database-connectivity",
    "deploy.services.cache-connectivity",
    "post.security.headers",
    "post.security.cors",
]
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
throttle = {{ requests = 1000, per = "1s" }}

[env.prod.connect.headers]
X-Key = {{ env = "HEADER_KEY" }}
X-Token = {{ file = "token" }}
X-Other = {{ env = "DOTENV_KEY" }}

[env.prod.probes.release]
kind = "release"
path = "/echo"

[env.prod.probes.health]
kind = "http"
path = "/echo"
assertions = [{{ path = "$.echo", equals = "never" }}]

[env.prod.probes.infrastructure]
kind = "infrastructure_health"
path = "/echo"

[env.prod.probes.routes]
kind = "routes"
routes = [{{ path = "/redirect" }}, {{ path = "/reason" }}, {{ path = "/echo" }}]

[env.prod.probes.security-headers]
kind = "security_headers"
pages = ["/echo"]

[env.prod.probes.cors]
kind = "cors"
path = "/echo"
origins = ["https://app.test"]

[env.prod.probes.database]
kind = "postgres"
dsn = {{ env = "DATABASE_URL" }}

[env.prod.probes.cache]
kind = "redis"
url = {{ env = "CACHE_URL" }}
"""


class Echo(BaseHTTPRequestHandler):
    """Says what it was told, wherever something can be said."""

    def do_GET(self) -> None:
        told = [self.headers.get(name, "") for name in ("X-Key", "X-Token", "X-Other")]
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", f"https://elsewhere.test/{told[0]}?token={told[1]}")
        elif self.path == "/reason":
            self.send_response(503, " ".join(told))
        else:
            self.send_response(200)
        body = json.dumps({"status": told[1], "version": told[2], "echo": told, told[0]: {"status": told[1]}})
        body += f"<!-- {html.escape(told[0])} {quote(told[0])} -->" if self.path == "/page" else ""
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in zip(("Server", "X-Powered-By", "Set-Cookie"), told, strict=True):
            self.send_header(name, f"{value}=1" if name == "Set-Cookie" else value)
        self.end_headers()
        self.wfile.write(body.encode())

    do_OPTIONS = do_GET  # noqa: N815  # the name that the server looks for

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def folder(tmp_path) -> Iterator[Path]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    (tmp_path / "probes.toml").write_text(CONFIG.format(port=server.server_port))
    (tmp_path / "token").write_text(PLANTED["file"] + "\n")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / ".env").write_text(f"DOTENV_KEY={PLANTED['dotenv']}\n")
    yield tmp_path
    server.shutdown()
    thread.join()
    server.server_close()


def run(folder: Path, *words: str) -> str:
    """All that the program says."""
    database, cache = (quote(PLANTED[name], safe="") for name in ("database", "cache"))
    env = os.environ | {
        "HOME": str(folder / "home"),
        "HEADER_KEY": PLANTED["header"],
        "DATABASE_URL": f"postgresql://probe:{database}@127.0.0.1:1/shop",
        "CACHE_URL": f"redis://probe:{cache}@127.0.0.1:1/0",
    }
    command = [sys.executable, "-m", "probekit", *words]
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    return result.stdout + result.stderr


def forms(secret: str) -> set[str]:
    """How it may be written, and its beginning where somebody cut it short."""
    raw = secret.encode()
    percent = {quote(secret, safe=""), quote_plus(secret)}
    lower = {re.sub("%..", lambda found: found[0].lower(), form) for form in percent}
    markup = {html.escape(secret), html.escape(secret).replace("&#x27;", "&#39;")}
    coded = {b64encode(raw).decode(), urlsafe_b64encode(raw).decode().rstrip("=")}
    return {secret, secret[:9], json.dumps(secret)[1:-1], repr(secret)[1:-1], *percent, *lower, *markup, *coded}


def test_no_planted_secret_leaves_in_any_form(folder) -> None:
    said = {
        "verify": run(folder, "verify", "--env", "prod", "--verbose", "--report", "json=report.json"),
        "again": run(folder, "verify", "--env", "prod", "--report", "json"),
        "plan": run(folder, "plan", "--env", "prod"),
        "list": run(folder, "list", "envs"),
        "runs": run(folder, "runs", "list"),
    }
    files = [word for name in FORMATS for word in ("--report", f"{name}={folder / name}.report")]
    said["formats"] = run(folder, "runs", "show", "last", "--env", "prod", *files)
    with Store(folder / "home" / ".local" / "state" / "probekit" / "probekit.sqlite3") as store:
        said |= {past.id: json.dumps(store.report(past.id), ensure_ascii=False) for past in store.runs()}
    kept = [path for path in folder.rglob("*") if path.is_file() and path.name not in ("token", ".env")]
    said |= {str(path): path.read_bytes().decode("utf-8", "replace") for path in kept}

    assert len(said) >= 9 + len(FORMATS)
    assert all("[secret]" in said[str(folder / f"{name}.report")] for name in FORMATS if name in QUOTING)
    assert "[secret]" in said["verify"]  # they did come back
    for name, text in said.items():
        for secret in PLANTED.values():
            for form in forms(secret):
                assert form not in text, f"{form} in {name}"


def test_a_wrong_file_with_a_secret_in_clear_tells_none(folder) -> None:
    text = (folder / "probes.toml").read_text()
    secret = PLANTED["database"]
    (folder / "clear.toml").write_text(text.replace('{ env = "DATABASE_URL" }', f'"postgresql://u:{secret}@db/shop"'))
    (folder / "broken.toml").write_text(text.replace('{ env = "DATABASE_URL" }', f'"{secret}'))

    for name in ("clear.toml", "broken.toml"):
        said = run(folder, "verify", "--env", "prod", "--config", name)
        assert secret not in said
        assert "Traceback" not in said
