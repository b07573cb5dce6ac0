"""How is a session opened, bounded and asked?"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from time import perf_counter
from typing import Any, Final, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row

from probekit.probe import Context, Endpoint, ProbeFailedError, Reason
from probekit.probes.postgres.client_certificate import ClientCertificate, client_certificate
from probekit.probes.postgres.refusals import ReadingError, RefusedError, of_reading, of_session
from probekit.probes.postgres.settings import PostgresProbe
from probekit.redaction import Redactor

NAME: Final = "probekit"  # the marks in queries/*.sql say it too
_LONGEST_CONNECT: Final = 5.0
_GRACE: Final = 0.5  # seconds that the server's own time limit has to reach us
_PORT: Final = 5432

Row = Mapping[str, Any]
_Result = TypeVar("_Result")


def text_of(name: str) -> sql.SQL:
    """A query of ours, by its file's name."""
    return code(_read(name))


@cache
def _read(name: str) -> str:
    return files("probekit.probes.postgres").joinpath("queries", f"{name}.sql").read_text("utf-8")


def code(text: str) -> sql.SQL:
    """SQL that a file of ours or the configuration holds; identifiers and values are composed, never put in."""
    return sql.SQL(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a DSN leads; never shown."""

    parameters: dict[str, Any] = field(repr=False)
    where: str
    certificate: ClientCertificate


@dataclass(kw_only=True)
class Session:
    """An open session, in which each reading is a read-only transaction of its own."""

    connection: psycopg.AsyncConnection[DictRow]
    where: str
    connect: float  # seconds
    round_trip: float  # seconds
    statement: float  # seconds that one reading may take
    lock: float  # seconds that one reading may wait for a lock
    until: float | None = None  # on perf_counter's clock: no reading goes on beyond it
    server: Row = field(default_factory=dict)  # who answers: queries/visibility.sql
    target: Target = field(repr=False)

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS protects it."""
        return self.connection.pgconn.ssl_in_use

    async def rows(self, query: sql.Composable) -> Sequence[Row]:
        """What a query finds.

        Raises:
            ReadingError: it was not permitted, took too long or broke off; the session may be asked again.
        """
        seconds = self.statement if self.until is None else min(self.statement, self.until - perf_counter())
        if seconds <= 0:
            raise ReadingError(Reason.TIMEOUT, "the measurement's time is used up")
        whole = sql.SQL("{}{}\n; ROLLBACK").format(self._beginning(seconds), query)
        try:
            return await bounded(self.connection, self._answer(whole), seconds + _GRACE)
        except (psycopg.Error, UnicodeDecodeError) as error:
            await self._recover()
            raise of_reading(error) from None  # the error's connection shows its password
        except TimeoutError as error:
            raise ReadingError(Reason.TIMEOUT, f"no answer within {seconds + _GRACE:g} s") from error

    def _beginning(self, seconds: float) -> sql.Composed:
        """In the same message as the query: through a pooler a later one may reach another session."""
        settings = {
            "statement_timeout": f"{max(seconds * 1000, 1):.0f}ms",
            "lock_timeout": f"{max(self.lock * 1000, 1):.0f}ms",
            "idle_in_transaction_session_timeout": "10s",
            "row_security": "off",
        }
        calls = [sql.SQL("pg_catalog.set_config({}, {}, true)").format(name, value) for name, value in settings.items()]
        return sql.SQL("BEGIN READ ONLY; SELECT /* probekit */ {};\n").format(sql.SQL(", ").join(calls))

    async def _answer(self, whole: sql.Composed) -> Sequence[Row]:
        cursor = await self.connection.execute(whole)
        for _ in ("the beginning", "the settings"):
            cursor.nextset()
        return await cursor.fetchall()

    async def pools(self) -> Sequence[Row]:
        """What PgBouncer says of its pools of this database, by a second connection.

        Raises:
            ReadingError: there is no such console, or it is not open to the role.
        """
        console = replace(self.target, parameters=self.target.parameters | {"dbname": "pgbouncer"})
        try:
            connection, _ = await _connect(console, self.statement)
            async with connection:
                cursor = await bounded(connection, connection.execute("SHOW POOLS"), self.statement)
                rows = await cursor.fetchall()
        except (RefusedError, psycopg.Error, TimeoutError) as error:
            why = error.detail if isinstance(error, RefusedError) else type(error).__name__
            raise ReadingError(
                Reason.NOT_PERMITTED, f"the pooler's queue cannot be read (stats_users): {why}"
            ) from None
        return [row for row in rows if row.get("database") == self.connection.info.dbname]

    async def _recover(self) -> None:
        """Leave a failed transaction; a session that is gone stays gone."""
        if self.connection.info.transaction_status is not psycopg.pq.TransactionStatus.INERROR:
            return
        with contextlib.suppress(psycopg.Error, TimeoutError):
            await bounded(self.connection, self.connection.execute("ROLLBACK"), self.statement + _GRACE)


@contextlib.asynccontextmanager
async def opened(
    config: PostgresProbe, context: Context, *, statement: float, until: float | None = None
) -> AsyncGenerator[Session, None]:
    """A session in which the server has answered and said who it is.

    Raises:
        RefusedError: there is none.
        ProbeFailedError: the DSN is missing, is none, or its host does not resolve.
    """
    target = await _target(config, context)
    connection, seconds = await _connect(target, context.timeout)
    async with connection:
        start = perf_counter()
        try:
            await bounded(connection, connection.execute("SELECT /* probekit */ 1"), statement + _GRACE)
        except (psycopg.Error, TimeoutError) as error:  # a pooler that reaches no server says so here
            raise _refused(error, target, statement) from None
        session = Session(
            connection=connection,
            where=target.where,
            connect=seconds,
            round_trip=perf_counter() - start,
            statement=statement,
            lock=config.lock_timeout,
            until=until,
            target=target,
        )
        try:
            session.server = (await session.rows(text_of("visibility")))[0]
        except ProbeFailedError as error:
            raise RefusedError(error.reason, f"it does not say who it is: {error.detail}", {"up": 1.0}) from error
        yield session


async def _target(config: PostgresProbe, context: Context) -> Target:
    try:
        parameters: dict[str, Any] = dict(conninfo_to_dict(context.reveal(config.dsn)))
    except psycopg.ProgrammingError:
        detail = f"{config.dsn} holds no DSN; write postgresql://USER:PASSWORD@HOST/DATABASE"
        raise ProbeFailedError(Reason.MISSING_SECRET, detail) from None  # its text quotes the DSN
    trust = context.http.http.trust
    certificate = client_certificate(parameters, trust)
    parameters |= certificate.parameters
    ca = trust.ca
    if ca and "sslrootcert" not in parameters and str(parameters.get("sslmode")).startswith("verify-"):
        parameters["sslrootcert"] = str(ca)
    host = str(parameters.get("host") or "")
    port = str(parameters.get("port") or _PORT)
    where = f"PostgreSQL at {Endpoint(host, int(port)) if host and port.isdigit() else host or 'its default place'}"
    if not host or "," in host or host.startswith(("/", "@")) or parameters.get("hostaddr") or not port.isdigit():
        return Target(parameters=parameters, where=where, certificate=certificate)  # libpq's own affair
    endpoint = Endpoint(host, int(port))
    if context.address is not None:
        found: tuple[str, ...] = (context.address.ip,)
    else:
        try:
            async with asyncio.timeout(context.timeout):
                resolved = await context.http.resolve(endpoint)
        except TimeoutError as error:
            raise ProbeFailedError(Reason.UNRESOLVED, f"no address for {host} within {context.timeout:g} s") from error
        found = tuple(address.ip for address in resolved.addresses)
    parameters |= {"host": ",".join([host] * len(found)), "hostaddr": ",".join(found)}
    return Target(parameters=parameters, where=where, certificate=certificate)


async def _connect(target: Target, patience: float) -> tuple[psycopg.AsyncConnection[DictRow], float]:
    """A session and the seconds it took.

    A certificate of connect.client_cert that the server does not accept is an error: libpq would go on without TLS
    (sslmode=prefer), and the session would not be encrypted because of it.
    """
    if target.certificate.may_cost_tls:
        try:
            return await _connect_once(replace(target, parameters=target.parameters | {"sslmode": "require"}), patience)
        except RefusedError as refused:
            if refused.reason not in (Reason.UNTRUSTED, Reason.REFUSED_CREDENTIALS):  # no TLS there, or none for us
                raise
    return await _connect_once(target, patience)


async def _connect_once(target: Target, patience: float) -> tuple[psycopg.AsyncConnection[DictRow], float]:
    """A session and the seconds it took; every address once, as libpq does, and nothing again."""
    seconds, start = min(patience, _LONGEST_CONNECT), perf_counter()
    addresses = str(target.parameters.get("hostaddr") or "").count(",") + 1
    ours = {
        "client_encoding": "utf8",  # of a SQL_ASCII database psycopg gives bytes otherwise
        "application_name": NAME,
        "connect_timeout": max(2, int(seconds / addresses)),  # one that is silent leaves time for the next
    }
    try:
        async with asyncio.timeout(seconds):
            connection = await psycopg.AsyncConnection.connect(
                autocommit=True,
                prepare_threshold=None,  # a transaction pooler would answer 42P05
                row_factory=dict_row,
                **(target.parameters | ours),
            )
    except (psycopg.Error, TimeoutError) as error:
        raise _refused(error, target, seconds) from None  # its repr holds the password
    return connection, perf_counter() - start


def _refused(error: psycopg.Error | TimeoutError, target: Target, seconds: float) -> RefusedError:
    """Why there is no session, without the password, which a server that asks for it in clear could send back."""
    refused = of_session(error, target.where, seconds, target.certificate)
    redactor = Redactor()
    redactor.learn(str(target.parameters.get("password") or ""))
    return RefusedError(refused.reason, redactor.clean(refused.detail), refused.facts)


async def bounded(
    connection: psycopg.AsyncConnection[DictRow], work: Coroutine[Any, Any, _Result], seconds: float
) -> _Result:
    """The work's result; whoever is not done in time, or not wanted any more, loses the connection.

    psycopg asks the server to cancel instead, and waits for its consent: a silent one would hold us.

    Raises:
        TimeoutError: the time was over.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        is_late = not task.done()
    finally:
        if not task.done():
            _hang_up(connection)
            await asyncio.wait({task})
            task.exception()  # which tells of the lost connection
    if is_late:
        raise TimeoutError
    return task.result()


def _hang_up(connection: psycopg.AsyncConnection[DictRow]) -> None:
    """End the socket under libpq, which then notices by itself."""
    with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
