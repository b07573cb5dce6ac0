"""Targets that misbehave, over the whole flow: what each is judged to be, in time, in little memory, in plain text."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from itertools import cycle

import httpx
import psutil
import pytest
from hypothesis import given, strategies as st

from probekit import reports
from probekit.model.measurement import ProbeFailedError, Reason
from probekit.model.verdict import Outcome
from probekit.probes._support.cookies import cookies
from probekit.probes._support.health_document import HealthDocument
from probekit.probes._support.health_reader import read_health
from probekit.probes._support.health_words import Health, health_of
from probekit.probes._support.json import find, parse
from probekit.transport.connection import Connection
from probekit.transport.exchange import Exchange, answered, send_once
from probekit.transport.trust import Trust
from probekit.transport.urls import Address, Endpoint
from probekit.workflows.options import RunOptions
from probekit.workflows.verify import execute_run

CONFIG = """
[env.prod]
base_url = "{scheme}://127.0.0.1:{port}"
scope = ["deploy.services.health-endpoint"]
timeout = "{timeout}"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
throttle = {{ requests = 10000, per = "1s" }}

[env.prod.probes.health]
kind = "http"
path = "/health"
"""
LOOKS = 1.0 * (2 + 6 + 2)  # seconds at the worst: eight measurements, 24 more, two attempts, four in flight, and some
GROWTH = 16 << 20  # bytes
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n"
HTTPS_PORT = b"<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>"
NO_CERTIFICATE = b"<html><title>400 No required SSL certificate was sent</title></html>"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Type: text/html\r\n"
BOMB = 8 << 20  # bytes, unpacked
PASS, FAIL, INCONCLUSIVE, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR


def answer(body: bytes, *, head: bytes = HEAD, length: int | None = None) -> bytes:
    return head + f"Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


def coded(name: str, body: bytes) -> bytes:
    return answer(body, head=HEAD + f"Content-Encoding: {name}\r\n".encode())


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.fixture
def judged(serve, tmp_path):
    """A function from scripts, one for each connection in turn, to the health item's verdict and both reports."""

    async def judged(*scripts, scheme="http", timeout="500ms"):
        turns = cycle(scripts)

        async def act(reader, writer):
            script = next(turns)
            head = await reader.readuntil(b"\r\n\r\n") if scheme == "http" else b""
            if b"/probekit-" in head:  # the path that cannot exist
                script = (answer(b"{}", head=b"HTTP/1.1 404 Not Found\r\n"),)
            for part in script:
                writer.write(part)
                await writer.drain()

        port, _ = await serve(act=act)
        (tmp_path / "probes.toml").write_text(CONFIG.format(scheme=scheme, port=port, timeout=timeout))
        before, start = psutil.Process().memory_info().rss, time.perf_counter()
        report = await execute_run(RunOptions(environment="prod", config=tmp_path / "probes.toml"))
        assert time.perf_counter() - start < LOOKS
        assert psutil.Process().memory_info().rss - before < GROWTH
        (verdict,) = report.verdicts
        return verdict, reports.load_format("console").text(report), reports.load_format("json").text(report)

    return judged


