"""Resolve a DSN: addresses, certificates and the search path."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final

from probekit.probe import Context, Endpoint, ProbeFailedError, Reason
from probekit.probes.postgres.client_certificate import ClientCertificate, client_certificate
from probekit.probes.postgres.dsn import Dsn, DsnError, read_dsn
from probekit.probes.postgres.settings import PostgresProbe
from probekit.probes.postgres.trusted_roots import trusted_roots, with_defaults

_PORT: Final = "5432"  # of a host without a port in a list where others have one, whatever PGPORT is


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The server that a DSN denotes, with the parameters of its connection."""

    parameters: dict[str, Any] = field(repr=False)
    where: str
    certificate: ClientCertificate
    search_path: str = ""  # empty: the role's own search path
    unresolved: ProbeFailedError | None = None  # of a host that is skipped, where there are several


async def target_of(config: PostgresProbe, context: Context) -> Target:
    """Return the target of the configured DSN, with every address of every host.

    Raises:
        ProbeFailedError: the DSN is missing or invalid, or none of its hosts resolves.
    """
    dsn = _revealed(config, context)
    trust = context.http.http.trust
    parameters = dsn.parameters | trusted_roots(dsn.parameters, trust)
    certificate = client_certificate(parameters, trust)
    parameters |= certificate.parameters
    places = _places(parameters)
    where = ", ".join(_named(*place) for place in places) or "libpq's default host"
    unresolved = None
    if places and not parameters.get("hostaddr"):  # otherwise libpq resolves
        addresses, unresolved = await _addresses(places, context)
        parameters |= addresses
    return Target(
        parameters=parameters,
        where=f"PostgreSQL at {where}",
        certificate=certificate,
        search_path=dsn.search_path,
        unresolved=unresolved,
    )


def _revealed(config: PostgresProbe, context: Context) -> Dsn:
    try:
        return read_dsn(context.reveal(config.dsn))
    except DsnError as error:
        raise ProbeFailedError(Reason.MISSING_SECRET, f"{config.dsn} does not hold a valid DSN: {error}") from None


def _places(parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """Return hosts with their ports; a single port holds for every host, and PGPORT where the DSN has none."""
    hosts = str(parameters.get("host") or "").split(",")
    ports = with_defaults(parameters).get("port", "").split(",")
    if not any(hosts) or len(ports) not in (1, len(hosts)):
        return []
    return [(host, port or _PORT) for host, port in zip_longest(hosts, ports, fillvalue=ports[0])]


def _is_socket(host: str) -> bool:
    """Return whether a host is a Unix socket, as libpq's default host is."""
    return not host or host.startswith(("/", "@"))


def _named(host: str, port: str) -> str:
    return host or "libpq's default host" if _is_socket(host) else str(Endpoint(host, int(port)))


async def _addresses(places: list[tuple[str, str]], context: Context) -> tuple[dict[str, str], ProbeFailedError | None]:
    """Return each address with its host and port, and the error of a host that does not resolve.

    Raises:
        ProbeFailedError: `unresolved`: no host resolves.
    """
    found: list[tuple[str, str, str]] = []
    failed: ProbeFailedError | None = None
    for host, port in places:
        if _is_socket(host):
            found.append((host, "", port))
            continue
        try:
            found += [(host, ip, port) for ip in await _resolved(Endpoint(host, int(port)), context)]
        except ProbeFailedError as error:
            failed = failed or error
    if failed and not found:
        raise failed
    if not any(ip for _, ip, _ in found):
        return {}, failed
    columns = zip(("host", "hostaddr", "port"), zip(*found, strict=True), strict=True)
    return {name: ",".join(column) for name, column in columns}, failed


async def _resolved(endpoint: Endpoint, context: Context) -> tuple[str, ...]:
    chosen = context.address
    if chosen is not None and chosen.endpoint == endpoint:
        return (chosen.ip,)
    try:
        async with asyncio.timeout(context.timeout):
            resolved = await context.http.resolve(endpoint)
    except TimeoutError as error:
        detail = f"no DNS response for {endpoint.host} within {context.timeout:g} s"
        raise ProbeFailedError(Reason.UNRESOLVED, detail) from error
    return tuple(address.ip for address in resolved.addresses)
