"""Open a session, bound its time, and run its queries."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Final

import psycopg
from psycopg import sql

from probekit.probe import Context, ProbeFailedError, Reason
from probekit.probes.postgres.connection import Connection, bounded, connect, refusal
from probekit.probes.postgres.refusals import ReadingError, RefusedError, of_reading
from probekit.probes.postgres.settings import PostgresProbe
from probekit.probes.postgres.sql_files import text_of
from probekit.probes.postgres.target import Target, target_of

_GRACE: Final = 0.5  # seconds for the server's own time limit to arrive

Row = Mapping[str, Any]


@dataclass(kw_only=True)
class Session:
    """An open session; each reading is a separate read-only transaction."""

    connection: Connection
    where: str
    connect: float  # seconds
    round_trip: float  # seconds
    statement: float  # seconds that one reading may take
    lock: float  # seconds that one reading may wait for a lock
    until: float | None = None  # end of all readings, on perf_counter's clock
    server: Row = field(default_factory=dict)  # the server that answers: queries/visibility.sql
    target: Target = field(repr=False)

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS protects the session, or it stays on this machine: libpq uses no TLS on a Unix socket."""
        return self.connection.pgconn.ssl_in_use or self.is_local

    @property
    def is_local(self) -> bool:
        """Whether the session uses a Unix socket."""
        return self.connection.info.host.startswith(("/", "@"))

    async def rows(self, query: sql.Composable) -> Sequence[Row]:
        """Return the rows of a query.

        Raises:
            ReadingError: it was not permitted, took too long or was cut off; the session may be used again.
        """
        seconds = self.statement if self.until is None else min(self.statement, self.until - perf_counter())
        if seconds <= 0:
            raise ReadingError(Reason.TIMEOUT, "the time limit of the measurement is used up")
        whole = sql.SQL("{}{}\n; ROLLBACK").format(self._beginning(seconds), query)
        try:
            return await bounded(self.connection, self._answer(whole), seconds + _GRACE)
        except (psycopg.Error, UnicodeDecodeError) as error:
            await self._recover()
            raise of_reading(error) from None  # the error's connection holds the password
        except TimeoutError as error:
            raise ReadingError(Reason.TIMEOUT, f"no response within {seconds + _GRACE:g} s") from error

    def _beginning(self, seconds: float) -> sql.Composed:
        """Return the settings, for the query's own message: a pooler may send a later one to another session."""
        settings = {
            "statement_timeout": f"{max(seconds * 1000, 1):.0f}ms",
            "lock_timeout": f"{max(self.lock * 1000, 1):.0f}ms",
            "idle_in_transaction_session_timeout": "10s",
            "row_security": "off",
        }
        if self.target.search_path:
            settings["search_path"] = self.target.search_path
        calls = [sql.SQL("pg_catalog.set_config({}, {}, true)").format(name, value) for name, value in settings.items()]
        return sql.SQL("BEGIN READ ONLY; SELECT /* probekit */ {};\n").format(sql.SQL(", ").join(calls))

    async def _answer(self, whole: sql.Composed) -> Sequence[Row]:
        cursor = await self.connection.execute(whole)
        for _ in ("the beginning", "the settings"):
            cursor.nextset()
        return await cursor.fetchall()

    async def pools(self) -> Sequence[Row]:
        """Return PgBouncer's pools of this database, over a second connection.

        Raises:
            ReadingError: there is no console, or the role has no access to it.
        """
        console = replace(self.target, parameters=self.target.parameters | {"dbname": "pgbouncer"})
        try:
            connection, _ = await connect(console, self.statement)
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
        """Leave a failed transaction, where the session still exists."""
        if self.connection.info.transaction_status is not psycopg.pq.TransactionStatus.INERROR:
            return
        with contextlib.suppress(psycopg.Error, TimeoutError):
            await bounded(self.connection, self.connection.execute("ROLLBACK"), self.statement + _GRACE)


@contextlib.asynccontextmanager
async def opened(
    config: PostgresProbe, context: Context, *, statement: float, until: float | None = None
) -> AsyncGenerator[Session, None]:
    """Open a session in which the server has answered and identified itself.

    Raises:
        RefusedError: no session was opened.
        ProbeFailedError: the DSN is missing or invalid, or its host does not resolve.
    """
    target = await target_of(config, context)
    connection, seconds = await connect(target, context.timeout)
    async with connection:
        start = perf_counter()
        try:
            await bounded(connection, connection.execute("SELECT /* probekit */ 1"), statement + _GRACE)
        except (psycopg.Error, TimeoutError) as error:  # a pooler without a server fails here
            raise refusal(error, target, statement) from None
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
            raise RefusedError(
                error.reason, f"the server does not identify itself: {error.detail}", {"up": 1.0}
            ) from error
        yield session
