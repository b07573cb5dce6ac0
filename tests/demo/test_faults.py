from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl

import httpx
import psycopg
import pytest
import redis
from cryptography import x509
from redis.backoff import NoBackoff
from redis.retry import Retry

from probekit.demo.errors import DemoError
from probekit.demo.shop.edge import ALLOWED_ORIGIN, SECURITY_HEADERS, STRICT_TRANSPORT
from probekit.demo.target import FAULTS, Target

OTHERS = {
    "/": 200,
    "/api/version": 200,
    "/api/orders": 200,
    "/api/search?q=lamp": 200,
    "/api/infrastructure/health": 200,
    "/api/me": 401,
    "/metrics": 200,
    "/nope": 404,
}
CHANGED = {
    "component-optional-down": {"/api/infrastructure/health": 503},
    "cache-down": {"/api/infrastructure/health": 503},
    "database-down": {"/api/infrastructure/health": 503, "/api/orders": 503, "/api/search?q=lamp": 503},
}
CORE = ["/api/orders", "/api/search?q=lamp"]
ORPHANS = "select count(*) from purchase as p where not exists (select from account as a where a.id = p.account_id)"


def statuses(client: httpx.Client, count: int) -> list[int]:
    return [client.get("/health").status_code for _ in range(count)]


def certificate(target: Target) -> x509.Certificate:
    """The certificate that a new connection gets, believed or not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    port = httpx.URL(target.base_url).port or 0
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as secured,
    ):
        return x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")


def test_the_good_certificate_lasts(target: Target) -> None:
    served = certificate(target)

    assert served.not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=300)
    assert names(served) == ["localhost"]


@pytest.fixture
def short_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blocked session need not have waited long enough to count: 6 s."""
    monkeypatch.setattr("probekit.demo.stores._WAITED", 0.1)


@pytest.mark.usefixtures("short_lock")
@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"slow"}))
def test_a_fault_leaves_all_other_routes_alone(fault: str, target: Target, client: httpx.Client) -> None:
    client.get("/")  # faults of certificates show on new connections
    target.plant(fault)

    seen = {path: client.get(path).status_code for path in OTHERS}
    version = client.get("/api/version").json()

    assert seen == OTHERS | CHANGED.get(fault, {})
    assert (version == {"version": target.version}) is (fault != "old-version")


@pytest.mark.parametrize("fault", ["old-version", "half-broken", "one-stray-error", "hang"])
def test_a_fault_that_is_not_about_certificates_leaves_them_alone(fault: str, target: Target) -> None:
    before = certificate(target)

    target.plant(fault)

    assert certificate(target) == before


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_hang_accepts_the_request_and_never_answers(method: str, target: Target, client: httpx.Client) -> None:
    target.plant("hang")

    with pytest.raises(httpx.ReadTimeout):
        client.request(method, "/health", timeout=0.3)


def test_expired_cert_is_for_localhost_and_ran_out_yesterday(target: Target, client: httpx.Client) -> None:
    target.plant("expired-cert")

    with pytest.raises(httpx.ConnectError, match="certificate has expired"):
        client.get("/health")
    served = certificate(target)
    age = dt.datetime.now(dt.UTC) - served.not_valid_after_utc
    assert dt.timedelta(days=1) <= age < dt.timedelta(days=1, hours=1)
    assert names(served) == ["localhost"]


def test_wrong_host_cert_is_valid_for_another_host(target: Target, client: httpx.Client) -> None:
    target.plant("wrong-host-cert")

    with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
        client.get("/health")
    served = certificate(target)
    assert served.not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=30)
    assert names(served) == ["other.example.test"]


def test_no_session_can_be_resumed_past_a_planted_certificate(target: Target) -> None:
    context = ssl.create_default_context(cafile=target.ca_file)
    port = httpx.URL(target.base_url).port or 0
    key = target.key_file.read_bytes().strip()

    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Demo-Key: %s\r\n\r\n" % key)
        while secured.recv(4096):
            pass

        assert secured.session is None or not secured.session.has_ticket


def test_old_version_says_so(target: Target, client: httpx.Client) -> None:
    target.plant("old-version")

    assert client.get("/api/version").json() == {"version": "2.3.0"}
    assert statuses(client, 4) == [200] * 4


