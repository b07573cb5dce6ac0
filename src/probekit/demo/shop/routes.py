"""The routes of the shop."""

import asyncio
import datetime as dt
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, TypeGuard

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from probekit.demo.faults import Behaviour
from probekit.demo.shop import metrics as exposition
from probekit.demo.shop.accounts import Identity, hashed, identity_of, is_password, token
from probekit.demo.shop.metrics import Metrics
from probekit.demo.shop.store import Row, Store, StoreDownError

_DISK_NEEDED = 64 * 2**20  # bytes
_BODY_LIMIT = 4096
_PAGE_SIZE = 20
_QUERY_LIMIT = 64
_OFTEN_WANTED = ("chair", "lamp", "table", "tea")
_NOBODY = hashed("no account has this password")  # an unknown name takes as long as a wrong password

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Demo shop</title></head>
<body><main><h1>Demo shop</h1><p>A small target for a first look at probekit.</p></main></body>
</html>
"""


@dataclass(slots=True, kw_only=True)
class Shop:
    """The state shared by the routes."""

    store: Store
    behaviour: Behaviour
    secret: bytes = field(repr=False)
    folder: str
    metrics: Metrics = field(default_factory=Metrics)
    has_been_healthy: bool = False


async def page(_shop: Shop, _request: Request) -> Response:
    """The start page."""
    return HTMLResponse(_PAGE)


async def health(shop: Shop, request: Request) -> Response:
    """Whether the process is alive, regardless of its stores."""
    if shop.behaviour.is_hanging:
        await asyncio.Event().wait()
    if shop.behaviour.is_page:
        return HTMLResponse(_PAGE)
    if request.method != "GET":
        return JSONResponse({"status": "ok"})
    status = next(shop.behaviour.health)
    if status != HTTPStatus.OK:
        return JSONResponse({"status": "unavailable"}, status_code=status)
    shop.has_been_healthy = True
    return JSONResponse({"status": "ok"})


async def infrastructure_health(shop: Shop, _request: Request) -> Response:
    """Whether all dependencies of the shop work, checked now."""
    checks: Mapping[str, Callable[[], Awaitable[object]]] = {
        "database": shop.store.check_database,
        "cache": shop.store.check_cache,
        "disk": lambda: _check_disk(shop.folder),
        "queue": shop.store.check_queue,
    }
    if shop.behaviour.is_page:
        return HTMLResponse(_PAGE)
    names = dict(zip(checks, await asyncio.gather(*(_works(check) for check in checks.values())), strict=True))
    names |= shop.behaviour.components
    is_up = all(names.values())
    overall = "ok" if is_up else "down"
    components = {name: {"status": "ok" if works else "down"} for name, works in names.items()}
    return JSONResponse({"status": overall, "components": components}, status_code=200 if is_up else 503)


async def version(shop: Shop, _request: Request) -> Response:
    """The running version."""
    return JSONResponse({"version": shop.behaviour.version})


async def login(shop: Shop, request: Request) -> Response:
    """A token for a name and its password."""
    given = await _json_object(request)
    name, password = given.get("user"), given.get("password")
    if not _is_text(name) or not _is_text(password):
        raise HTTPException(400, "user and password are needed, as text")
    found = await shop.store.rows("select role, password_hash from account where name = %s", (name,))
    kept = found[0]["password_hash"] if found else _NOBODY
    if not await asyncio.to_thread(is_password, password, kept) or not found:
        raise HTTPException(401, "wrong user or password")
    identity = Identity(name=name, role=found[0]["role"])
    return JSONResponse({"token": token(identity, shop.secret, now=dt.datetime.now(dt.UTC)), "type": "Bearer"})


async def me(shop: Shop, request: Request) -> Response:
    """The identity of the client."""
    identity = _identity(shop, request)
    return JSONResponse({"user": identity.name, "role": identity.role})


async def users(shop: Shop, request: Request) -> Response:
    """All accounts, for an admin."""
    if _identity(shop, request).role != "admin":
        raise HTTPException(403, "for admins only")
    return JSONResponse({"users": await shop.store.rows("select name, role from account order by name")})


async def orders(shop: Shop, _request: Request) -> Response:
    """The latest orders."""
    return await _answered(shop, lambda: _latest(shop.store, shop.behaviour.key))


async def search(shop: Shop, request: Request) -> Response:
    """The latest orders of products whose name contains a text."""
    wanted = request.query_params.get("q", "").strip().lower()
    if not 0 < len(wanted) <= _QUERY_LIMIT or not _is_text(wanted):
        raise HTTPException(400, f"q is needed, up to {_QUERY_LIMIT} characters")
    return await _answered(shop, lambda: _matching(shop.store, wanted, shop.behaviour.key))


async def metrics(shop: Shop, _request: Request) -> Response:
    """The metrics."""
    return PlainTextResponse(shop.metrics.text(), headers={"Content-Type": exposition.CONTENT_TYPE})


Route = Callable[[Shop, Request], Awaitable[Response]]
ROUTES: Mapping[str, tuple[str, Route]] = MappingProxyType(
    {
        "/": ("GET", page),
        "/health": ("GET", health),
        "/metrics": ("GET", metrics),
        "/api/infrastructure/health": ("GET", infrastructure_health),
        "/api/version": ("GET", version),
        "/api/login": ("POST", login),
        "/api/me": ("GET", me),
        "/api/admin/users": ("GET", users),
        "/api/orders": ("GET", orders),
        "/api/search": ("GET", search),
    }
)


async def warm(store: Store) -> None:
    """Put the most frequent answers into the cache."""
    await asyncio.gather(_latest(store), *(_matching(store, word) for word in _OFTEN_WANTED))


def _latest(store: Store, key: Callable[[str], str] = str) -> Awaitable[tuple[Sequence[Row], str]]:
    return store.cached(
        key("orders"),
        lambda: store.rows(
            "select id, product, quantity, total_cents, placed_on::text from purchase"
            " order by placed_on desc, id desc limit %s",
            (_PAGE_SIZE,),
        ),
    )


def _matching(store: Store, wanted: str, key: Callable[[str], str] = str) -> Awaitable[tuple[Sequence[Row], str]]:
    return store.cached(
        key(f"search:{wanted}"),
        lambda: store.rows(
            "select id, product, quantity, total_cents, placed_on::text from purchase"
            " where strpos(product, %s) > 0 order by placed_on desc, id desc limit %s",
            (wanted, _PAGE_SIZE),
        ),
    )


async def _answered(shop: Shop, look_up: Callable[[], Awaitable[tuple[Sequence[Row], str]]]) -> Response:
    """The answer of a core route, changed by faults of core routes."""
    if delay := next(shop.behaviour.delay):
        await asyncio.sleep(delay)
    status = next(shop.behaviour.core)
    if status != HTTPStatus.OK:
        raise HTTPException(status)
    rows, result = await look_up()
    shop.metrics.cache[result] += 1
    return JSONResponse({"orders": rows}, headers={"X-Cache": result})


async def _works(check: Callable[[], Awaitable[object]]) -> bool:
    try:
        await check()
    except (StoreDownError, OSError):
        return False
    return True


async def _check_disk(folder: str) -> None:
    if shutil.disk_usage(folder).free < _DISK_NEEDED:
        message = "the disk is full"
        raise OSError(message)


async def _json_object(request: Request) -> Mapping[str, Any]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_LIMIT:
            raise HTTPException(413, f"a body of up to {_BODY_LIMIT} bytes is taken")
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not valid JSON") from error
    if not isinstance(given, dict):
        raise HTTPException(400, "the body is not a JSON object")
    return given


def _is_text(value: object) -> TypeGuard[str]:
    """Whether it is a text that a database accepts: NUL and half surrogate pairs are not printable."""
    return isinstance(value, str) and value.isprintable()


def _identity(shop: Shop, request: Request) -> Identity:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    identity = identity_of(bearer.strip(), shop.secret) if scheme.lower() == "bearer" else None
    if identity is None:
        raise HTTPException(401, "a valid token is needed", {"WWW-Authenticate": "Bearer"})
    return identity
