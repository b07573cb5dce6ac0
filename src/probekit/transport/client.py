"""The HTTP client of a run: identity, rate limit, addresses and certificates."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from time import perf_counter
from typing import Final

import httpx

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.body import DOCUMENT, PAGE
from probekit.transport.connection import Connection, Proxy, open_connection, secure
from probekit.transport.deadline import StallAwareTimeout
from probekit.transport.errors import named_step, not_connected
from probekit.transport.exchange import Exchange, KeptConnection, Sender, answered, send_once
from probekit.transport.http2 import speaks_only_http2
from probekit.transport.in_flight import InFlight
from probekit.transport.made_up import MadeUpPaths, is_alike
from probekit.transport.rate_limit import RateLimiter
from probekit.transport.resolver import Resolved, Resolver
from probekit.transport.response import Answer
from probekit.transport.trust import Trust
from probekit.transport.urls import Address, Endpoint, endpoint_of, origin_of
from probekit.version import __version__

Upgrade = Callable[[Connection], Awaitable[None]]
_NOT_STORED: Final = {"Cache-Control": "no-cache"}  # RFC 9111 section 5.2.1.4


@dataclass(kw_only=True)
class Http:
    """The shared state of all exchanges of a run: identity, rate limits, trust, counters."""

    run: str
    resolver: Resolver = field(default_factory=Resolver)
    trust: Trust = field(default_factory=Trust)
    proxy: Callable[[], Proxy] | None = None  # revealed when a connection is opened
    rate: tuple[int, float] = (20, 1.0)  # requests per seconds, per host
    identity: Mapping[str, Callable[[], str]] = field(
        default_factory=dict
    )  # headers for `origin` only, revealed when sent
    origin: tuple[str, Endpoint] | None = None  # origin of the target
    way: str = ""  # the route of requests: fixed addresses, family, proxy, identity; without secrets
    made_up: MadeUpPaths = field(default_factory=MadeUpPaths)
    send: Sender = send_once
    most_in_flight: int | None = 4  # concurrent exchanges with one host; None: no limit
    sent: int = 0  # requests so far, to any host
    only_http2: dict[Address, bool] = field(
        default_factory=dict
    )  # for addresses that closed a connection without a response
    reached: bool = False  # whether the target answered 5xx over publicly trusted TLS, without a proxy
    families: set[int] = field(default_factory=set)  # 4, 6: address families of successful connections
    _gates: dict[str, RateLimiter] = field(default_factory=dict)
    _in_flight: dict[str, InFlight] = field(default_factory=dict)

    @asynccontextmanager
    async def exchange_with(self, host: str, *, alone: bool = False, throttled: bool = True) -> AsyncIterator[float]:
        """Wait for a place among the exchanges with a host and for its rate limit; yield the seconds waited."""
        start = perf_counter()
        async with self._in_flight.setdefault(host, InFlight(self.most_in_flight)).place(alone=alone):
            if throttled:
                await self._gates.setdefault(host, RateLimiter(*self.rate)).acquire()
            yield perf_counter() - start

    async def resolve(self, endpoint: Endpoint, seconds: float) -> Resolved:
        """Every address of an endpoint; with a proxy, which resolves names itself, only the name.

        Raises:
            ProbeFailedError: `unresolved`: there is none, or none within that time.
        """
        if self.proxy and not self.resolver.is_fixed(endpoint):
            return Resolved((Address(endpoint, endpoint.host),), 0.0)
        try:
            async with asyncio.timeout(seconds):
                return await self.resolver.resolve(endpoint)
        except TimeoutError as error:
            detail = f"no DNS response for {endpoint.host} within {seconds:g} s"
            raise ProbeFailedError(Reason.UNRESOLVED, detail) from error

    @property
    def no_connection_reason(self) -> Reason:
        """The reason of a failed connection: through a proxy it says nothing about the target."""
        return Reason.NO_NETWORK if self.proxy else Reason.UNREACHABLE

    def note_reached(self, scheme: str, where: Endpoint, answer: Answer) -> None:
        """Record a server error of the target itself, where no intermediary can have answered in its place."""
        is_public = scheme == "https" and self.trust.ca is None and self.proxy is None
        is_own = is_public and (scheme, where) == self.origin
        self.reached = self.reached or (is_own and answer.is_server_error)

    async def connect(self, address: Address, tls: ssl.SSLContext | None) -> Connection:
        """An open connection, through the proxy where there is one."""
        connection = await open_connection(address, tls=tls, proxy=self.proxy() if self.proxy else None)
        if self.proxy is None:
            self.families.add(address.family)
        return connection

    def probe_client(self, *, address: Address | None = None, timeout: float, alone: bool = False) -> ProbeClient:
        """The client of one measurement; `alone`: its durations are measured."""
        return ProbeClient(http=self, address=address, timeout=timeout, alone=alone)


@dataclass(kw_only=True)
class ProbeClient:
    """The HTTP client of one measurement, with its address; `waited`: seconds its exchanges waited for their turns."""

    http: Http
    address: Address | None
    timeout: float
    alone: bool = False  # no other exchange of the run with that host at the same time
    waited: float = 0.0

    def question(self, url: str, method: str = "GET", further: str = "") -> str:
        """A digest of a request and its route, to compare its answer with an earlier one.

        Args:
            url: the whole URL.
            method: of the request.
            further: other properties that distinguish the request, without secrets.
        """
        asked = (method, url, self.http.way, further) if further else (method, url, self.http.way)
        return sha256(repr(asked).encode()).hexdigest()[:16]

    @property
    def sent_in_all(self) -> int:
        """The number of requests that the whole run has sent so far."""
        return self.http.sent

    async def resolve(self, endpoint: Endpoint) -> Resolved:
        """Every address of an endpoint."""
        return await self.http.resolve(endpoint, self.timeout)

    @asynccontextmanager
    async def turn_at(self, host: str) -> AsyncIterator[None]:
        """Wait for this measurement's turn at a host; the exchange in its context may be timed."""
        async with self.http.exchange_with(host, alone=self.alone) as waited:
            self.waited += waited
            yield

    async def connect(self, address: Address, tls: ssl.SSLContext | None, upgrade: Upgrade | None = None) -> Connection:
        """An open connection, which the kind closes; `upgrade` is the dialogue before the handshake."""
        async with self.turn_at(address.endpoint.host):
            try:
                async with StallAwareTimeout(self.timeout):
                    if upgrade is None:
                        return await self.http.connect(address, tls)
                    return await self._upgraded(address, tls, upgrade)
            except TimeoutError as error:
                raise not_connected(error, address, self.timeout, self.http.no_connection_reason) from error

    async def _upgraded(self, address: Address, tls: ssl.SSLContext | None, upgrade: Upgrade) -> Connection:
        connection = await self.http.connect(address, None)
        try:
            with named_step("STARTTLS"):
                await upgrade(connection)
        except BaseException:
            await connection.close()
            raise
        if tls is not None:
            await secure(connection, tls)
        return connection

    async def get(  # noqa: PLR0913  # all but the URL by name
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        follow: int = 0,
        anonymous: bool = False,
        most: int = DOCUMENT,
    ) -> Answer:
        """The final answer, with at most `follow` redirects within the same origin.

        Args:
            url: the whole URL.
            method: of every request.
            headers: added to the headers of every request, and replacing them.
            content: the request's body.
            follow: maximum number of redirects.
            anonymous: whether to omit connect.headers.
            most: maximum bytes of the body, on the wire and decoded; a larger one is a `bad_response`.

        Raises:
            ProbeFailedError: `unreachable` without an answer, `timeout` or `bad_response` where it could not be read to
                its end, and the errors of the connection and the resolver.
        """
        target = httpx.URL(url)
        while True:
            sent = self.headers(endpoint_of(target), target.scheme, headers or {}, anonymous=anonymous)
            answer = await self._exchange(httpx.Request(method, target, headers=sent, content=content), most)
            following = _same_origin(target, answer.header("location")) if answer.redirect and follow else None
            if following is None:
                return answer
            target, follow = following, follow - 1

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to one POST, without following redirects; a kind sends it only where it is allowed.

        Raises:
            ProbeFailedError: as `get`.
        """
        return await self.get(url, method="POST", headers=headers, content=body)

    async def get_fresh(  # noqa: PLR0913  # all but the URL by name
        self,
        url: str,
        *,
        max_age: float,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        follow: int = 0,
        most: int = DOCUMENT,
    ) -> Answer:
        """The current final answer: caches are bypassed, and an answer older than `max_age` seconds is refused.

        Raises:
            ProbeFailedError: `bad_response` where a cache returned an older one, and the errors of `get`.
        """
        fresh = {**(headers or {}), **_NOT_STORED}
        answer = await self.get(url, method=method, headers=fresh, content=content, follow=follow, most=most)
        answer.require_age(max_age)
        return answer

    async def answers_anything(
        self,
        url: str,
        answer: Answer,
        *,
        headers: Mapping[str, str] | None = None,
        follow: int = 0,
        has_body: bool = True,
    ) -> bool:
        """Whether this server gives the same answer to requests of paths that cannot exist, with the same headers."""
        fresh = {**(headers or {}), **_NOT_STORED}

        async def ask(made_up: str) -> Answer:
            return await self.get(made_up, headers=fresh, follow=follow, most=PAGE)

        pair = await self.http.made_up.answers(url, ask, follow, headers or {})
        return pair is not None and is_alike(answer, url, pair, has_body=has_body)

    async def keep_alive(self, url: str) -> KeepAliveConnection:
        """An open connection for many exchanges with one origin; the caller limits their rate."""
        where = endpoint_of(url)
        address = await self._address(where)
        secure = httpx.URL(url).scheme == "https"
        kept = KeptConnection(address, self.http.trust.context if secure else None, self.http.connect)
        line = KeepAliveConnection(client=self, address=address, kept=kept)
        try:
            async with StallAwareTimeout(self.timeout):
                await kept.open()
        except TimeoutError as error:
            raise not_connected(error, address, self.timeout, self.http.no_connection_reason) from error
        return line

    async def _exchange(self, request: httpx.Request, most: int) -> Answer:
        url, where = request.url, endpoint_of(request.url)
        async with self.turn_at(where.host):
            self.http.sent += 1
            exchange = Exchange(
                await self._address(where), self.http.trust, self.http.connect, self.http.no_connection_reason
            )
            try:
                answer = await answered(self.http.send, request, exchange, self.timeout, most=most)
            except ProbeFailedError as error:
                await self.require_http1(error, exchange, is_secure=url.scheme == "https")
                raise
            finally:
                if exchange.connection:
                    await exchange.connection.close()
            self.http.note_reached(url.scheme, where, answer)
            return answer

    async def require_http1(self, error: ProbeFailedError, exchange: Exchange, *, is_secure: bool) -> None:
        """Check whether a server that closed a connection without a response supports HTTP/2 only.

        Not through a proxy, which may have closed the tunnel itself.

        Raises:
            ProbeFailedError: `access_denied`: it supports HTTP/2 only.
        """
        if error.reason is not Reason.UNREACHABLE or not exchange.was_closed or self.http.proxy:
            return
        known, address = self.http.only_http2, exchange.address
        if address not in known:
            trust = self.http.trust if is_secure else None
            known[address] = await speaks_only_http2(address, trust, self.http.connect)
        if known[address]:
            detail = f"{address} supports HTTP/2 only; probekit uses HTTP/1.1"
            raise ProbeFailedError(Reason.ACCESS_DENIED, detail) from error

    async def _address(self, where: Endpoint) -> Address:
        if self.address is not None and self.address.endpoint == where:
            return self.address
        return (await self.resolve(where)).addresses[0]

    def headers(
        self, where: Endpoint, scheme: str, headers: Mapping[str, str], *, anonymous: bool = False
    ) -> dict[str, str]:
        """The headers of a request: probekit's own, and the configured identity for the target's origin only."""
        own = {
            "User-Agent": f"probekit/{__version__}",
            "X-Probekit-Run": self.http.run,
            "Accept": "application/json, text/html;q=0.8, */*;q=0.5",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        known = (scheme, where) == self.http.origin and not anonymous
        who = {name: reveal() for name, reveal in self.http.identity.items()} if known else {}
        for name, value in who.items():
            if not (value.isascii() and value.isprintable()):
                raise ProbeFailedError(
                    Reason.MISSING_SECRET, f"the secret for header {name} has characters other than printable ASCII"
                )
        by_name = {name.lower(): (name, value) for one in (own, who, headers) for name, value in one.items()}
        return dict(by_name.values())


@dataclass(kw_only=True)
class KeepAliveConnection:
    """One open connection for sequential exchanges, reopened where the server has closed it."""

    client: ProbeClient
    address: Address
    kept: KeptConnection

    def prepare(self, url: str) -> Callable[[], Awaitable[Answer]]:
        """A GET that is prepared now and sent when it is called, without rate limit or redirects."""
        target = httpx.URL(url)
        headers = self.client.headers(endpoint_of(target), target.scheme, {"Connection": "keep-alive"})
        return partial(self._send, httpx.Request("GET", target, headers=headers))

    async def _send(self, request: httpx.Request) -> Answer:
        http = self.client.http
        exchange = Exchange(self.address, http.trust, http.connect, http.no_connection_reason)  # includes its wait
        async with http.exchange_with(self.address.endpoint.host, throttled=False):
            http.sent += 1
            try:
                return await answered(self.kept.send, request, exchange, self.client.timeout)
            except ProbeFailedError as error:
                await self.close()
                await self.client.require_http1(error, exchange, is_secure=request.url.scheme == "https")
                raise

    async def close(self) -> None:
        """Close at once."""
        await self.kept.aclose()


def _same_origin(url: httpx.URL, location: str | None) -> httpx.URL | None:
    """The URL of a redirect; None if it leaves the origin or is not valid."""
    try:
        target = url.join(location or "")
    except (httpx.InvalidURL, ValueError):  # ValueError: a host that IDNA rejects
        return None
    return target if origin_of(str(target)) == origin_of(str(url)) and not target.userinfo else None
