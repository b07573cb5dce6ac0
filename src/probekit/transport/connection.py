"""Open one connection to a given address, directly or through a proxy."""

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
    """An open connection and the seconds it took to open it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: Address | SocketFile
    connect: float
    tls: float | None = None
    socket: TimestampedSocket | None = None  # None through a proxy
    ssl_object: Any = None  # the TLS session (SSLObject, whose chain is on private parts before 3.13), None without TLS

    @property
    def arrived(self) -> float:
        """The arrival time of the last data read, by the monotonic clock; now, where it is not known."""
        known = self.socket.arrived if self.socket else None
        return time.monotonic() if known is None else known

    def refusal(self, error: BaseException | None = None) -> ProbeFailedError | None:
        """The error where the server requested a client certificate and ended the connection without an answer.

        With TLS 1.3 it does so after the handshake. `error`: how it ended, None for a plain close.
        """
        return demanded_certificate(self.ssl_object, self.address, error)

    async def close(self) -> None:
        """Close at once, without waiting for the server."""
        with suppress(AttributeError):  # Python 3.11.2: a TLS session that the server ended has lost its protocol
            self.writer.transport.abort()
        await asyncio.sleep(0)  # the transport releases its socket in the next iteration of the loop


async def open_connection(
    address: Address, *, tls: ssl.SSLContext | None, name: str | None = None, proxy: Proxy | None = None
) -> Connection:
    """Open a connection to exactly this address; the caller limits the time.

    Args:
        address: of the server.
        tls: the context of the handshake, None for a plain connection.
        name: the host name for SNI and verification, that of the endpoint if None.
        proxy: opens a tunnel.

    Raises:
        ProbeFailedError: the connection cannot be opened, or certificate verification failed.
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
    """Open a connection to a socket file of this machine; the caller limits the time.

    Raises:
        ProbeFailedError: `unreachable`: nothing listens there; `no_network`: the file is missing or this user has no
            access to it. A server that ends removes its file, so these cases cannot be distinguished.
    """
    start = time.perf_counter()
    try:
        _require_socket(Path(file.path))
        pair = await asyncio.open_unix_connection(file.path)
    except OSError as error:
        raise connection_failed(error, file) from error
    return Connection(*pair, file, time.perf_counter() - start)


def _require_socket(path: Path) -> None:
    """Check that the file is a socket: connect(2) reports any other file as a refused connection."""
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise OSError(errno.ENOTSOCK, "not a socket")


async def secure(connection: Connection, tls: ssl.SSLContext, *, name: str | None = None) -> None:
    """Make the TLS handshake on an open connection; close it where that fails.

    Raises:
        ProbeFailedError: certificate verification or the handshake failed.
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
    """A socket connected to the address."""
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV  # never calls a resolver, which would block
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
    """A tunnel through the proxy; a failure of the proxy is not a failure of the target."""
    try:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port, limit=_TUNNEL_HEAD)
    except OSError as error:
        raise ProbeFailedError(
            Reason.NO_NETWORK, f"cannot connect to the proxy {proxy}: {error_text(error)}"
        ) from error
    try:
        lines = [f"CONNECT {address} HTTP/1.1", f"Host: {address}"]
        lines += [f"Proxy-Authorization: {proxy.authorization}"] if proxy.authorization else []
        writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        head = await reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        writer.transport.abort()
        raise ProbeFailedError(Reason.NO_NETWORK, f"the proxy {proxy} did not open a tunnel to {address}") from error
    except BaseException:
        writer.transport.abort()
        raise
    if not re.match(rb"HTTP/1\.[01] 2\d\d[ \r]", head):
        writer.transport.abort()
        status = head[9:12].decode("ascii", "replace") if head.startswith(b"HTTP/1.") else "not an HTTP response"
        reason = Reason.ACCESS_DENIED if status in ("401", "403", "407", "429") else Reason.NO_NETWORK
        raise ProbeFailedError(reason, f"the proxy {proxy} refused a tunnel to {address}: {status}")
    return reader, writer


_TUNNEL_HEAD: Final = 1 << 16  # bytes of a proxy's answer


def proxy_of(url: str, kept: str) -> Proxy:
    """The proxy of a URL; `kept` names its secret in messages.

    Raises:
        ProbeFailedError: `missing_setting`: not the URL of an HTTP proxy; the message does not repeat it.
    """
    problem = url_problem(url) or ("" if url.startswith("http://") else "its scheme must be http")
    where = None if problem else urlsplit(url)
    if where is None or not where.hostname:
        detail = f"{kept} is not the URL of a proxy: {problem}; use http://HOST:PORT, with USER:PASSWORD@ if needed"
        raise ProbeFailedError(Reason.MISSING_SETTING, detail)
    user = f"{unquote(where.username or '')}:{unquote(where.password or '')}"
    basic = f"Basic {b64encode(user.encode()).decode()}" if where.username else None
    return Proxy(host=where.hostname, port=where.port or 80, authorization=basic)
