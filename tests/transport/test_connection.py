"""How the target is reached: by a proxy, over one family of addresses, with a certificate of our own."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode

import pytest
import trustme

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.client import Http
from probekit.transport.connection import Proxy, proxy_of
from probekit.transport.resolver import Resolver
from probekit.transport.trust import Trust
from probekit.transport.urls import Endpoint


@pytest.fixture
async def tunnel():
    """Start a proxy that opens tunnels, or answers as it is told; its port, and the heads it was asked with."""
    servers, heads, tasks = [], [], set()

    async def start(answer=b"HTTP/1.1 200 Connection established\r\n\r\n", *, silent=False):
        async def serve(reader, writer):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            if silent:
                await reader.read()
            writer.write(answer)
            host, _, port = heads[-1].split()[1].decode().rpartition(":")
            if answer.startswith(b"HTTP/1.1 200"):
                try:
                    there = await asyncio.open_connection("127.0.0.1" if host == "app.test" else host, int(port))
                except OSError:
                    writer.close()
                    return
                tasks.update(asyncio.create_task(carry(*pair)) for pair in ((reader, there[1]), (there[0], writer)))
            else:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return server.sockets[0].getsockname()[1]

    async def carry(reader, writer):
        try:
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    start.heads = heads  # type: ignore[attr-defined]  # what it was asked, for the test to read
    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for server in servers:
        server.close()


def by_proxy(port, **more):
    return Http(run="test", proxy=lambda: Proxy(host="127.0.0.1", port=port, **more))


async def test_a_proxy_tunnels_and_looks_the_name_up_itself(serve, http_reply, tunnel) -> None:
    port, peer = await serve(http_reply())
    http = by_proxy(await tunnel(), authorization="Basic dXNlcjpwYXNz")

    answer = await http.probe_client(timeout=2).get(f"http://app.test:{port}/health")

    assert (answer.status, answer.address.ip) == (200, "app.test")
    (head,) = tunnel.heads
    assert head == (
        f"CONNECT app.test:{port} HTTP/1.1\r\nHost: app.test:{port}\r\n"
        "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n"
    ).encode()  # fmt: skip
    assert b"Proxy-Authorization" not in peer.heads[0]


async def test_what_the_configuration_fixes_is_asked_for_by_its_address(serve, http_reply, tunnel) -> None:
    port, _ = await serve(http_reply())
    http = by_proxy(await tunnel())
    http.resolver = Resolver(fixed={f"app.test:{port}": "127.0.0.1"})

    answer = await http.probe_client(timeout=2).get(f"http://app.test:{port}/health")

    assert answer.address.ip == "127.0.0.1"
    assert tunnel.heads[0].startswith(f"CONNECT 127.0.0.1:{port} ".encode())


async def test_tls_goes_through_the_tunnel_and_is_verified_end_to_end(serve, http_reply, tunnel, tmp_path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("app.test").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    port, _ = await serve(http_reply(), tls=context)
    http = by_proxy(await tunnel())

    http.trust = Trust(ca=tmp_path / "ca.pem")
    assert (await http.probe_client(timeout=2).get(f"https://app.test:{port}/")).status == 200
    http.trust = Trust()
    with pytest.raises(ProbeFailedError) as failed:
        await http.probe_client(timeout=2).get(f"https://app.test:{port}/")
    assert failed.value.reason is Reason.UNTRUSTED


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Reason.TURNED_AWAY),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", Reason.TURNED_AWAY),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", Reason.NO_NETWORK),
        (b"HTTP/1.1 2000 \r\n\r\n", Reason.NO_NETWORK),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Reason.NO_NETWORK),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000, Reason.NO_NETWORK),
        (b"", Reason.NO_NETWORK),
    ],
)
async def test_a_proxy_s_trouble_is_never_the_target_s(tunnel, answer, reason) -> None:
    http = by_proxy(await tunnel(answer))

    with pytest.raises(ProbeFailedError) as failed:
        await http.probe_client(timeout=2).get("http://app.test:81/")

    assert failed.value.reason is reason


async def test_a_proxy_that_is_silent_or_not_there_is_no_outage(tunnel) -> None:
    for port in (await tunnel(silent=True), 1):
        with pytest.raises(ProbeFailedError) as failed:
            await by_proxy(port).probe_client(timeout=0.2).get("http://app.test:81/")
        assert failed.value.reason is Reason.NO_NETWORK


async def test_a_target_that_resets_in_the_tunnel_is_down(serve, tunnel) -> None:
    async def reset(_reader, writer):
        writer.transport.abort()

    port, _ = await serve(act=reset)

    with pytest.raises(ProbeFailedError) as failed:
        await by_proxy(await tunnel()).probe_client(timeout=2).get(f"http://app.test:{port}/")

    assert failed.value.reason is Reason.UNREACHABLE


async def test_warm_connections_go_by_the_proxy_too(serve, http_reply, tunnel) -> None:
    port, _ = await serve(http_reply())
    http = by_proxy(await tunnel())

    line = await http.probe_client(timeout=2).keep_alive(f"http://app.test:{port}/")
    answer = await line.prepare(f"http://app.test:{port}/")()
    await line.close()

    assert (answer.status, len(tunnel.heads)) == (200, 1)


def test_a_proxy_s_url_may_hold_a_user() -> None:
    proxy = proxy_of("http://us%40er:p%3Ass@proxy.test:3128", "$HTTPS_PROXY")

    assert (proxy.host, proxy.port) == ("proxy.test", 3128)
    assert proxy.authorization == f"Basic {b64encode(b'us@er:p:ss').decode()}"
    assert "p:ss" not in repr(proxy)


@pytest.mark.parametrize("url", ["", "proxy.test:3128", "https://proxy.test", "socks5://proxy.test", "http://:secret@"])
def test_what_is_no_proxy_is_told_without_a_word_of_it(url) -> None:
    with pytest.raises(ProbeFailedError) as failed:
        proxy_of(url, "$HTTPS_PROXY")

    assert failed.value.reason is Reason.MISSING_SETTING
    assert failed.value.detail.startswith("$HTTPS_PROXY holds no URL of a proxy")
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("family", "found"),
    [
        ("any", ["192.0.2.1", "2001:db8::1", "fe80::1%eth0"]),
        ("ipv4", ["192.0.2.1"]),
        ("ipv6", ["2001:db8::1", "fe80::1%eth0"]),
    ],
)
async def test_one_family_of_addresses_on_wish(family, found) -> None:
    resolver = Resolver(look_up=lambda _: ["192.0.2.1", "2001:db8::1", "fe80::1%eth0"], family=family)

    resolved = await resolver.resolve(Endpoint("app.test", 443))

    assert [address.ip for address in resolved.addresses] == found


async def test_a_name_without_an_address_of_that_family_is_nobody_s_outage() -> None:
    with pytest.raises(ProbeFailedError) as failed:
        await Resolver(look_up=lambda _: ["192.0.2.1"], family="ipv6").resolve(Endpoint("app.test", 443))

    assert (failed.value.reason, "no ipv6 address" in failed.value.detail) == (Reason.UNRESOLVED, True)


@pytest.fixture
async def asking(serve, http_reply, tmp_path):
    """A server that asks for a certificate; where it is, and the authority of both sides."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("probe@example.test").private_key_and_cert_chain_pem.write_to_path(tmp_path / "probe.pem")
    port, _ = await serve(http_reply(), tls=context)
    return f"https://127.0.0.1:{port}/"


