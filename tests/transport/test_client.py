"""One exchange: to the chosen address, within its bounds, and never a wrong idea of who is to blame."""

from __future__ import annotations

import asyncio
import errno
import gzip
import os
import socket
import zlib
from pathlib import Path
from time import perf_counter, sleep

import httpx
import pytest
from builders import mocked

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.client import Http
from probekit.transport.errors import connection_failed
from probekit.transport.resolver import Resolver
from probekit.transport.trust import Trust
from probekit.transport.urls import Address, Endpoint, endpoint_of, origin_of


@pytest.fixture
def ask():
    """Ask one URL path of a port on loopback through the door."""

    async def one(port, path="/", *, timeout=0.5, http=None, **wishes):
        http = http or Http(run="test")
        measurement = http.probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=timeout)
        return await measurement.get(f"http://app.test:{port}{path}", **wishes)

    return one


@pytest.fixture
def refusal(ask):
    """The reason and text of an exchange that gives no answer."""

    async def one(port, **wishes):
        with pytest.raises(ProbeFailedError) as caught:
            await ask(port, **wishes)
        return caught.value

    return one


async def test_an_answer_is_read_to_its_end_with_its_phases(serve, ask, http_reply) -> None:
    port, _ = await serve(0.05, http_reply(b'{"status":"ok"}'))

    answer = await ask(port, "/health?token=hidden", timeout=2)

    assert (answer.status, answer.body, answer.media_type) == (200, b'{"status":"ok"}', "application/json")
    assert answer.url == f"http://app.test:{port}/health"
    assert str(answer.address) == f"127.0.0.1:{port}"
    assert 0.05 <= answer.phases.first_byte < 1
    assert answer.phases.connect < answer.phases.first_byte <= answer.phases.response <= answer.phases.total


async def test_the_response_time_is_that_of_the_whole_answer(serve, ask, http_reply) -> None:
    whole = http_reply(b'{"status":"ok"}')
    port, _ = await serve(whole[:-5], 0.1, whole[-5:])

    answer = await ask(port, timeout=5)

    assert answer.phases.response >= answer.phases.first_byte + 0.05


@pytest.mark.parametrize(
    ("wishes", "url", "status", "reached"),
    [
        ({}, "https://app.test/", 503, True),
        ({}, "https://app.test/", 200, False),  # what fails after it may be our network
        ({}, "https://app.test:8443/", 503, False),
        ({}, "http://app.test/", 503, False),
        ({"proxy": lambda: None}, "https://app.test/", 503, False),
        ({"trust": Trust(ca=Path("ca.pem"))}, "https://app.test/", 503, False),
    ],
)
async def test_the_target_was_reached_where_nothing_on_the_way_can_answer_for_it(wishes, url, status, reached) -> None:
    http = Http(
        run="test",
        origin=origin_of("https://app.test"),
        resolver=Resolver(look_up=lambda _endpoint: ("192.0.2.1",)),
        send=mocked(httpx.MockTransport(lambda _request: httpx.Response(status))),
        **wishes,
    )

    await http.probe_client(timeout=1).get(url)

    assert http.reached is reached


async def test_one_host_never_sees_more_than_four_exchanges_of_a_run(serve, ask, http_reply) -> None:
    now, most = 0, 0

    async def slow(reader, writer):
        nonlocal now, most
        await reader.readuntil(b"\r\n\r\n")
        now += 1
        most = max(most, now)
        for _ in range(20):
            await asyncio.sleep(0)
        now -= 1
        writer.write(http_reply())
        await writer.drain()

    port, _ = await serve(act=slow)
    http = Http(run="test", rate=(1000, 1.0))

    await asyncio.gather(*(ask(port, http=http, timeout=10) for _ in range(12)))

    assert most == 4


async def test_an_exchange_that_is_timed_has_its_host_to_itself(serve, http_reply) -> None:
    beside: list[int] = []
    now = 0

    async def slow(reader, writer):
        nonlocal now
        head = await reader.readuntil(b"\r\n\r\n")
        now += 1
        for _ in range(20):
            if b"/timed" in head:
                beside.append(now - 1)
            await asyncio.sleep(0)
        now -= 1
        writer.write(http_reply())
        await writer.drain()

    port, _ = await serve(act=slow)
    http = Http(run="test", rate=(1000, 1.0))

    async def ask(number):
        alone = number % 3 == 0
        client = http.probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=10, alone=alone)
        await client.get(f"http://app.test:{port}/{'timed' if alone else 'other'}")
        return client.waited

    waits = await asyncio.gather(*(ask(number) for number in range(12)))

    assert len(beside) == 80
    assert set(beside) == {0}
    assert max(waits) > 0


