"""Open one connection to one chosen address, directly or by a proxy."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import ssl
import stat
import time
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.errors import connection_failed, error_text, named_step
from probekit.transport.timestamps import TimestampedSocket
from probekit.transport.trust import demanded_certificate, watch_handshake
from probekit.transport.urls import Address, Endpoint, SocketFile, url_problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy that opens tunnels (CONNECT, RFC 9110 section 9.3.6)."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)  # the header's value

    def __str__(self) -> str:
        return str(Endpoint(self.host, self.port))


@dataclass(slots=True)
class Connection:
    """An open connection and what it took to open it, in seconds."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: Address | SocketFile
    connect: float
    tls: float | None = None
    socket: TimestampedSocket | None = None  # None through a proxy
    ssl_object: Any = None  # the TLS session (SSLObject, whose chain is on private parts before 3.13), None without TLS

    @property
    def arrived(self) -> float:
        """When what was last read had arrived, by the monotonic clock; now, where nobody knows."""
        known = self.socket.arrived if self.socket else None
        return time.monotonic() if known is None else known

    def refusal(self, error: BaseException | None = None) -> ProbeFailedError | None:
        """Access denied, where the server asked for a client certificate and ended the connection before any answer.

        With TLS 1.3 it does so after the handshake; `error`: how it ended, None for a plain close.
        """
        return demanded_certificate(self.ssl_object, self.address, error)

    async def close(self) -> None:
        """Close at once, without waiting for the other side."""
        with suppress(AttributeError):  # Python 3.11.2: a TLS session that the other side ended has lost its protocol
            self.writer.transport.abort()
        await asyncio.sleep(0)  # the transport gives up its socket in the loop's next turn


async def open_connection(
    address: Address, *, tls: ssl.SSLContext | None, name: str | None = None, proxy: Proxy | None = None
) -> Connection:
    """Open a connection to exactly this address; the caller bounds the time.

    Args:
        address: where to.
        tls: the context of the handshake, None for a plain connection.
        name: the host to ask for (SNI) and to verify, the endpoint's own if None.
        proxy: who tunnels it.

    Raises:
        ProbeFailedError: the connection cannot be opened or its certificate does not verify.
    """
    start = time.perf_counter()
    try:
        stream = None if proxy else await _connected(address)
        pair = await (asyncio.open_connection(sock=stream) if proxy is None else _tunnelled(address, proxy))
    except OSError as error:
        raise connection_failed(error, address) from error
    connection = Connection(*pair, address, time.perf_counter() - start, socket=stream)
    if tls is not None:
        await secure(connection, tls, name=name)
    return connection


async def open_socket_file(file: SocketFile) -> Connection:
    """Open a connection to a server of this machine; the caller bounds the time.

    Raises:
        ProbeFailedError: `unreachable`: nothing listens there; `no_network`: there is no such socket, or it is
            forbidden to this user. A server that ends takes its file with it, so that the two look the same.
    """
    start = time.perf_counter()
    try:
        _require_socket(Path(file.path))
        pair = await asyncio.open_unix_connection(file.path)
    except OSError as error:
        raise connection_failed(error, file) from error
    return Connection(*pair, file, time.perf_counter() - start)


def _require_socket(path: Path) -> None:
    """Go on only with a socket: connect(2) calls any other file a refusal."""
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise OSError(errno.ENOTSOCK, "no socket")


async def secure(connection: Connection, tls: ssl.SSLContext, *, name: str | None = None) -> None:
    """Make the handshake on an open connection, which is closed where that fails.

    Raises:
        ProbeFailedError: the certificate does not verify, or there is no handshake.
    """
    sessions = watch_handshake()
    start = time.perf_counter()
    host = name or connection.address.endpoint.host
    try:
        with named_step("TLS handshake"):
            await connection.writer.start_tls(tls, server_hostname=host, ssl_handshake_timeout=3600)
    except OSError as error:  # ssl.SSLError is an OSError
        await connection.close()
        session = sessions[-1] if sessions else None
        refused = demanded_certificate(session, connection.address, error)
        raise refused or connection_failed(error, connection.address) from error
    except BaseException:
        await connection.close()
        raise
    connection.tls = time.perf_counter() - start
    connection.ssl_object = connection.writer.get_extra_info("ssl_object")


_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connected(address: Address) -> TimestampedSocket:
    """A socket that is connected to it."""
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV  # never asks a resolver, which would block
    found = socket.getaddrinfo(address.ip, address.endpoint.port, type=socket.SOCK_STREAM, flags=numeric)
    family, kind, protocol, _, where = found[0]
    stream = TimestampedSocket(family, kind, protocol)
    try:
        stream.settimeout(0)
        stream.stamp()
        await asyncio.get_running_loop().sock_connect(stream, where)
    except BaseException:
        stream.close()
        raise
    return stream


async def _tunnelled(address: Address, proxy: Proxy) -> _Pair:
    """Through the proxy; its trouble is never the target's."""
    try:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port, limit=_TUNNEL_HEAD)
    except OSError as error:
        raise ProbeFailedError(
            Reason.NO_NETWORK, f"the proxy {proxy} cannot be reached: {error_text(error)}"
        ) from error
    try:
        lines = [f"CONNECT {address} HTTP/1.1", f"Host: {address}"]
        lines += [f"Proxy-Authorization: {proxy.authorization}"] if proxy.authorization else []
        writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        head = await reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        writer.transport.abort()
        raise ProbeFailedError(Reason.NO_NETWORK, f"the proxy {proxy} opened no tunnel to {address}") from error
    except BaseException:
        writer.transport.abort()
        raise
    if not re.match(rb"HTTP/1\.[01] 2\d\d[ \r]", head):
        writer.transport.abort()
        status = head[9:12].decode("ascii", "replace") if head.startswith(b"HTTP/1.") else "no HTTP"
        reason = Reason.TURNED_AWAY if status in ("401", "403", "407", "429") else Reason.NO_NETWORK
        raise ProbeFailedError(reason, f"the proxy {proxy} opens no tunnel to {address}: {status}")
    return reader, writer


_TUNNEL_HEAD: Final = 1 << 16  # bytes of a proxy's answer


def proxy_of(url: str, kept: str) -> Proxy:
    """The proxy of a URL that is kept somewhere.

    Raises:
        ProbeFailedError: `missing_setting`, without a word of it: it is no URL of an HTTP proxy.
    """
    problem = url_problem(url) or ("" if url.startswith("http://") else "its scheme must be http")
    where = None if problem else urlsplit(url)
    if where is None or not where.hostname:
        detail = f"{kept} holds no URL of a proxy: {problem}; expected http://HOST:PORT, with USER:PASSWORD@ as needed"
        raise ProbeFailedError(Reason.MISSING_SETTING, detail)
    user = f"{unquote(where.username or '')}:{unquote(where.password or '')}"
    basic = f"Basic {b64encode(user.encode()).decode()}" if where.username else None
    return Proxy(host=where.hostname, port=where.port or 80, authorization=basic)
