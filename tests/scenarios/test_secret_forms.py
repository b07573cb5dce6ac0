"""The table of secret forms by output: a target or a program echoes a form, and no output of `probekit` holds it.

The target is a stand-in: an HTTP server on loopback that says what the row says.
"""

from __future__ import annotations

import io
import json
import os
import re
import socketserver
import struct
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from probekit import cli

TOKEN = "s3cr3tTOKENabcdef0123456789"
PASSWORD = "hunter2-Correct-Horse"
ODD = "p@ss/w+rd=XYZ12345"
BASIC = b64encode(f"svc:{PASSWORD}".encode()).decode()
KEY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
CONFIG = """
[env.production]
base_url = "{url}"
scope = ["deploy.services.health-endpoint", "deploy.smoke.smoke-suite"]
timeout = "5s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
throttle = {{ requests = 1000, per = "1s" }}

[env.production.connect]
headers = {{ Authorization = {{ env = "SECRET" }} }}

[env.production.probes.release]
kind = "release"
path = "/version"
expect = "2.3.1"

[env.production.probes.health.production-eu]
kind = "http"
path = "/health"

[env.production.probes.smoke-tests]
kind = "command"
nagios = true
argv = ["/bin/sh", "-c", "cat '{said}'; exit 2"]
metrics = {{ failures = "failures" }}
"""


@dataclass(frozen=True)
class Row:
    """A secret, the part of it that is echoed, in which form, and how many characters one of its bytes takes."""

    secret: str
    part: str
    form: Callable[[str], str] = str
    width: float = 1

    @property
    def said(self) -> str:
        """What the target says."""
        return self.form(self.part)

    @property
    def runs(self) -> set[str]:
        """Every run of it that holds eight characters of the secret, wherever it was cut."""
        size = round(9 * self.width)
        return {self.said[at : at + size].lower() for at in range(len(self.said) - size + 1)}


def percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def decimal(text: str) -> str:
    return "".join(f"&#{byte};" for byte in text.encode())


ROWS: Mapping[str, Row] = {
    "plain": Row(TOKEN, TOKEN),
    "the second half": Row(TOKEN, TOKEN[13:]),
    "first character cut": Row(TOKEN, TOKEN[1:]),
    "upper case": Row(TOKEN, TOKEN, str.upper),
    "hex": Row(TOKEN, TOKEN, lambda text: text.encode().hex(), 2),
    "hex in upper case": Row(TOKEN, TOKEN, lambda text: text.encode().hex().upper(), 2),
    "hex with colons": Row(TOKEN, TOKEN, lambda text: text.encode().hex(":"), 3),
    "percent": Row(ODD, ODD, lambda text: quote(text, safe="")),
    "percent, every byte": Row(TOKEN, TOKEN, percent, 3),
    "percent twice": Row(ODD, ODD, lambda text: quote(quote(text, safe=""), safe=""), 2),
    "percent twice, every byte": Row(TOKEN, TOKEN, lambda text: quote(percent(text)), 5),
    "base64": Row(TOKEN, TOKEN, lambda text: b64encode(text.encode()).decode(), 4 / 3),
    "base64 in a URL": Row(ODD, f"x{ODD}", lambda text: urlsafe_b64encode(text.encode()).decode(), 4 / 3),
    "decimal entities": Row(TOKEN, TOKEN, decimal, 6),
    "hexadecimal entities": Row(TOKEN, TOKEN, lambda text: "".join(f"&#x{byte:x};" for byte in text.encode()), 6),
    "JSON escapes": Row(TOKEN, TOKEN, lambda text: "".join(f"\\u{byte:04x}" for byte in text.encode()), 6),
    "Bearer's token": Row(f"Bearer {TOKEN}", TOKEN),
    "Token's token": Row(f"Token {TOKEN}", TOKEN),
    "Basic's base64": Row(f"Basic {BASIC}", BASIC),
    "Basic's password": Row(f"Basic {BASIC}", PASSWORD),
    "a cookie's value": Row(f"theme=dark; session={TOKEN}", TOKEN),
    "a key file's line": Row(f"-----BEGIN PRIVATE KEY-----\\n{KEY}\\n-----END PRIVATE KEY-----", KEY),
    "a JSON document's password": Row(json.dumps({"host": "db.test", "password": PASSWORD}), PASSWORD),
    "a DSN's password in pairs": Row(f"host=db.test user=probe password={PASSWORD} dbname=shop", PASSWORD),
    "a URL's password": Row(f"postgresql://probe:{PASSWORD}@db.test:5432/shop", PASSWORD),
    "a URL's password, decoded": Row("postgresql://probe:p%40ss%2Fw%2Brd%3DXYZ12345@db.test/shop", ODD),
}
OUTPUTS = ("console", "JSON report", "log on stderr", "runs show", "runs show --json", "runs list", "explain", "files")


