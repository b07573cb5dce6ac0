"""Does PostgreSQL answer, and do its catalogue, its rows and its statements hold what they promise?

Every reading is one read-only transaction that brings its own time limits, so that a transaction pooler may stand in
between; row security is off in it, so that hidden rows are an error and no silence.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from probekit.probe import Context, Kind, Metric, Readings
from probekit.probes.postgres.settings import PostgresProbe


async def measure(config: PostgresProbe, context: Context) -> Readings:
    """One session: the catalogue of `database`, the scans of `database-integrity`, whatever of them is wanted."""
    from probekit.probes.postgres import session_readings  # noqa: PLC0415  # psycopg takes 0.2 s to import

    return await session_readings.read(config, context)


async def sample(config: PostgresProbe, context: Context) -> AsyncGenerator[Readings, None]:
    """What is slow at the end of each block, and the statements' times over the whole window."""
    from probekit.probes.postgres import load  # noqa: PLC0415  # psycopg takes 0.2 s to import

    async with aclosing(load.blocks(config, context)) as blocks:
        async for readings in blocks:
            yield readings


_PRIVILEGES = """\
CREATE ROLE probekit LOGIN CONNECTION LIMIT 5 PASSWORD '...';
GRANT pg_monitor TO probekit;                   -- inherited: without it others' sessions are not seen
GRANT pg_use_reserved_connections TO probekit;  -- from PostgreSQL 16, with reserved_connections > 0
ALTER ROLE probekit SET default_transaction_read_only = on;
GRANT USAGE ON SCHEMA public TO probekit;
GRANT SELECT (id) ON users TO probekit;         -- orphans: the key columns alone
GRANT SELECT (user_id) ON orders TO probekit;
"""

KIND = Kind(
    config=PostgresProbe,
    fills=("database", "database-integrity", "database-load"),
    layer="database",
    default_limits=lambda _: ("up == 1", "expected_role == 1"),
    metrics=(
        Metric(
            name="up",
            unit="",
            high=1,
            role="reached",
            help="1: it opened a session and answered; 0: it refused, kept silent or was full",
        ),
        Metric(name="connect", unit="ms", help="opening the session: name, TCP, TLS and password", timed=True),
        Metric(name="round_trip", unit="ms", help="SELECT 1 on the open session", timed=True),
        Metric(
            name="expected_database",
            unit="",
            high=1,
            help="1: the session is in the declared database, as the declared user",
        ),
        Metric(
            name="expected_role",
            unit="",
            high=1,
            help="1: a primary that takes writes (no read-only default of database or owner), or, declared, a replica"
            " that receives and applies them",
        ),
        Metric(
            name="encrypted",
            unit="",
            high=1,
            help="1: the session is encrypted, as far as the server or pooler that answers, or uses a Unix socket",
        ),
        Metric(name="invalid_indexes", unit="", help="indexes that are not valid and not being built"),
        Metric(
            name="harmful_invalid_indexes",
            unit="",
            help="those that every write maintains in vain, or that were to keep rows unique",
        ),
        Metric(
            name="unenforced_constraints", unit="", help="constraints not validated, foreign keys with triggers off"
        ),
        Metric(
            name="blocked_sessions",
            unit="",
            help="sessions that wait for a lock longer than declared, in two measurements",
        ),
        Metric(
            name="idle_transactions", unit="", help="transactions that wrote and then lie idle longer than declared"
        ),
        Metric(name="prepared_transactions", unit="", help="prepared transactions older than declared"),
        Metric(
            name="connections_used",
            unit="%",
            high=100,
            help="the fullest of server (less reserved slots), database and the roles in it; 100 when none is left",
        ),
        Metric(name="violations", unit="", help="what the declared invariants count together"),
        Metric(name="orphans", unit="", help="rows without their parent, at most 1,000 of each relation"),
        Metric(
            name="slow_now",
            unit="",
            help="statements running longer than declared at the end of a block, at most",
            in_window=True,
        ),
        Metric(
            name="slow_statements",
            unit="",
            help="statements whose mean in the window is as long as declared",
            in_window=True,
        ),
        Metric(name="mean_query_time", unit="ms", help="the mean of all calls in the window", in_window=True),
    ),
    measure=measure,
    is_http=False,
    sample=sample,
    in_flight=1,
    example="""\
kind = "postgres"
dsn = { env = "DATABASE_URL" }  # postgresql://probekit:PASSWORD@db.example.com/shop?sslmode=verify-full
# for database-integrity:
orphans = [{ child = "orders.user_id", parent = "users.id" }]
invariants = { "no order is for less than nothing" = "SELECT count(*) FROM orders WHERE total < 0" }
""",
    privileges=_PRIVILEGES,
    safety="it only reads, in read-only transactions with time limits",
)