async def test_the_wait_of_a_kept_connection_s_exchange_is_delay_of_our_own(serve, http_reply) -> None:
    port, _ = await serve(http_reply())
    http = Http(run="test")
    client = http.probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=5)
    line = await client.keep_alive(f"http://app.test:{port}/")

    async with http.exchange_with("app.test", alone=True):
        answer = asyncio.create_task(line.prepare(f"http://app.test:{port}/")())
        await asyncio.sleep(0.05)
    phases = (await answer).phases
    await line.close()

    assert phases.local_delay >= 0.04


async def test_every_request_names_itself_and_asks_for_a_new_connection(serve, ask, http_reply) -> None:
    port, peer = await serve(http_reply())

    await ask(port)

    head = peer.heads[0].lower()
    assert b"user-agent: probekit/" in head
    assert b"x-probekit-run: test" in head
    assert b"accept-encoding: identity" in head
    assert f"host: app.test:{port}".encode() in head


async def test_a_post_carries_its_body_and_is_never_followed(serve, http_reply) -> None:
    bodies = []

    async def act(reader, writer):
        peer.heads.append(await reader.readuntil(b"\r\n\r\n"))
        bodies.append(await reader.readexactly(9))
        writer.write(http_reply(b"", "302 Found", Location="/next"))
        await writer.drain()

    port, peer = await serve(act=act)
    client = Http(run="test").probe_client(timeout=2)

    answer = await client.post(f"http://127.0.0.1:{port}/login", b"user=a&b=", {"Content-Type": "text/x"})

    assert (answer.status, bodies, len(peer.heads)) == (302, [b"user=a&b="], 1)
    assert peer.heads[0].startswith(b"POST /login HTTP/1.1\r\n")
    assert b"content-length: 9\r\n" in peer.heads[0].lower()
    assert b"content-type: text/x\r\n" in peer.heads[0].lower()


async def test_identity_headers_go_to_the_target_s_own_origin_only(serve, ask, http_reply) -> None:
    own, own_peer = await serve(http_reply())
    other, other_peer = await serve(http_reply())
    http = Http(run="test", identity={"X-Key": lambda: "planted-secret"}, origin=origin_of(f"http://app.test:{own}"))

    await ask(own, http=http)
    await ask(other, http=http)

    assert b"planted-secret" in own_peer.heads[0]
    assert b"planted-secret" not in other_peer.heads[0]


