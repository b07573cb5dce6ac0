"""The three served applications: the shop, the redirect from plain HTTP, and a control."""

import functools

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from probekit.demo.faults import Behaviour
from probekit.demo.shop.edge import (
    ALLOWED_ORIGIN,
    SECURITY_HEADERS,
    STRICT_TRANSPORT,
    CrossOrigin,
    Observed,
    WithHeaders,
)
from probekit.demo.shop.limit import RateLimit
from probekit.demo.shop.routes import ROUTES, Shop
from probekit.demo.shop.store import StoreDownError

_OWN_HOSTS = frozenset({"localhost", "127.0.0.1"})


def shop_application(shop: Shop, *, exempt_key: str) -> ASGIApp:
    """The shop's routes behind its rate limit, its counters and its headers."""
    routed = Starlette(
        routes=[
            Route(path, functools.partial(answer, shop), methods=[method]) for path, (method, answer) in ROUTES.items()
        ],
        middleware=[Middleware(RateLimit, exempt_key=exempt_key, is_off=lambda: shop.behaviour.is_unlimited)],
        exception_handlers={HTTPException: _refused, StoreDownError: _unavailable, Exception: _unexpected},
    )
    observed = Observed(routed, shop.metrics, frozenset(ROUTES))
    return WithHeaders(
        CrossOrigin(observed, ALLOWED_ORIGIN, lambda: shop.behaviour.lets_in_any_origin),
        {**SECURITY_HEADERS, **STRICT_TRANSPORT},
        withheld=lambda: shop.behaviour.withheld,
    )


def redirect_application(https_port: int, behaviour: Behaviour) -> ASGIApp:
    """Redirects to the HTTPS port of the same host; other hosts would make it an open redirect."""

    async def redirect(scope: Scope, receive: Receive, send: Send) -> None:
        named = Headers(scope=scope).get("Host", "").partition(":")[0].lower()
        host = named if named in _OWN_HOSTS else "localhost"
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        location = f"https://{host}:{https_port}{scope['raw_path'].decode('latin-1')}{query}"
        await RedirectResponse(location, status_code=308)(scope, receive, send)

    return WithHeaders(redirect, SECURITY_HEADERS, withheld=lambda: behaviour.withheld)


def control_application() -> ASGIApp:
    """Always healthy: where it does not respond either, a missing response of the shop says nothing about the shop."""
    return WithHeaders(PlainTextResponse("ok"), SECURITY_HEADERS)


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):  # starlette passes registered types only; its annotation is wider
        raise error
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)


async def _unavailable(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=503, headers={"Retry-After": "1"})


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "unexpected error"}, status_code=500)  # starlette raises it again, for the log
