from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
import redis
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from probekit.demo.target import Target


@pytest.fixture
def probe(target: Target) -> Iterator[psycopg.Connection]:
    """A session of the role for probes."""
    with psycopg.connect(target.probe_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def cache(target: Target) -> Iterator[redis.Redis]:
    """A client that is the user for probes."""
    with redis.Redis.from_url(target.probe_cache_url) as client:
        yield client


def test_the_dsn_of_probes_trusts_the_server_by_its_name(target: Target, probe: psycopg.Connection) -> None:
    said = conninfo_to_dict(target.probe_dsn)
    if said["sslmode"] == "disable":
        pytest.skip("this build of PostgreSQL has no TLS")

    assert (said["user"], said["sslmode"], said["sslrootcert"]) == ("probekit", "verify-full", str(target.ca_file))
    assert probe.pgconn.ssl_in_use
    with pytest.raises(psycopg.OperationalError, match=r"other\.example\.test"):
        psycopg.connect(make_conninfo(target.probe_dsn, host="other.example.test", hostaddr="127.0.0.1"))


def test_the_role_of_probes_is_bounded(probe: psycopg.Connection) -> None:
    limit = probe.execute("select rolconnlimit, rolsuper, rolcreatedb from pg_roles where rolname = 'probekit'")
    names = ("default_transaction_read_only", "statement_timeout", "lock_timeout", "row_security")
    settings = [probe.execute("select current_setting(%s)", (name,)).fetchone() for name in names]

    assert limit.fetchone() == (5, False, False)
    assert settings == [("on",), ("5s",), ("200ms",), ("off",)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("select count(id) from account", 3),
        ("select count(*) from purchase where total_cents < 0", 0),
        ("select count(*) from purchase where quantity < 1", 0),
        ("select count(*) from purchase p where not exists (select from account a where a.id = p.account_id)", 0),
        ("select count(*) from pg_stat_activity where usename = 'shop' and state is null", 0),
        ("select count(*) from pg_stat_statements where query = '<insufficient privilege>'", 0),
    ],
)
def test_what_the_role_of_probes_may_read(probe: psycopg.Connection, query: str, count: int) -> None:
    assert probe.execute(query).fetchone() == (count,)


@pytest.mark.parametrize(
    "statement",
    [
        "select name from account",
        "select password_hash from account",
        "select product from purchase",
        "select * from purchase",
        "insert into purchase (account_id, product, quantity, total_cents, placed_on) values (1, 'x', 1, 1, now())",
        "update purchase set quantity = 2",
        "delete from purchase",
        "create table mine (id integer)",
        "create temporary table mine (id integer)",
        "set role shop",
        "alter role probekit connection limit -1",
    ],
)
def test_what_it_may_not_even_in_a_transaction_that_writes(probe: psycopg.Connection, statement: str) -> None:
    probe.execute("set default_transaction_read_only = off")

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        probe.execute(statement)


def test_what_it_does_is_read_only_unless_it_says_otherwise(probe: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        probe.execute("create table mine (id integer)")


def test_what_the_user_of_probes_may_do_in_the_cache(cache: redis.Redis) -> None:
    assert cache.ping()
    assert cache.info()["role"] == "master"
    assert cache.client_setname("probekit")
    assert cache.set("probekit:canary", "1", ex=30, nx=True)
    assert cache.execute_command("INCR", "probekit:canary") == 2
    assert 0 < cache.ttl("probekit:canary") <= 30
    assert cache.delete("probekit:canary") == 1


@pytest.mark.parametrize(
    "command",
    [
        ("GET", "orders"),
        ("GET", "probekit:canary"),
        ("SET", "orders", "x"),
        ("DEL", "orders"),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "requirepass"),
        ("ACL", "LIST"),
        ("CLIENT", "LIST"),
        ("MONITOR",),
        ("SHUTDOWN",),
    ],
    ids=" ".join,
)
def test_what_it_may_not_do(cache: redis.Redis, command: tuple[str, ...]) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        cache.execute_command(*command)


def test_what_is_asked_for_again_is_found_in_the_cache(client: httpx.Client, cache: redis.Redis) -> None:
    paths = ["/api/orders", "/api/search?q=tea", "/api/search?q=mirr", "/api/search?q=cloc"]
    before = cache.info("stats")

    for _ in range(20):
        for path in paths:
            client.get(path)
    after = cache.info("stats")

    hits, misses = (after[name] - before[name] for name in ("keyspace_hits", "keyspace_misses"))
    assert hits + misses >= 80
    assert misses >= 2
    assert hits / (hits + misses) > 0.9


def test_a_look_at_the_components_looks_nothing_up_in_the_cache(client: httpx.Client, cache: redis.Redis) -> None:
    counted = ("keyspace_hits", "keyspace_misses")
    before = cache.info("stats")

    assert client.get("/api/infrastructure/health").status_code == 200

    after = cache.info("stats")
    assert [after[name] for name in counted] == [before[name] for name in counted]


def test_looks_at_the_components_beside_one_another_do_not_disturb_each_other(client: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda _: client.get("/api/infrastructure/health").status_code, range(40)))

    assert seen == [200] * 40


def test_no_request_opens_a_connection_of_its_own(client: httpx.Client, target: Target, cache: redis.Redis) -> None:
    with psycopg.connect(target.postgres_dsn, autocommit=True) as connection:
        before = sessions(connection), cache.info("stats")["total_connections_received"]

        for number in range(20):
            assert client.get(f"/api/search?q=never{number}").headers["X-Cache"] == "miss"

        assert (sessions(connection), cache.info("stats")["total_connections_received"]) == before


def sessions(connection: psycopg.Connection) -> list[tuple[int]]:
    return connection.execute("select pid from pg_stat_activity where usename = 'shop' order by pid").fetchall()
