from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from probekit.demo.faults import Behaviour
from probekit.demo.shop import application, edge
from probekit.demo.shop.routes import Shop
from probekit.demo.shop.store import Store
from probekit.demo.target import Target

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Permissions-Policy": "camera=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "Vary": "Origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
ORIGIN = "https://app.example.test"


class CrashingStore(Store):
    async def rows(self, *_: object) -> list[dict[str, object]]:
        message = "a bug with a secret in it"
        raise RuntimeError(message)


@pytest.fixture
async def crashing() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a shop, in this process, whose queries raise what nobody expects."""
    shop = Shop(
        store=CrashingStore("", "redis://127.0.0.1:1/0"),
        behaviour=Behaviour(serve_certificate=lambda _: None),
        secret=b"x" * 32,
        folder=".",
    )
    transport = httpx.ASGITransport(application.shop_application(shop, exempt_key="key"), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
        yield client


def assert_headers(answer: httpx.Response) -> None:
    missing = {name for name, part in HEADERS.items() if part not in answer.headers.get(name, "")}
    assert not missing
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert not {"Server", "X-Powered-By"} & {name.title() for name in answer.headers}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/health", 200),
        ("GET", "/api/me", 401),
        ("GET", "/nope", 404),
        ("POST", "/health", 405),
        ("POST", "/api/login", 400),
    ],
)
def test_every_answer_has_the_security_headers(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    assert_headers(answer)


async def test_the_page_of_an_unexpected_error_has_them_too_and_tells_nothing(crashing: httpx.AsyncClient) -> None:
    answer = await crashing.post("/api/login", json={"user": "ana", "password": "x"})

    assert answer.status_code == 500
    assert answer.json() == {"error": "unexpected error"}
    assert_headers(answer)


async def test_a_refusal_for_too_many_requests_has_them_too(crashing: httpx.AsyncClient) -> None:
    for _ in range(30):
        await crashing.get("/health")

    answer = await crashing.get("/health")

    assert answer.status_code == 429
    assert_headers(answer)


async def test_an_unexpected_error_is_counted(crashing: httpx.AsyncClient) -> None:
    await crashing.post("/api/login", json={"user": "ana", "password": "x"})

    text = (await crashing.get("/metrics")).text

    assert 'http_requests_total{method="POST",route="/api/login",status="500"} 1' in text


@pytest.mark.parametrize("status", [200, 401, 404])
def test_the_one_allowed_origin_may_read_every_answer(client: httpx.Client, status: int) -> None:
    path = {200: "/health", 401: "/api/me", 404: "/nope"}[status]

    answer = client.get(path, headers={"Origin": ORIGIN})

    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize("origin", ["http://app.example.test", f"{ORIGIN}.evil.test", f"{ORIGIN}:444", "null", ""])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_other_origin_may(client: httpx.Client, method: str, origin: str) -> None:
    answer = client.request(method, "/health", headers={"Origin": origin, "Access-Control-Request-Method": "GET"})

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


def test_a_preflight_of_the_allowed_origin_names_what_it_may_do(client: httpx.Client) -> None:
    answer = client.options("/api/login", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == edge.ALLOWED_ORIGIN
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert_headers(answer)


def test_the_control_has_headers_of_its_own(target: Target, connect: Callable[..., httpx.Client]) -> None:
    answer = httpx.get(target.control_url)

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in answer.headers
