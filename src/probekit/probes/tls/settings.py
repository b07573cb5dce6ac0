"""What a table of the tls kind may say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from probekit.probe import Endpoint, ProbeConfig
from probekit.probes.tls.starttls import PORTS, Protocol
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
