"""Real PostgreSQL servers, ways into them, and one measurement of them."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import trustme

from probekit.demo import postgres_files
from probekit.demo.ports import LOOPBACK, free_port
from probekit.model.measurement import Failure
from probekit.model.readings import Exact
from probekit.probe import Context
from probekit.probes.postgres import KIND
from probekit.probes.postgres.settings import PostgresProbe
from probekit.transport.client import Http
from probekit.transport.resolver import Resolver
from probekit.transport.trust import Trust

PASSWORD = "Tr0ub4dor-and-3"
SCANS = frozenset({"violations", "orphans"})
LOAD = frozenset({"slow_now", "slow_statements", "mean_query_time"})
CATALOGUE = KIND.metric_names - SCANS - LOAD


@dataclass(frozen=True, kw_only=True)
class Place:
    """A running server, and ways into it."""

    port: int
    password: str
    authority: trustme.CA | None = None
    folder: Path | None = None  # of its data and its socket

    def dsn(self, user="probekit", database="shop", password=PASSWORD, host=LOOPBACK, **more):
        password = self.password if user == "postgres" else password
        options = {"sslmode": "disable", **more}  # one handshake less, where TLS is not the point
        tail = "&".join(f"{name}={value}" for name, value in options.items() if value is not None)
        return f"postgresql://{user}:{password}@{host}:{self.port}/{database}?{tail}"

    def run(self, *statements, user="postgres", database="shop"):
        with psycopg.connect(self.dsn(user, database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextlib.asynccontextmanager
    async def session(self, *statements, user="app", autocommit=False, **more):
        """Somebody's session that stays open, his statements done."""
        connection = await psycopg.AsyncConnection.connect(
            self.dsn(user), autocommit=autocommit, application_name="shop", **more
        )
        async with connection:
            for statement in statements:
                await connection.execute(statement)
            yield connection
            await connection.rollback()


def started(launcher, *options, certificate=None, prepare=lambda _folder: None):
    """A new cluster with these options; its port and the cluster."""
    cluster = postgres_files.create(launcher, certificate=certificate)
    prepare(cluster.folder)
    return running(launcher, cluster, *options), cluster


def running(launcher, cluster, *options):
    """The port of a server of this cluster."""
    port = free_port()
    server = launcher.start(
        f"postgres-{port}",
        [
            *(cluster.bin / "postgres", "-D", cluster.folder, "-c", f"listen_addresses={LOOPBACK}"),
            *("-c", f"port={port}", "-c", "unix_socket_directories=.", "-c", "fsync=off"),
            *cluster.options,
            *(word for option in options for word in ("-c", option)),
        ],
        folder=cluster.folder,
        owner=cluster.owner,
        farewell=signal.SIGQUIT,  # at once: there is nothing to keep
    )

    def answers():
        with contextlib.suppress(psycopg.OperationalError):
            dsn = f"host={LOOPBACK} port={port} user=postgres password={cluster.password} sslmode=disable"
            psycopg.connect(dsn, connect_timeout=2).close()
            return True
        return False

    launcher.wait_ready(server, answers)
    return port


def context_of(dsn, wanted, *, timeout=3.0, trust=None, look_up=lambda _endpoint: (LOOPBACK,), **more):
    http = Http(run="test", resolver=Resolver(look_up=look_up), trust=trust or Trust())
    return Context(
        base_url="https://app.test",
        timeout=timeout,
        http=http.probe_client(timeout=timeout),
        reveal=lambda _secret: dsn,
        now=lambda: datetime.now(UTC),
        wanted=frozenset(wanted),
        **more,
    )


async def read(dsn, *wanted, timeout=3.0, address=None, trust=None, look_up=lambda _endpoint: (LOOPBACK,), **settings):
    """One measurement, in which no secret may be told."""
    config = PostgresProbe(kind="postgres", dsn={"env": "DATABASE_URL"}, **settings)
    context = context_of(dsn, wanted or CATALOGUE, timeout=timeout, address=address, trust=trust, look_up=look_up)
    readings = await KIND.measure(config, context)
    told = f"{readings.notes} {readings.values}"
    assert PASSWORD not in told
    assert "ana@example.test" not in told
    return readings


def numbers(readings):
    return {
        name: float(value.value)
        for name, value in readings.values.items()
        if isinstance(value, Exact) and name not in ("connect", "round_trip")
    }


def reasons(readings):
    return {name: value.reason for name, value in readings.values.items() if isinstance(value, Failure)}
