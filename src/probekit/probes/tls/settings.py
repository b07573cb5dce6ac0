"""The settings of the kind `tls`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from probekit.probe import Endpoint, ProbeConfig
from probekit.probes.tls.starttls import PORTS, Protocol
from probekit.transport.urls import endpoint_of


class TlsProbe(ProbeConfig):
    """The host and port whose certificate is measured; by default those of base_url."""

    kind: Literal["tls"] = "tls"
    host: str | None = Field(None, min_length=1, description="Host name to request and to verify; default: base_url's.")
    port: int | None = Field(None, ge=1, le=65535, description="Port of TLS; default: base_url's, or the usual one.")
    starttls: Protocol | None = Field(
        None, description='Protocol that starts TLS on a plain connection: "postgres" or "smtp"; default: TLS at once.'
    )
    fingerprint: str | None = Field(None, description="SHA-256 of the certificate that must be served, in hex.")
    issuer: str | None = Field(None, min_length=1, description="Common name that the certificate's issuer must have.")
    same_everywhere: bool = Field(
        default=False,
        description="Whether every address must serve the certificate that the name's first address serves.",
    )

    @field_validator("fingerprint")
    @classmethod
    def _is_a_hash(cls, text: str) -> str:
        digits = text.replace(":", "").lower()
        if len(digits) != 64 or set(digits) - set("0123456789abcdef"):  # noqa: PLR2004  # a SHA-256 in hex
            message = "must be a SHA-256 in hex (64 digits, colons allowed)"
            raise ValueError(message)
        return digits


def endpoint(config: TlsProbe, base_url: str) -> Endpoint:
    """Return the endpoint of the handshakes."""
    base = endpoint_of(base_url)
    usual = PORTS[config.starttls] if config.starttls else 443 if config.host else base.port
    return Endpoint(config.host or base.host, config.port or usual)
