"""Real servers on loopback for demo and tests: PostgreSQL, Valkey and nginx, each startable alone."""

import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString, TypeVar

import psycopg
from psycopg import sql

from probekit.demo import binaries, postgres_files
from probekit.demo.errors import DemoError
from probekit.demo.launcher import Launcher, Server
from probekit.demo.ports import LOOPBACK, free_port, require_free
from probekit.demo.postgres_files import SUPERUSER, Cluster

PROBE_USER = "probekit"
_PROBE_ROLE: tuple[
    LiteralString, ...
] = (  # the least that the probes need; what they may read of tables is granted there
    "create role probekit login connection limit 5 password {password}",
    "grant pg_monitor to probekit",
    "alter role probekit set default_transaction_read_only = on",
    "alter role probekit set statement_timeout = '5s'",
    "alter role probekit set lock_timeout = '200ms'",
    "alter role probekit set row_security = off",
)
_PROBE_RIGHTS = (
    "resetkeys ~probekit:* resetchannels -@all +ping +info +hello +select +client|setname +set +incr +del +ttl"
)
_LOOK = 0.5  # seconds for one attempt to connect while a server starts
_IN_USE = "in use"  # PostgreSQL, Valkey and nginx all say so


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running PostgreSQL and how to reach it as its superuser."""

    server: Server
    port: int
    cluster: Cluster

    @property
    def dsn(self) -> str:
        """The superuser's way in."""
        return self.dsn_of("postgres", SUPERUSER, self.cluster.password)

    def dsn_of(self, database: str, user: str, password: str) -> str:
        """A user's way into a database, with the TLS mode said: PGSSLMODE may be set to what this build cannot do."""
        mode = "require" if self.cluster.has_tls else "disable"
        return f"postgresql://{user}:{password}@{LOOPBACK}:{self.port}/{database}?sslmode={mode}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database and the two that may use it."""

    owner_dsn: str = field(repr=False)
    superuser_dsn: str = field(repr=False)
    probe_dsn: str = field(repr=False)  # of a role that reads statistics, and what it is granted beside


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    """A running Valkey (or Redis) and how to reach it."""

    server: Server
    port: int
    url: str = field(repr=False)
    probe_url: str = field(repr=False)  # of a user that may ask how it is, and write below probekit:


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """A running nginx and the port that stands for @port@ in its configuration."""

    server: Server
    port: int


_Running = TypeVar("_Running", Postgres, Valkey, Nginx)


def start_postgres(launcher: Launcher, *, port: int | None = None, certificate: Path | None = None) -> Postgres:
    """Make a new cluster and start it; with a certificate it speaks TLS where the build can."""
    cluster = postgres_files.create(launcher, certificate=certificate)

    def start(port: int) -> Postgres:
        server = launcher.start(
            "postgres",
            [
                *(cluster.bin / "postgres", "-D", cluster.folder),
                *("-c", f"listen_addresses={LOOPBACK}", "-c", f"port={port}", "-c", "unix_socket_directories="),
                *("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"),
                *cluster.options,
            ],
            folder=cluster.folder,
            owner=cluster.owner,
            farewell=signal.SIGQUIT,  # at once: there is nothing to keep
        )
        postgres = Postgres(server=server, port=port, cluster=cluster)
        launcher.wait_ready(server, lambda: _postgres_answers(postgres.dsn))
        return postgres

    return _on_a_port(start, port, "PostgreSQL")


def create_database(postgres: Postgres, name: str) -> Database:
    """A database in the running PostgreSQL, owned by a role of the same name that may do nothing else."""
    password, probe_password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    role = sql.Identifier(name)
    superuser_dsn = postgres.dsn_of(name, SUPERUSER, postgres.cluster.password)
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login password {}").format(role, sql.Literal(password)))
        connection.execute(sql.SQL("create database {} owner {}").format(role, role))
        for statement in _PROBE_ROLE:
            connection.execute(sql.SQL(statement).format(password=sql.Literal(probe_password)))
    if postgres.cluster.has_statements:
        with psycopg.connect(superuser_dsn, autocommit=True) as connection:
            connection.execute("create extension pg_stat_statements")
    return Database(
        owner_dsn=postgres.dsn_of(name, name, password),
        superuser_dsn=superuser_dsn,
        probe_dsn=postgres.dsn_of(name, PROBE_USER, probe_password),
    )


def start_valkey(launcher: Launcher, *, port: int | None = None) -> Valkey:
    """Start a Valkey that keeps its data in memory only and wants a password."""
    program = binaries.find(binaries.VALKEY)
    folder = launcher.make_folder("probekit-valkey-")
    password, probe_password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)

    def start(port: int) -> Valkey:
        configuration = folder / "valkey.conf"
        configuration.touch(mode=0o600)  # the password would be readable for all on the command line
        configuration.write_text(
            f"bind {LOOPBACK}\nport {port}\nrequirepass {password}\ndir {folder}\n"
            f"user {PROBE_USER} on >{probe_password} {_PROBE_RIGHTS}\n"
            'save ""\nappendonly no\ndaemonize no\nmaxmemory 64mb\nmaxmemory-policy allkeys-lru\n'
        )
        server = launcher.start("valkey", [program, configuration])
        launcher.wait_ready(server, lambda: _valkey_answers(port, password))
        return Valkey(
            server=server,
            port=port,
            url=f"redis://:{password}@{LOOPBACK}:{port}/0",
            probe_url=f"redis://{PROBE_USER}:{probe_password}@{LOOPBACK}:{port}/0",
        )

    return _on_a_port(start, port, "Valkey")


def start_nginx(launcher: Launcher, http: str, *, port: int | None = None, stream: str | None = None) -> Nginx:
    """Start an nginx whose `http` (and `stream`) block holds this text, in which @port@ is its port."""
    program = binaries.find(binaries.NGINX)
    folder = launcher.make_folder("probekit-nginx-")

    def start(port: int) -> Nginx:
        text = _nginx_configuration(http, stream).replace("@port@", str(port))
        (folder / "nginx.conf").write_text(text)
        server = launcher.start(
            "nginx", [program, "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"], folder=folder
        )
        launcher.wait_ready(server, lambda: _accepts(port))
        return Nginx(server=server, port=port)

    return _on_a_port(start, port, "nginx")


def _nginx_configuration(http: str, stream: str | None) -> str:
    temporary = "".join(f"{what}_temp_path {what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return (
        "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr;\nevents {}\n"
        + ("user root;\n" if os.geteuid() == 0 else "")  # another user could not enter the folder
        + f"http {{\naccess_log off;\n{temporary}{http}\n}}\n"
        + (f"stream {{\n{stream}\n}}\n" if stream is not None else "")
    )


def _on_a_port(start: Callable[[int], _Running], fixed: int | None, purpose: str) -> _Running:
    """Start on the fixed port, or on a free one; another one is tried once if somebody was faster."""
    if fixed is not None:
        require_free(fixed, purpose)
        return start(fixed)
    try:
        return start(free_port())
    except DemoError as error:
        if _IN_USE not in str(error):
            raise
        return start(free_port())


def _postgres_answers(dsn: str) -> bool:
    try:
        with psycopg.connect(dsn, connect_timeout=2):
            return True
    except psycopg.OperationalError:  # refused, or "the database system is starting up"
        return False


def _valkey_answers(port: int, password: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=_LOOK) as connection:
        connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
        with connection.makefile("rb") as answer:
            return (answer.readline(), answer.readline()) == (b"+OK\r\n", b"+PONG\r\n")
    return False


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=_LOOK):
        return True
    return False