def test_half_broken_fails_every_second_health(target: Target, client: httpx.Client) -> None:
    target.plant("half-broken")

    assert statuses(client, 6) == [200, 503, 200, 503, 200, 503]


def test_half_broken_counts_gets_only(target: Target, client: httpx.Client) -> None:
    target.plant("half-broken")

    seen = [client.request(method, "/health").status_code for method in ("GET", "HEAD", "GET")]

    assert seen == [200, 200, 503]


def test_one_stray_error_is_the_third_health_from_planting_on(target: Target, client: httpx.Client) -> None:
    statuses(client, 2)
    target.plant("one-stray-error")

    assert statuses(client, 8) == [200, 200, 503, 200, 200, 200, 200, 200]


def test_slow_is_in_list_and_search_only(target: Target, client: httpx.Client) -> None:
    target.plant("slow")

    answers = {path: client.get(path) for path in OTHERS}

    assert {path: answer.status_code for path, answer in answers.items()} == OTHERS
    for path, answer in answers.items():
        assert (0.6 <= answer.elapsed.total_seconds() < 1) == (path in CORE)


def test_errors_are_every_thirtieth_request_to_list_or_search(target: Target, client: httpx.Client) -> None:
    target.plant("errors")
    assert {client.get(path).status_code for path in ("/health", "/api/version") for _ in range(31)} == {200}

    answers = [client.get(CORE[number % 2], headers={"Origin": ALLOWED_ORIGIN}) for number in range(95)]

    bad = {number: answer for number, answer in enumerate(answers, 1) if answer.status_code != 200}
    assert list(bad) == [5, 35, 65, 95]  # the first is early: a few looks at the routes meet it
    for answer in bad.values():
        assert answer.status_code == 500
        assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED_ORIGIN
        assert {**SECURITY_HEADERS, **STRICT_TRANSPORT}.items() <= {
            name: answer.headers.get(name) for name in (*SECURITY_HEADERS, *STRICT_TRANSPORT)
        }.items()


@pytest.mark.parametrize("path", ["/", "/api/orders", "/api/me", "/nope", "plain"])
def test_missing_headers_are_gone_from_every_answer(target: Target, client: httpx.Client, path: str) -> None:
    url = target.plain_url if path == "plain" else path
    good = client.get(url).headers
    target.plant("missing-headers")

    bad = client.get(url).headers
    target.repair()

    assert good.keys() - bad.keys() == {"content-security-policy", "x-content-type-options"}
    assert not bad.keys() - good.keys()
    assert client.get(url).headers.keys() == good.keys()


def test_orphans_have_no_user_and_all_that_should_keep_them_out_stands(target: Target, client: httpx.Client) -> None:
    before = client.get("/api/orders").json()
    with psycopg.connect(target.postgres_dsn, autocommit=True) as connection:
        target.plant("orphans")
        target.plant("orphans")

        planted = connection.execute(ORPHANS).fetchone()
        keys = connection.execute("select convalidated from pg_constraint where contype = 'f'").fetchall()
        triggers = connection.execute("select distinct tgenabled from pg_trigger").fetchall()
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("update purchase set account_id = 999 where id = 1")
        target.repair()
        left = connection.execute(ORPHANS).fetchone()
        rows = connection.execute("select count(*) from purchase").fetchone()

    assert (planted, left, rows) == ((3,), (0,), (240,))
    assert (keys, triggers) == ([(True,)], [("O",)])
    assert client.get("/api/orders").json() == before


def test_database_down_refuses_connections_and_list_and_search_say_so_at_once(
    target: Target, client: httpx.Client
) -> None:
    assert client.get(CORE[0]).headers["X-Cache"] == "hit"
    target.plant("database-down")

    answers = [client.get(path) for path in CORE]

    assert [(answer.status_code, answer.elapsed.total_seconds() < 0.3) for answer in answers] == [(503, True)] * 2
    assert components(client) == {"database": "down", "cache": "ok", "disk": "ok", "queue": "ok"}
    assert client.post("/api/login", json={"user": "ana", "password": "x"}).status_code == 503
    assert "postgres" not in target.processes
    for dsn in (target.postgres_dsn, target.probe_dsn):
        with pytest.raises(psycopg.OperationalError, match="refused"):
            psycopg.connect(dsn)


