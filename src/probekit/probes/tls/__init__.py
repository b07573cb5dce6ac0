"""Which certificate does an address serve, and who would believe it?"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import inf
from typing import Any, Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import Field, field_validator

from probekit.probe import (
    Address,
    Context,
    Endpoint,
    Exact,
    Failure,
    Kind,
    Metric,
    ProbeConfig,
    ProbeFailedError,
    Readings,
    Reason,
)
from probekit.probes.tls.starttls import PORTS, Protocol, upgrade
from probekit.transport.client import Upgrade
from probekit.transport.connection import Connection
from probekit.transport.trust import CertificateDemandedError, Trust
from probekit.transport.urls import endpoint_of

_ANOTHER_NAME: Final = (62, 63, 64)  # X509_V_ERR_HOSTNAME_, EMAIL_, IP_ADDRESS_MISMATCH of OpenSSL's x509_vfy.h
_REFUSALS: Final = ("TLSV1_ALERT_PROTOCOL_VERSION", "SSLV3_ALERT_HANDSHAKE_FAILURE")  # alerts, RFC 5246 7.2.2
_MODERN: Final = ("TLSv1.2", "TLSv1.3")  # RFC 8996 retires the older ones
_DAY: Final = 86400.0
_WEAK_HASHES: Final = ("md5", "sha1")
_RSA_BITS: Final = 2048  # NIST SP 800-57 part 1, table 2: 112 bits of security
_EC_BITS: Final = 224


class TlsProbe(ProbeConfig):
    """Whose certificate; the host and port of base_url where nothing else is said."""

    kind: Literal["tls"] = "tls"
    host: str | None = Field(None, min_length=1, description="the name to ask for and to verify")
    port: int | None = Field(None, ge=1, le=65535, description="where TLS is spoken")
    starttls: Protocol | None = Field(
        None, description='how TLS begins on a plain connection: "postgres" or "smtp"; else TLS is spoken at once'
    )
    fingerprint: str | None = Field(None, description="SHA-256 of the certificate that must be served, in hex")
    issuer: str | None = Field(
        None, min_length=1, description="common name of the issuer that the certificate must have"
    )
    same_everywhere: bool = Field(
        default=False,
        description="Whether every address must serve the certificate that the name's first address serves.",
    )

    @field_validator("fingerprint")
    @classmethod
    def _is_a_hash(cls, text: str) -> str:
        digits = text.replace(":", "").lower()
        if len(digits) != 64 or set(digits) - set("0123456789abcdef"):  # noqa: PLR2004  # a SHA-256 in hex
            message = "is no SHA-256 in hex (64 digits, colons allowed)"
            raise ValueError(message)
        return digits


def endpoint(config: TlsProbe, base_url: str) -> Endpoint:
    """Where the handshakes go."""
    base = endpoint_of(base_url)
    usual = PORTS[config.starttls] if config.starttls else 443 if config.host else base.port
    return Endpoint(config.host or base.host, config.port or usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What one handshake showed; certificates in DER."""

    leaf: bytes
    sent: tuple[bytes, ...]
    verified: tuple[bytes, ...]
    protocol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trust:
    """Whether a path verifies, whether the name is right, and the path."""

    path: tuple[bytes, ...] | None
    host_matches: bool | Failure
    refusal: str = ""


async def measure(config: TlsProbe, context: Context) -> Readings:
    """Read the certificate without verifying it, then ask OpenSSL who believes it; each claim is its own reading."""
    if context.address is None:
        raise ProbeFailedError(Reason.BUG, "the tls kind needs an address")
    begin = partial(upgrade, protocol=config.starttls) if config.starttls else None
    door = _Door(context, context.address, begin)
    seen = await door.handshake(_unverifying(door.trust))
    leaf = _certificate(seen.leaf)
    trust = await _trust(door, seen)
    path = [_certificate(der) for der in trust.path] if trust.path else [leaf]
    now = context.now()
    first = min(path, key=lambda certificate: _days_left(certificate, now))
    notes = {"protocol": seen.protocol, "fingerprint": leaf.fingerprint(SHA256()).hex()}
    wanted = context.wanted or KIND.metric_names
    difference = await _difference(config, door, leaf)
    modern = {"modern_protocol": await _modern(door, seen)} if "modern_protocol" in wanted else {}  # a hello more
    return Readings(
        "; ".join(filter(None, (_summary(leaf, trust, first), difference))),
        notes,
        **modern,
        time_left=Exact(_days_left(first, now)),
        trusted=Exact(trust.path is not None),
        host_matches=trust.host_matches if isinstance(trust.host_matches, Failure) else Exact(trust.host_matches),
        chain_complete=_chain_complete(seen, trust, leaf),
        different_certificates=Exact(bool(difference)),
        self_signed=Exact(leaf.issuer == leaf.subject),
        weak_keys=Exact(sum(_is_weak_key(certificate) for certificate in path)),
        weak_signatures=Exact(sum(_is_weak_signature(certificate) for certificate in path)),
    )


