"""DSNs as frameworks write them: what libpq is handed, and which part of a wrong one is named."""

from __future__ import annotations

import pytest
from psycopg.pq import Conninfo

from probekit.probes.postgres.dsn import DsnError, read_dsn

PASSWORD = "Tr0ub4dor-and-3"
PLAIN = {"user": "u", "password": "p", "host": "h", "dbname": "db"}


@pytest.mark.parametrize(
    ("dsn", "more"),
    [
        ("postgresql://u:p@h/db", {}),
        ("postgres://u:p@h/db\n", {}),
        ("postgis://u:p@h/db", {}),
        ("POSTGRESQL://u:p@h/db", {}),
        ("postgresql+asyncpg://u:p@h/db", {}),
        ("postgresql+psycopg2://u:p@h/db?sslmode=verify-ca", {"sslmode": "verify-ca"}),
        ("host=h user=u password=p dbname=db", {}),
        ("postgresql://u:p@h:5433/db?application_name=a%20b", {"port": "5433", "application_name": "a b"}),
        ("postgresql://u:p%2F%40@h/db", {"password": "p/@"}),
        ("postgresql://u:p?w:x#y@h/db", {"password": "p?w:x#y"}),
        ("postgresql://u:p@[::1]:5433/db", {"host": "::1", "port": "5433"}),
        ("postgresql://u:p@%2Frun%2Fpostgresql/db", {"host": "/run/postgresql"}),
        ("postgresql://u:p@localhost/db?host=/run/postgresql", {"host": "/run/postgresql"}),
        ("postgresql://u:p@h1:5433,h2/db", {"host": "h1,h2", "port": "5433,"}),
        ("postgresql+psycopg2://u:p@/db?host=h1:5433&host=h2", {"host": "h1,h2", "port": "5433,"}),
        ("postgresql+psycopg2://u:p@/db?host=h1&host=h2", {"host": "h1,h2"}),
        ("postgresql+psycopg2://u:p@/db?host=127.0.0.1:5433", {"host": "127.0.0.1", "port": "5433"}),
        ("postgresql+psycopg2://u:p@/db?host=127.0.0.1%3A5433", {"host": "127.0.0.1", "port": "5433"}),
        ("postgresql+psycopg2://u:p@/db?host=::1", {"host": "::1"}),
        (
            "postgresql+psycopg2://u:p@/db?host=[::1]:5433&host=fe80::1%25eth0",
            {"host": "::1,fe80::1%eth0", "port": "5433,"},
        ),
        ("postgresql://u:p@h/db?pgbouncer=true&connection_limit=1&pool_timeout=0&socket_timeout=5", {}),
        ("postgresql://u:p@h/db?CONN_MAX_AGE=600&conn_health_checks=true", {}),
        ("postgresql+asyncpg://u:p@h/db?prepared_statement_cache_size=0&ssl=verify-full", {"sslmode": "verify-full"}),
        ("postgresql://u:p@h/db?ssl=true", {"sslmode": "require"}),
        ("postgresql://u:p@h/db?ssl=0", {"sslmode": "disable"}),
        ("postgresql://u:p@h/db?sslmode=verify-full&ssl=true", {"sslmode": "verify-full"}),
        ("postgresql://u:p@h/db?ssl=false&sslmode=require", {"sslmode": "require"}),
        ("postgresql://u:p@h/db?sslmode=no-verify", {"sslmode": "require"}),
        ("postgresql://u:p@h/db?sslaccept=accept_invalid_certs&sslmode=require", {"sslmode": "require"}),
        ("postgres://u:p@h/db?pool_max_conns=4&statement_timeout=5000", {}),
        ("postgresql://u:p@h/db?options=-c%20search_path%3Dapp", {"options": "-c search_path=app"}),
    ],
)
def test_what_frameworks_write_becomes_what_libpq_takes(dsn, more) -> None:
    read = read_dsn(dsn)

    assert read.parameters == PLAIN | more
    assert read.search_path == ""