@pytest.mark.parametrize(
    ("script", "outcome", "told"),
    [
        ([HEAD + b"\r\n", *[b"x" * 65536] * 40], INCONCLUSIVE, "larger than 1 MiB"),
        ([coded("gzip", gzip.compress(bytes(BOMB)))], INCONCLUSIVE, "larger than 1 MiB"),
        ([coded("deflate", zlib.compress(bytes(BOMB)))], INCONCLUSIVE, "larger than 1 MiB"),
        ([coded("br", b"\x0b\x02\x80")], INCONCLUSIVE, "content coding"),
        ([coded("gzip", b"no gzip")], INCONCLUSIVE, "not valid gzip"),
        ([coded("gzip", gzip.compress(b'{"status":"ok"}')[:-4])], INCONCLUSIVE, "is truncated"),
        ([HEAD, *[b"X: y\r\n" * 1000] * 10, b"\r\n"], INCONCLUSIVE, "headers"),
        ([HEAD, b"X: ", *[b"y" * 65536] * 16, b"\r\n\r\n"], INCONCLUSIVE, "64 KiB of headers"),
        ([answer(b'{"status":"ok"}', length=999)], FAIL, "the end of the body; all 10 measurements in 3 attempts"),
        ([answer(b'{"status":"ok"}', length=5)], INCONCLUSIVE, "not valid JSON"),
        ([answer(b"\xff\xfe{\x00}\x00")], INCONCLUSIVE, "not valid JSON"),
        ([answer(b'\xef\xbb\xbf{"status":"ok"}')], PASS, ""),  # RFC 8259 section 8.1
        ([answer(b'\xef\xbb\xbf{"status":"down"}')], FAIL, "down"),
        ([answer(b'\xef\xbb\xbf\xef\xbb\xbf{"status":"ok"}')], INCONCLUSIVE, "not valid JSON"),
        ([coded("utf-8", b'{"status":"ok"}')], PASS, ""),
        ([coded("gzip", gzip.compress(b'{"status":"ok"}') + b"{}")], INCONCLUSIVE, "not valid gzip"),
        ([answer(b'{"status":"ok","status":"down"}')], INCONCLUSIVE, "not valid JSON"),
        ([answer(b'{"status":NaN}')], INCONCLUSIVE, "not valid JSON"),
        ([answer(b'{"status":1e999}')], INCONCLUSIVE, "not valid JSON"),
        ([answer(b"[" * 10_000 + b"]" * 10_000)], INCONCLUSIVE, ""),
        ([answer(b"<html>sign in</html>", head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")], INCONCLUSIVE, ""),
        ([redirect("/health")], INCONCLUSIVE, "points to /health: no recorded run"),
        ([redirect("http://169.254.169.254/latest/meta-data")], INCONCLUSIVE, "the request may be wrong"),
        ([redirect("http://127.0.0.1:1/")], INCONCLUSIVE, "the request may be wrong"),
        ([redirect("file:///etc/passwd")], INCONCLUSIVE, "the request may be wrong"),
        ([redirect("https://id.example.test/oauth2/authorize?client_id=x")], ERROR, "access_denied"),
        ([redirect("/users/sign_in")], ERROR, "access_denied"),
        ([redirect("/login?next=/health")], ERROR, "access_denied"),
        ([redirect("https://id.example.test/x?SAMLRequest=abc")], ERROR, "access_denied"),
        ([answer(b"<html>Solve the CAPTCHA</html>", head=BUSY)], ERROR, "access_denied"),
        ([answer(b"<html>maintenance</html>", head=BUSY)], FAIL, "status 503"),
        ([answer(b'{"status":"ok","parts":{"db":{"status":"DOWN"}}}')], INCONCLUSIVE, "to ignore this: ignore = "),
        (
            [answer(b'{"status":"ok","parts":[{"name":"db","state":"down"}]}')],
            INCONCLUSIVE,
            "to ignore this: ignore = ",
        ),
        ([answer(b'{"status":"ok","parts":{"db":{"status":"UP"}}}')], PASS, ""),
        ([b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n"], ERROR, "access_denied"),
        ([b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"], ERROR, "access_denied"),
        ([b"HTTP/1.1 503 No\r\ncf-mitigated: challenge\r\nContent-Length: 0\r\n\r\n"], ERROR, "access_denied"),
        ([b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"], FAIL, ""),
        ([b"SSH-2.0-OpenSSH_9\r\n"], INCONCLUSIVE, "does not speak HTTP"),
        *(
            ([b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status], ERROR, "access_denied")
            for status in (401, 408, 421, 426, 431, 451, 501, 505, 511)
        ),
        *(([b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status], FAIL, "status") for status in (500, 502, 504)),
        ([answer(HTTPS_PORT, head=BAD_REQUEST)], ERROR, "the port requires https"),
        ([answer(NO_CERTIFICATE, head=BAD_REQUEST)], ERROR, "configure connect.client_cert"),
        ([answer(b"<html>what?</html>", head=BAD_REQUEST)], INCONCLUSIVE, "the request may be wrong"),
        ([b""], FAIL, "closed the connection without a response; all 10 measurements in 3 attempts"),
        ([answer(b'{"status":"DOWN"}')], FAIL, ""),
        ([answer(b'{"status":"ok"}', head=HEAD + b"Date: Mon, 01 Jan 2001 00:00:00 GMT\r\nAge: 5\r\n")], PASS, ""),
        ([answer(b'{"status":"ok"}', head=HEAD + b"Age: 6\r\n")], INCONCLUSIVE, "a response that is 6 s old"),
        ([answer(b'{"status":"ok"}', head=HEAD + b"Age: " + b"9" * 400 + b"\r\n")], INCONCLUSIVE, "a cache returned"),
        ([answer(b'{"status":"ok"}', head=HEAD + b"Age: soon\r\n")], PASS, ""),
        ([answer(b'{"status":"ok"}', head=HEAD + b"Date: Mon, 01 Jan 2063 00:00:00 GMT\r\nExpires: 0\r\n")], PASS, ""),
        ([answer(b'{"status":"ok"}')], PASS, ""),
    ],
)
async def test_what_a_target_is_that_misbehaves(judged, script, outcome, told) -> None:
    verdict, _, _ = await judged(script)

    assert verdict.outcome is outcome, verdict.because
    assert told in verdict.because


@pytest.mark.parametrize("good", [1, 2])
async def test_a_target_that_answers_differently_each_time_is_unproven(judged, good) -> None:
    bad = [b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"]

    verdict, _, _ = await judged(*[[answer(b'{"status":"ok"}')]] * good, bad)

    assert verdict.outcome is INCONCLUSIVE
    assert "measurements disagree" in verdict.because


async def test_a_body_of_one_byte_at_a_time_ends_with_the_deadline(serve, tmp_path) -> None:
    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await reader.read(1)

    port, _ = await serve(act=drip)
    (tmp_path / "probes.toml").write_text(CONFIG.format(scheme="http", port=port, timeout="500ms"))
    start = time.perf_counter()

    report = await execute_run(RunOptions(environment="prod", config=tmp_path / "probes.toml"))

    assert time.perf_counter() - start < LOOKS
    assert report.verdicts[0].outcome is INCONCLUSIVE
    assert "was not complete within 0.5 s" in report.verdicts[0].because


async def test_a_handshake_that_hangs_and_plain_http_on_its_port_are_down(judged) -> None:
    silent, _, _ = await judged([], scheme="https", timeout="5s")  # it answers at once; a busy runner stalls
    plain, _, _ = await judged([b"HTTP/1.1 400 Bad Request\r\n\r\n"], scheme="https", timeout="5s")

    assert (silent.outcome, plain.outcome) == (FAIL, FAIL), (silent.because, plain.because)


async def test_what_hides_moves_or_recolours_text_is_written_out_in_every_report(judged) -> None:
    evil = "\x1b[31mred\x07\u202e<script>alert(1)</script>"
    body = json.dumps({"status": evil, evil: evil}, ensure_ascii=False).encode()
    head = HEAD + b"X-Evil: \x1b[2J\r\n"

    verdict, console, document = await judged([answer(body, head=head)])

    assert verdict.outcome is INCONCLUSIVE
    for text in (console, document):
        assert not set("\x1b\x07\u202e") & set(text)
    json.loads(document)


# ---------------------------------------------------------------- anything at all, into every parser


def said(read, *arguments):
    """What a parser makes of it; None where it says that this is no answer, and nothing else."""
    try:
        return read(*arguments)
    except ProbeFailedError as error:
        return None if error.reason is Reason.BAD_RESPONSE else error


@given(st.binary(max_size=300))
def test_any_bytes_are_json_or_no_answer(body) -> None:
    document = said(parse, body)

    assert health_of(document) in Health
    assert isinstance(said(read_health, document), HealthDocument | ProbeFailedError)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.sampled_from(["$.status", "$..status", "$[0]", "$.*", "$.a.b"]))
def test_any_json_has_one_value_there_or_no_answer(document, path) -> None:
    assert not isinstance(said(find, path, document), ProbeFailedError)
    assert isinstance(said(read_health, document), HealthDocument | ProbeFailedError)


@pytest.mark.parametrize("text", ["{", '{"status": "ok"}', "[1", "ok"])
def test_a_text_is_no_document_whatever_it_holds(text) -> None:
    assert find("$", text) == text
    with pytest.raises(ProbeFailedError, match=r"nothing at \$\.status"):
        find("$.status", text)


class Deaf:
    """The writing end of a connection that exists in memory only."""

    def write(self, _data):
        pass

    async def drain(self):
        pass

    @property
    def transport(self):
        return self

    def abort(self):
        pass

    def get_extra_info(self, _name):
        return None


async def read(data):
    """The answer in these bytes, after which the connection ends; or the reason that there is none."""

    async def dial(address, _tls):
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return Connection(reader, Deaf(), address, 0.0)

    address = Address(Endpoint("app.test", 80), "127.0.0.1")
    request = httpx.Request("GET", "http://app.test/", headers={"Host": "app.test"})
    exchange = Exchange(address, Trust(), dial)
    try:
        return await answered(send_once, request, exchange, 5.0)
    except ProbeFailedError as error:
        return error.reason


LINES = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 103 Early", b"HTTP/1.0 503 ", b"HTTP/1.1 204 No", b"HTTP/9.9 200",
     b"HTTP/1.1 99999 X",
     b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 5, 6", b"Transfer-Encoding: chunked",
     b"Transfer-Encoding: gzip", b"Content-Encoding: gzip", b"Content-Encoding: deflate", b"Content-Encoding: br",
     b"Content-Encoding: \xff", b": no name", b"Location: //", b"", b"", b"5", b"0", b"hello", b"\x1f\x8b\x08"]
)  # fmt: skip
WIRE = st.lists(LINES | st.binary(max_size=20), max_size=12).map(b"\r\n".join)


@given(WIRE | WIRE.map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest) | st.binary(max_size=200))
def test_any_bytes_on_the_wire_are_an_answer_or_none(data) -> None:
    found = asyncio.run(read(data))

    assert found in (Reason.UNREACHABLE, Reason.BAD_RESPONSE) or 200 <= found.status <= 999


@given(st.lists(st.text(max_size=80), max_size=5))
def test_any_header_is_read_as_cookies(values) -> None:
    for cookie in cookies(values) if values else ():
        assert isinstance(cookie.name, str)
