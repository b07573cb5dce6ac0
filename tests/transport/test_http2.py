"""A server of HTTP/2 alone is not silent; one that hangs up on HTTP/1.1, which it speaks, is."""

from __future__ import annotations

import ssl

import pytest
import trustme

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.client import Http
from probekit.transport.trust import Trust
from probekit.transport.urls import Address, Endpoint

SETTINGS = bytes(3) + b"\x04" + bytes(5)


def talking(preface_answer: bytes, *, knows_http1: bool = False):
    """A peer that answers HTTP/2's preface with these bytes, HEAD if it knows that, and hangs up on everything else."""

    async def talk(reader, writer):
        said = await reader.read(24)
        if said.startswith(b"PRI"):
            writer.write(preface_answer)
            await writer.drain()
        if knows_http1 and said.startswith(b"HEAD"):
            writer.write(b"HTTP/1.1 404 Not Found\r\n\r\n")
            await writer.drain()
        writer.close()

    return talk


@pytest.fixture
def refusal(serve, tmp_path):
    """What comes of asking a peer that talks so; its protocols for TLS, None: it is asked without."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    async def refusal(talk, protocols):
        tls = None
        if protocols is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("app.test").configure_cert(tls)
            tls.set_alpn_protocols(protocols)
        port, _ = await serve(act=talk, tls=tls)
        http = Http(run="test", trust=Trust(ca=tmp_path / "ca.pem"))
        client = http.probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=2)
        with pytest.raises(ProbeFailedError) as caught:
            await client.get(f"{'https' if tls else 'http'}://app.test:{port}/")
        return caught.value

    return refusal


@pytest.mark.parametrize(
    ("answer", "protocols", "reason"),
    [
        (SETTINGS, ["h2"], Reason.ACCESS_DENIED),
        (SETTINGS, ["h2", "http/1.1"], Reason.UNREACHABLE),
        (b"", ["http/1.1"], Reason.UNREACHABLE),
        (b"", [], Reason.UNREACHABLE),
        (SETTINGS, None, Reason.ACCESS_DENIED),
        (b"", None, Reason.UNREACHABLE),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None, Reason.UNREACHABLE),
        (SETTINGS[:5], None, Reason.UNREACHABLE),
    ],
)
async def test_who_closes_without_a_word_is_asked_for_http2(refusal, answer, protocols, reason) -> None:
    error = await refusal(talking(answer), protocols)

    assert error.reason is reason
    assert ("supports HTTP/2 only" in error.detail) is (reason is Reason.ACCESS_DENIED)


@pytest.mark.parametrize("protocols", [None, ["h2"]])
async def test_who_speaks_both_and_closes_without_a_word_is_silent(refusal, protocols) -> None:
    error = await refusal(talking(SETTINGS, knows_http1=True), protocols)

    assert error.reason is Reason.UNREACHABLE


async def test_a_kept_connection_is_closed_without_a_word_by_such_a_server_too(serve) -> None:
    port, _ = await serve(act=talking(SETTINGS))
    client = Http(run="test").probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=2)
    line = await client.keep_alive(f"http://app.test:{port}/")

    with pytest.raises(ProbeFailedError) as caught:
        await line.prepare(f"http://app.test:{port}/")()

    assert caught.value.reason is Reason.ACCESS_DENIED
    await line.close()
