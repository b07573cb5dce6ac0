"""Connect to the server that a URL names: by its address, its socket file, or its sentinels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from probekit.probe import Address, Context, Endpoint, ProbeFailedError, Reason
from probekit.probes.redis.refusals import SILENT, RefusedError
from probekit.probes.redis.session import Session
from probekit.probes.redis.settings import RedisProbe
from probekit.probes.redis.url import Login, RedisUrl, url_of
from probekit.transport.connection import Connection, open_connection, open_socket_file
from probekit.transport.urls import SocketFile, endpoint_in

_CONNECT: Final = 5.0  # seconds: a cache that takes longer to accept counts as down
_PASSED_OVER: Final = (Reason.UNREACHABLE, Reason.UNRESOLVED, Reason.NO_NETWORK)  # another address or node is tried
_OWN_LOGIN: Final = "; for sentinels, set sentinel_username and sentinel_password in the URL's query"


@asynccontextmanager
async def open_session(config: RedisProbe, context: Context) -> AsyncIterator[Session]:
    """Open a session with the server, signed in; it is closed at the end.

    Raises:
        ProbeFailedError: `missing_setting`: the URL is invalid; other reasons: no connection, or no master.
    """
    url = url_of(context.reveal(config.url), config.url, config.sentinel_master)
    if url.master and config.role == "replica":
        detail = 'sentinels name the master only: for role = "replica", set the URL of the replica itself'
        raise ProbeFailedError(Reason.MISSING_SETTING, detail)
    places = (await _master(url, context),) if url.master else url.places
    async with _signed_in(places, url.login, context, is_secure=url.is_secure) as session:
        yield session


@asynccontextmanager
async def _signed_in(
    places: Sequence[Endpoint | SocketFile], login: Login, context: Context, *, is_secure: bool
) -> AsyncIterator[Session]:
    """Open a session with the first place that accepts a connection."""
    async with AsyncExitStack() as stack:
        line = await _first_line(places, context, stack, is_secure=is_secure)
        session = Session(line, login, context.timeout)
        stack.push_async_callback(session.close)
        await session.sign_in()
        yield session


async def _first_line(
    places: Sequence[Endpoint | SocketFile], context: Context, stack: AsyncExitStack, *, is_secure: bool
) -> Connection:
    """Return a connection, within the measurement's turn at its host; the stack ends both."""
    within = min(_CONNECT, context.timeout) / len(places)
    troubles = []
    for place in places:
        async with AsyncExitStack() as turn:
            await turn.enter_async_context(context.http.turn_at(_host(place)))
            try:
                line = await _line(place, context, within, is_secure=is_secure)
            except ProbeFailedError as error:
                if error.reason not in _PASSED_OVER:
                    raise
                troubles.append(error)
            else:
                await stack.enter_async_context(turn.pop_all())
                return line
    raise _of_all(troubles)


def _of_all(troubles: Sequence[ProbeFailedError]) -> ProbeFailedError:
    """Return the error of several attempts: no response only where none of them responded."""
    return next((error for error in troubles if error.reason not in SILENT), troubles[0])


def _host(place: Endpoint | SocketFile) -> str:
    return place.endpoint.host if isinstance(place, SocketFile) else place.host


async def _line(place: Endpoint | SocketFile, context: Context, within: float, *, is_secure: bool) -> Connection:
    """Return a connection to the first address that accepts one, as the application's client does.

    An address without a route (the runner may lack IPv6) does not count where another one answers or refuses.
    """
    addresses = await _addresses(place, context)
    tls = context.http.http.trust.context if is_secure else None
    troubles = []
    for address in addresses:
        try:
            async with asyncio.timeout(within / len(addresses)):
                if isinstance(address, SocketFile):
                    return await open_socket_file(address)
                return await open_connection(address, tls=tls)
        except TimeoutError:
            detail = f"no {'TLS connection' if tls else 'connection'} to {address} within {within / len(addresses):g} s"
            troubles.append(ProbeFailedError(Reason.UNREACHABLE, detail))
        except ProbeFailedError as error:
            if error.reason not in _PASSED_OVER:
                raise
            troubles.append(error)
    raise _of_all([error for error in troubles if error.reason is not Reason.NO_NETWORK] or troubles)


async def _addresses(place: Endpoint | SocketFile, context: Context) -> Sequence[Address | SocketFile]:
    if isinstance(place, SocketFile):
        return (place,)
    try:
        async with asyncio.timeout(context.timeout):
            resolved = await context.http.resolve(place)
    except TimeoutError as error:
        detail = f"no DNS response for {place.host} within {context.timeout:g} s"
        raise ProbeFailedError(Reason.UNRESOLVED, detail) from error
    if not resolved.addresses:
        raise ProbeFailedError(Reason.UNRESOLVED, f"the name {place.host} has no address")
    return resolved.addresses


async def _master(url: RedisUrl, context: Context) -> Endpoint:
    """Return the master's address from the first sentinel that names it.

    Raises:
        ProbeFailedError: what a sentinel answered instead; `unreachable` or `timeout` where none answered.
    """
    troubles = []
    for place in url.places:
        try:
            async with _signed_in((place,), url.sentinel_login, context, is_secure=url.is_secure) as session:
                return _master_in(await session.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", url.master or ""), session)
        except RefusedError as error:
            troubles.append(ProbeFailedError(Reason.BAD_RESPONSE, f"{error.detail}: not a sentinel"))
        except ProbeFailedError as error:
            own = _OWN_LOGIN if error.reason is Reason.REFUSED_CREDENTIALS else ""
            troubles.append(ProbeFailedError(error.reason, error.detail + own))
    raise _of_all(troubles)


def _master_in(answer: Any, session: Session) -> Endpoint:  # noqa: ANN401  # what the protocol can carry
    """Return the address in a sentinel's answer."""
    if answer is None:
        detail = f"the sentinel at {session.address} does not know the master that the URL names"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    try:
        host, port = (part.decode("ascii") for part in answer)
        return endpoint_in(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except (TypeError, AttributeError, ValueError) as error:
        detail = f"the sentinel at {session.address} does not answer with the address of a master"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail) from error