async def test_a_certificate_of_our_own_is_shown_to_whoever_asks(asking, tmp_path) -> None:
    http = Http(run="test", trust=Trust(ca=tmp_path / "ca.pem", client_cert=tmp_path / "probe.pem"))

    assert (await http.probe_client(timeout=2).get(asking)).status == 200


async def test_whoever_has_none_is_turned_away_and_the_target_is_not_down(asking, tmp_path) -> None:
    http = Http(run="test", trust=Trust(ca=tmp_path / "ca.pem"))

    for _ in range(5):  # with TLS 1.3 the refusal comes after the handshake, beside our request
        with pytest.raises(ProbeFailedError) as failed:
            await http.probe_client(timeout=2).get(asking)
        assert failed.value.reason is Reason.TURNED_AWAY


@pytest.mark.parametrize("text", [None, "no PEM", "encrypted"])
async def test_a_certificate_that_cannot_be_used_is_our_own_error(asking, tmp_path, text) -> None:
    file = tmp_path / "mine.pem"
    if text == "encrypted":
        mark = "ENCRYPTED PRIVATE KEY-----\n"
        key = f"-----BEGIN {mark}MIIFHDBOBgkqhkiG9w0BBQ0wQTApBgkqhkiG9w0BBQwwHAQI\n-----END {mark}"
        file.write_text(key + (tmp_path / "ca.pem").read_text())
    elif text:
        file.write_text(text)
    http = Http(run="test", trust=Trust(ca=tmp_path / "ca.pem", client_cert=file))

    with pytest.raises(ProbeFailedError) as failed:
        await http.probe_client(timeout=2).get(asking)

    assert failed.value.reason is Reason.MISSING_FILE
    assert "mine.pem cannot be used" in failed.value.detail
