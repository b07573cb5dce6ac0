"""Endpoints, addresses and origins, and what a URL says of them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A name and a port, as a configuration writes them."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """One address that an endpoint's name resolved to."""

    endpoint: Endpoint
    ip: str

    @property
    def family(self) -> int:
        """4 or 6; a scope may follow a link-local address."""
        return ipaddress.ip_address(self.ip.partition("%")[0]).version

    def __str__(self) -> str:
        return str(Endpoint(self.ip, self.endpoint.port))


def endpoint_of(url: httpx.URL | str) -> Endpoint:
    """The host and the port, the scheme's own where none is written."""
    url = httpx.URL(url)
    return Endpoint(url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80))


def has_host(url: str) -> bool:
    """Whether a URL names a host and, if any, a port that can be."""
    try:
        return bool(httpx.URL(url).host) and urlsplit(url).port != 0 and url.isprintable()
    except (httpx.InvalidURL, ValueError):  # ValueError: a port of letters or beyond 65535, a bracket left open
        return False


def origin_of(url: str) -> tuple[str, Endpoint]:
    """Scheme, host and port (RFC 6454 section 4)."""
    return httpx.URL(url).scheme, endpoint_of(url)


def leads_to_its_host(url: str, location: str) -> bool:
    """Whether a redirect stays at the URL's host, whatever its scheme and port."""
    try:
        return httpx.URL(url).join(location).host == httpx.URL(url).host
    except (httpx.InvalidURL, ValueError):  # ValueError: a host that IDNA refuses
        return False
