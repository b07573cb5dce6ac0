"""What does a table of kind postgres say?"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from probekit.probe import TUNING, Duration, RepeatedConfig, SecretRef, Settings

AdvisoryKey = int | tuple[int, int]  # as pg_advisory_lock takes it

_COLUMN: Final = r"^[^.]+(\.[^.]+){1,2}$"


class Pair(Settings):
    """A relation that no foreign key keeps, or one whose scan is to be narrowed."""

    child: str = Field(pattern=_COLUMN, description='column that refers, as "table.column" or "schema.table.column"')
    parent: str = Field(pattern=_COLUMN, description="column that it refers to, written the same way")
    recent: str | None = Field(
        None, min_length=1, description="SQL condition on the child's rows, such as \"created_at > now() - '1 d'\""
    )


class PostgresProbe(RepeatedConfig):
    """One server and what is expected of it."""

    kind: Literal["postgres"]
    dsn: SecretRef = Field(
        description="where postgresql://USER:PASSWORD@HOST/DATABASE is kept, as libpq or a framework writes it"
    )
    database: str | None = Field(None, min_length=1, description="the database's name there; else the DSN's")
    user: str | None = Field(None, min_length=1, description="the user's name there, where it matters")
    role: Literal["primary", "replica"] = Field("primary", description="what the server must be")
    pooler: Literal["none", "transaction"] = Field(
        "none", description='"transaction": PgBouncer stands in between, and its queue counts too (stats_users)'
    )
    statement_timeout: Annotated[Duration, TUNING] = Field(
        5.0, ge=0.01, le=300, description="of one reading or scan, in the server"
    )
    lock_timeout: Annotated[Duration, TUNING] = Field(
        0.2, ge=0.01, le=60, description="that a reading waits for a lock"
    )
    scan_time: Annotated[Duration, TUNING] = Field(
        60.0, ge=0.01, le=600, description="of all scans of one measurement together"
    )
    blocked_for: Duration = Field(5.0, ge=0, description="from which on a session that waits for a lock counts")
    advisory_allowed: tuple[AdvisoryKey, ...] = Field(
        (), description="keys of advisory locks that sessions may wait for (leader election), such as [42, [7, 1]]"
    )
    idle_transaction: Duration = Field(60.0, ge=0, description="above which an idle or prepared transaction counts")
    slow_now: Duration = Field(1.0, ge=0, description="above which a running statement counts")
    slow_mean: Duration = Field(0.1, gt=0, description="from which on a statement's mean in the window counts")
    slow_allowed: tuple[int, ...] = Field((), description="queryids (pg_stat_statements) that may be slow")
    invariants: dict[str, str] = Field({}, description="name to a SELECT that counts violations: one number")
    orphans: tuple[Pair, ...] = Field((), description="relations that are scanned beside the foreign keys")
    schemas: tuple[str, ...] = Field((), description="whose foreign keys are scanned; empty: all")
