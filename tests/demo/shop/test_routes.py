from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import jwt
import psycopg
import pytest

from probekit.demo.target import Target


def login(client: httpx.Client, target: Target, user: str) -> dict[str, str]:
    answer = client.post("/api/login", json={"user": user, "password": target.passwords[user]})
    assert answer.status_code == 200
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/health", {"status": "ok"}),
        ("/api/version", {"version": "2.3.1"}),
        (
            "/api/infrastructure/health",
            {
                "status": "ok",
                "components": {name: {"status": "ok"} for name in ("database", "cache", "disk", "queue")},
            },
        ),
    ],
)
def test_a_healthy_target_says_so(client: httpx.Client, path: str, body: object) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.json() == body


def test_the_start_page_is_html(client: httpx.Client) -> None:
    answer = client.get("/")

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<html lang="en">' in answer.text


def test_a_login_opens_what_is_protected(client: httpx.Client, target: Target) -> None:
    token = login(client, target, "ben")

    assert client.get("/api/me").status_code == 401
    assert client.get("/api/me", headers=token).json() == {"user": "ben", "role": "customer"}


def test_only_an_admin_sees_all_users(client: httpx.Client, target: Target) -> None:
    admin, customer = login(client, target, "ana"), login(client, target, "ben")

    assert client.get("/api/admin/users").status_code == 401
    assert client.get("/api/admin/users", headers=customer).status_code == 403
    users = client.get("/api/admin/users", headers=admin).json()["users"]
    assert [user["name"] for user in users] == ["ana", "ben", "cem"]


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode({"sub": "ana", "role": "admin", "aud": "demo-shop", "exp": 2**31}, "x" * 32, algorithm="HS256"),
        jwt.encode({"sub": "ana", "role": "admin", "aud": "demo-shop", "exp": 2**31}, "", algorithm="none"),
        "no.token.atall",
    ],
    ids=["forged", "unsigned", "garbage"],
)
def test_a_token_of_ones_own_making_opens_nothing(client: httpx.Client, token: str) -> None:
    answer = client.get("/api/admin/users", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (json.dumps({"user": "ana", "password": "wrong"}), 401),
        (json.dumps({"user": "nobody", "password": "wrong"}), 401),
        (json.dumps({"user": "ana"}), 400),
        (json.dumps({"user": "ana", "password": 1}), 400),
        (json.dumps({"user": "a\0", "password": "x"}), 400),
        ('{"user": "\\ud800", "password": "x"}', 400),
        ("[]", 400),
        ("{", 400),
        ("[" * 4000, 400),
        ("x" * 4097, 413),
    ],
    ids=["password", "name", "missing", "number", "nul", "surrogate", "list", "broken", "deep", "large"],
)
def test_a_login_that_is_wrong_is_refused(client: httpx.Client, body: str, status: int) -> None:
    answer = client.post("/api/login", content=body)

    assert answer.status_code == status
    assert answer.json()["error"]


def test_search_finds_and_the_second_time_from_the_cache(client: httpx.Client) -> None:
    first, second = (client.get("/api/search", params={"q": "Kett"}) for _ in range(2))

    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("miss", "hit")
    assert first.json() == second.json()
    assert {order["product"] for order in first.json()["orders"]} == {"kettle"}


def test_orders_come_from_the_database_once(client: httpx.Client, target: Target) -> None:
    client.get("/api/orders")
    with psycopg.connect(target.postgres_dsn, autocommit=True) as connection:
        connection.execute("update purchase set quantity = quantity + 10")
        changed = client.get("/api/orders")
        connection.execute("update purchase set quantity = quantity - 10")

    assert changed.headers["X-Cache"] == "hit"
    assert len(changed.json()["orders"]) == 20
    assert all(order["quantity"] <= 3 for order in changed.json()["orders"])


@pytest.mark.parametrize("query", ["", "?q=", "?q=%00", f"?q={65 * 'x'}"])
def test_a_search_for_nothing_is_refused(client: httpx.Client, query: str) -> None:
    assert client.get(f"/api/search{query}").status_code == 400


def test_a_text_with_sql_in_it_is_a_text(client: httpx.Client) -> None:
    answer = client.get("/api/search", params={"q": "%' or 1=1 --"})

    assert answer.json() == {"orders": []}


def test_plain_http_leads_to_the_same_place_over_https(target: Target) -> None:
    answer = httpx.get(f"{target.plain_url}/api/search?q=lamp")

    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{target.base_url}/api/search?q=lamp"
    assert "Strict-Transport-Security" not in answer.headers


def test_plain_http_leads_nowhere_else(target: Target) -> None:
    answer = httpx.get(target.plain_url, headers={"Host": "evil.example"})

    assert answer.headers["Location"] == f"{target.base_url}/"


def test_the_limit_is_met_at_request_31_and_the_key_exempts(
    target: Target, client: httpx.Client, connect: Callable[..., httpx.Client]
) -> None:
    with connect(target, is_exempt=False) as stranger:
        answers = [stranger.get("/health") for _ in range(31)]

    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert answers[0].headers["RateLimit-Remaining"] == "29"
    assert 1 <= int(answers[30].headers["Retry-After"]) <= 10
    assert client.get("/health").status_code == 200


def test_metrics_count_requests_by_route_and_status(client: httpx.Client) -> None:
    client.get("/made/up")
    client.get("/api/version")

    text = client.get("/metrics").text

    assert 'http_requests_total{method="GET",route="/api/version",status="200"}' in text
    assert 'http_requests_total{method="GET",route="other",status="404"}' in text
    assert 'http_request_duration_seconds_bucket{route="/api/version",le="+Inf"}' in text
    assert "made/up" not in text


def test_the_log_is_json_without_secrets(client: httpx.Client, target: Target, until: Callable[..., None]) -> None:
    bearer = login(client, target, "cem")["Authorization"]
    client.get("/api/search", params={"q": "private wish"}, headers={"Authorization": bearer})

    def entries() -> list[dict[str, object]]:
        return [json.loads(line) for line in target.log_file.read_text().splitlines()]

    answered = {"event": "request.answered", "route": "/api/search", "status": 200}
    until(lambda: answered.items() <= entries()[-1].items())  # it is written once the answer is out
    text = target.log_file.read_text()
    for secret in (*target.passwords.values(), bearer.removeprefix("Bearer "), "private"):
        assert secret not in text