def _unverifying(trust: Trust) -> ssl.SSLContext:
    """Takes any certificate and any protocol that this OpenSSL still speaks: nothing is sent over it."""
    return _speaking_old(trust.unverifying())


def _speaking_old(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@dataclass(frozen=True, slots=True)
class _Door:
    """Where the handshakes go, and how each begins."""

    context: Context
    address: Address
    begin: Upgrade | None

    @property
    def trust(self) -> Trust:
        """Who is believed, and which certificate is presented."""
        return self.context.http.http.trust

    async def handshake(self, tls: ssl.SSLContext, address: Address | None = None) -> _Seen:
        """One handshake, on a connection of its own."""
        where = address or self.address
        connection = await self.context.http.connect(where, tls, self.begin)
        try:
            session = connection.ssl_object
            leaf = session.getpeercert(binary_form=True)
            if not leaf:
                raise ProbeFailedError(Reason.BAD_RESPONSE, f"{where} sent no certificate")
            return _Seen(
                leaf=leaf,
                sent=_chain(connection, "get_unverified_chain"),
                verified=_chain(connection, "get_verified_chain") if tls.verify_mode is ssl.CERT_REQUIRED else (),
                protocol=session.version() or "unknown",
            )
        finally:
            await connection.close()


async def _modern(door: _Door, seen: _Seen) -> Exact | Failure:
    """Whether a newer protocol was negotiated and TLS 1.1 is refused: who speaks both can be talked down.

    A refusal is an alert of the server's, or a connection that it ends; an error of this side is no reading.
    """
    if seen.protocol not in _MODERN:
        return Exact(0)
    try:
        await door.handshake(_old_only(door.trust))
    except CertificateDemandedError:
        return Exact(0)  # it took TLS 1.1, and went on to ask for a certificate
    except ProbeFailedError as error:
        cause = error.__cause__
        reason = (cause.reason if isinstance(cause, ssl.SSLError) else None) or ""
        if reason in _REFUSALS or isinstance(cause, ConnectionResetError | ssl.SSLEOFError):
            return Exact(1)
        reason_of = Reason.TIMEOUT if isinstance(cause, TimeoutError) else Reason.BAD_RESPONSE
        return Failure(reason=reason_of, detail=f"asked for TLS 1.1: {error.detail}")
    return Exact(0)


def _old_only(trust: Trust) -> ssl.SSLContext:
    """Offers TLS 1.1 and older."""
    context = _unverifying(trust)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is retired is what is asked about
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _chain(connection: Connection, method: str) -> tuple[bytes, ...]:
    """A chain in DER: public since Python 3.13, on the private object before."""
    session: Any = connection.ssl_object
    if hasattr(session, method):
        return tuple(getattr(session, method)())
    encoding_der = 2  # _ssl.ENCODING_DER
    return tuple(certificate.public_bytes(encoding_der) for certificate in getattr(session._sslobj, method)() or ())  # noqa: SLF001  # no other way before 3.13


async def _trust(door: _Door, seen: _Seen) -> _Trust:
    """OpenSSL's answers, dates left aside: path and name at once, and one by one where that is refused."""

    def verifying(*, dates: bool = False, name: bool = True) -> ssl.SSLContext:
        tls = door.trust.verifying(dates=dates, name=name)
        return (
            tls if seen.protocol in _MODERN else _speaking_old(tls)
        )  # which also takes weak keys, so only where needed

    for tls in (verifying(dates=True), verifying()):  # with dates first: an expired cross-sign must not be the path
        path, why = await _verify(door, tls, seen)
        if path is not None:
            return _Trust(path=path, host_matches=True)
    path, refusal = await _verify(door, verifying(name=False), seen)
    own = _speaking_old(verifying())  # a weak key has its own reading
    own.verify_flags |= (
        ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    )  # the leaf itself is the anchor: only the name is left to refuse
    own.load_verify_locations(cadata=seen.leaf)
    _, of_name = await _verify(door, own, seen)
    matches: bool | Failure = of_name is None
    if of_name is not None and of_name.verify_code not in _ANOTHER_NAME:
        matches = Failure(reason=Reason.BAD_RESPONSE, detail=f"its name cannot be verified: {of_name.verify_message}")
    summary = refusal if path is None else why
    return _Trust(path=path, host_matches=matches, refusal=summary.verify_message if summary else "")


async def _verify(
    door: _Door, tls: ssl.SSLContext, seen: _Seen
) -> tuple[tuple[bytes, ...], None] | tuple[None, ssl.SSLCertVerificationError]:
    """The verified path, or OpenSSL's refusal."""
    try:
        again = await door.handshake(tls)
    except ProbeFailedError as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            return None, error.__cause__
        raise
    if again.leaf != seen.leaf:  # nothing that was read of one speaks of the other
        detail = f"{door.address} serves more than one certificate: they changed from one handshake to the next"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return again.verified, None


def _chain_complete(seen: _Seen, trust: _Trust, leaf: x509.Certificate) -> Exact | Failure:
    """Whether the server sent every certificate between leaf and root (RFC 8446 section 4.4.2)."""
    if trust.path is not None:
        return Exact(set(trust.path[1:-1]) <= set(seen.sent))
    if leaf.issuer == leaf.subject:
        return Exact(1)
    return Failure(reason=Reason.BAD_RESPONSE, detail="no trusted root is known to which the chain could be complete")


async def _difference(config: TlsProbe, door: _Door, leaf: x509.Certificate) -> str:
    """How the certificate differs from what the table declares; empty where it does not, or nothing is declared.

    Addresses may serve different certificates: several edges, or a renewal that is being rolled out.
    """
    if config.fingerprint not in (None, leaf.fingerprint(SHA256()).hex()):
        return "it has another fingerprint than the declared one"
    if config.issuer not in (None, _common_name(leaf.issuer), leaf.issuer.rfc4514_string()):
        return "it has another issuer than the declared one"
    resolved = door.context.resolved
    first = resolved.addresses[0] if resolved else door.address
    if not config.same_everywhere or first == door.address:
        return ""
    other = _certificate((await door.handshake(_unverifying(door.trust), first)).leaf)
    return "" if other == leaf else f"{first} serves another certificate"


def _certificate(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise ProbeFailedError(Reason.BAD_RESPONSE, "a certificate in the chain cannot be parsed") from error


def _days_left(certificate: x509.Certificate, now: datetime) -> float:
    """Days until it expires, exactly; negative when it has, or is not valid yet."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    left = end - now if now >= start else now - start
    return left.total_seconds() / _DAY


def _summary(leaf: x509.Certificate, trust: _Trust, first: x509.Certificate) -> str:
    """The certificate in one sentence."""
    until = f"{leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    sooner = f"; {_name(first)} above it expires first, {first.not_valid_after_utc:%Y-%m-%d}" if first != leaf else ""
    refused = f"; refused: {trust.refusal}" if trust.refusal else ""
    return f"certificate of {_name(leaf)}, issued by {_common_name(leaf.issuer)}, valid until {until}{sooner}{refused}"


def _name(certificate: x509.Certificate) -> str:
    """The names it is for, else its subject."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        text = ", ".join(str(name.value) for name in list(names)[:3])
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        text = ""
    return text or certificate.subject.rfc4514_string() or "a certificate without a name"


def _common_name(name: x509.Name) -> str:
    found: Sequence[x509.NameAttribute[Any]] = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _is_weak_key(certificate: x509.Certificate) -> bool:
    try:
        key = certificate.public_key()
    except (ValueError, TypeError) as error:
        raise ProbeFailedError(Reason.BAD_RESPONSE, "a certificate's key cannot be parsed") from error
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        return key.key_size < _RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < _EC_BITS


def _is_weak_signature(certificate: x509.Certificate) -> bool:
    """Whether it is signed by a broken hash; a root's own signature proves nothing and does not count."""
    algorithm = certificate.signature_hash_algorithm
    return certificate.issuer != certificate.subject and algorithm is not None and algorithm.name in _WEAK_HASHES


KIND = Kind(
    config=TlsProbe,
    fills=("certificate",),
    metrics=(
        Metric(
            name="time_left",
            unit="d",
            low=-inf,
            help="least time left of leaf and validated path, exactly; negative once expired",
        ),
        Metric(name="trusted", unit="", high=1, help="1: a path to a trusted root verifies, dates left aside"),
        Metric(name="host_matches", unit="", high=1, help="1: a subjectAltName is the host asked for"),
        Metric(name="chain_complete", unit="", high=1, help="1: every intermediate of the path was sent"),
        Metric(
            name="different_certificates",
            unit="",
            help="1: another fingerprint or issuer than declared, or, with same_everywhere, than the first address's",
        ),
        Metric(
            name="modern_protocol",
            unit="",
            high=1,
            help="1: TLS 1.2 or newer was negotiated, and a hello of TLS 1.1 is refused",
        ),
        Metric(name="self_signed", unit="", high=1, help="1: the leaf is its own issuer"),
        Metric(name="weak_keys", unit="", help="keys of the path under 112 bits of security"),
        Metric(name="weak_signatures", unit="", help="certificates of the path signed with MD5 or SHA-1"),
    ),
    measure=measure,
    endpoint=endpoint,
    each_address=True,
    enabled_by_default=lambda base_url: base_url.startswith("https://"),
    requests=6,
    example="""\
kind = "tls"
host = "app.example.com"  # none is needed for base_url's own certificate
port = 443
""",
)
