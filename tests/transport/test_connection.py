"""How the target is reached: by a proxy, over one family of addresses, with a certificate of our own."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode

import pytest
import trustme
from client_certificates import VERSIONS, Mutual

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
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Reason.ACCESS_DENIED),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", Reason.ACCESS_DENIED),
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


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("", "it does not begin with SCHEME://HOST"),
        ("proxy.test:3128", "it does not begin with SCHEME://HOST"),
        ("https://secret@proxy.test", "its scheme must be http"),
        ("socks5://proxy.test", "its scheme must be http"),
        ("http://:secret@", "its host is missing"),
        ("http://me:secret@proxy.test:0", "its port is not a number from 1 to 65535"),
        ("http://me:secret/1@proxy.test", "its port is not a number from 1 to 65535"),
        ("http://me:secret@[proxy.test", "its host is neither a name nor an IP address"),
        ("http://me:secret@proxy.test\n", "it contains a character that is not printable"),
    ],
)
def test_what_is_no_proxy_is_told_by_its_part_without_a_word_of_it(url, part) -> None:
    with pytest.raises(ProbeFailedError) as failed:
        proxy_of(url, "$HTTPS_PROXY")

    assert failed.value.reason is Reason.MISSING_SETTING
    assert failed.value.detail.startswith(f"$HTTPS_PROXY is not the URL of a proxy: {part}")
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
def mutual(tmp_path):
    return Mutual(tmp_path)


@pytest.fixture
async def asking(serve, http_reply, mutual):
    """A server that demands a certificate, by the versions of TLS: where it is."""

    async def start(version=ssl.TLSVersion.TLSv1_3):
        port, _ = await serve(http_reply(), tls=mutual.server(version))
        return f"https://127.0.0.1:{port}/"

    return start


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_configured_certificate_is_presented_to_a_server_that_asks(asking, mutual, version) -> None:
    http = Http(run="test", trust=mutual.trust("right"))

    assert (await http.probe_client(timeout=2).get(await asking(version))).status == 200


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("certificate", "told"),
    [
        (None, "requires a client certificate and received none"),
        ("wrong", "requires a client certificate and rejected that of connect.client_cert"),
    ],
)
async def test_without_a_certificate_that_it_takes_the_access_is_denied(
    asking, mutual, version, certificate, told
) -> None:
    http = Http(run="test", trust=mutual.trust(certificate))
    url = await asking(version)

    for _ in range(5):  # with TLS 1.3 the refusal comes after the handshake, beside the request
        with pytest.raises(ProbeFailedError) as failed:
            await http.probe_client(timeout=2).get(url)
        assert failed.value.reason is Reason.ACCESS_DENIED
        assert told in failed.value.detail
        assert "connect.client_cert" in failed.value.detail


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_server_may_refuse_a_certificate_without_a_word(serve, mutual, version, how) -> None:
    port, _ = await serve(act=mutual.ends(version, how))

    with pytest.raises(ProbeFailedError) as failed:
        await Http(run="test", trust=mutual.trust(None)).probe_client(timeout=2).get(f"https://127.0.0.1:{port}/")

    assert failed.value.reason is Reason.ACCESS_DENIED
    assert "configure connect.client_cert" in failed.value.detail


async def test_a_server_that_asks_for_no_certificate_and_closes_is_down(serve, mutual) -> None:
    context = mutual.server()
    context.verify_mode = ssl.CERT_NONE
    port, _ = await serve(b"", tls=context)

    with pytest.raises(ProbeFailedError) as failed:
        await Http(run="test", trust=mutual.trust("right")).probe_client(timeout=2).get(f"https://127.0.0.1:{port}/")

    assert failed.value.reason is Reason.UNREACHABLE


async def test_an_untrusted_server_that_asks_for_a_certificate_is_untrusted_all_the_same(asking, mutual) -> None:
    http = Http(run="test", trust=Trust(client_cert=mutual.trust("right").client_cert))

    with pytest.raises(ProbeFailedError) as failed:
        await http.probe_client(timeout=2).get(await asking())

    assert failed.value.reason is Reason.UNTRUSTED


async def test_an_answer_that_breaks_off_is_no_refusal_of_a_certificate(serve, mutual) -> None:
    port, _ = await serve(b"HTTP/1.1 200 OK\r\n", tls=mutual.server())

    with pytest.raises(ProbeFailedError) as failed:
        await Http(run="test", trust=mutual.trust("right")).probe_client(timeout=2).get(f"https://127.0.0.1:{port}/")

    assert failed.value.reason is Reason.UNREACHABLE


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
        await http.probe_client(timeout=2).get(await asking())

    assert failed.value.reason is Reason.MISSING_FILE
    assert "mine.pem cannot be used" in failed.value.detail
