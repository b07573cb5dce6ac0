"""Which certificate does an address serve, and who would believe it?"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from math import inf
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import Field, field_validator

from probekit.probe import (
    Context,
    Endpoint,
    Exact,
    Kind,
    Metric,
    ProbeConfig,
    ProbeFailedError,
    Readings,
    Reason,
)
from probekit.probes.tls.certificates import (
    certificate_of,
    common_name,
    date_text,
    days_left,
    is_weak_key,
    is_weak_signature,
    names_of,
)
from probekit.probes.tls.handshakes import Door, unverifying
from probekit.probes.tls.protocols import modern_protocol
from probekit.probes.tls.starttls import PORTS, Protocol, upgrade
from probekit.probes.tls.verification import Served, verified
from probekit.transport.urls import endpoint_of


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


async def measure(config: TlsProbe, context: Context) -> Readings:
    """Read the certificate without verifying it, then ask OpenSSL who believes it; each claim is its own reading."""
    if context.address is None:
        raise ProbeFailedError(Reason.BUG, "the tls kind needs an address")
    begin = partial(upgrade, protocol=config.starttls) if config.starttls else None
    door = Door(context, context.address, begin)
    seen = await door.handshake(unverifying(door.trust))
    now = context.now()
    served = await verified(door, seen, now)
    notes = {"protocol": seen.protocol, "fingerprint": served.leaf.fingerprint(SHA256()).hex()}
    wanted = context.wanted or KIND.metric_names
    difference = await _difference(config, door, served.leaf)
    modern = (
        {"modern_protocol": await modern_protocol(door, seen)} if "modern_protocol" in wanted else {}
    )  # a hello more
    return Readings(
        "; ".join(filter(None, (_summary(served, now), difference))),
        notes,
        **modern,
        time_left=Exact(days_left(served.first_to_expire(now), now)),
        trusted=Exact(served.trusted),
        host_matches=served.host_matches,
        chain_complete=served.chain_complete,
        different_certificates=Exact(bool(difference)),
        self_signed=Exact(served.leaf.issuer == served.leaf.subject),
        weak_keys=Exact(sum(is_weak_key(certificate) for certificate in served.certificates)),
        weak_signatures=Exact(sum(is_weak_signature(certificate) for certificate in served.certificates)),
    )


async def _difference(config: TlsProbe, door: Door, leaf: x509.Certificate) -> str:
    """How the certificate differs from what the table declares; empty where it does not, or nothing is declared.

    Addresses may serve different certificates: several edges, or a renewal that is being rolled out.
    """
    if config.fingerprint not in (None, leaf.fingerprint(SHA256()).hex()):
        return "it has another fingerprint than the declared one"
    if config.issuer not in (None, common_name(leaf.issuer), leaf.issuer.rfc4514_string()):
        return "it has another issuer than the declared one"
    resolved = door.context.resolved
    first = resolved.addresses[0] if resolved else door.address
    if not config.same_everywhere or first == door.address:
        return ""
    other = certificate_of((await door.handshake(unverifying(door.trust), first)).leaf)
    return "" if other == leaf else f"{first} serves another certificate"


def _summary(served: Served, now: datetime) -> str:
    """The certificate in one sentence, and what is wrong with it."""
    leaf, first = served.leaf, served.first_to_expire(now)
    parts = [f"certificate of {names_of(leaf)}, issued by {common_name(leaf.issuer)}"]
    parts[0] += f", valid until {date_text(leaf.not_valid_after_utc)}"
    if first != leaf and not served.invalid:
        parts.append(f"{names_of(first)} above it expires first, {first.not_valid_after_utc:%Y-%m-%d}")
    if wrong := [*served.refusals, *served.invalid]:
        parts.append(f"refused: {', '.join(wrong)}")
    return "; ".join(parts)


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
        Metric(
            name="trusted",
            unit="",
            high=1,
            help="1: a path to a trusted root verifies, its dates included",
        ),
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