class Target:
    """A server that says one text as its status and as its version."""

    def __init__(self) -> None:
        self.said = ""
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = {"/health": {"status": target.said}, "/version": {"version": target.said}}
                body = json.dumps(known.get(self.path, {})).encode()
                self.send_response(200 if self.path in known else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    one = Target()
    thread = threading.Thread(target=one.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


def probekit(folder: Path, secret: str, *words: str) -> tuple[str, str]:
    """One command in this process; its stdout and stderr."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
            patch.delenv(name)
        patch.setenv("HOME", str(folder))
        patch.setenv("SECRET", secret)
        cli.run(list(words))
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return texts[0], texts[1]


def outputs_of(folder: Path, target: Target, secret: str, said: str) -> dict[str, str]:
    """All that leaves after one verify of a target that says this."""
    target.said = said
    (folder / "said").write_text(f"CRITICAL: {said}|failures=1\n")
    (folder / "probes.toml").write_text(CONFIG.format(url=target.url, said=folder / "said"))
    said_of = {}
    out, err = probekit(folder, secret, "verify", "--env", "production", "--verbose", "--report", "json=report.json")
    said_of["console"], said_of["log on stderr"] = out, err
    said_of["JSON report"] = (folder / "report.json").read_text()
    run = json.loads(said_of["JSON report"])["run"]["id"]
    said_of["runs show"], _ = probekit(folder, secret, "runs", "show", run)
    said_of["runs show --json"], _ = probekit(folder, secret, "runs", "show", run, "--json")
    said_of["runs list"], _ = probekit(folder, secret, "runs", "list")
    said_of["explain"], _ = probekit(folder, secret, "explain", "http")
    kept = [path for path in folder.rglob("*") if path.is_file() and path.name != "said"]
    said_of["files"] = " ".join(path.read_bytes().decode("utf-8", "replace") for path in kept)
    return said_of


@pytest.fixture(scope="module", params=ROWS)
def row(request, tmp_path_factory, target) -> tuple[Row, dict[str, str]]:
    """A row of the table, with what each output says of it."""
    one = ROWS[request.param]
    return one, outputs_of(tmp_path_factory.mktemp("row"), target, one.secret, one.said)


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_form_of_a_secret_stands_in_an_output(row, output) -> None:
    one, outputs = row
    text = " ".join(outputs[output].replace("\\\\", "\\").lower().split())

    assert text
    assert [run for run in one.runs if run in text] == []


@pytest.mark.parametrize("output", ["console", "JSON report", "runs show", "runs show --json"])
def test_the_place_of_a_secret_is_shown(row, output) -> None:
    """The echo did arrive: from the target's status, from its version, and from the program."""
    _, outputs = row

    assert outputs[output].count("[secret]") >= 2


@pytest.mark.parametrize("secret", ["production1", "Bearer production1", "postgresql://u:production1@production.test/"])
def test_a_password_that_holds_a_name_hides_no_name(secret, target, tmp_path) -> None:
    outputs = outputs_of(tmp_path, target, secret, "production1 is unknown")
    document = json.loads(outputs["JSON report"])

    assert document["run"]["environment"] == "production"
    assert {one["instance"] for one in document["measurements"]} == {"", "production-eu"}
    assert "production1" not in outputs["JSON report"].replace(secret, "")
    assert re.search(r"^\S*.*\bproduction\b", outputs["console"], re.MULTILINE)
    assert all("production" in outputs[output] for output in ("console", "runs show", "runs list"))
    assert "[secret] is unknown" in outputs["console"]


def test_an_address_in_a_secret_is_shown(target, tmp_path) -> None:
    outputs = outputs_of(tmp_path, target, f"redis://:{PASSWORD}@127.0.0.1:6379/0", "ok")

    assert "[secret]" not in outputs["console"]
    assert "127.0.0.1" in outputs["console"]


def test_a_secret_that_no_probe_has_revealed_yet_is_hidden(target, tmp_path) -> None:
    dsn = f"postgresql://probe:{PASSWORD}@db.test/shop"
    target.said = f"no connection with {dsn}"
    database = '\n[env.production.probes.database]\nkind = "postgres"\ndsn = { env = "SECRET" }\n'
    text = CONFIG.format(url=target.url, said="").replace("headers =", "# headers =") + database
    (tmp_path / "probes.toml").write_text(text)

    out, err = probekit(tmp_path, dsn, "verify", "--env", "production", "--probe", "health", "--verbose")

    assert "no connection with postgresql://probe:[secret]@db.test/shop" in " ".join(out.split())
    assert PASSWORD not in out + err


class SaysNoHeader(socketserver.StreamRequestHandler):
    """A stand-in of a control that answers with the token instead of a header."""

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(f"HTTP/1.1 200 OK\r\n{TOKEN}\r\n\r\n".encode())


@pytest.mark.parametrize(
    "words", [("verify",), ("deployment", "start"), ("baseline", "capture"), ("baseline", "compare")], ids=" ".join
)
def test_no_command_that_measures_tells_a_secret_on_stderr(words, target, tmp_path) -> None:
    target.said = "ok"
    more = '\n[env.production.probes.api]\nkind = "latency"\nrate = 100\nroutes = [{ path = "/health" }]\n'
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SaysNoHeader) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        text = CONFIG.format(url=target.url, said=tmp_path / "said") + more
        control = f'control = ["http://127.0.0.1:{server.server_address[1]}/"]\nblock = "0.05s"\nwindow = "0.3s"\n'
        (tmp_path / "probes.toml").write_text(text.replace("timeout", f"{control}timeout", 1))

        _, err = probekit(tmp_path, f"Bearer {TOKEN}", *words, "--env", "production")
        server.shutdown()

    assert "control.silent" in err
    assert "[secret]" in err
    assert TOKEN not in err


DATABASE = """
[env.production]
base_url = "http://127.0.0.1:1"
scope = ["deploy.services.database-connectivity"]
timeout = "5s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"

[env.production.probes.database]
kind = "postgres"
dsn = {{ env = "SECRET" }}

[env.production.connect]
resolve = {{ "quuxdb-17.test:{port}" = "127.0.0.1" }}
"""


class SendsBack(socketserver.StreamRequestHandler):
    """A stand-in of PostgreSQL that asks for the password in clear and quotes it in its refusal."""

    def handle(self) -> None:
        (length,) = struct.unpack("!I", self.rfile.read(4))
        self.rfile.read(length - 4)
        self.wfile.write(b"R" + struct.pack("!II", 8, 3))
        (length,) = struct.unpack("!xI", self.rfile.read(5))
        password = self.rfile.read(length - 4).rstrip(b"\0")
        fields = b"SFATAL\0CXX000\0Mno user with " + password + b" or " + password.hex().encode() + b"\0\0"
        self.wfile.write(b"E" + struct.pack("!I", 4 + len(fields)) + fields)


def test_a_password_that_a_server_sends_back_is_hidden_and_the_host_is_not(tmp_path) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SendsBack) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        port = server.server_address[1]
        (tmp_path / "probes.toml").write_text(DATABASE.format(port=port))
        dsn = f"postgresql://probe:quuxdb-17-pw@quuxdb-17.test:{port}/shop?sslmode=disable"

        out, err = probekit(tmp_path, dsn, "verify", "--env", "production", "--verbose", "--report", "json")
        server.shutdown()

    assert f"PostgreSQL at quuxdb-17.test:{port}" in out
    assert "no user with [secret] or [secret]" in out
    assert "quuxdb-17-pw" not in out + err
    assert b"quuxdb-17-pw".hex() not in out + err
