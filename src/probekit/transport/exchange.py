"""Send one request and read its answer within limits of time and size."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

import httpcore
import httpx

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.body import DOCUMENT, BodyDecoder
from probekit.transport.connection import Connection
from probekit.transport.deadline import StallAwareTimeout
from probekit.transport.errors import connection_failed, not_connected
from probekit.transport.response import Answer, Phases
from probekit.transport.trust import Trust
from probekit.transport.urls import Address

HEAD: Final = 1 << 16  # bytes up to the end of the final answer's headers, interim answers included
HEADERS: Final = 200
_SHOWN: Final = 40  # bytes of an invalid response in a message
_INTERIM: Final = re.compile(rb"HTTP/\d\.\d 1")  # the beginning of an interim answer; some servers send HTTP/1.0
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")


Connect = Callable[[Address, ssl.SSLContext | None], Awaitable[Connection]]


@dataclass(slots=True)
class Exchange:
    """The timestamps of one request, by the monotonic clock."""

    address: Address
    trust: Trust
    connect: Connect
    no_connection_reason: Reason = (
        Reason.UNREACHABLE
    )  # of a failed connection; through a proxy it says nothing about the target
    connection: Connection | None = None
    began: float = field(default_factory=time.monotonic)
    connecting: float = 0.0  # seconds
    local_delay: float = 0.0  # seconds until the first write, without `connecting`
    sent: float | None = None
    first_byte: float | None = None
    head_done: bool = False
    head: bytearray = field(default_factory=bytearray)
    was_closed: bool = False  # by the server, before any response

    def leaves(self) -> None:
        """Record the time before a write: after it, an immediate answer would appear too fast."""
        now = time.monotonic()
        if self.sent is None:
            self.local_delay = now - self.began - self.connecting
        self.sent = now

    def received(self, data: bytes) -> None:
        """Record the time of the final answer's first byte; interim answers (RFC 9110 section 15.2) do not count.

        Raises:
            ProbeFailedError: `bad_response`: the headers are too large.
        """
        if self.head_done:
            return
        self.head += data
        if len(self.head) > HEAD:
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"the response has more than {HEAD >> 10} KiB of headers")
        while _INTERIM.match(self.head) and (end := _HEAD_END.search(self.head)):
            del self.head[: end.end()]
        if self.first_byte is None and self.head and not _INTERIM.match(self.head):
            self.first_byte = self.connection.arrived if self.connection else time.monotonic()


Sender = Callable[[httpx.Request, Exchange], Awaitable[httpx.Response]]


class _Stream(httpcore.AsyncNetworkStream):
    """An open connection with the interface of httpcore."""

    def __init__(self, connection: Connection, exchange: Exchange) -> None:
        self._connection = connection
        self.exchange = exchange

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109  # httpcore's interface; one deadline covers the whole exchange
        try:
            data = await self._connection.reader.read(max_bytes)
        except OSError as error:
            raise _unanswered(self.exchange, error) or connection_failed(error, self._connection.address) from error
        self.exchange.received(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109  # httpcore's interface
        if buffer:
            self.exchange.leaves()
        try:
            self._connection.writer.write(buffer)
            await self._connection.writer.drain()
        except OSError as error:
            raise httpcore.WriteError(type(error).__name__) from error

    async def aclose(self) -> None:
        await self._connection.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # httpcore's interface
        return self._connection.ssl_object if info == "ssl_object" else None


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_stream():
            yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


async def send_once(request: httpx.Request, exchange: Exchange) -> httpx.Response:
    """Send one request over a connection of its own: httpx's own pool costs 3.5 to 13 times as much CPU."""
    url = _target(request.url)
    secure = request.url.scheme == "https"
    exchange.connection = await exchange.connect(exchange.address, exchange.trust.context if secure else None)
    exchange.connecting = time.monotonic() - exchange.began
    line = httpcore.AsyncHTTP11Connection(url.origin, _Stream(exchange.connection, exchange))
    asked = httpcore.Request(request.method, url, headers=request.headers.raw, content=request.content)
    response = await line.handle_async_request(asked)
    return httpx.Response(response.status, headers=response.headers, stream=_Body(response))


