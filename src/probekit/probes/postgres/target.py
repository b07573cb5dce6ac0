"""Where a DSN leads: addresses, certificate and CA."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from probekit.probe import Context, Endpoint, ProbeFailedError, Reason
from probekit.probes.postgres.client_certificate import ClientCertificate, client_certificate
from probekit.probes.postgres.settings import PostgresProbe

_PORT: Final = 5432


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a DSN leads; never shown."""

    parameters: dict[str, Any] = field(repr=False)
    where: str
    certificate: ClientCertificate


async def target_of(config: PostgresProbe, context: Context) -> Target:
    """Where the configured DSN leads, every address of its host included.

    Raises:
        ProbeFailedError: the DSN is missing, is none, or its host does not resolve.
    """
    try:
        parameters: dict[str, Any] = dict(conninfo_to_dict(context.reveal(config.dsn)))
    except psycopg.ProgrammingError:
        detail = f"{config.dsn} holds no DSN; write postgresql://USER:PASSWORD@HOST/DATABASE"
        raise ProbeFailedError(Reason.MISSING_SECRET, detail) from None  # its text quotes the DSN
    trust = context.http.http.trust
    certificate = client_certificate(parameters, trust)
    parameters |= certificate.parameters
    ca = trust.ca
    if ca and "sslrootcert" not in parameters and str(parameters.get("sslmode")).startswith("verify-"):
        parameters["sslrootcert"] = str(ca)
    host = str(parameters.get("host") or "")
    port = str(parameters.get("port") or _PORT)
    where = f"PostgreSQL at {Endpoint(host, int(port)) if host and port.isdigit() else host or 'its default place'}"
    if not host or "," in host or host.startswith(("/", "@")) or parameters.get("hostaddr") or not port.isdigit():
        return Target(parameters=parameters, where=where, certificate=certificate)  # libpq's own affair
    endpoint = Endpoint(host, int(port))
    if context.address is not None:
        found: tuple[str, ...] = (context.address.ip,)
    else:
        try:
            async with asyncio.timeout(context.timeout):
                resolved = await context.http.resolve(endpoint)
        except TimeoutError as error:
            raise ProbeFailedError(Reason.UNRESOLVED, f"no address for {host} within {context.timeout:g} s") from error
        found = tuple(address.ip for address in resolved.addresses)
    parameters |= {"host": ",".join([host] * len(found)), "hostaddr": ",".join(found)}
    return Target(parameters=parameters, where=where, certificate=certificate)
