"""Where a DSN leads: addresses, certificates and the search path."""

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

_PORT: Final = "5432"  # of a host with an empty port beside others with one, whatever PGPORT says


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a DSN leads; never shown."""

    parameters: dict[str, Any] = field(repr=False)
    where: str
    certificate: ClientCertificate
    search_path: str = ""  # empty: the role's own
    unresolved: ProbeFailedError | None = None  # of one of several hosts that is passed over


async def target_of(config: PostgresProbe, context: Context) -> Target:
    """Where the configured DSN leads, every address of every host included.

    Raises:
        ProbeFailedError: the DSN is missing, is none, or none of its hosts resolves.
    """
    dsn = _revealed(config, context)
    trust = context.http.http.trust
    parameters = dsn.parameters | trusted_roots(dsn.parameters, trust)
    certificate = client_certificate(parameters, trust)
    parameters |= certificate.parameters
    places = _places(parameters)
    where = ", ".join(_named(*place) for place in places) or "its default place"
    unresolved = None
    if places and not parameters.get("hostaddr"):  # else libpq's own affair
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
        raise ProbeFailedError(Reason.MISSING_SECRET, f"{config.dsn} holds no DSN that can be used: {error}") from None


def _places(parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """Hosts and their ports; a single port is that of every host, and PGPORT's where the DSN has none."""
    hosts = str(parameters.get("host") or "").split(",")
    ports = with_defaults(parameters).get("port", "").split(",")
    if not any(hosts) or len(ports) not in (1, len(hosts)):
        return []
    return [(host, port or _PORT) for host, port in zip_longest(hosts, ports, fillvalue=ports[0])]


def _is_socket(host: str) -> bool:
    """Whether it is a socket of this machine, or libpq's default place, which is one."""
    return not host or host.startswith(("/", "@"))


def _named(host: str, port: str) -> str:
    return host or "its default place" if _is_socket(host) else str(Endpoint(host, int(port)))


async def _addresses(places: list[tuple[str, str]], context: Context) -> tuple[dict[str, str], ProbeFailedError | None]:
    """Each address with its host and port, in the order of the hosts; a host without one is passed over, and told.

    Raises:
        ProbeFailedError: `unresolved`: none has one.
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
        detail = f"no address for {endpoint.host} within {context.timeout:g} s"
        raise ProbeFailedError(Reason.UNRESOLVED, detail) from error
    return tuple(address.ip for address in resolved.addresses)