@pytest.mark.parametrize(
    ("query", "search_path"),
    [
        ("schema=public", '"public"'),
        ("schema=My%22App", '"My""App"'),
        ("schema=", ""),
        ("search_path=app,public", "app,public"),
        ("currentSchema=app", "app"),
        ("schema_search_path=app%2Cpublic", "app,public"),
    ],
)
def test_the_application_s_schema_is_its_search_path(query, search_path) -> None:
    read = read_dsn(f"postgresql://u:p@h/db?connection_limit=1&{query}&sslmode=require")

    assert read.parameters == PLAIN | {"sslmode": "require"}
    assert read.search_path == search_path


@pytest.mark.parametrize(
    ("dsn", "part"),
    [
        (f"mysql://u:{PASSWORD}@h/db", "its scheme is not postgresql"),
        (f"jdbc:postgresql://h/db?user=u&password={PASSWORD}", "its scheme"),
        (f"{PASSWORD}://h/db", "its scheme"),
        (f'"postgresql://u:{PASSWORD}@h/db"', "it is enclosed in quotation marks; remove them"),
        (f" 'host=h password={PASSWORD}'", "it is enclosed in quotation marks"),
        (f"rubbish {PASSWORD}", "neither a URL nor KEYWORD=VALUE pairs"),
        (f"host=h password={PASSWORD} schema=x", "neither a URL nor KEYWORD=VALUE pairs"),
        (f"postgresql://u:{PASSWORD}@h/db?schmea=x", "its parameter 'schmea'; remove it"),
        (f"postgresql://u:{PASSWORD}@h/db?{PASSWORD}=1", "its parameter"),
        (f"postgresql://u:{PASSWORD}@h/db?x{PASSWORD}y", "its parameter"),
        (f"postgresql://u:{PASSWORD}@h/db?!={PASSWORD}", "its parameter with an invalid name"),
        (f"postgresql://u:{PASSWORD}@h/db?sslaccept=strict", "'sslaccept'; write sslmode=verify-full"),
        (f"postgresql://u:{PASSWORD}@h/db?sslidentity=c.p12&sslpassword={PASSWORD}", "'sslidentity'; write sslcert="),
        (f"postgresql://u:{PASSWORD}@h/db?sslmode={PASSWORD}", "its sslmode must be one of disable, allow"),
        (f"host=h password={PASSWORD} sslmode=strict", "its sslmode must be one of"),
        (f"postgresql://u:{PASSWORD}@h/db?ssl=on", "its sslmode must be one of"),
        (f"postgresql://u:x@{PASSWORD}@h/db", "its user or password contains @ or /"),
        (f"postgresql://u:x/{PASSWORD}@h/db", "its user or password contains @ or /"),
        (f"postgresql://u:12/x?{PASSWORD}=1@h/db", "its user or password contains @ or /"),
        (f"postgresql://u:{PASSWORD}%@h/db", "its password contains a % that does not begin an escape; write %25"),
        (f"postgresql://u%zz:{PASSWORD}@h/db", "its user contains a %"),
        (f"postgresql://u:{PASSWORD}@h%/db", "its host contains a %"),
        (f"postgresql://u:{PASSWORD}@h/d%00b", "its database contains a %"),
        (f"postgresql://u:{PASSWORD}@h/db?options=%", "its parameter 'options' contains a %"),
        (f"postgresql://u:{PASSWORD}@h:5432x/db", "its port is not a number from 1 to 65535"),
        (f"postgresql://u:{PASSWORD}@h:1,i:65536/db", "its port is not a number from 1 to 65535"),
        (f"postgresql://u:{PASSWORD}", "its port is not a number from 1 to 65535"),
    ],
)
def test_what_is_refused_is_named_and_no_value_is_quoted(dsn, part) -> None:
    with pytest.raises(DsnError) as caught:
        read_dsn(dsn)

    assert part in str(caught.value)
    assert PASSWORD not in repr(caught.value)


def test_every_parameter_of_libpq_is_handed_on() -> None:
    names = {option.keyword.decode() for option in Conninfo.get_defaults()} - {"sslmode"}
    query = "&".join(f"{name}=1" for name in sorted(names))

    assert read_dsn(f"postgresql://h/db?{query}").parameters == dict.fromkeys(names, "1")
