"""Real servers on loopback for demo and tests: PostgreSQL, Valkey and nginx."""

import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import LiteralString, TypeVar
from urllib.parse import quote

import psycopg
from psycopg import sql

from probekit.demo import binaries, postgres_files
from probekit.demo.errors import DemoError
from probekit.demo.launcher import Launcher, Server
from probekit.demo.ports import LOOPBACK, free_port, require_free
from probekit.demo.postgres_files import SUPERUSER, Cluster

PROBE_USER = "probekit"
# the minimum for probes; read access to columns is granted with the tables
_PROBE_ROLE: tuple[LiteralString, ...] = (
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
_CHECK = 0.5  # seconds of one attempt to connect while a server starts
_IN_USE = "in use"  # part of the messages of PostgreSQL, Valkey and nginx


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running PostgreSQL and its superuser's DSN."""

    server: Server
    port: int
    cluster: Cluster

    @property
    def dsn(self) -> str:
        """The superuser's DSN."""
        return self.dsn_of("postgres", SUPERUSER, self.cluster.password)

    def dsn_of(self, database: str, user: str, password: str, *, authority: Path | None = None) -> str:
        """A user's DSN of a database; with an authority, the server's certificate is verified.

        The TLS mode is always set, because PGSSLMODE may have a value that this build does not support.
        """
        dsn = f"postgresql://{user}:{password}@{LOOPBACK}:{self.port}/{database}"
        if not self.cluster.has_tls:
            return f"{dsn}?sslmode=disable"
        if authority is None:
            return f"{dsn}?sslmode=require"
        return f"{dsn}?sslmode=verify-full&sslrootcert={quote(str(authority), safe='/')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database and the DSNs of its three users."""

    owner_dsn: str = field(repr=False)
    superuser_dsn: str = field(repr=False)
    probe_dsn: str = field(repr=False)  # of a role that reads statistics and granted columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    """A running Valkey (or Redis) and its URLs."""

    server: Server
    port: int
    program: Path
    configuration: Path
    password: str = field(repr=False)
    url: str = field(repr=False)
    probe_url: str = field(repr=False)  # of a user that may read its state, and write below probekit:


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """A running nginx and the port that replaces @port@ in its configuration."""

    server: Server
    port: int


_Running = TypeVar("_Running", Postgres, Valkey, Nginx)


def start_postgres(launcher: Launcher, *, port: int | None = None, certificate: Path | None = None) -> Postgres:
    """Create a cluster and start it; with a certificate it uses TLS where the build supports it."""
    cluster = postgres_files.create(launcher, certificate=certificate)

    return _on_a_port(lambda port: _run_postgres(launcher, cluster, port), port, "PostgreSQL")


def stop_postgres(launcher: Launcher, postgres: Postgres) -> None:
    """Stop it after it has saved its data."""
    launcher.stop(postgres.server, farewell=signal.SIGINT)  # its "fast" shutdown


def restart_postgres(launcher: Launcher, postgres: Postgres) -> Postgres:
    """Start a stopped one again, on its port and with its data."""
    return _run_postgres(launcher, postgres.cluster, postgres.port)


def run_as_standby(launcher: Launcher, postgres: Postgres) -> Postgres:
    """Start a stopped one as a standby without a primary: read-only until it is promoted."""
    postgres_files.mark_as_standby(postgres.cluster)
    return _run_postgres(launcher, postgres.cluster, postgres.port)


def promote(postgres: Postgres) -> None:
    """Promote a standby, so that it accepts writes."""
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute("select pg_promote(wait => true, wait_seconds => 30)")


def _run_postgres(launcher: Launcher, cluster: Cluster, port: int) -> Postgres:
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
        farewell=signal.SIGQUIT,  # immediate: there is no data to save
    )
    postgres = Postgres(server=server, port=port, cluster=cluster)
    launcher.wait_ready(server, lambda: _postgres_answers(postgres.dsn))
    return postgres


def create_database(postgres: Postgres, name: str, *, authority: Path | None = None) -> Database:
    """Create a database, owned by a role of the same name without further rights, and a role for probes.

    With an authority, the DSN for probes verifies the server's certificate.
    """
    password, probe_password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    role = sql.Identifier(name)
    superuser_dsn = postgres.dsn_of(name, SUPERUSER, postgres.cluster.password)
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login password {}").format(role, sql.Literal(password)))
        connection.execute(sql.SQL("create database {} owner {}").format(role, role))
        connection.execute(sql.SQL("revoke temporary on database {} from public").format(role))
        for statement in _PROBE_ROLE:
            connection.execute(sql.SQL(statement).format(password=sql.Literal(probe_password)))
    if postgres.cluster.has_statements:
        with psycopg.connect(superuser_dsn, autocommit=True) as connection:
            connection.execute("create extension pg_stat_statements")
    return Database(
        owner_dsn=postgres.dsn_of(name, name, password),
        superuser_dsn=superuser_dsn,
        probe_dsn=postgres.dsn_of(name, PROBE_USER, probe_password, authority=authority),
    )


def start_valkey(launcher: Launcher, *, port: int | None = None) -> Valkey:
    """Start a Valkey that keeps its data in memory only and requires a password."""
    program = binaries.find(binaries.VALKEY)
    folder = launcher.make_folder("probekit-valkey-")
    configuration = folder / "valkey.conf"
    password, probe_password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)

    def start(port: int) -> Valkey:
        configuration.touch(mode=0o600)  # all users could read a password on the command line
        configuration.write_text(
            f"bind {LOOPBACK}\nport {port}\nrequirepass {password}\ndir {folder}\n"
            f"user {PROBE_USER} on >{probe_password} {_PROBE_RIGHTS}\n"
            'save ""\nappendonly no\ndaemonize no\nmaxmemory 64mb\nmaxmemory-policy allkeys-lru\n'
        )
        return Valkey(
            server=_run_valkey(launcher, program, configuration, port, password),
            port=port,
            program=program,
            configuration=configuration,
            password=password,
            url=f"redis://:{password}@{LOOPBACK}:{port}/0",
            probe_url=f"redis://{PROBE_USER}:{probe_password}@{LOOPBACK}:{port}/0",
        )

    return _on_a_port(start, port, "Valkey")


def restart_valkey(launcher: Launcher, valkey: Valkey) -> Valkey:
    """Start a stopped one again, on its port and without its data."""
    server = _run_valkey(launcher, valkey.program, valkey.configuration, valkey.port, valkey.password)
    return replace(valkey, server=server)


def _run_valkey(launcher: Launcher, program: Path, configuration: Path, port: int, password: str) -> Server:
    server = launcher.start("valkey", [program, configuration])
    launcher.wait_ready(server, lambda: _valkey_answers(port, password))
    return server


def start_nginx(launcher: Launcher, http: str, *, port: int | None = None, stream: str | None = None) -> Nginx:
    """Start an nginx with this text in its `http` (and `stream`) block; @port@ is replaced by its port."""
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
        + ("user root;\n" if os.geteuid() == 0 else "")  # another user has no access to the folder
        + f"http {{\naccess_log off;\n{temporary}{http}\n}}\n"
        + (f"stream {{\n{stream}\n}}\n" if stream is not None else "")
    )


def _on_a_port(start: Callable[[int], _Running], fixed: int | None, purpose: str) -> _Running:
    """Start on the fixed port or on a free one; retry once where another process took the free one."""
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
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=_CHECK) as connection:
        connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
        with connection.makefile("rb") as answer:
            return (answer.readline(), answer.readline()) == (b"+OK\r\n", b"+PONG\r\n")
    return False


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=_CHECK):
        return True
    return False
