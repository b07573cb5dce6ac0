"""The way to the server that a URL names: by its address, by its socket file, or by its sentinels."""

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

_CONNECT: Final = 5.0  # seconds at most: a cache that takes longer to accept is as good as gone
_PASSED_OVER: Final = (Reason.UNREACHABLE, Reason.UNRESOLVED, Reason.NO_NETWORK)  # another address or node may do
_OWN_LOGIN: Final = "; sentinels take sentinel_username and sentinel_password of the URL's query"


@asynccontextmanager
async def open_session(config: RedisProbe, context: Context) -> AsyncIterator[Session]:
    """A session with the server, signed in, and closed at the end.

    Raises:
        ProbeFailedError: `missing_setting`: the URL cannot be used; why there is no connection or no master.
    """
    url = url_of(context.reveal(config.url), config.url, config.sentinel_master)
    if url.master and config.role == "replica":
        detail = "sentinels are asked for the master: a replica is measured by a URL of its own"
        raise ProbeFailedError(Reason.MISSING_SETTING, detail)
    places = (await _master(url, context),) if url.master else url.places
    async with _signed_in(places, url.login, context, is_secure=url.is_secure) as session:
        yield session


@asynccontextmanager
async def _signed_in(
    places: Sequence[Endpoint | SocketFile], login: Login, context: Context, *, is_secure: bool
) -> AsyncIterator[Session]:
    """A session with the first of the places that takes a connection."""
    async with AsyncExitStack() as stack:
        line = await _first_line(places, context, stack, is_secure=is_secure)
        session = Session(line, login, context.timeout)
        stack.push_async_callback(session.close)
        await session.sign_in()
        yield session


async def _first_line(
    places: Sequence[Endpoint | SocketFile], context: Context, stack: AsyncExitStack, *, is_secure: bool
) -> Connection:
    """A connection, within this measurement's turn at its host, which the stack ends."""
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
    """Why none of several is of use: silence only where all are silent, and the others may work."""
    return next((error for error in troubles if error.reason not in SILENT), troubles[0])


def _host(place: Endpoint | SocketFile) -> str:
    return place.endpoint.host if isinstance(place, SocketFile) else place.host


async def _line(place: Endpoint | SocketFile, context: Context, within: float, *, is_secure: bool) -> Connection:
    """A connection to the first address that takes one, as the application's own client has it.

    An address to which this machine has no way (it may lack IPv6) does not count where another one answers or refuses.
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
        detail = f"no address for {place.host} within {context.timeout:g} s"
        raise ProbeFailedError(Reason.UNRESOLVED, detail) from error
    if not resolved.addresses:
        raise ProbeFailedError(Reason.UNRESOLVED, f"the name {place.host} has no address")
    return resolved.addresses


async def _master(url: RedisUrl, context: Context) -> Endpoint:
    """Where the first sentinel that knows the master says that it is.

    Raises:
        ProbeFailedError: of the sentinels that answered, what one of them answers instead; `unreachable` or `timeout`
            where none did.
    """
    troubles = []
    for place in url.places:
        try:
            async with _signed_in((place,), url.sentinel_login, context, is_secure=url.is_secure) as session:
                return _told(await session.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", url.master or ""), session)
        except RefusedError as error:
            troubles.append(ProbeFailedError(Reason.BAD_RESPONSE, f"{error.detail}, where a sentinel is due"))
        except ProbeFailedError as error:
            own = _OWN_LOGIN if error.reason is Reason.REFUSED_CREDENTIALS else ""
            troubles.append(ProbeFailedError(error.reason, error.detail + own))
    raise _of_all(troubles)


def _told(answer: Any, session: Session) -> Endpoint:  # noqa: ANN401  # what the protocol can carry
    """The address in a sentinel's answer."""
    if answer is None:
        detail = f"the sentinel at {session.address} knows no master of the name that the URL gives"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    try:
        host, port = (part.decode("ascii") for part in answer)
        return endpoint_in(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except (TypeError, AttributeError, ValueError) as error:
        detail = f"the sentinel at {session.address} answers with no address of a master"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail) from error