async def test_nobody_listening_is_unreachable(refusal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    error = await refusal(port)

    assert (error.reason, error.detail) == (Reason.UNREACHABLE, f"connection refused by 127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("script", "reason", "detail"),
    [
        ([b"HTTP/1.1 200 a\x00b\r\n\r\n"], Reason.BAD_RESPONSE, "invalid HTTP response"),
        ([5.0], Reason.UNREACHABLE, "no response"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 5.0], Reason.TIMEOUT, "was not complete"),
        (
            [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"],
            Reason.UNREACHABLE,
            "closed the connection before the end of the body",
        ),
        (
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
            Reason.UNREACHABLE,
            "closed the connection before the end of the body",
        ),
        ([], Reason.UNREACHABLE, "without a response"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n\r\n"], Reason.BAD_RESPONSE, "the response begins with b'SSH-2.0-OpenSSH_9.2"),
        ([b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"], Reason.BAD_RESPONSE, "does not speak HTTP/1.1"),
        ([b"HTTP/1.1 200 OK\r\na/b.php: cached\r\n\r\n"], Reason.BAD_RESPONSE, "a/b.php"),
        ([b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"], Reason.BAD_RESPONSE, "no colon"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n"], Reason.BAD_RESPONSE, "invalid HTTP response"),
        ([b"HTTP/2 200\r\n\r\n"], Reason.BAD_RESPONSE, "invalid HTTP response"),
        ([b"HTTP/1.1 200 OK\r\nContent-Le"], Reason.UNREACHABLE, "before the end of the headers"),
        ([b"HTTP/1.1 200 OK\r\n" + b"X-Filler: " + b"x" * 70_000 + b"\r\n\r\n"], Reason.BAD_RESPONSE, "headers"),
        ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 201 + b"\r\n"], Reason.BAD_RESPONSE, "more than 200 headers"),
        ([b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * ((1 << 20) + 1)], Reason.BAD_RESPONSE, "larger than 1 MiB"),
        ([b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nx"], Reason.BAD_RESPONSE, "content coding 'br'"),
        ([b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip"], Reason.BAD_RESPONSE, "not valid gzip"),
    ],
)
async def test_what_is_no_whole_answer_has_a_reason(serve, refusal, script, reason, detail) -> None:
    port, _ = await serve(*script)

    error = await refusal(port)

    assert error.reason is reason
    assert detail in error.detail


@pytest.mark.parametrize("end", [b"\r\n", b"\n"], ids=["CRLF", "LF"])
@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.0 200 OK",
        b"HTTP/1.0 200",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 200 Tr\xc3\xa8s bien",
        b"HTTP/1.1 200 \xff\xfe",
        b"HTTP/1.1 200 a\tb  c",
        b"HTTP/1.1 200 404 Not Found",
        b"HTTP/1.1 200 " + b"x" * 5000,
    ],
)
async def test_an_old_version_and_an_odd_reason_phrase_are_an_answer(serve, ask, line, end) -> None:
    port, _ = await serve(end.join([line, b"Content-Type: text/plain", b"", b"to the end"]))

    answer = await ask(port)

    assert (answer.status, answer.body) == (200, b"to the end")


async def test_a_server_of_http_1_0_is_asked_on_a_new_connection_each_time(serve, http_reply) -> None:
    port, peer = await serve(http_reply().replace(b"HTTP/1.1", b"HTTP/1.0"))
    client = Http(run="test").probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=5)
    line = await client.keep_alive(f"http://app.test:{port}/")

    answers = [await line.prepare(f"http://app.test:{port}/")() for _ in range(3)]
    await line.close()

    assert [answer.status for answer in answers] == [200] * 3
    assert peer.connections == 3


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_a_body_has_the_bound_of_its_use(serve, ask, refusal, http_reply, coding) -> None:
    body = bytes(5000)
    port, _ = await serve(http_reply(gzip.compress(body) if coding == "gzip" else body, Content_Encoding=coding))

    answer = await ask(port, most=5000)
    error = await refusal(port, most=4999)

    assert answer.body == body
    assert (error.reason, error.detail) == (Reason.BAD_RESPONSE, "the body is larger than 4999 bytes")


@pytest.mark.parametrize(
    "drip",
    [
        [b"HTTP/1.1 200 OK\r\n", *[b"X-Slow: 1\r\n", 0.1] * 50],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n", 0.1] * 50],
        [*[b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.1] * 50],
    ],
    ids=["a header at a time", "a chunk at a time", "endless interim answers"],
)
async def test_one_deadline_stands_over_the_whole_exchange(serve, refusal, drip) -> None:
    port, peer = await serve(*drip)
    start = perf_counter()

    error = await refusal(port, timeout=0.3)

    assert error.reason in (Reason.UNREACHABLE, Reason.TIMEOUT)
    assert perf_counter() - start < 2
    async with asyncio.timeout(5):
        await peer.idle.wait()


async def test_a_timed_out_exchange_has_closed_its_connection(serve, refusal) -> None:
    closed = asyncio.Event()

    async def hang(reader, _writer):
        await reader.readuntil(b"\r\n\r\n")
        await reader.read()  # returns when the client closes
        closed.set()

    port, _ = await serve(act=hang)

    await refusal(port, timeout=0.1)

    await asyncio.wait_for(closed.wait(), 5)


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
        b"HTTP/1.0 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 102\n\n",
    ],
)
async def test_the_first_byte_is_the_final_answer_s(serve, ask, http_reply, interim) -> None:
    port, _ = await serve(interim, 0.1, http_reply())

    answer = await ask(port, timeout=2)

    assert answer.status == 200
    assert answer.phases.first_byte >= 0.1


async def test_a_write_that_is_held_up_makes_no_answer_quicker(serve, ask, http_reply, monkeypatch) -> None:
    async def held_up(writer: asyncio.StreamWriter) -> None:
        if writer.get_extra_info("peername")[1] == port:
            sleep(0.02)  # noqa: ASYNC251  # as a machine does that has no processor for us

    port, _ = await serve(http_reply())
    monkeypatch.setattr(asyncio.StreamWriter, "drain", held_up)

    answer = await ask(port, timeout=5)

    assert answer.phases.first_byte >= 0.02


async def test_a_small_answer_cannot_become_a_large_body(serve, ask, refusal, http_reply) -> None:
    bomb = gzip.compress(b"\0" * (50 << 20))
    small = zlib.compress(b'{"status":"ok"}')
    huge, _ = await serve(http_reply(bomb, Content_Encoding="gzip"))
    fine, _ = await serve(http_reply(small, Content_Encoding="deflate"))

    error = await refusal(huge, timeout=5)
    answer = await ask(fine)

    assert error.reason is Reason.BAD_RESPONSE
    assert answer.body == b'{"status":"ok"}'


@pytest.mark.parametrize(
    ("location", "follow", "status"),
    [
        ("/there", 1, 200),
        ("/there", 0, 302),
        ("http://127.0.0.1:9/there", 1, 302),
        ("https://app.test/there", 1, 302),
        ("http://app.test@evil.test/", 1, 302),
        ("//evil.test/there", 1, 302),
        ("http://[", 1, 302),
    ],
)
async def test_redirects_are_followed_on_wish_and_within_the_origin_only(
    serve, ask, http_reply, location, follow, status
) -> None:
    async def redirect(reader, writer):
        line = await reader.readuntil(b"\r\n\r\n")
        moved = http_reply(b"", "302 Found", Location=location)
        writer.write(http_reply() if line.startswith(b"GET /there") else moved)
        await writer.drain()

    port, _ = await serve(act=redirect)

    answer = await ask(port, follow=follow)

    assert answer.status == status


async def test_a_redirect_s_query_is_never_shown(serve, ask, http_reply) -> None:
    port, _ = await serve(http_reply(b"", "302 Found", Location="/login?token=hidden"))

    answer = await ask(port)

    assert answer.redirect == "/login"


async def test_endless_redirects_end(serve, ask, http_reply) -> None:
    port, peer = await serve(http_reply(b"", "302 Found", Location="/"))

    answer = await ask(port, follow=5)

    assert (answer.status, peer.connections) == (302, 6)


async def test_the_throttle_keeps_its_rate_and_the_order_and_its_wait_is_told(serve, http_reply) -> None:
    port, _ = await serve(http_reply())
    http = Http(run="test", rate=(2, 0.2))
    measurements = [
        http.probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=1) for _ in range(5)
    ]
    order = []

    async def one(number):
        answer = await measurements[number].get(f"http://app.test:{port}/")
        order.append(number)
        return answer

    answers = await asyncio.gather(*(one(number) for number in range(5)))

    assert measurements[0].waited < 0.1
    assert measurements[4].waited > 0.2
    assert order[-1] == 4
    assert all(answer.phases.total < 0.2 for answer in answers)  # no wait of ours in a figure


