"""Every certificate counts that a server shows to clients of one signature family or another."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from contextlib import suppress
from itertools import count

import pytest
from client_certificates import Mutual
from tls_servers import add, alerting, issued, numbers, pem, quiet, serving, tls_readings

from probekit.model.measurement import Failure, ProbeFailedError, Reason
from probekit.transport.connection import Proxy
from probekit.transport.trust import Trust


@pytest.fixture(scope="module")
def root():
    return issued("a root", days=900, family="ECDSA")


@pytest.fixture
def read(serve, root, tmp_path):
    """What the kind reads of a server with these certificates, each of (family, days) or a pair."""

    async def read(*served, others=(), act=None, alerts=False, prepare=lambda _: None, **settings):
        context = of(*served, root=root)
        prepare(context)
        file = tmp_path / "root.pem"
        file.write_bytes(pem(root[1]))
        ports = [(await serve(act=quiet, tls=of(*other, root=root)))[0] for other in others]
        act = alerting(context) if alerts else act
        port, peer = await serve(act=(act or quiet), tls=None if act else context)
        readings = await tls_readings(port, trust=Trust(ca=file), others=ports, **settings)
        readings.notes["connections"] = str(peer.connections)
        return readings

    return read


def of(*served, root):
    """A server's context; of a family and days, a certificate that this root signed."""
    first, *beside = (
        issued("app.test", days=one[1], signer=root, family=one[0]) if isinstance(one[0], str) else one
        for one in served
    )
    return serving(*first, beside=beside)


def only(version):
    def prepare(context):
        context.minimum_version = context.maximum_version = version

    return prepare


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    "served",
    [
        (("ECDSA", 90), ("RSA", 5)),
        (("ECDSA", 5), ("RSA", 90)),
        (("EdDSA", 90), ("RSA", 5)),
        (("EdDSA", 90), ("ECDSA", 400), ("RSA", 5)),
    ],
)
async def test_the_shortest_living_certificate_of_all_families_counts(read, served, newest) -> None:
    readings = await read(*served, prepare=lambda context: setattr(context, "maximum_version", newest))

    found = numbers(readings)
    assert found["time_left"] == pytest.approx(5, abs=0.001)
    assert (found["trusted"], found["host_matches"], found["chain_complete"], found["modern_protocol"]) == (1, 1, 1, 1)
    assert len(readings.notes["fingerprint"].split(", ")) >= 2
    assert "RSA certificate of app.test" in readings.summary
    assert "only one certificate was read" not in readings.summary


@pytest.mark.parametrize("family", ["RSA", "ECDSA"])
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_server_with_one_certificate_is_asked_once_more(read, family, newest) -> None:
    readings = await read(
        (family, 90), alerts=True, prepare=lambda context: setattr(context, "maximum_version", newest)
    )

    assert numbers(readings)["time_left"] == pytest.approx(90, abs=0.001)
    assert readings.notes["connections"] == "4"  # read, another family, verified, TLS 1.1
    assert readings.summary.startswith("certificate of app.test, issued by a root, valid until")
    assert "seen" not in readings.summary


@pytest.mark.parametrize("alerts", [True, False])
@pytest.mark.parametrize("families", [("RSA",), ("ECDSA",), ("ECDSA", "RSA")])
async def test_of_a_server_that_speaks_only_tls_1_3_one_certificate_is_seen(read, families, alerts) -> None:
    served = [(family, 90) for family in families]

    readings = await read(*served, alerts=alerts, prepare=only(ssl.TLSVersion.TLSv1_3))

    assert numbers(readings)["trusted"] == 1
    assert readings.summary.endswith("; only one certificate was read, because the server supports only TLS 1.3")


async def test_a_claim_holds_only_if_it_holds_of_every_certificate(read, root) -> None:
    stranger = issued("another root", days=90)
    other_name = issued("other.test", days=90, signer=root, family="ECDSA")
    unknown = issued("app.test", days=90, signer=stranger)
    good = ("ECDSA", 90)

    misnamed = await read(other_name, ("RSA", 90))
    untrusted = await read(good, unknown)
    old = await read(good, ("RSA", -0.5))
    weak = await read(good, issued("app.test", days=90, bits=1024))

    assert (numbers(misnamed)["trusted"], numbers(misnamed)["host_matches"]) == (1, 0)
    assert "ECDSA certificate of other.test" in misnamed.summary
    assert (numbers(untrusted)["trusted"], numbers(untrusted)["host_matches"]) == (0, 1)
    assert isinstance(untrusted.values["chain_complete"], Failure)
    assert (numbers(old)["trusted"], numbers(old)["time_left"]) == (0, pytest.approx(-0.5, abs=0.001))
    assert "refused: the leaf app.test expired on" in old.summary
    assert (numbers(weak)["weak_keys"], numbers(weak)["self_signed"]) == (1, 1)


async def test_one_certificate_has_the_declared_fingerprint_and_all_the_declared_issuer(read, root) -> None:
    stranger = issued("another root", days=90)
    pairs = [
        issued("app.test", days=90, signer=root, family="ECDSA"),
        issued("app.test", days=90, signer=stranger),
    ]
    each = (await read(*pairs)).notes["fingerprint"].split(", ")

    different = [numbers(await read(*pairs, fingerprint=one))["different_certificates"] for one in (*each, "0" * 64)]
    issuer = numbers(await read(*pairs, issuer="a root"))["different_certificates"]

    assert different == [0, 0, 1]
    assert issuer == 1