def test_a_mended_database_has_its_data_and_is_used_at_once(target: Target, client: httpx.Client) -> None:
    with psycopg.connect(target.postgres_dsn, autocommit=True) as connection:
        connection.execute("comment on table purchase is 'written last'")
    target.plant("database-down")

    target.repair()

    assert client.post("/api/login", json={"user": "ana", "password": "x"}).status_code == 401
    assert [client.get(path).headers["X-Cache"] for path in CORE] == ["hit", "hit"]
    assert components(client) == dict.fromkeys(("database", "cache", "disk", "queue"), "ok")
    with psycopg.connect(target.postgres_dsn) as connection:
        row = connection.execute("select count(*), obj_description('purchase'::regclass) from purchase").fetchone()
    assert row == (240, "written last")


def test_cache_down_refuses_connections_and_the_database_answers(target: Target, client: httpx.Client) -> None:
    kept = client.get(CORE[0]).json()
    target.plant("cache-down")

    answers = [client.get(path) for path in CORE]

    assert [(answer.status_code, answer.headers["X-Cache"]) for answer in answers] == [(200, "bypass")] * 2
    assert answers[0].json() == kept
    assert components(client) == {"database": "ok", "cache": "down", "disk": "ok", "queue": "down"}
    assert "valkey" not in target.processes
    for url in (target.valkey_url, target.probe_cache_url):
        with redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as cache, pytest.raises(redis.ConnectionError):
            cache.ping()


def test_a_mended_cache_is_warm(target: Target, client: httpx.Client) -> None:
    target.plant("cache-down")

    target.repair()

    assert [client.get(path).headers["X-Cache"] for path in CORE] == ["hit", "hit"]
    assert components(client) == dict.fromkeys(("database", "cache", "disk", "queue"), "ok")
    with redis.Redis.from_url(target.probe_cache_url) as cache:
        assert cache.ping()


def test_orphans_cannot_be_planted_into_a_database_that_is_down(target: Target) -> None:
    target.plant("database-down")

    with pytest.raises(DemoError, match="cannot apply the fault: the database is not available"):
        target.plant("orphans")


def components(client: httpx.Client) -> dict[str, str]:
    answer = client.get("/api/infrastructure/health")
    return {name: found["status"] for name, found in answer.json()["components"].items()}


@pytest.mark.usefixtures("short_lock")
def test_mending_takes_all_faults_back(target: Target, client: httpx.Client) -> None:
    pids = target.processes
    for fault in (*FAULTS, "cache-down", "database-down"):
        target.plant(fault)

    target.repair()
    target.repair()

    assert statuses(client, 4) == [200] * 4
    assert client.get("/api/version").json() == {"version": target.version}
    assert {path: client.get(path).status_code for path in OTHERS} == OTHERS
    assert target.processes.keys() == pids.keys()


def test_an_unknown_fault_is_refused_with_those_that_exist(target: Target) -> None:
    with pytest.raises(DemoError, match="unknown fault 'flood'; the faults are hang, expired-cert,"):
        target.plant("flood")


def test_errors_may_meet_a_share_of_the_requests(target: Target, client: httpx.Client) -> None:
    target.plant("errors=50%")

    seen = [client.get("/api/orders").status_code for _ in range(20)]

    assert set(seen) == {200, 500}
    assert 3 <= seen.count(500) <= 17


@pytest.mark.parametrize("written", ["errors=200%", "errors=1", "errors=", "errors=nan%", "hang=5%", "slow=999%"])
def test_a_share_that_cannot_be_meant_is_refused(target: Target, written: str) -> None:
    with pytest.raises(
        DemoError, match="only some faults take a share, written as slow=1% or errors=1% or base-delay=1%"
    ):
        target.plant(written)


def test_a_hang_is_not_ended_by_another_client(target: Target, client: httpx.Client) -> None:
    target.plant("hang")
    with contextlib.suppress(httpx.ReadTimeout):
        client.get("/health", timeout=0.1)

    answer = client.get("/api/version", timeout=1)

    assert answer.status_code == 200


def names(served: x509.Certificate) -> list[str]:
    found = served.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.get_values_for_type(x509.DNSName)
