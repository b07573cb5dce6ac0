"""Certificates of any dates and keys, servers that show them, and what the tls kind reads of such a server."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from probekit.probe import Context, Readings
from probekit.probes.tls import KIND, TlsProbe
from probekit.transport.client import Http
from probekit.transport.connection import Proxy
from probekit.transport.resolver import Resolved
from probekit.transport.trust import Trust
from probekit.transport.urls import Address, Endpoint

NOW = datetime.now(UTC)
PEM = serialization.Encoding.PEM

Key = Any  # a private key: signing takes other arguments for each family
Pair = tuple[Key, x509.Certificate]


def new_key(family: str = "RSA", bits: int = 2048) -> Key:
    """A private key of a signature family."""
    if family == "ECDSA":
        return ec.generate_private_key(ec.SECP256R1())
    if family == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def issued(name: str, *, days: float, signer: Pair | None = None, family: str = "RSA", bits: int = 2048,
           since: float = -1, ca: bool = False) -> Pair:  # fmt: skip
    """A key and its certificate, self-signed or by another pair; valid from `since` to `days`, in days from NOW."""
    key = new_key(family, bits)
    return key, signed(name, key, signer or (key, None), days=days, since=since, ca=ca or signer is None)


def signed(name: str, key: Key, signer: tuple[Key, x509.Certificate | None], *, days: float, since: float = -1,
           ca: bool = True) -> x509.Certificate:  # fmt: skip
    """A certificate of a key, signed by another pair, or by itself where that has no certificate."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    signing_key, parent = signer
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(parent.subject if parent else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=since))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signing_key, None if isinstance(signing_key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )


def pem(*certificates: x509.Certificate) -> bytes:
    """Certificates in PEM, one after another."""
    return b"".join(certificate.public_bytes(PEM) for certificate in certificates)


def serving(key: Key, *certificates: x509.Certificate, beside: Iterable[Pair] = ()) -> ssl.SSLContext:
    """A server's context that shows a leaf with its chain, and others beside it, each for its signature family."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # what Python says, unless it was built to leave that to OpenSSL
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    for one, *chain in ((key, *certificates), *beside):
        add(context, one, *chain)
    return context


def add(context: ssl.SSLContext, key: Key, *certificates: x509.Certificate) -> None:
    """Let a context show another leaf with its chain."""
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with trustme.Blob(private + pem(*certificates)).tempfile() as file:
        context.load_cert_chain(file)


async def quiet(reader: Any, _writer: Any) -> None:
    """Say nothing after the handshake."""
    await reader.read()


def alerting(context: ssl.SSLContext) -> Callable[[Any, Any], Awaitable[None]]:
    """A peer that makes the handshake and sends OpenSSL's alert where it fails; asyncio's server closes without one."""

    async def act(reader: Any, writer: Any) -> None:
        received, due = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(received, due, server_side=True)
        goes_on = True
        while goes_on:
            try:
                session.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                goes_on = False
            writer.write(due.read())
            await writer.drain()
            received.write(data := await reader.read(65536) if goes_on else b"")
            goes_on = bool(data)

    return act


async def tls_readings(
    port: int, *, trust: Trust, host: str = "app.test", now: datetime = NOW, others: Iterable[int] = (),
    wanted: frozenset[str] = frozenset(), timeout: float = 2, proxy: Proxy | None = None, **settings: Any,
) -> Readings:  # fmt: skip
    """What the kind reads at a port of loopback; `others`: ports whose addresses the name has before this one."""
    addresses = [Address(Endpoint(host, one), "127.0.0.1") for one in (*others, port)]
    address = addresses[-1]
    context = Context(
        base_url=f"https://{host}:{port}",
        timeout=timeout,
        http=Http(run="test", trust=trust, proxy=(lambda: proxy) if proxy else None).probe_client(
            address=address, timeout=timeout
        ),
        reveal=str,
        now=lambda: now,
        address=address,
        resolved=Resolved(tuple(addresses), 0),
        wanted=wanted,
    )
    return await KIND.measure(TlsProbe(host=host, port=port, **settings), context)


def numbers(readings: Readings) -> dict[str, float]:
    """The numbers among the readings."""
    return {name: value.value for name, value in readings.values.items() if hasattr(value, "value")}
