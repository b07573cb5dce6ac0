"""Every situation of a real PostgreSQL, good and bad: what is read, and what is never taken for health."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import struct
from datetime import UTC, datetime
from itertools import cycle

import psycopg
import pytest
import trustme
from builders import NOW
from client_certificates import Mutual
from postgres_servers import CATALOGUE, LOAD, PASSWORD, SCANS, Place, context_of, numbers, read, reasons, started
from pydantic import ValidationError

from probekit.demo.launcher import launching
from probekit.demo.ports import LOOPBACK, free_port
from probekit.engine.windows import put_together
from probekit.model.measurement import Reason
from probekit.model.readings import Exact
from probekit.probe import Context, ProbeFailedError, Window
from probekit.probes.postgres import KIND, load, locks, session
from probekit.probes.postgres.refusals import of_session
from probekit.probes.postgres.relations import ComparedColumn, Relation
from probekit.probes.postgres.settings import PostgresProbe
from probekit.probes.postgres.trusted_roots import trusted_roots
from probekit.transport.client import Http
from probekit.transport.resolver import Resolver
from probekit.transport.trust import Trust
from probekit.transport.urls import Address, Endpoint

ROWS_OF = "select count(*) from orders where quantity <= 0"


@pytest.fixture(scope="module")
def launcher():
    with launching() as started:
        yield started


@pytest.fixture(scope="module")
def place(launcher, tmp_path_factory):
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("certificate") / "server.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(file)
    port, cluster = started(
        launcher, "max_connections=20", "max_prepared_transactions=5", "compute_query_id=on", certificate=file
    )
    assert cluster.has_tls
    assert cluster.has_statements
    place = Place(port=port, password=cluster.password, authority=authority, folder=cluster.folder)
    place.run(
        *(f"create role {name} login password '{PASSWORD}'" for name in ("app", "probekit", "blind")),
        "grant pg_monitor to probekit",
        "create database shop owner app",
        database="postgres",
    )
    place.run(
        "create extension pg_stat_statements",
        "create table users (id int primary key, email text)",
        "create table orders (id int primary key, user_id int constraint belongs references users,"
        " sku int, quantity int)",
        "insert into users select n, 'ana@example.test' from generate_series(1, 50) n",
        "insert into orders select n, n, n, 1 from generate_series(1, 50) n",
        "alter table users owner to app; alter table orders owner to app",
        "grant select (id) on users to probekit; grant select (id, user_id, sku, quantity) on orders to probekit",
        "analyze",
    )
    return place


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(locks, "_BETWEEN", 0.05)


# ---------------------------------------------------------------- reachable


async def test_a_healthy_database_gives_every_number(place) -> None:
    readings = await read(place.dsn(sslmode="require"))

    assert set(readings.values) == CATALOGUE
    found = numbers(readings)
    used = found.pop("connections_used")
    assert 0 < used < 50
    assert {name for name, value in found.items() if value == 1} == {
        "up", "expected_database", "expected_role", "encrypted",
    }  # fmt: skip
    assert not any(value for name, value in found.items() if value != 1)
    assert 0 < readings.values["round_trip"].value < readings.values["connect"].value
    assert readings.summary.startswith("PostgreSQL 17.")
    assert "primary, database shop as probekit, encrypted" in readings.summary


async def test_the_documented_privileges_are_all_that_a_reading_needs(place) -> None:
    place.run(*KIND.privileges.replace("probekit", "documented").replace("'...'", f"'{PASSWORD}'").split(";\n"))

    readings = await read(place.dsn("documented"), *CATALOGUE, "orphans")

    assert reasons(readings) == {}
    assert set(readings.values) == CATALOGUE | {"orphans"}


async def test_only_what_is_wanted_is_read(place) -> None:
    readings = await read(place.dsn(), "up")

    assert set(readings.values) == {"up", "connect", "round_trip", "encrypted", "expected_database"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"password": "wrong-password-1"}, Reason.REFUSED_CREDENTIALS),
        ({"user": "stranger"}, Reason.REFUSED_CREDENTIALS),
        ({"password": ""}, Reason.REFUSED_CREDENTIALS),
        ({"database": "nowhere"}, Reason.REFUSED_CREDENTIALS),
        ({"sslmode": "verify-full", "sslrootcert": "/nowhere/root.pem"}, Reason.MISSING_FILE),
        ({"sslmode": "verify-full", "sslrootcert": "system"}, Reason.UNTRUSTED),
    ],
)
async def test_what_may_be_our_own_fault_says_nothing_of_the_server(place, changed, reason) -> None:
    readings = await read(place.dsn(**changed))

    assert readings.values["up"].reason is reason
    assert set(readings.values) == CATALOGUE | {"up"}
    assert numbers(readings) == ({"expected_database": 0} if "database" in changed else {})


async def test_another_host_s_certificate_is_untrusted_and_the_right_one_is_not(place, tmp_path) -> None:
    file = tmp_path / "authority.pem"
    place.authority.cert_pem.write_to_path(file)

    right = await read(place.dsn(host="localhost", sslmode="verify-full", sslrootcert=file), "up")
    wrong = await read(place.dsn(host="db.test", sslmode="verify-full", sslrootcert=file), "up")

    assert numbers(right)["encrypted"] == 1
    assert wrong.values["up"].reason is Reason.UNTRUSTED
    assert 'certificate for "localhost" does not match host name "db.test"' in wrong.summary


@pytest.fixture(scope="module")
def roots(place, tmp_path_factory):
    """CA files: that of the server, and another one."""
    folder = tmp_path_factory.mktemp("roots")
    for name, authority in (("right", place.authority), ("wrong", trustme.CA())):
        authority.cert_pem.write_to_path(folder / f"{name}.pem")
    return {"system": "system", **{name: folder / f"{name}.pem" for name in ("right", "wrong")}}


@pytest.mark.parametrize(
    ("mode", "root", "host", "around", "expected"),
    [
        ("disable", None, "localhost", {}, 0),
        ("allow", None, "localhost", {}, 0),  # asks for a plain session first
        ("prefer", None, "db.test", {}, 1),
        ("prefer", "wrong", "localhost", {}, 0),  # verifies, and goes on without TLS
        ("require", None, "db.test", {}, 1),
        ("require", "right", "db.test", {}, 1),
        ("require", "wrong", "localhost", {}, Reason.UNTRUSTED),  # with a CA named it is verify-ca
        ("verify-ca", "right", "db.test", {}, 1),
        ("verify-ca", "wrong", "localhost", {}, Reason.UNTRUSTED),
        ("verify-full", "right", "localhost", {}, 1),
        ("verify-full", "right", "db.test", {}, Reason.UNTRUSTED),
        ("verify-full", None, "localhost", {}, Reason.MISSING_FILE),
        ("verify-full", None, "localhost", {"ca": "right"}, 1),
        ("verify-full", None, "localhost", {"ca": "wrong"}, Reason.UNTRUSTED),
        ("verify-full", "right", "localhost", {"ca": "wrong"}, 1),  # the DSN's holds
        ("verify-full", None, "localhost", {"ca": "wrong", "PGSSLROOTCERT": "right"}, 1),  # and so does libpq's own
        (None, None, "db.test", {"PGSSLMODE": "verify-full", "ca": "right"}, Reason.UNTRUSTED),
        (None, None, "localhost", {"PGSSLMODE": "verify-full", "ca": "right"}, 1),
        (None, "system", "localhost", {"SSL_CERT_FILE": "right"}, 1),
        (None, "system", "db.test", {"SSL_CERT_FILE": "right"}, Reason.UNTRUSTED),  # verify-full by default
        ("verify-full", "system", "localhost", {"SSL_CERT_FILE": "wrong", "ca": "right"}, Reason.UNTRUSTED),
    ],
)
async def test_tls_is_what_libpq_means_by_the_mode(
    place, roots, monkeypatch, tmp_path, mode, root, host, around, expected
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # in which libpq looks for a root.crt
    for name in around.keys() - {"ca"}:
        monkeypatch.setenv(name, str(roots.get(around[name], around[name])))
    dsn = place.dsn(host=host, sslmode=mode, sslrootcert=roots.get(root))

    readings = await read(dsn, "encrypted", trust=Trust(ca=roots.get(around.get("ca"))))

    told = numbers(readings).get("encrypted")
    assert (reasons(readings).get("encrypted") if told is None else told) == expected


async def test_the_system_s_store_takes_no_mode_that_believes_anybody(place) -> None:
    with pytest.raises(ProbeFailedError, match="sslrootcert=system does not allow sslmode=require") as caught:
        await read(place.dsn(sslmode="require", sslrootcert="system"))

    assert caught.value.reason is Reason.MISSING_SECRET


async def test_the_system_s_store_holds_beside_a_client_certificate(strict, mutual, monkeypatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(mutual.folder / "ca.pem"))
    dsn = strict.dsn("app", "postgres", host="localhost", sslmode=None, sslrootcert="system")

    found = numbers(await read(dsn, *UP, trust=mutual.trust("right")))

    assert (found["up"], found["encrypted"]) == (1, 1)


def test_the_system_s_store_is_that_of_this_machine(monkeypatch, tmp_path) -> None:
    file = tmp_path / "roots.pem"
    file.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    assert trusted_roots({"sslrootcert": "system"}, Trust()) == {"sslmode": "verify-full", "sslrootcert": str(file)}


@pytest.mark.parametrize("has_bundle", [True, False])
def test_the_system_s_store_may_be_a_folder_alone(monkeypatch, tmp_path, has_bundle) -> None:
    bundle = tmp_path / "ca-certificates.crt"
    if has_bundle:
        bundle.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))

    roots = trusted_roots({"sslrootcert": "system"}, Trust())

    assert roots["sslrootcert"] == (str(bundle) if has_bundle else "system")


async def test_a_server_without_tls_is_not_encrypted_where_the_dsn_asks_for_it(serve) -> None:
    async def no_tls(reader, writer):
        await reader.readexactly(8)
        writer.write(b"N")
        await writer.drain()
        await reader.read()

    port, _ = await serve(act=no_tls)

    readings = await read(f"postgresql://a:{PASSWORD}@{LOOPBACK}:{port}/shop?sslmode=require")

    assert readings.values["encrypted"] == Exact(0)
    assert readings.values["up"].reason is Reason.UNTRUSTED


# ---------------------------------------------------------------- a server that demands a client certificate

HBA = """
host all postgres 127.0.0.1/32 scram-sha-256
hostnossl all plain 127.0.0.1/32 scram-sha-256
hostssl all app 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
"""


@pytest.fixture(scope="module")
def mutual(tmp_path_factory):
    return Mutual(tmp_path_factory.mktemp("mutual"))


@pytest.fixture(scope="module")
def strict(launcher, mutual):
    """A server that lets app in with a client certificate only, plain without TLS only, and postgres anyhow."""

    def prepare(folder):
        (folder / "pg_hba.conf").write_text(HBA)
        shutil.copy(mutual.folder / "ca.pem", folder / "ca.pem")
        (folder / "ca.pem").chmod(0o644)

    certificate = mutual.folder / "server.pem"
    port, cluster = started(launcher, "ssl_ca_file=ca.pem", certificate=certificate, prepare=prepare)
    place = Place(port=port, password=cluster.password)
    place.run(*(f"create role {name} login password '{PASSWORD}'" for name in ("app", "plain")), database="postgres")
    return place


VERSIONS_OF_TLS = pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
MODES = pytest.mark.parametrize("mode", ["prefer", "require"])
UP = ("up", "encrypted")


@VERSIONS_OF_TLS
@MODES
async def test_the_configured_certificate_is_presented(strict, mutual, version, mode) -> None:
    dsn = strict.dsn("app", "postgres", sslmode=mode, ssl_max_protocol_version=version)

    found = numbers(await read(dsn, *UP, trust=mutual.trust("right")))

    assert (found["up"], found["encrypted"]) == (1, 1)


@VERSIONS_OF_TLS
@MODES
@pytest.mark.parametrize(
    ("certificate", "told"),
    [(None, "received none"), ("wrong", "rejected that of connect.client_cert (SSL error: tlsv1 alert")],
)
async def test_without_a_certificate_that_it_takes_the_server_is_not_down(
    strict, mutual, version, mode, certificate, told
) -> None:
    dsn = strict.dsn("app", "postgres", sslmode=mode, ssl_max_protocol_version=version)

    readings = await read(dsn, *UP, trust=mutual.trust(certificate))

    assert reasons(readings) == {"up": Reason.ACCESS_DENIED, "encrypted": Reason.ACCESS_DENIED}
    assert told in readings.summary
    assert "connect.client_cert" in readings.summary


async def test_a_refused_certificate_is_no_session_without_tls(strict, mutual) -> None:
    # with TLS 1.2, in which the refusal is part of the handshake, libpq alone would go on without TLS
    dsn = strict.dsn("postgres", "postgres", sslmode="prefer", ssl_max_protocol_version="TLSv1.2")

    readings = await read(dsn, *UP, trust=mutual.trust("wrong"))

    assert reasons(readings) == {"up": Reason.ACCESS_DENIED, "encrypted": Reason.ACCESS_DENIED}
    assert numbers(await read(dsn, *UP, trust=mutual.trust(None)))["encrypted"] == 1


async def test_a_server_that_takes_sessions_without_tls_only_is_read_and_not_encrypted(strict, mutual) -> None:
    dsn = strict.dsn("plain", "postgres", sslmode="prefer")

    found = numbers(await read(dsn, *UP, trust=mutual.trust("right")))

    assert (found["up"], found["encrypted"]) == (1, 0)


async def test_a_key_that_libpq_does_not_take_is_told_where_it_is_needed(strict, place, mutual, tmp_path) -> None:
    file = tmp_path / "open.pem"
    shutil.copyfile(mutual.folder / "right.pem", file)
    file.chmod(0o644)
    trust = Trust(client_cert=file)

    demanding = await read(strict.dsn("app", "postgres", sslmode="require"), *UP, trust=trust)
    other = await read(place.dsn(sslmode="require"), *UP, trust=trust)

    assert demanding.values["up"].reason is Reason.ACCESS_DENIED
    assert f"chmod 600 {file} (connect.client_cert)" in demanding.summary
    assert numbers(other) == {"up": 1, "encrypted": 1, "expected_database": 1}


async def test_a_configured_certificate_that_cannot_be_used_is_told(place, tmp_path) -> None:
    with pytest.raises(ProbeFailedError, match="cannot be used") as failed:
        await read(place.dsn(sslmode="require"), trust=Trust(client_cert=tmp_path / "missing.pem"))

    assert failed.value.reason is Reason.MISSING_FILE


async def test_the_certificate_of_the_dsn_holds_before_the_configured_one(strict, mutual) -> None:
    def dsn(name):
        file = mutual.folder / f"{name}.pem"
        return strict.dsn("app", "postgres", sslmode="require", sslcert=file, sslkey=file)

    right = await read(dsn("right"), *UP, trust=mutual.trust("wrong"))
    wrong = await read(dsn("wrong"), *UP, trust=mutual.trust("right"))
    missing = await read(dsn("missing"), *UP, trust=mutual.trust("right"))

    assert numbers(right)["up"] == 1
    assert wrong.values["up"].reason is Reason.ACCESS_DENIED
    assert "the DSN's sslcert (takes precedence over connect.client_cert)" in wrong.summary
    assert missing.values["up"].reason is Reason.MISSING_FILE
    assert "missing.pem, which is not a file" in missing.summary


async def test_a_dsn_key_that_others_may_read_is_told(strict, mutual, tmp_path) -> None:
    file = tmp_path / "open.pem"
    shutil.copyfile(mutual.folder / "right.pem", file)
    file.chmod(0o644)

    readings = await read(strict.dsn("app", "postgres", sslmode="prefer", sslcert=file, sslkey=file), *UP)

    assert readings.values["up"].reason is Reason.MISSING_FILE
    assert "has group or world access" in readings.summary


async def test_a_closed_port_is_down() -> None:
    readings = await read(f"postgresql://a:{PASSWORD}@{LOOPBACK}:{free_port()}/shop")

    assert readings.values == {"up": Exact(0)}
    assert "Connection refused" in readings.summary


async def test_a_server_that_speaks_http_is_down(serve) -> None:
    async def http(reader, writer):
        await reader.readexactly(8)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    port, _ = await serve(act=http)
    base = f"postgresql://a:{PASSWORD}@{LOOPBACK}:{port}/shop"

    found = [await read(f"{base}?sslmode={mode}") for mode in ("disable", "prefer", "require")]

    assert [readings.values for readings in found] == [{"up": Exact(0)}] * 3


async def test_a_server_that_keeps_silent_is_down_and_loses_its_connection(serve) -> None:
    async def silent(reader, _writer):
        await reader.read()

    port, peer = await serve(act=silent)

    readings = await read(f"postgresql://a:{PASSWORD}@{LOOPBACK}:{port}/shop", timeout=0.2)

    assert readings.values == {"up": Exact(0)}
    assert readings.summary == f"no session with PostgreSQL at {LOOPBACK}:{port} within 0.2 s"
    await asyncio.wait_for(peer.idle.wait(), 1)


@pytest.fixture
async def deaf(serve):
    """A server that lets everybody in and answers nothing: its DSN, its peer, and when somebody asked."""
    asked = asyncio.Event()

    async def act(reader, writer):
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        await reader.readexactly(length - 4)
        writer.write(b"R" + struct.pack("!II", 8, 0) + b"Z" + struct.pack("!I", 5) + b"I")
        await writer.drain()
        await reader.read(1)
        asked.set()
        await reader.read()

    port, peer = await serve(act=act)
    return f"postgresql://a:{PASSWORD}@{LOOPBACK}:{port}/shop?sslmode=disable", peer, asked


async def test_a_server_that_falls_silent_after_the_password_is_down(deaf, monkeypatch) -> None:
    monkeypatch.setattr(session, "_GRACE", 0.1)
    dsn, peer, _ = deaf

    readings = await read(dsn, timeout=0.2)

    assert readings.values == {"up": Exact(0)}
    await asyncio.wait_for(peer.idle.wait(), 1)


async def test_a_look_that_nobody_wants_any_more_lets_go_at_once(deaf) -> None:
    dsn, peer, asked = deaf
    measurement = asyncio.ensure_future(read(dsn, timeout=30))
    await asyncio.wait_for(asked.wait(), 1)

    measurement.cancel()
    await asyncio.wait({measurement}, timeout=1)

    assert measurement.cancelled()
    await asyncio.wait_for(peer.idle.wait(), 1)


async def test_a_database_that_is_closed_takes_no_sessions(place) -> None:
    place.run("alter database shop allow_connections false", database="postgres")
    try:
        readings = await read(place.dsn())
    finally:
        place.run("alter database shop allow_connections true", database="postgres")

    assert readings.values == {"up": Exact(0)}
    assert 'database "shop" is not currently accepting connections' in readings.summary


@pytest.mark.parametrize(
    ("text", "reason", "facts"),
    [
        ("FATAL:  sorry, too many clients already", Reason.UNREACHABLE, {"up": 0, "connections_used": 100}),
        ("FATAL:  the database system is starting up", Reason.UNREACHABLE, {"up": 0}),
        ('FATAL:  database "shop" is not currently accepting connections', Reason.UNREACHABLE, {"up": 0}),
        ('FATAL:  cannot connect to invalid database "shop"', Reason.UNREACHABLE, {"up": 0}),
        ('FATAL:  database "shop" is disabled', Reason.UNREACHABLE, {"up": 0}),
        ("session is read-only", Reason.BAD_RESPONSE, {"up": 1, "expected_role": 0}),
        ("server is not in hot standby mode", Reason.BAD_RESPONSE, {"up": 1, "expected_role": 0}),
        ("FATAL:  the database system is not accepting connections\nDETAIL:  Hot standby mode is disabled.",
         Reason.UNREACHABLE, {"up": 0}),
        ('FATAL:  too many connections for role "probekit"', Reason.ACCESS_DENIED, {}),
        ("FATAL:  connection requires a valid client certificate", Reason.ACCESS_DENIED, {}),
        *(
            (f"SSL error: {text}", Reason.ACCESS_DENIED, {})
            for text in (
                "tlsv13 alert certificate required", "sslv3 alert bad certificate", "ssl/tls alert certificate expired",
                "sslv3 alert certificate unknown", "tlsv1 alert unknown ca", "sslv3 alert handshake failure",
                "tlsv1 alert protocol version",
            )
        ),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "a", database "b", no encryption',
         Reason.REFUSED_CREDENTIALS, {}),
        ("query_wait_timeout", Reason.UNREACHABLE, {"up": 0}),
        ("Network is unreachable", Reason.NO_NETWORK, {}),
        ("No route to host", Reason.NO_NETWORK, {}),
        ("Permission denied\n\tIs the server running locally?", Reason.NO_NETWORK, {}),
        ("Network is unreachable\nAll failures were:\n- host: 'a': connection failed: Connection refused",
         Reason.UNREACHABLE, {"up": 0}),
        ("failed to resolve host 'db.test': [Errno -2] Name or service not known", Reason.UNRESOLVED, {}),
        ("FATAL:  Passwort-Authentifizierung für Benutzer »a« fehlgeschlagen", Reason.BAD_RESPONSE, {}),
    ],
)  # fmt: skip
def test_a_refusal_is_told_by_its_text(text, reason, facts) -> None:
    error = psycopg.OperationalError(f'connection failed: connection to server at "127.0.0.1", port 1 failed: {text}')

    refused = of_session(error, "PostgreSQL at db:5432", 5)

    assert (refused.reason, refused.facts) == (reason, facts)


def test_the_last_word_is_quoted_without_address_and_advice() -> None:
    text = 'connection failed: connection to server at "::1", port 1 failed: Connection refused\n\tIs the server up?'

    refused = of_session(psycopg.OperationalError(text), "PostgreSQL at db:1", 5)

    assert refused.detail == "PostgreSQL at db:1: unreachable: Connection refused"


def test_what_a_hostile_server_says_stays_on_one_line() -> None:
    refused = of_session(psycopg.OperationalError("FATAL:  \x1b[31m\u202egone" + "!" * 900), "PostgreSQL at db:1", 5)

    assert refused.detail.isprintable()
    assert "\\x1b[31m" in refused.detail
    assert len(refused.detail) < 300


@pytest.mark.parametrize("dsn", [f"rubbish {PASSWORD}", f"postgresql://a:{PASSWORD}@b/c?{PASSWORD}=1"])
async def test_what_is_no_dsn_is_not_quoted(dsn) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await read(dsn)

    assert caught.value.reason is Reason.MISSING_SECRET
    assert "$DATABASE_URL" in caught.value.detail
    assert PASSWORD not in repr(caught.value)


async def test_a_host_that_does_not_resolve_is_nobody_s_fault() -> None:
    def nobody(_endpoint):
        raise OSError(-2, "Name or service not known")

    measurement = Http(run="test", resolver=Resolver(look_up=nobody)).probe_client(timeout=1)
    dsn = f"postgresql://a:{PASSWORD}@db.test/shop"
    context = Context(base_url="", timeout=1, http=measurement, reveal=lambda _secret: dsn, now=lambda: NOW)

    with pytest.raises(ProbeFailedError) as caught:
        await KIND.measure(PostgresProbe(kind="postgres", dsn={"env": "X"}), context)

    assert caught.value.reason is Reason.UNRESOLVED


async def test_an_address_that_was_chosen_is_the_one_that_is_asked(place) -> None:
    chosen = Address(Endpoint("db.test", place.port), LOOPBACK)

    assert numbers(await read(place.dsn(host="db.test"), "up", address=chosen))["up"] == 1


async def test_every_address_of_the_host_is_tried_once(place) -> None:
    http = Http(run="test", resolver=Resolver(look_up=lambda _endpoint: ("::1", LOOPBACK)))
    dsn = place.dsn(host="db.test")
    context = Context(
        base_url="", timeout=3, http=http.probe_client(timeout=3), reveal=lambda _secret: dsn, now=lambda: NOW
    )  # fmt: skip

    readings = await KIND.measure(PostgresProbe(kind="postgres", dsn={"env": "X"}), context)

    assert readings.values["up"] == Exact(1)


async def test_the_next_host_is_asked_where_the_first_is_gone(place) -> None:
    hosts = f"gone.test:1,db.test:{place.port},nowhere.test"

    def look_up(endpoint):
        if endpoint.host == "nowhere.test":
            raise OSError(-2, "Name or service not known")
        return (LOOPBACK,)

    dsn = f"postgresql://probekit:{PASSWORD}@{hosts}/shop?sslmode=disable"

    found = await read(dsn, "up", look_up=look_up)
    standby = await read(f"{dsn}&target_session_attrs=standby", "up", "expected_role", look_up=look_up)

    assert numbers(found)["up"] == 1
    assert numbers(standby) == {"up": 1}
    assert reasons(standby) == {"expected_role": Reason.UNRESOLVED}
    assert f"gone.test:1, db.test:{place.port}, nowhere.test:5432: no server has the role" in standby.summary
    assert "the name nowhere.test does not resolve" in standby.summary


@pytest.mark.parametrize("hosts", ["gone.test:1,nowhere.test", "nowhere.test,gone.test:1"])
async def test_a_host_that_does_not_resolve_may_be_up(hosts) -> None:
    def look_up(endpoint):
        if endpoint.host == "nowhere.test":
            raise OSError(-2, "Name or service not known")
        return (LOOPBACK,)

    dsn = f"postgresql://probekit:{PASSWORD}@{hosts}/shop"

    assert reasons(await read(dsn, "up", look_up=look_up)) == {"up": Reason.UNRESOLVED}


async def test_no_host_has_the_role_that_the_dsn_asks_for(place) -> None:
    dsn = f"postgresql://probekit:{PASSWORD}@gone.test:1,db.test:{place.port}/shop?sslmode=disable"

    readings = await read(f"{dsn}&target_session_attrs=standby", "up", "expected_role")

    assert numbers(readings) == {"up": 1, "expected_role": 0}


async def test_hosts_of_which_none_resolves_are_nobody_s_fault() -> None:
    def nobody(_endpoint):
        raise OSError(-2, "Name or service not known")

    with pytest.raises(ProbeFailedError, match=r"the name a\.test does not resolve") as caught:
        await read(f"postgresql://a:{PASSWORD}@a.test,b.test/shop", look_up=nobody)

    assert caught.value.reason is Reason.UNRESOLVED


async def test_the_port_of_the_environment_holds_where_the_dsn_has_none(place, monkeypatch) -> None:
    monkeypatch.setenv("PGPORT", str(place.port))

    readings = await read(f"postgresql://probekit:{PASSWORD}@db.test/shop?sslmode=disable", "up")

    assert numbers(readings)["up"] == 1


async def test_the_schema_of_the_dsn_is_where_names_are_looked_for(place) -> None:
    place.run(
        'create schema "My App"', 'create table "My App".things (id int)', 'insert into "My App".things values (1)',
        'grant usage on schema "My App" to probekit', 'grant select on "My App".things to probekit',
    )  # fmt: skip
    invariants = {"none": "select count(*) from things"}
    try:
        there = await read(place.dsn(schema="My%20App"), "violations", invariants=invariants)
        elsewhere = await read(place.dsn(schema="public"), "violations", invariants=invariants)
    finally:
        place.run('drop schema "My App" cascade')

    assert numbers(there)["violations"] == 1
    assert 'relation "things" does not exist' in elsewhere.values["violations"].detail


async def test_a_unix_socket_needs_no_tls(place) -> None:
    where = f"host={place.folder}&port={place.port}"

    readings = await read(f"postgresql+psycopg://probekit:{PASSWORD}@/shop?{where}&sslmode=require", *UP)

    assert (numbers(readings)["up"], numbers(readings)["encrypted"]) == (1, 1)
    assert "over a Unix socket" in readings.summary


@pytest.mark.parametrize(("name", "reason"), [("none", Reason.NO_NETWORK), ("left", None)])
async def test_without_a_socket_file_nobody_can_tell_whose_fault_it_is(tmp_path, name, reason) -> None:
    (tmp_path / "left").mkdir()
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as left_behind:
        left_behind.bind(str(tmp_path / "left/.s.PGSQL.5432"))

    readings = await read(f"postgresql://a:{PASSWORD}@/shop?host={tmp_path}/{name}&port=5432", "up")

    assert reasons(readings).get("up") == reason
    assert numbers(readings).get("up") == (None if reason else 0)


async def test_the_declared_database_and_user_are_held_against_those_of_the_session(place) -> None:
    found = [
        numbers(await read(place.dsn(), "up", **declared))["expected_database"]
        for declared in ({"database": "shop", "user": "probekit"}, {"database": "other"}, {"user": "app"})
    ]

    assert found == [1, 0, 0]


# ---------------------------------------------------------------- role


@pytest.mark.parametrize(
    ("plant", "repair", "expected"),
    [
        ("alter database shop set default_transaction_read_only = on",
         "alter database shop reset default_transaction_read_only", 0),
        ("alter role app set default_transaction_read_only = 'true'",
         "alter role app reset default_transaction_read_only", 0),
        ("alter role probekit set default_transaction_read_only = on",
         "alter role probekit reset default_transaction_read_only", 1),
        ("alter role blind set default_transaction_read_only = on",
         "alter role blind reset default_transaction_read_only", 1),
    ],
)  # fmt: skip
async def test_a_primary_that_takes_no_writes_is_not_the_expected_one(place, plant, repair, expected) -> None:
    place.run(plant, database="postgres")
    try:
        readings = await read(place.dsn(), "expected_role")
    finally:
        place.run(repair, database="postgres")

    assert numbers(readings)["expected_role"] == expected
    assert ("read-only by default" in readings.summary) != expected


# ---------------------------------------------------------------- sessions


async def blocked(place, *, waits):
    """Wait until somebody waits for a lock."""
    async with asyncio.timeout(5):
        async with place.session(user="postgres", autocommit=True) as watcher:
            while not await (await watcher.execute("select 1 from pg_locks where not granted")).fetchone():
                assert not waits.done(), waits


@contextlib.asynccontextmanager
async def waiting(place):
    """A session that waits for a row that another one holds."""
    update = "update orders set quantity = 2 where id = 1"
    async with place.session(update) as holder, place.session() as waiter:
        waits = asyncio.ensure_future(waiter.execute(update))
        await blocked(place, waits=waits)
        yield holder.info.backend_pid, waiter.info.backend_pid
        await holder.rollback()
        await waits


async def test_a_session_that_waits_for_a_row_is_blocked_from_the_declared_time_on(place) -> None:
    async with waiting(place) as (holder, waiter):
        found = await read(place.dsn(), "blocked_sessions", blocked_for="0s")
        patient = await read(place.dsn(), "blocked_sessions")

    assert numbers(found)["blocked_sessions"] == 1
    assert f"pid {waiter} has waited 0 s for pid {holder}, transactionid lock" in found.summary
    assert numbers(patient)["blocked_sessions"] == 0


@pytest.mark.parametrize(
    ("arguments", "key", "told"),
    [
        ("42", 42, "advisory lock 42 ("),
        ("-42", -42, "advisory lock -42 ("),
        ("9007199254740993", 9007199254740993, "advisory lock 9007199254740993 ("),
        ("7, -1", [7, -1], "advisory lock [7, -1] ("),
    ],
)
async def test_an_advisory_lock_that_is_waited_for_is_named_and_can_be_meant(place, arguments, key, told) -> None:
    lock = f"select pg_advisory_lock({arguments})"
    async with place.session(lock, autocommit=True), place.session(autocommit=True) as waiter:
        waits = asyncio.ensure_future(waiter.execute(lock))
        await blocked(place, waits=waits)
        found = await read(place.dsn(), "blocked_sessions", blocked_for="0s")
        meant = await read(place.dsn(), "blocked_sessions", blocked_for="0s", advisory_allowed=[1, key])
        other = await read(place.dsn(), "blocked_sessions", blocked_for="0s", advisory_allowed=[1, [42, 42]])
        await cancelled(waiter, waits)

    assert numbers(found)["blocked_sessions"] == numbers(other)["blocked_sessions"] == 1
    assert told in found.summary
    assert "advisory_allowed" in found.summary
    assert numbers(meant)["blocked_sessions"] == 0


async def test_a_role_without_rights_still_sees_who_waits(place) -> None:
    async with waiting(place):
        readings = await read(place.dsn("blind"), "blocked_sessions", blocked_for="0s")

    assert numbers(readings)["blocked_sessions"] == 1


async def test_a_forgotten_prepared_transaction_blocks_and_is_told(place) -> None:
    place.run("begin; update orders set quantity = 3 where id = 2; prepare transaction 'forgotten'", user="app")
    try:
        async with place.session() as waiter:
            waits = asyncio.ensure_future(waiter.execute("update orders set quantity = 4 where id = 2"))
            await blocked(place, waits=waits)
            limits = {"blocked_for": "0s", "idle_transaction": "0s"}
            found = await read(place.dsn(), "blocked_sessions", "prepared_transactions", **limits)
            young = await read(place.dsn(), "prepared_transactions")
            await cancelled(waiter, waits)
    finally:
        place.run("rollback prepared 'forgotten'", user="app")

    assert numbers(found)["blocked_sessions"] == numbers(found)["prepared_transactions"] == 1
    assert "for a prepared transaction" in found.summary
    assert numbers(young)["prepared_transactions"] == 0


async def cancelled(connection, waits):
    await connection.cancel_safe()
    with pytest.raises(psycopg.errors.QueryCanceled):
        await waits


async def test_a_transaction_that_wrote_and_lies_idle_is_counted_and_one_that_only_reads_is_told(place) -> None:
    async with place.session("update orders set quantity = 5 where id = 3") as writer, place.session("select 1"):
        pid = writer.info.backend_pid
        found = await read(place.dsn(), "idle_transactions", idle_transaction="0s")
        young = await read(place.dsn(), "idle_transactions")

    assert numbers(found)["idle_transactions"] == 1
    assert f"pid {pid} idle in its transaction" in found.summary
    assert "holding no id" in found.summary
    assert numbers(young)["idle_transactions"] == 0


async def test_a_role_without_rights_proves_nothing_of_others(place) -> None:
    readings = await read(place.dsn("blind"))

    assert reasons(readings) == dict.fromkeys(
        ("blocked_sessions", "idle_transactions", "connections_used"), Reason.NOT_PERMITTED
    )
    assert "GRANT pg_monitor" in readings.values["blocked_sessions"].detail


async def test_a_session_that_hides_what_it_does_leaves_it_open(place) -> None:
    async with place.session("set track_activities = off", user="postgres"):
        readings = await read(place.dsn(), "idle_transactions")

    assert reasons(readings) == {"idle_transactions": Reason.NOT_PERMITTED}


# ---------------------------------------------------------------- room


async def test_the_fullest_limit_counts(place) -> None:
    place.run("alter role app connection limit 2", "alter database shop connection limit 8")
    try:
        async with place.session(), place.session():
            role = await read(place.dsn(), "connections_used")
        async with place.session():
            place.run("alter role app connection limit -1")
            database = await read(place.dsn(), "connections_used")
    finally:
        place.run("alter role app connection limit -1", "alter database shop connection limit -1")

    assert numbers(role)["connections_used"] == 100
    assert "2 of 2 connections of role app" in role.summary
    assert numbers(database)["connections_used"] == 25
    assert "2 of 8 connections of database shop" in database.summary


async def test_a_full_server_is_down_and_full(place) -> None:
    async with contextlib.AsyncExitStack() as everybody:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                await everybody.enter_async_context(place.session())
        readings = await read(place.dsn())

    assert readings.values == {"up": Exact(0), "connections_used": Exact(100)}
    assert "no connection slot is left" in readings.summary


# ---------------------------------------------------------------- catalogue


async def test_a_unique_index_that_could_not_be_built_is_harmful(place) -> None:
    place.run("insert into orders values (901, 1, 1, 1)")
    try:
        with pytest.raises(psycopg.errors.UniqueViolation):
            place.run("create unique index concurrently by_sku on orders (sku)")
        readings = await read(place.dsn(), "invalid_indexes")
    finally:
        place.run("drop index if exists by_sku", "delete from orders where id = 901")

    assert (numbers(readings)["invalid_indexes"], numbers(readings)["harmful_invalid_indexes"]) == (1, 1)
    assert "invalid indexes: public.by_sku" in readings.summary


@pytest.mark.parametrize(
    ("user", "reason"), [("probekit", Reason.BAD_RESPONSE), ("blind", Reason.NOT_PERMITTED)]
)  # fmt: skip
async def test_an_index_that_is_being_built_proves_nothing(place, user, reason) -> None:
    async with place.session("update orders set quantity = 6 where id = 4"), place.session(autocommit=True) as builder:
        builds = asyncio.ensure_future(builder.execute("create index concurrently by_sku on orders (sku)"))
        await blocked(place, waits=builds)
        readings = await read(place.dsn(user), "invalid_indexes")
        await cancelled(builder, builds)
    broken = await read(place.dsn(user), "invalid_indexes")
    place.run("drop index by_sku")

    assert reasons(readings) == dict.fromkeys(("invalid_indexes", "harmful_invalid_indexes"), reason)
    assert numbers(broken)["invalid_indexes"] == 1
    assert numbers(broken)["harmful_invalid_indexes"] == 0  # neither maintained nor unique


async def test_an_index_over_partitions_that_lack_theirs_proves_nothing(place) -> None:
    place.run(
        "create table parts (id int) partition by range (id)",
        "create table part_one partition of parts for values from (0) to (10)",
        "create index parts_id on only parts (id)",
    )
    try:
        readings = await read(place.dsn(), "invalid_indexes")
    finally:
        place.run("drop table parts")

    assert set(reasons(readings).values()) == {Reason.BAD_RESPONSE}


async def test_a_constraint_that_was_not_validated_vouches_for_nothing(place) -> None:
    place.run("alter table orders add constraint small check (quantity < 100) not valid")
    try:
        readings = await read(place.dsn(), "unenforced_constraints")
    finally:
        place.run("alter table orders drop constraint small")

    assert numbers(readings)["unenforced_constraints"] == 1
    assert "public.orders.small (not validated)" in readings.summary


async def test_a_domain_s_constraint_that_was_not_validated_counts(place) -> None:
    place.run("create domain amount as int", "alter domain amount add constraint small check (value < 100) not valid")
    try:
        readings = await read(place.dsn(), "unenforced_constraints")
    finally:
        place.run("drop domain amount")

    assert numbers(readings)["unenforced_constraints"] == 1
    assert "public.amount.small (of a domain, not validated)" in readings.summary


async def test_orphans_under_a_valid_key_are_found_and_so_are_its_triggers_while_they_are_off(place) -> None:
    place.run("alter table orders disable trigger all", "insert into orders values (902, 777, 0, 1)")
    try:
        off = await read(place.dsn(), "unenforced_constraints", "orphans")
        place.run("alter table orders enable trigger all")
        on = await read(place.dsn(), "unenforced_constraints", "orphans")
    finally:
        place.run("alter table orders enable trigger all", "delete from orders where id = 902")

    assert numbers(off)["unenforced_constraints"] == 1
    assert "public.orders.belongs (trigger disabled)" in off.summary
    assert numbers(on)["unenforced_constraints"] == 0  # the catalogue is content
    assert numbers(off)["orphans"] == numbers(on)["orphans"] == 1
    assert "1 orphans in public.orders.user_id" in on.summary


# ---------------------------------------------------------------- rows


async def test_healthy_rows(place) -> None:
    readings = await read(place.dsn(), *SCANS, invariants={"quantities": ROWS_OF + "; "})

    assert numbers(readings)["violations"] == numbers(readings)["orphans"] == 0


async def test_orphans_of_a_declared_relation_are_found_and_a_recent_window_narrows_it(place) -> None:
    pair = {"child": "orders.sku", "parent": "public.users.id"}
    place.run("insert into orders values (903, 1, 888, 1)")
    try:
        whole = await read(place.dsn(), "orphans", orphans=[pair])
        recent = await read(place.dsn(), "orphans", orphans=[pair | {"recent": "id < 900 -- the old ones"}])
    finally:
        place.run("delete from orders where id = 903")

    assert (numbers(whole)["orphans"], numbers(recent)["orphans"]) == (1, 0)
    assert "1 orphans in orders.sku" in whole.summary


async def test_a_declared_relation_stands_for_its_foreign_key(place) -> None:
    pair = {"child": "orders.user_id", "parent": "users.id", "recent": "id < 0"}

    readings = await read(place.dsn(), "orphans", orphans=[pair])

    assert "1 counted, no orphans" in readings.summary


async def test_names_are_names_and_no_sql(place) -> None:
    pair = {"child": 'orders.id"; drop table orders; --', "parent": "users.id"}

    readings = await read(place.dsn(), "orphans", orphans=[pair])

    assert reasons(readings) == {"orphans": Reason.BAD_RESPONSE}
    assert "does not exist" in readings.values["orphans"].detail


async def test_a_key_over_two_columns_is_followed_as_it_matches(place) -> None:
    place.run(
        "create schema more",
        "create table more.spot (a int, b int, primary key (a, b))",
        "create table more.simple (a int, b int, foreign key (a, b) references more.spot)",
        "create table more.whole (a int, b int, foreign key (a, b) references more.spot match full)",
        "insert into more.spot values (1, 1)",
        "set session_replication_role = replica;"
        " insert into more.simple values (1, 1), (2, null), (null, null), (9, 9);"
        " insert into more.whole values (1, 1), (2, null), (null, null), (9, 9)",
    )
    try:
        readings = await read(place.dsn("postgres"), "orphans", schemas=["more"])
        refused = await read(place.dsn(), "orphans", schemas=["more"])
    finally:
        place.run("drop schema more cascade")

    assert numbers(readings)["orphans"] == 3
    assert "1 orphans in more.simple.a+b, 2 orphans in more.whole.a+b" in readings.summary
    assert reasons(refused) == {"orphans": Reason.NOT_PERMITTED}


@pytest.fixture
def more(place):
    """Run statements in a place whose schema `more` goes away; citext lies in a schema that no search path names."""
    place.run(
        *("create schema extensions", "create extension citext schema extensions", "create schema more"),
        "create type more.mood as enum ('good', 'bad')",
        "create domain more.mail as extensions.citext",
    )
    yield lambda *statements: place.run(*(text.replace("unkept:", UNKEPT) for text in statements))
    place.run("drop schema more, extensions cascade")


UNKEPT = "set session_replication_role = replica;"  # of which no key takes notice


@pytest.mark.parametrize(
    ("parent", "child", "value", "kept", "lost"),
    [
        ("extensions.citext", "extensions.citext", "'ana'", "'Ana'", "'Bob'"),  # equal whatever the case
        ("more.mail", "more.mail", "'ana'", "'Ana'", "'Bob'"),
        ("varchar(20)", "text", "'ana'", "'ana'", "'Ana'"),
        ("char(5)", "char(9)", "'ana'", "'ana'", "'Ana'"),
        ("int", "bigint", "7", "7", "8"),
        ("numeric", "int", "7", "7", "8"),
        ("more.mood", "more.mood", "'good'", "'good'", "'bad'"),
        ("int[]", "int[]", "'{1,2}'", "'{1,2}'", "'{2,1}'"),
        ("int4range", "int4range", "'[1,3)'", "'[1,2]'", "'[1,4)'"),
        ('text collate "C"', 'text collate "POSIX"', "'ana'", "'ana'", "'Ana'"),
    ],
)
async def test_a_key_compares_as_its_constraint_does(place, more, parent, child, value, kept, lost) -> None:
    more(
        f"create table more.account (key {parent} primary key)",
        f"create table more.login (key {child} references more.account)",
        f"insert into more.account values ({value})",  # noqa: S608  # of the table above
        f"insert into more.login values ({kept})",  # noqa: S608
        f"unkept: insert into more.login values ({lost})",  # noqa: S608
    )
    pair = {"child": "more.login.key", "parent": "more.account.key", "recent": "true"}

    key = await read(place.dsn("postgres"), "orphans", schemas=["more"])
    narrowed = await read(place.dsn("postgres"), "orphans", schemas=["more"], orphans=[pair])

    assert numbers(key) == numbers(narrowed) == numbers(key) | {"orphans": 1}, key.values
    assert key.summary.endswith("1 orphans in more.login.key")


@pytest.mark.parametrize("column", ["extensions.citext", "more.mail"])
async def test_a_declared_pair_compares_as_its_types_do(place, more, column) -> None:
    more(
        f"create table more.account (mail {column})",
        f"create table more.login (mail {column})",
        "insert into more.account values ('ana')",
        "insert into more.login values ('Ana'), ('Bob'), (null)",
    )
    pair = {"child": "more.login.mail", "parent": "more.account.mail"}

    readings = await read(place.dsn("postgres"), "orphans", schemas=["more"], orphans=[pair])

    assert numbers(readings)["orphans"] == 1, readings.values


@pytest.mark.parametrize(
    "tables",
    [
        (
            "create table more.account (id int primary key)",
            "create table more.vip () inherits (more.account)",
            "create table more.login (id int references more.account)",
            "create table more.archive () inherits (more.login)",
            "insert into more.vip values (2)",  # a vip is no account of the key
            "insert into more.archive values (8), (9)",  # which keeps no archive
        ),
        (
            "create table more.account (id int primary key) partition by range (id)",
            "create table more.account_one partition of more.account for values from (0) to (10)",
            "create table more.login (id int references more.account) partition by range (id)",
            "create table more.login_one partition of more.login for values from (0) to (10)",
        ),
    ],
)
async def test_rows_of_tables_below_are_those_that_the_key_means(place, more, tables) -> None:
    more(
        *tables,
        "insert into more.account values (1)",
        "insert into more.login values (1)",
        "unkept: insert into more.login values (2)",
    )

    readings = await read(place.dsn("postgres"), "orphans", schemas=["more"])

    assert numbers(readings)["orphans"] == 1, readings.values
    assert readings.summary.endswith("; 1 orphans in more.login.id")


async def test_each_of_two_keys_of_a_column_is_followed(place, more) -> None:
    more(
        *(f"create table more.{name} (id int primary key)" for name in ("account", "person", "other")),
        "create table more.login (id int references more.account references more.person)",
        "insert into more.account values (1)",
        "insert into more.other values (2)",
        "unkept: insert into more.login values (1), (2)",
    )
    pairs = [{"child": "more.login.id", "parent": f"more.{name}.id"} for name in ("account", "other")]

    both = await read(place.dsn("postgres"), "orphans", schemas=["more"])
    beside = await read(place.dsn("postgres"), "orphans", schemas=["more"], orphans=pairs)

    assert numbers(both)["orphans"] == 3  # 2 of account, 1 and 2 of person
    assert numbers(beside)["orphans"] == 4  # and 1 of other: a pair stands for no key of another parent


async def test_a_pair_without_a_schema_is_what_the_search_path_leads_to(place, more) -> None:
    more(
        "create table more.orders (user_id int references public.users)",
        "unkept: insert into more.orders values (777)",
    )
    pair = {"child": "orders.user_id", "parent": "users.id", "recent": "false"}

    readings = await read(place.dsn("postgres"), "orphans", orphans=[pair])

    assert numbers(readings)["orphans"] == 1
    assert "1 orphans in more.orders.user_id" in readings.summary


async def test_a_schema_that_is_not_open_to_the_role_leaves_the_others_counted(place, more) -> None:
    more("create table more.login (id int)")
    place.run("insert into orders values (906, 1, 888, 1)")
    pairs = [{"child": "more.login.id", "parent": "users.id"}, {"child": "orders.sku", "parent": "users.id"}]
    try:
        readings = await read(place.dsn(), "orphans", orphans=pairs)
    finally:
        place.run("delete from orders where id = 906")

    assert numbers(readings)["orphans"] == 1
    assert "more.login.id was not counted: permission denied for schema more" in readings.summary


async def test_a_period_is_covered_by_its_parents_together(place, more) -> None:
    """A stand-in for a temporal key of PostgreSQL 18: its query, over tables without the key."""
    more(
        *(f"create table more.{name} (id int, during int4range)" for name in ("room", "stay")),
        "insert into more.room values (1, '[0,5)'), (1, '[5,9)'), (2, '[0,5)')",
        "insert into more.stay values (1, '[1,8)'), (2, '[1,6)'), (3, '[1,2)'), (null, '[1,2)'), (1, null)",
    )
    columns = (ComparedColumn(name="id", parent="id"), ComparedColumn(name="during", parent="during"))
    stay = Relation(child=("more", "stay"), parent=("more", "room"), columns=columns, is_temporal=True)

    async with place.session(user="postgres") as connection:
        found = await (await connection.execute(stay.query())).fetchone()

    assert found == (2,)


async def test_rows_hidden_by_row_security_are_no_silence(place) -> None:
    place.run("insert into orders values (904, 1, 0, 0)", "alter table orders enable row level security")
    try:
        readings = await read(place.dsn(), *SCANS, invariants={"quantities": ROWS_OF})
    finally:
        place.run("alter table orders disable row level security", "delete from orders where id = 904")

    assert reasons(readings) == dict.fromkeys(SCANS, Reason.NOT_PERMITTED)
    assert "row-level security" in readings.values["orphans"].detail


async def test_columns_that_were_not_granted_prove_nothing(place) -> None:
    invariants = {"mails": "select count(*) from users where email is null", "quantities": ROWS_OF}

    readings = await read(place.dsn("blind"), *SCANS, invariants=invariants)

    assert reasons(readings) == dict.fromkeys(SCANS, Reason.NOT_PERMITTED)
    assert "mails was not counted: permission denied for table users (42501), and 1 more" in str(readings.values)


async def test_a_violation_that_was_found_stands_beside_a_count_that_failed(place) -> None:
    place.run("insert into orders values (905, 1, 0, 0)")
    try:
        invariants = {"mails": "select count(email) from users", "quantities": ROWS_OF}
        readings = await read(place.dsn(), "violations", invariants=invariants)
    finally:
        place.run("delete from orders where id = 905")

    assert numbers(readings)["violations"] == 1
    assert "1 violations of quantities, mails was not counted: permission denied" in readings.summary


@pytest.mark.parametrize(
    ("text", "reason", "told"),
    [
        ("select pg_sleep(5)", Reason.TIMEOUT, "statement_timeout"),
        ("select count(*) from nowhere", Reason.BAD_RESPONSE, 'relation "nowhere" does not exist'),
        ("select null", Reason.BAD_RESPONSE, "does not return a number"),
        ("select true", Reason.BAD_RESPONSE, "does not return a number"),
        ("select 'NaN'::numeric", Reason.BAD_RESPONSE, "does not return a number"),
        ("select -1", Reason.BAD_RESPONSE, "does not return a number"),
        ("select id from users where false", Reason.BAD_RESPONSE, "does not return a number"),
        ("select id from users", Reason.BAD_RESPONSE, "CardinalityViolation"),
        ("select 1, 2", Reason.BAD_RESPONSE, "subquery must return only one column"),
        ("select max(sku || '-' || 'ana@example.test')::int from orders", Reason.BAD_RESPONSE, "InvalidText"),
        ("select nextval('counter')", Reason.BAD_RESPONSE, "ReadOnlySqlTransaction"),
    ],
)
async def test_an_invariant_that_gives_no_count_proves_nothing(place, text, reason, told) -> None:
    place.run("create sequence if not exists counter", "grant all on sequence counter to probekit")

    readings = await read(place.dsn(), "violations", invariants={"it": text}, statement_timeout="150ms")

    assert reasons(readings) == {"violations": reason}
    assert told in readings.values["violations"].detail


async def test_a_locked_table_is_not_waited_for(place) -> None:
    async with place.session("lock table orders in access exclusive mode"):
        readings = await read(place.dsn(), "orphans", "violations", lock_timeout="50ms", invariants={"q": ROWS_OF})

    assert reasons(readings) == dict.fromkeys(SCANS, Reason.TIMEOUT)
    assert "lock_timeout" in readings.values["orphans"].detail


async def test_scans_end_with_their_time(place) -> None:
    invariants = {"quick": "select 0", "slow": "select 0 from pg_sleep(60)", "late": "select 0"}

    readings = await read(place.dsn(), "violations", invariants=invariants, scan_time="1s")

    assert reasons(readings) == {"violations": Reason.TIMEOUT}
    assert "slow was not counted: stopped by statement_timeout (57014), and 1 more" in str(readings.values)


async def test_nothing_declared_is_nothing_proved(place) -> None:
    readings = await read(place.dsn(), *SCANS, schemas=["empty"])

    assert reasons(readings) == dict.fromkeys(SCANS, Reason.MISSING_SETTING)


# ---------------------------------------------------------------- encodings and poolers


async def test_a_database_without_an_encoding_is_read_and_what_cannot_be_is_a_failure(place) -> None:
    place.run(
        "create database raw encoding 'SQL_ASCII' locale 'C' template template0",
        "grant connect on database raw to probekit",
        database="postgres",
    )
    try:
        clean = await read(place.dsn(database="raw"))
        with psycopg.connect(place.dsn("postgres", "raw"), autocommit=True, client_encoding="sql_ascii") as connection:
            connection.execute(
                b'create table t (id int); alter table t add constraint "k\xe4se" check (id > 0) not valid'
            )
        odd = await read(place.dsn(database="raw"))
        neighbour = await watched(place)
    finally:
        place.run("select pg_stat_statements_reset()")
        place.run("drop database raw", database="postgres")

    assert numbers(clean)["expected_database"] == 1
    assert not reasons(clean)
    assert reasons(odd) == {"unenforced_constraints": Reason.BAD_RESPONSE}
    assert "text of another database" in neighbour.values["slow_statements"].detail


class Pooler:
    """Each transaction gets the next of two server sessions, as transaction pooling may; a console shows the queue."""

    dsn = ""
    waiting: int | None = 0  # clients; None: the console is closed to us

    def __init__(self, *ends):
        self.turn = cycle(ends)

    async def __call__(self, reader, writer):
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        is_console = b"database\0pgbouncer\0" in await reader.readexactly(length - 4)
        if is_console and self.waiting is None:
            writer.write(message(b"E", b"SFATAL\0C08P01\0Mnot allowed\0\0"))
            return await writer.drain()
        writer.write(message(b"R", bytes(4)) + message(b"S", b"client_encoding\0UTF8\0") + message(b"Z", b"I"))
        while (asked := await received(reader))[0] != b"X":
            if is_console:
                assert asked == (b"Q", b"SHOW POOLS\0")
                writer.write(self.pools())
            else:
                await self.pass_on(asked, reader, writer)
            await writer.drain()
        return None

    async def pass_on(self, asked, reader, writer):
        """One transaction, all of it to the same session."""
        server, to_server = next(self.turn)
        while True:
            to_server.write(message(*asked))
            if await answered(server, writer) == b"I":
                return
            await writer.drain()
            asked = await received(reader)

    def pools(self):
        columns = [(b"database", 25), (b"cl_waiting", 23)]
        head = b"".join(name + b"\0" + struct.pack("!IHIhih", 0, 0, kind, -1, -1, 0) for name, kind in columns)
        rows = [[b"shop", b"%d" % (self.waiting or 0)], [b"other", b"9"]]
        cells = [b"".join(struct.pack("!I", len(cell)) + cell for cell in row) for row in rows]
        return (
            message(b"T", struct.pack("!H", 2) + head)
            + b"".join(message(b"D", struct.pack("!H", 2) + row) for row in cells)
            + message(b"C", b"SHOW\0")
            + message(b"Z", b"I")
        )


@pytest.fixture
async def pooler(place, serve):
    with contextlib.ExitStack() as everything:
        pooler = Pooler(*[await backend(place, everything) for _ in range(2)])
        port, _ = await serve(act=pooler)
        pooler.dsn = f"postgresql://probekit@{LOOPBACK}:{port}/shop?sslmode=disable"
        yield pooler


async def backend(place, everything):
    """A raw session with the server: libpq opens it, we take its socket over."""
    connection = everything.enter_context(psycopg.connect(place.dsn(), autocommit=True))
    line = socket.socket(fileno=os.dup(connection.fileno()))
    line.settimeout(0)
    reader, writer = await asyncio.open_connection(sock=line)
    everything.callback(writer.transport.abort)
    return reader, writer


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


async def received(reader):
    kind, length = struct.unpack("!cI", await reader.readexactly(5))
    return kind, await reader.readexactly(length - 4)


async def answered(server, writer):
    """Pass an answer on; the state of the transaction behind it."""
    while True:
        kind, body = await received(server)
        writer.write(message(kind, body))
        if kind == b"Z":
            return body


async def test_a_transaction_pooler_may_stand_in_between(place, pooler) -> None:
    invariants = {"quantities": ROWS_OF, "slow": "select pg_sleep(3)"}

    catalogue_too = await read(pooler.dsn, pooler="transaction")
    rows = await read(pooler.dsn, *SCANS, pooler="transaction", invariants=invariants, statement_timeout="100ms")

    assert not reasons(catalogue_too)
    assert numbers(catalogue_too)["connections_used"] < 50
    assert numbers(rows)["orphans"] == 0
    assert reasons(rows) == {"violations": Reason.TIMEOUT}


async def test_whoever_waits_at_the_pooler_finds_it_full(pooler) -> None:
    pooler.waiting = 3

    readings = await read(pooler.dsn, "connections_used", pooler="transaction")

    assert numbers(readings)["connections_used"] == 100
    assert "3 clients wait at the pooler" in readings.summary


async def test_a_queue_that_cannot_be_seen_proves_nothing(pooler) -> None:
    pooler.waiting = None

    readings = await read(pooler.dsn, "connections_used", pooler="transaction")

    assert reasons(readings) == {"connections_used": Reason.NOT_PERMITTED}
    assert "stats_users" in readings.values["connections_used"].detail


# ---------------------------------------------------------------- load


async def watched(place, between=None, *, user="probekit", wanted=LOAD, blocks=2, **settings):
    """A window of short blocks; `between` happens in the first of them."""
    config = PostgresProbe(kind="postgres", dsn={"env": "X"}, **settings)
    happens = [between] if between else []

    async def sleep(_seconds):
        if happens:
            await happens.pop()()
        else:
            await asyncio.sleep(0.005)

    window = Window(
        block=0.01, least=blocks, goes_on=lambda: False, now=lambda: datetime.now(UTC), sleep=sleep
    )  # fmt: skip
    dsn = place.dsn(user)
    return put_together([r async for r in KIND.sample(config, context_of(dsn, wanted, window=window))])


async def test_a_window_without_a_call_is_no_reading_of_statements(place) -> None:
    readings = await watched(place)

    assert numbers(readings) == {"slow_now": 0}
    assert reasons(readings) == dict.fromkeys(("slow_statements", "mean_query_time"), Reason.BAD_RESPONSE)
    assert "no statement ended during the window" in readings.values["slow_statements"].detail


async def test_quick_calls_are_none_that_is_slow(place) -> None:
    async def work():
        place.run("select 1 from users", user="app")

    readings = await watched(place, work)

    assert numbers(readings)["slow_statements"] == 0
    assert numbers(readings)["mean_query_time"] < 100


@pytest.mark.parametrize("version", ["1.8", "1.4"])
async def test_an_extension_of_before_an_upgrade_is_told_what_to_do(place, version) -> None:
    place.run("drop extension pg_stat_statements", f"create extension pg_stat_statements version '{version}'")
    try:
        readings = await watched(place)
    finally:
        place.run("drop extension pg_stat_statements", "create extension pg_stat_statements")

    assert numbers(readings) == {"slow_now": 0}
    assert set(reasons(readings).values()) == {Reason.MISSING_SETTING}
    told = readings.values["slow_statements"].detail
    assert f"version {version} in this database" in told
    assert "ALTER EXTENSION pg_stat_statements UPDATE" in told


@pytest.mark.parametrize(
    ("version", "is_old"), [("1.8", True), ("1.9", False), ("1.10", False), ("2.0", False), ("unpackaged", False)]
)
def test_versions_are_numbers(version, is_old) -> None:
    assert load._is_old(version) == is_old  # noqa: SLF001  # no server has them all


async def test_one_slow_statement_is_found_among_many_quick_ones(place) -> None:
    async def work():
        async with place.session("select 7 from pg_sleep(0.12)", *["select count(*) from users"] * 30):
            pass

    readings = await watched(place, work)

    found = numbers(readings)
    assert found["slow_statements"] == 1
    assert 3 < found["mean_query_time"] < 60
    assert "ms on average" in readings.summary


async def test_the_application_s_own_role_does_not_hide_the_application(place) -> None:
    async def work():
        async with place.session("select 8 from pg_sleep(0.12)"):
            pass

    place.run("grant pg_monitor to app")
    try:
        readings = await watched(place, work, user="app")
    finally:
        place.run("revoke pg_monitor from app")

    assert numbers(readings)["slow_statements"] == 1


async def test_a_statement_that_may_be_slow_is_left_out(place) -> None:
    async def work():
        async with place.session("select 9, 9 from pg_sleep(0.12)"):
            pass

    first = await watched(place, work)
    queryid = int(first.summary.split("statement ")[1].split(" ")[0])
    second = await watched(place, work, slow_allowed=[queryid])

    assert (numbers(first)["slow_statements"], numbers(second)["slow_statements"]) == (1, 0)


async def test_what_runs_too_long_at_the_end_of_a_block_is_seen(place) -> None:
    async with place.session() as slow:
        pid = slow.info.backend_pid
        runs = asyncio.ensure_future(slow.execute("select pg_sleep(5)"))
        async with asyncio.timeout(5), place.session(user="postgres", autocommit=True) as watcher:
            seen = "select 1 from pg_stat_activity where state = 'active' and wait_event = 'PgSleep'"
            while not await (await watcher.execute(seen)).fetchone():
                pass
        found = await watched(place, slow_now="1ms")
        patient = await watched(place, slow_now="10s")
        blind = await watched(place, user="blind", slow_now="1ms")
        await cancelled(slow, runs)

    assert numbers(found)["slow_now"] == 1
    assert f"pid {pid} was running" in found.summary
    assert numbers(patient)["slow_now"] == 0
    assert reasons(blind) == dict.fromkeys(LOAD, Reason.NOT_PERMITTED)


async def test_counters_that_were_reset_prove_nothing(place) -> None:
    async def reset():
        place.run("select pg_stat_statements_reset()")

    readings = await watched(place, reset)

    assert set(reasons(readings)) == {"slow_statements", "mean_query_time"}
    assert "reset during the window" in readings.values["slow_statements"].detail


async def test_statements_that_nobody_counts_are_said_to_be_missing(place) -> None:
    place.run("drop extension pg_stat_statements")
    try:
        readings = await watched(place)
    finally:
        place.run("create extension pg_stat_statements")

    assert numbers(readings) == {"slow_now": 0}
    assert set(reasons(readings).values()) == {Reason.MISSING_SETTING}
    assert "CREATE EXTENSION" in readings.values["slow_statements"].detail


async def test_a_session_that_ends_within_the_window_leaves_what_was_read_unproven(place) -> None:
    async def end():
        place.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'probekit'")

    readings = await watched(place, end)

    assert set(reasons(readings).values()) == {Reason.UNREACHABLE}


async def test_a_window_on_a_closed_port_is_unreachable() -> None:
    nobody = Place(port=free_port(), password="")

    with pytest.raises(ProbeFailedError) as caught:
        await watched(nobody)

    assert caught.value.reason is Reason.UNREACHABLE


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"dsn": "postgresql://a:b@c/d"},
        {"statement_timeout": 5},
        {"orphans": [{"child": "user_id", "parent": "users.id"}]},
        {"role": "standby"},
        {"blocked_for": "-1s"},
        {"advisory_allowed": ["leader"]},
        {"advisory_allowed": [[1, 2, 3]]},
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        PostgresProbe(**({"kind": "postgres", "dsn": {"env": "X"}} | wrong))