async def test_every_family_is_the_same_everywhere(read, root) -> None:
    ecdsa, rsa, other = (issued("app.test", days=90, signer=root, family=one) for one in ("ECDSA", "RSA", "RSA"))

    same = await read(ecdsa, rsa, others=[(ecdsa, rsa)], same_everywhere=True)
    another = await read(ecdsa, rsa, others=[(ecdsa, other)], same_everywhere=True)
    fewer = await read(ecdsa, rsa, others=[(ecdsa,)], same_everywhere=True)

    found = [numbers(one)["different_certificates"] for one in (same, another, fewer)]
    assert found == [0, 1, 1]


# ---------------------------------------------------------------- how a server refuses


@pytest.fixture
def asked(read, root):
    """A function from the bytes that answer certain connections (None: silence) to what is read."""

    async def asked(answer, *connections, **settings):
        context = of(("ECDSA", 90), root=root)
        number = count(1)

        async def act(reader, writer):
            if next(number) not in connections:
                with suppress(ssl.SSLError):  # of a hello of TLS 1.1
                    await writer.start_tls(context)
                    await reader.read()
            elif answer is None:
                await reader.read()
            else:
                await reader.read(4096)
                writer.write(answer)
                await writer.drain()

        return await read(("ECDSA", 90), act=act, **settings)

    return asked


ALERT = b"\x15\x03\x03\x00\x02\x02"
RSA, OWN = 2, 3  # the number of the connection that asks for RSA, and of that which asks for ECDSA by TLS 1.2
ONE = "only one certificate was read, because the server supports only TLS 1.3"


@pytest.mark.parametrize(
    ("answer", "connections", "told"),
    [
        (ALERT + b"\x28", [RSA], ""),  # handshake_failure
        (ALERT + b"\x47", [RSA], ""),  # insufficient_security
        (ALERT + b"\x46", [RSA], ONE),  # protocol_version
        (ALERT + b"\x50", [RSA], ""),  # internal_error
        (b"", [RSA], ""),
        (ALERT + b"\x50", [RSA, OWN], ONE),
        (b"", [RSA, OWN], ONE),
    ],
)
async def test_a_refused_hello_leaves_one_certificate(asked, answer, connections, told) -> None:
    readings = await asked(answer, *connections)

    assert (numbers(readings)["trusted"], numbers(readings)["host_matches"]) == (1, 1)
    assert readings.summary.endswith(told)
    assert ("only one certificate was read" in readings.summary) == bool(told)


@pytest.mark.parametrize(
    ("answer", "reason"), [(None, Reason.TIMEOUT), (b"HTTP/1.1 400 Bad Request\r\n\r\n", Reason.BAD_RESPONSE)]
)
async def test_a_hello_that_is_neither_answered_nor_refused_leaves_no_reading(asked, answer, reason) -> None:
    with pytest.raises(ProbeFailedError) as failed:
        await asked(answer, RSA, timeout=1)

    assert failed.value.reason is reason
    assert failed.value.detail.startswith("while requesting an RSA certificate: ")


async def passed_on(reader, writer):
    """Pass bytes from one end to the other until it closes."""
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@pytest.fixture
def by_proxy(serve, root, tmp_path):
    """A function from the number of the connection that a proxy resets to what is read of a server behind it."""

    async def by_proxy(refused):
        port, _ = await serve(act=quiet, tls=of(("ECDSA", 90), ("RSA", 5), root=root))
        number = count(1)

        async def tunnel(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            if next(number) == refused:
                line = writer.get_extra_info("socket")
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no close
                return
            there = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(passed_on(reader, there[1]), passed_on(there[0], writer))

        own, _ = await serve(act=tunnel)
        file = tmp_path / "root.pem"
        file.write_bytes(pem(root[1]))
        return await tls_readings(port, trust=Trust(ca=file), proxy=Proxy(host="127.0.0.1", port=own))

    return by_proxy


async def test_a_proxy_that_opens_no_tunnel_is_no_refusal_of_the_server(by_proxy) -> None:
    readings = await by_proxy(refused=None)
    old = await by_proxy(refused=5)  # that of TLS 1.1
    with pytest.raises(ProbeFailedError) as failed:
        await by_proxy(refused=RSA)

    assert (numbers(readings)["time_left"], numbers(readings)["modern_protocol"]) == (pytest.approx(5, abs=0.001), 1)
    assert isinstance(old.values["modern_protocol"], Failure)
    assert failed.value.detail.startswith("while requesting an RSA certificate: the proxy")


@pytest.mark.parametrize(("certificate", "reason"), [(None, Reason.ACCESS_DENIED), ("right", None)])
async def test_a_certificate_that_only_clients_with_one_get_to_see_counts_or_denies_access(
    serve, tmp_path, certificate, reason
) -> None:
    mutual = Mutual(tmp_path)
    context = mutual.server()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    key, leaf = issued("app.test", days=5)
    add(context, key, leaf)
    port, _ = await serve(act=quiet, tls=context)

    if reason is None:
        readings = await tls_readings(port, trust=mutual.trust(certificate))
        assert numbers(readings)["time_left"] == pytest.approx(5, abs=0.001)
        assert numbers(readings)["trusted"] == 0
    else:
        with pytest.raises(ProbeFailedError) as failed:
            await tls_readings(port, trust=mutual.trust(certificate))
        assert failed.value.reason is reason


async def test_a_server_that_demands_a_certificate_and_has_one_itself_is_read(serve, tmp_path) -> None:
    mutual = Mutual(tmp_path)
    context = mutual.server()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    port, _ = await serve(act=quiet, tls=context)

    readings = await tls_readings(port, trust=mutual.trust(None))

    assert (numbers(readings)["trusted"], numbers(readings)["host_matches"]) == (1, 1)
    assert "seen" not in readings.summary
