"""Endpoints, addresses and origins, and how a URL is parsed into them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import httpx

_HOST: Final = re.compile(r"[a-z0-9._-]+")  # in ASCII; names of containers contain underscores
_AUTHORITY: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?(?P<place>[^/?#]*)")
_PLACE: Final = re.compile(r"(?P<host>\[[^][]*\]|[^][:]*)(?::(?P<port>[^:]*))?")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_LONGEST: Final = 8000  # characters of a URL that servers must support (RFC 9110 section 4.1)
_MOST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A name and a port, as written in a configuration."""

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


@dataclass(frozen=True, slots=True)
class SocketFile:
    """A socket file of this machine, in place of an address."""

    path: str

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint for counting its exchanges: this machine, without a port."""
        return Endpoint("localhost", 0)

    def __str__(self) -> str:
        return self.path


def ascii_host(host: str) -> str:
    """The host in ASCII: lower case, a Unicode name by IDNA (RFC 5891), an IPv6 address without brackets.

    Raises:
        ValueError: it is missing or not valid; the message does not repeat it.
    """
    if not host:
        raise ValueError("its host is missing")
    try:
        if host.startswith("[") or ":" in host:
            ipaddress.IPv6Address(host.strip("[]"))
            return host.strip("[]").lower()
        found = httpx.URL(scheme="http", host=host).raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError):  # ValueError: not an IPv6 address
        found = ""
    if not _HOST.fullmatch(found):
        raise ValueError("its host is neither a name nor an IP address")
    return found


def endpoint_in(text: str, default_port: int | None = None) -> Endpoint:
    """The endpoint of "host:port", as in the authority of a URL.

    Args:
        text: without user and password.
        default_port: used where no port is written; None: a port is required.

    Raises:
        ValueError: the invalid part; the message does not repeat the text.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError("its host is neither a name nor an IP address; write an IPv6 address in [ ]")
    host, port = ascii_host(unquote(found["host"])), found["port"]
    if not port and default_port is not None:
        return Endpoint(host, default_port)
    if not port:
        raise ValueError("its port is missing")
    if not (_PORT.fullmatch(port) and 0 < int(port) <= _MOST_PORT):
        raise ValueError(f"its port is not a number from 1 to {_MOST_PORT}")
    return Endpoint(host, int(port))


def endpoint_of(url: httpx.URL | str) -> Endpoint:
    """The host and the port, the scheme's own where none is written."""
    url = httpx.URL(url)
    return Endpoint(url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80))


def has_host(url: str) -> bool:
    """Whether a URL has a host and, if any, a valid port."""
    return not url_problem(url)


def url_problem(url: str) -> str:
    """The mistake in a URL, without repeating it; empty where the URL is valid."""
    if not url.isprintable():
        return "it contains a character that is not printable"
    if len(url) > _LONGEST:
        return f"it is longer than {_LONGEST} characters"
    authority = _AUTHORITY.match(url)
    if authority is None:
        return "it does not begin with SCHEME://HOST"
    try:
        endpoint_in(authority["place"], _MOST_PORT)
        httpx.URL(url)
    except httpx.InvalidURL:
        return "it is not a valid URL"
    except ValueError as error:
        return str(error)
    return ""


def origin_of(url: str) -> tuple[str, Endpoint]:
    """Scheme, host and port (RFC 6454 section 4)."""
    return httpx.URL(url).scheme, endpoint_of(url)


def leads_to_its_host(url: str, location: str) -> bool:
    """Whether a redirect stays at the URL's host, whatever its scheme and port."""
    try:
        return httpx.URL(url).join(location).host == httpx.URL(url).host
    except (httpx.InvalidURL, ValueError):  # ValueError: a host that IDNA rejects
        return False