async def test_a_name_that_does_not_resolve_is_nobody_s_outage(ask) -> None:
    def nothing(_endpoint):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    measurement = Http(run="test", resolver=Resolver(look_up=nothing)).probe_client(timeout=1)

    with pytest.raises(ProbeFailedError) as caught:
        await measurement.get("http://nowhere.test/")

    assert caught.value.reason is Reason.UNRESOLVED


async def test_all_addresses_of_a_name_are_known_once_each() -> None:
    resolver = Resolver(look_up=lambda _endpoint: ["127.0.0.1", "::1", "127.0.0.1"])

    resolved = await resolver.resolve(Endpoint("app.test", 443))

    assert [str(address) for address in resolved.addresses] == ["127.0.0.1:443", "[::1]:443"]


async def test_what_the_configuration_fixes_is_not_asked_for() -> None:
    def never(_endpoint):
        raise AssertionError

    resolver = Resolver(fixed={"app.test:443": "10.0.3.7"}, look_up=never)

    resolved = await resolver.resolve(Endpoint("app.test", 443))

    assert [address.ip for address in resolved.addresses] == ["10.0.3.7"]


async def test_a_dead_resolver_does_not_hold_up_the_run() -> None:
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stuck(_endpoint):
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(10)
        return []

    measurement = Http(run="test", resolver=Resolver(look_up=stuck)).probe_client(timeout=0.1)

    with pytest.raises(ProbeFailedError) as caught:
        await measurement.get("http://nowhere.test/")

    assert caught.value.reason is Reason.UNRESOLVED
    release.set()


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"ca": "absent"}, "No such file or directory"),
        ({"ca": "pipe"}, "not a regular file"),
        ({"client_cert": "pipe"}, "not a regular file"),
    ],
)
async def test_a_file_of_certificates_that_cannot_be_read_is_our_own_error(serve, tmp_path, files, told) -> None:
    port, peer = await serve()
    os.mkfifo(tmp_path / "pipe")  # OpenSSL would wait for its writer, and hold the run's one loop
    http = Http(run="test", trust=Trust(**{setting: tmp_path / name for setting, name in files.items()}))
    measurement = http.probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=1)

    with pytest.raises(ProbeFailedError) as caught:
        await measurement.get(f"https://app.test:{port}/")

    assert caught.value.reason is Reason.MISSING_FILE
    assert told in caught.value.detail
    assert next(iter(files.values())) in caught.value.detail
    assert peer.heads == []


