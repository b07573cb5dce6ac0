"""The settings of the kind `postgres`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from probekit.probe import TUNING, Duration, RepeatedConfig, SecretRef, Settings

AdvisoryKey = int | tuple[int, int]  # as pg_advisory_lock takes it

_COLUMN: Final = r"^[^.]+(\.[^.]+){1,2}$"


class Pair(Settings):
    """A relation without a foreign key, or one whose scan is limited to recent rows."""

    child: str = Field(
        pattern=_COLUMN, description='The column that refers, as "table.column" or "schema.table.column".'
    )
    parent: str = Field(pattern=_COLUMN, description="The column that it refers to, written in the same way.")
    recent: str | None = Field(
        None,
        min_length=1,
        description="An SQL condition that limits the scanned child rows, such as \"created_at > now() - '1 d'\".",
    )


class PostgresProbe(RepeatedConfig):
    """A server, and what it must be."""

    kind: Literal["postgres"]
    dsn: SecretRef = Field(
        description="Reference to postgresql://USER:PASSWORD@HOST/DATABASE, in the form of libpq or of a framework."
    )
    database: str | None = Field(
        None, min_length=1, description="Name that the server must report for the database; default: the DSN's."
    )
    user: str | None = Field(None, min_length=1, description="Name that the server must report for the user.")
    role: Literal["primary", "replica"] = Field("primary", description="Role that the server must have.")
    pooler: Literal["none", "transaction"] = Field(
        "none",
        description='"transaction": the DSN leads to PgBouncer, whose waiting clients count too (needs stats_users).',
    )
    statement_timeout: Annotated[Duration, TUNING] = Field(
        5.0, ge=0.01, le=300, description="Time limit of one reading or scan, enforced by the server."
    )
    lock_timeout: Annotated[Duration, TUNING] = Field(
        0.2, ge=0.01, le=60, description="Longest time that a reading waits for a lock."
    )
    scan_time: Annotated[Duration, TUNING] = Field(
        60.0, ge=0.01, le=600, description="Time limit of all scans of one measurement together."
    )
    blocked_for: Duration = Field(
        5.0, ge=0, description="Shortest wait for a lock with which a session counts as blocked."
    )
    advisory_allowed: tuple[AdvisoryKey, ...] = Field(
        (),
        description="Keys of advisory locks that sessions may wait for (leader election), such as [42, [7, 1]].",
    )
    idle_transaction: Duration = Field(
        60.0, ge=0, description="Age above which an idle or a prepared transaction counts."
    )
    slow_now: Duration = Field(1.0, ge=0, description="Time above which a running statement counts as slow.")
    slow_mean: Duration = Field(0.1, gt=0, description="Mean time in the window from which a statement counts as slow.")
    slow_allowed: tuple[int, ...] = Field(
        (), description="Ids (queryid of pg_stat_statements) of statements that may be slow."
    )
    invariants: dict[str, str] = Field(
        {}, description="Names of invariants, each with a SELECT that returns the number of violations."
    )
    orphans: tuple[Pair, ...] = Field((), description="Relations to scan in addition to the foreign keys.")
    schemas: tuple[str, ...] = Field((), description="Schemas whose foreign keys are scanned; empty: all schemas.")
