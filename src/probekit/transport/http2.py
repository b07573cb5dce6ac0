"""Does a server that gives HTTP/1.1 no answer speak HTTP/2 and nothing else? Then it is not silent, we are."""

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
_FRAME_HEAD: Final = 9  # bytes; RFC 9113 section 4.1
_SETTINGS: Final = 4
_PATIENCE: Final = 2.0  # seconds for all of it

Connect = Callable[[Address, ssl.SSLContext | None], Awaitable[Connection]]


async def speaks_only_http2(address: Address, trust: Trust | None, connect: Connect) -> bool:
    """Whether it takes HTTP/2 and no HTTP/1.1; asked of a server that has just closed a connection without a word.

    Args:
        address: where it is.
        trust: how it is verified with TLS; None: it is asked without (RFC 9113 section 3.3, prior knowledge).
        connect: opens a connection.
    """
    try:
        async with asyncio.timeout(_PATIENCE):
            if trust is None:
                return await _answers_preface(address, connect)
            if await _chosen(address, trust, "http/1.1", connect) is not None:
                return False
            return await _chosen(address, trust, "h2", connect) == "h2"
    except (TimeoutError, OSError, asyncio.IncompleteReadError, ProbeFailedError):
        return False


async def _chosen(address: Address, trust: Trust, protocol: str, connect: Connect) -> str | None:
    """What the server chooses where one protocol is offered (RFC 7301); None: it does not want it."""
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


async def _answers_preface(address: Address, connect: Connect) -> bool:
    connection = await connect(address, None)
    try:
        connection.writer.write(_PREFACE)
        await connection.writer.drain()
        head = await connection.reader.readexactly(_FRAME_HEAD)
        return head[3] == _SETTINGS
    finally:
        await connection.close()