async def test_plain_http_where_tls_is_due_is_unreachable(serve, http_reply) -> None:
    async def plain(_reader, writer):
        writer.write(http_reply())
        await writer.drain()

    port, _ = await serve(act=plain)
    measurement = Http(run="test").probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=1)

    with pytest.raises(ProbeFailedError) as caught:
        await measurement.get(f"https://app.test:{port}/")

    assert caught.value.reason is Reason.UNREACHABLE


@pytest.mark.parametrize("way", ["get", "keep_alive"])
async def test_a_handshake_that_is_not_answered_is_named_and_no_missing_connection(serve, way) -> None:
    async def silent(reader, _writer):
        await reader.read()

    port, _ = await serve(act=silent)
    measurement = Http(run="test").probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=0.5)

    with pytest.raises(ProbeFailedError) as caught:
        await getattr(measurement, way)(f"https://app.test:{port}/")

    assert caught.value.reason is Reason.UNREACHABLE
    expected = f"TLS handshake timeout: 127.0.0.1:{port} accepted the connection and did not finish within 0.5 s"
    assert caught.value.detail == expected


@pytest.mark.parametrize(
    "alert",
    [
        b"\x15\x03\x03\x00\x02\x02\x28",  # handshake failure: no client certificate, no shared cipher
        b"\x15\x03\x01\x00\x02\x02\x46",  # protocol version
        b"\x15\x03\x03\x00\x02\x02\x70",  # unrecognised name
    ],
)
async def test_a_peer_that_speaks_tls_and_refuses_us_is_no_outage(serve, alert) -> None:
    async def refuse(reader, writer):
        await reader.read(1024)
        writer.write(alert)
        await writer.drain()

    port, _ = await serve(act=refuse)
    measurement = Http(run="test").probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=1)

    with pytest.raises(ProbeFailedError) as caught:
        await measurement.get(f"https://app.test:{port}/")

    assert caught.value.reason is Reason.ACCESS_DENIED


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EHOSTUNREACH, "x"), Reason.NO_NETWORK),
        (OSError(errno.ENETDOWN, "x"), Reason.NO_NETWORK),
        (OSError(errno.EMFILE, "x"), Reason.NO_NETWORK),
        (socket.gaierror(socket.EAI_NONAME, "x"), Reason.UNRESOLVED),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), Reason.UNREACHABLE),
        (ConnectionResetError(errno.ECONNRESET, "x"), Reason.UNREACHABLE),
        (TimeoutError(errno.ETIMEDOUT, "x"), Reason.UNREACHABLE),
    ],
)
def test_a_socket_s_error_says_who_is_to_blame(error, reason) -> None:
    assert connection_failed(error, Address(Endpoint("app.test", 1), "192.0.2.1")).reason is reason


async def test_a_fixed_address_counts_however_its_name_is_written() -> None:
    resolver = Resolver(fixed={"app.test:443": "10.0.3.7"})

    assert (await resolver.resolve(Endpoint("APP.test", 443))).addresses[0].ip == "10.0.3.7"


def test_a_name_is_looked_up_as_it_is_sent() -> None:
    assert endpoint_of("https://stra\u00dfe.de/").host == "xn--strae-oqa.de"
    assert endpoint_of("https://[::1]:8443/") == Endpoint("::1", 8443)


async def test_a_head_with_a_content_encoding_has_no_body_to_unpack(serve, ask, http_reply) -> None:
    port, _ = await serve(http_reply(b"", Content_Encoding="gzip"))

    assert (await ask(port, method="HEAD")).body == b""
