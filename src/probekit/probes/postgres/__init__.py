"""Measure PostgreSQL: its sessions, its catalogue, its rows and its statements.

Every reading is one read-only transaction that sets its own time limits, so that it also works through a transaction
pooler. Row security is off in it, so that hidden rows are an error instead of a lower count.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from probekit.probe import Context, Kind, Metric, Readings
from probekit.probes.postgres.settings import PostgresProbe


async def measure(config: PostgresProbe, context: Context) -> Readings:
    """Read in one session what is wanted of `database` (catalogue) and `database-integrity` (scans)."""
    from probekit.probes.postgres import session_readings  # noqa: PLC0415  # psycopg takes 0.2 s to import

    return await session_readings.read(config, context)


async def sample(config: PostgresProbe, context: Context) -> AsyncGenerator[Readings, None]:
    """Yield the slow statements at the end of each block, then the statements' times over the whole window."""
    from probekit.probes.postgres import load  # noqa: PLC0415  # psycopg takes 0.2 s to import

    async with aclosing(load.blocks(config, context)) as blocks:
        async for readings in blocks:
            yield readings


_PRIVILEGES = """\
CREATE ROLE probekit LOGIN CONNECTION LIMIT 5 PASSWORD '...';
GRANT pg_monitor TO probekit;                   -- inherited; other roles' sessions are hidden without it
GRANT pg_use_reserved_connections TO probekit;  -- from PostgreSQL 16, with reserved_connections > 0
ALTER ROLE probekit SET default_transaction_read_only = on;
GRANT USAGE ON SCHEMA public TO probekit;
GRANT SELECT (id) ON users TO probekit;         -- for orphans: only the key columns
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
            help="1: a session was opened and answered; 0: no response, refused or no connection slot left.",
        ),
        Metric(name="connect", unit="ms", help="Time to open a session: name, TCP, TLS and password.", timed=True),
        Metric(name="round_trip", unit="ms", help="Time of SELECT 1 in the open session.", timed=True),
        Metric(
            name="expected_database",
            unit="",
            high=1,
            help="1: the session is in the declared database, as the declared user.",
        ),
        Metric(
            name="expected_role",
            unit="",
            high=1,
            help="1: a primary that accepts writes (no read-only default of database or owner), or, if declared, a"
            " replica that receives and applies them.",
        ),
        Metric(
            name="encrypted",
            unit="",
            high=1,
            help="1: the session is encrypted up to the server or pooler that answers, or uses a Unix socket.",
        ),
        Metric(name="invalid_indexes", unit="", help="Number of invalid indexes that are not being built."),
        Metric(
            name="harmful_invalid_indexes",
            unit="",
            help="Number of invalid indexes that every write still maintains, or that should enforce uniqueness.",
        ),
        Metric(
            name="unenforced_constraints",
            unit="",
            help="Number of constraints that are not validated and of foreign keys whose triggers are disabled.",
        ),
        Metric(
            name="blocked_sessions",
            unit="",
            help="Number of sessions that wait for a lock longer than `blocked_for`, in two measurements.",
        ),
        Metric(
            name="idle_transactions",
            unit="",
            help="Number of transactions that wrote and have been idle longer than `idle_transaction`.",
        ),
        Metric(
            name="prepared_transactions",
            unit="",
            help="Number of prepared transactions older than `idle_transaction`.",
        ),
        Metric(
            name="connections_used",
            unit="%",
            high=100,
            help="Highest use of connections: of the server without reserved slots, the database or a role in it; "
            "100 when no slot is left or clients wait at the pooler.",
        ),
        Metric(name="violations", unit="", help="Sum of what the declared invariants count."),
        Metric(name="orphans", unit="", help="Number of rows without their parent, at most 1,000 per relation."),
        Metric(
            name="slow_now",
            unit="",
            help="Highest number of statements running longer than `slow_now` at the end of a block.",
            in_window=True,
        ),
        Metric(
            name="slow_statements",
            unit="",
            help="Number of statements whose mean time in the window reaches `slow_mean`.",
            in_window=True,
        ),
        Metric(name="mean_query_time", unit="ms", help="Mean time of all calls in the window.", in_window=True),
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
invariants = { "no order has a negative total" = "SELECT count(*) FROM orders WHERE total < 0" }
""",
    privileges=_PRIVILEGES,
    safety="Only reads, in read-only transactions with time limits.",
)
