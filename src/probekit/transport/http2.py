"""Check whether a server that does not answer HTTP/1.1 supports HTTP/2 only, and so is not down."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from probekit.model.measurement import ProbeFailedError
from probekit.transport.connection import Connection
from probekit.transport.trust import Trust
from probekit.transport.urls import Address

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)  # RFC 9113 section 3.4
_HTTP1: Final = b"HEAD /probekit-speaks-http1 HTTP/1.1\r\nHost: probekit\r\nConnection: close\r\n\r\n"
_STATUS: Final = b"HTTP/"
_FRAME_HEAD: Final = 9  # bytes; RFC 9113 section 4.1
_SETTINGS: Final = 4
_PATIENCE: Final = 2.0  # seconds for the whole check

Connect = Callable[[Address, ssl.SSLContext | None], Awaitable[Connection]]


async def speaks_only_http2(address: Address, trust: Trust | None, connect: Connect) -> bool:
    """Whether a server that closed a connection without a response supports HTTP/2 and not HTTP/1.1.

    Args:
        address: of the server.
        trust: verifies its certificate; None: without TLS (RFC 9113 section 3.3, prior knowledge).
        connect: opens a connection.
    """
    try:
        async with asyncio.timeout(_PATIENCE):
            tls = trust.context if trust else None
            if await _begins(address, tls, _HTTP1, connect, len(_STATUS)) == _STATUS:
                return False
            if trust is None:
                head = await _begins(address, None, _PREFACE, connect, _FRAME_HEAD)
                return len(head) == _FRAME_HEAD and head[3] == _SETTINGS
            if await _chosen(address, trust, "http/1.1", connect) is not None:
                return False
            return await _chosen(address, trust, "h2", connect) == "h2"
    except (TimeoutError, OSError, ProbeFailedError):
        return False


async def _chosen(address: Address, trust: Trust, protocol: str, connect: Connect) -> str | None:
    """The protocol that the server selects where one is offered (RFC 7301); None: it rejects it."""
    context = trust.verifying()
    context.set_alpn_protocols([protocol])
    try:
        connection = await connect(address, context)
    except ProbeFailedError:
        return None
    try:
        chosen: str | None = connection.ssl_object.selected_alpn_protocol()
        return chosen
    finally:
        await connection.close()


async def _begins(address: Address, tls: ssl.SSLContext | None, sent: bytes, connect: Connect, count: int) -> bytes:
    """The first `count` bytes of the response, fewer where it ends before."""
    connection = await connect(address, tls)
    try:
        connection.writer.write(sent)
        await connection.writer.drain()
        return await connection.reader.readexactly(count)
    except asyncio.IncompleteReadError as error:
        return error.partial
    finally:
        await connection.close()
