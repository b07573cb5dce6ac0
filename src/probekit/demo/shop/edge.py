"""Middleware for every answer: security headers, CORS, counting and the request log.

Plain ASGI around everything else: starlette writes its page for an unexpected error outside of user middleware.
"""

import logging
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from probekit.demo.shop.metrics import Metrics

ALLOWED_ORIGIN = "https://app.example.test"

SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)
STRICT_TRANSPORT: Mapping[str, str] = MappingProxyType(
    {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}  # effective over HTTPS only
)

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}

_log = logging.getLogger(__name__)


def nothing_withheld() -> frozenset[str]:
    """The headers to omit where faults do not apply: none."""
    return frozenset()


class WithHeaders:
    """Adds fixed headers to every answer, except those withheld at the moment."""

    def __init__(
        self, app: ASGIApp, headers: Mapping[str, str], withheld: Callable[[], frozenset[str]] = nothing_withheld
    ) -> None:
        self._app = app
        self._headers = headers
        self._withheld = withheld

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                withheld = self._withheld()
                MutableHeaders(scope=message).update(
                    {name: value for name, value in self._headers.items() if name not in withheld}
                )
            await send(message)

        await self._app(scope, receive, send_with_headers)


class CrossOrigin:
    """Allows exactly one other origin to read the answers, unless all origins are allowed."""

    def __init__(self, app: ASGIApp, origin: str, lets_in_any: Callable[[], bool]) -> None:
        self._app = app
        self._origin = origin
        self._lets_in_any = lets_in_any

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or pass the request on and add the CORS headers to its answer."""
        headers = Headers(scope=scope)
        origin, is_open = headers.get("Origin"), self._lets_in_any()
        is_allowed = origin is not None and (is_open or origin == self._origin)

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                answered.add_vary_header("Origin")  # also without an origin: a cache must not mix the two
                if is_allowed:
                    answered["Access-Control-Allow-Origin"] = origin or ""
                    answered.update({"Access-Control-Allow-Credentials": "true"} if is_open else {})
            await send(message)

        if scope["method"] == "OPTIONS" and "Access-Control-Request-Method" in headers:
            preflight = Response(status_code=204, headers=_PREFLIGHT) if is_allowed else Response(status_code=403)
            await preflight(scope, receive, send_with_origin)
        else:
            await self._app(scope, receive, send_with_origin)


class Observed:
    """Counts and logs every answer; unknown paths share one name, so that requests cannot fill the memory."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: frozenset[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, then count its answer."""
        started = time.perf_counter()
        status: int | None = None

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_observed)
        finally:
            if status is not None:
                self._count(scope, status, time.perf_counter() - started)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope["path"] if scope["path"] in self._routes else "other"
        method = scope["method"] if scope["method"] in {"GET", "HEAD", "POST", "OPTIONS"} else "other"
        self._metrics.count(method, route, status, seconds)
        fields = {"method": method, "route": route, "status": status, "milliseconds": round(seconds * 1000, 1)}
        _log.info("request.answered", extra={"fields": fields})
