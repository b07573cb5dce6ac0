from __future__ import annotations

import httpx
from starlette.responses import PlainTextResponse

from probekit.demo.shop.limit import RateLimit


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def client_of(clock: Clock, address: str = "192.0.2.1") -> httpx.AsyncClient:
    limited = RateLimit(PlainTextResponse("ok"), exempt_key="the-key", clock=clock)
    return httpx.AsyncClient(transport=httpx.ASGITransport(limited, client=(address, 1)), base_url="http://localhost")


async def statuses(client: httpx.AsyncClient, count: int, **headers: str) -> list[int]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [(await client.get("/", headers=named)).status_code for _ in range(count)]


async def test_the_thirty_first_request_within_ten_seconds_is_refused() -> None:
    async with client_of(Clock()) as client:
        assert await statuses(client, 31) == [200] * 30 + [429]


async def test_the_window_slides() -> None:
    clock = Clock()
    async with client_of(clock) as client:
        await statuses(client, 15)
        clock.now += 6
        await statuses(client, 15)
        clock.now += 4  # the first half is ten seconds old

        assert await statuses(client, 16) == [200] * 15 + [429]


async def test_a_refused_request_does_not_count() -> None:
    clock = Clock()
    async with client_of(clock) as client:
        await statuses(client, 60)
        clock.now += 10

        assert await statuses(client, 1) == [200]


async def test_a_refusal_says_how_long_to_wait() -> None:
    clock = Clock()
    async with client_of(clock) as client:
        await statuses(client, 30)
        clock.now += 7.5

        answer = await client.get("/")

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "3"
    assert answer.headers["RateLimit-Limit"] == "30"
    assert answer.headers["RateLimit-Remaining"] == "0"


async def test_the_key_exempts_and_a_wrong_one_does_not() -> None:
    async with client_of(Clock()) as client:
        assert await statuses(client, 40, X_Demo_Key="the-key") == [200] * 40
        assert await statuses(client, 31, X_Demo_Key="the-kez") == [200] * 30 + [429]


async def test_the_windows_of_clients_long_gone_are_dropped() -> None:
    clock = Clock()
    limited = RateLimit(PlainTextResponse("ok"), exempt_key="the-key", clock=clock)
    for number in range(1100):
        clock.now += 11
        transport = httpx.ASGITransport(limited, client=(f"client {number}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await client.get("/")

    assert len(limited.windows) < 1100