class KeptConnection:
    """Exchanges over one connection that is kept open between them."""

    def __init__(self, address: Address, tls: ssl.SSLContext | None, connect: Connect) -> None:
        self._address = address
        self._tls = tls
        self._connect = connect
        self._connection: Connection | None = None
        self._stream: _Stream | None = None
        self._line: httpcore.AsyncHTTP11Connection | None = None

    async def open(self) -> None:
        """Connect if not connected."""
        if self._connection is None:
            self._connection = await self._connect(self._address, self._tls)
            self._stream = self._line = None

    async def send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        """Send one request; retry once on a new connection where an idle one was closed (RFC 9112 section 9.3.1)."""
        is_idle = self._line is not None
        try:
            return await self._sent(request, exchange)
        except (httpcore.RemoteProtocolError, ProbeFailedError):
            if not is_idle or exchange.head:
                raise
            await self.aclose()
            return await self._sent(request, exchange)

    async def _sent(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        if self._line is not None and not self._line.is_available():
            await self.aclose()
        called = time.monotonic()
        await self.open()
        exchange.connecting += time.monotonic() - called
        url = _target(request.url)
        if self._connection is None:
            raise ProbeFailedError(Reason.BUG, "no connection")
        exchange.connection = self._connection
        if self._stream is None or self._line is None:
            self._stream = _Stream(self._connection, exchange)
            self._line = httpcore.AsyncHTTP11Connection(url.origin, self._stream)
        self._stream.exchange = exchange
        response = await self._line.handle_async_request(
            httpcore.Request(request.method, url, headers=request.headers.raw)
        )
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    async def aclose(self) -> None:
        """Close at once."""
        if self._connection is not None:
            await self._connection.close()
        self._connection = self._stream = self._line = None


async def answered(
    send: Sender, request: httpx.Request, exchange: Exchange, seconds: float, *, most: int = DOCUMENT
) -> Answer:
    """The answer within limits of seconds and bytes of body; raises with the reason where there is none."""
    try:
        async with StallAwareTimeout(seconds):
            return await _read(send, request, exchange, most)
    except TimeoutError as error:
        raise _timed_out(exchange, seconds, error) from error
    except httpcore.RemoteProtocolError as error:
        raise _no_http(exchange, str(error)) from error
    except httpcore.LocalProtocolError as error:
        raise ProbeFailedError(Reason.BUG, "probekit's request is not valid HTTP; check connect.headers") from error


def _target(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


async def _read(send: Sender, request: httpx.Request, exchange: Exchange, most: int) -> Answer:
    response = await send(request, exchange)
    exchange.head_done = True
    if len(response.headers.raw) > HEADERS:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"the response has more than {HEADERS} headers")
    first_byte = max(0.0, (exchange.first_byte or time.monotonic()) - (exchange.sent or exchange.began))
    has_body = request.method != "HEAD" and response.status_code not in (204, 304)  # RFC 9110 section 6.4.1
    body = await _body(response, most) if has_body else b""
    await cast("httpx.AsyncByteStream", response.stream).aclose()
    connection = exchange.connection
    arrived = connection.arrived if connection else time.monotonic()
    phases = Phases(
        connect=connection.connect if connection else 0.0,
        tls=connection.tls if connection else None,
        first_byte=first_byte,
        response=max(0.0, arrived - (exchange.sent or exchange.began)),
        total=arrived - exchange.began,
        arrived=arrived,
        local_delay=exchange.local_delay,
    )
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)
    url = str(request.url.copy_with(query=None, fragment=None))
    return Answer(
        url=url, address=exchange.address, status=response.status_code, headers=headers, body=body, phases=phases
    )


async def _body(response: httpx.Response, most: int) -> bytes:
    """The body, decoded while it arrives, so that the size limit holds after decompression, too."""
    decoder = BodyDecoder(response.headers.get("content-encoding", ""), most)
    async for chunk in cast("httpx.AsyncByteStream", response.stream):
        decoder.feed(chunk)
    return decoder.end()


def _timed_out(exchange: Exchange, seconds: float, error: TimeoutError) -> ProbeFailedError:
    if exchange.head_done:
        return ProbeFailedError(
            Reason.TIMEOUT, f"the body from {exchange.address} was not complete within {seconds:g} s"
        )
    if exchange.connection:
        return ProbeFailedError(Reason.UNREACHABLE, f"no response from {exchange.address} within {seconds:g} s")
    return not_connected(error, exchange.address, seconds, exchange.no_connection_reason)


def _unanswered(exchange: Exchange, error: OSError | None = None) -> ProbeFailedError | None:
    """The error where a connection ended before any response because of a client certificate, else None."""
    return exchange.connection.refusal(error) if exchange.connection and not exchange.head else None


def _no_http(exchange: Exchange, text: str) -> ProbeFailedError:
    if exchange.head_done:
        return ProbeFailedError(
            Reason.UNREACHABLE, f"{exchange.address} closed the connection before the end of the body"
        )
    if not exchange.head:
        if refused := _unanswered(exchange):
            return refused
        exchange.was_closed = True
        return ProbeFailedError(Reason.UNREACHABLE, f"{exchange.address} closed the connection without a response")
    if exchange.head.startswith(b"HTTP/"):
        if b"\r\n\r\n" not in exchange.head and b"\n\n" not in exchange.head:
            return ProbeFailedError(
                Reason.UNREACHABLE, f"{exchange.address} closed the connection before the end of the headers"
            )
        return ProbeFailedError(Reason.BAD_RESPONSE, f"invalid HTTP response from {exchange.address}: {text}")
    begin = bytes(exchange.head[:_SHOWN])
    return ProbeFailedError(
        Reason.BAD_RESPONSE, f"{exchange.address} does not speak HTTP/1.1: the response begins with {begin!r}"
    )
