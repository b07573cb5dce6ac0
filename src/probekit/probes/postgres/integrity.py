"""Do the rows keep what was declared, and does every child have its parent?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf, nan
from typing import Final

from psycopg import sql

from probekit.model.readings import Reading
from probekit.probe import Exact, Failure, ProbeFailedError, Reason
from probekit.probes.postgres.session import Session
from probekit.probes.postgres.settings import Pair, PostgresProbe
from probekit.probes.postgres.sql_files import code, text_of
from probekit.probes.postgres.words import dotted, listed, plain

Found = tuple[dict[str, Reading | Failure], str]

_CAP: Final = 1000  # of queries/orphans.sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Columns of a child that refer to columns of a parent."""

    child: tuple[str, ...]  # the table, in its schema where that is known
    columns: tuple[str, ...]
    parent: tuple[str, ...]
    parent_columns: tuple[str, ...]
    match_full: bool = False
    recent: str | None = None

    def __str__(self) -> str:
        return dotted(*self.child, "+".join(self.columns))

    def is_same(self, other: Relation) -> bool:
        """Whether both speak of the same columns; a schema that one leaves out may be any."""
        known = min(len(self.child), len(other.child))
        return self.child[-known:] == other.child[-known:] and self.columns == other.columns

    def query(self) -> sql.Composed:
        """The scan for children without a parent."""
        ours = [sql.SQL("c.{}").format(sql.Identifier(name)) for name in self.columns]
        theirs = [sql.SQL("p.{}").format(sql.Identifier(name)) for name in self.parent_columns]
        present = sql.SQL(" OR " if self.match_full else " AND ").join(
            sql.SQL("{} IS NOT NULL").format(column) for column in ours
        )
        return text_of("orphans").format(
            child=sql.Identifier(*self.child),
            parent=sql.Identifier(*self.parent),
            present=sql.SQL("({})").format(present),
            same=sql.SQL(" AND ").join(
                sql.SQL("{} = {}").format(their, our) for their, our in zip(theirs, ours, strict=True)
            ),
            recent=sql.SQL("(\n{}\n)").format(code(self.recent or "true")),
        )


async def violations(session: Session, config: PostgresProbe) -> Found:
    """What all invariants count."""
    if not config.invariants:
        raise ProbeFailedError(Reason.MISSING_SETTING, 'no invariant is declared: invariants.NAME = "SELECT ..."')
    queries = {
        plain(name): sql.SQL("SELECT /* probekit */ (\n{}\n) AS found").format(code(text.rstrip("; \t\r\n")))
        for name, text in config.invariants.items()
    }
    return await _counted(session, "violations", queries, "violations of")


async def orphans(session: Session, config: PostgresProbe) -> Found:
    """Children without a parent: declared relations first, then foreign keys, small tables first."""
    declared = [_declared(pair) for pair in config.orphans]
    keys = [key for key in await _foreign_keys(session, config) if not any(key.is_same(one) for one in declared)]
    if not declared and not keys:
        raise ProbeFailedError(Reason.MISSING_SETTING, "there is no foreign key, and no relation is declared: orphans")
    return await _counted(session, "orphans", {str(one): one.query() for one in (*declared, *keys)}, "orphans in")


def _declared(pair: Pair) -> Relation:
    *child, column = pair.child.split(".")
    *parent, parent_column = pair.parent.split(".")
    return Relation(
        child=tuple(child),
        columns=(column,),
        parent=tuple(parent),
        parent_columns=(parent_column,),
        recent=pair.recent,
    )


async def _foreign_keys(session: Session, config: PostgresProbe) -> Sequence[Relation]:
    return [
        Relation(
            child=(row["schema"], row["table"]),
            columns=tuple(row["columns"]),
            parent=(row["parent_schema"], row["parent_table"]),
            parent_columns=tuple(row["parent_columns"]),
            match_full=row["match_full"],
        )
        for row in await session.rows(text_of("foreign_keys"))
        if not config.schemas or row["schema"] in config.schemas
    ]


async def _counted(session: Session, metric: str, queries: dict[str, sql.Composed], what: str) -> Found:
    """The sum; what was found counts although another count failed, nothing found only where all were taken."""
    found: dict[str, float] = {}
    failed: dict[str, ProbeFailedError] = {}
    for name, query in queries.items():
        try:
            found[name] = _number((await session.rows(query))[0]["found"])
        except ProbeFailedError as error:
            failed[name] = error
    bad = [f"{_amount(count)} {what} {name}" for name, count in found.items() if count]
    summary = [*bad, *(f"{name} was not counted: {error.detail}" for name, error in failed.items())]
    total = sum(found.values())
    if failed and not total:
        name, first = next(iter(failed.items()))
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        failure = Failure(reason=first.reason, detail=f"{name} was not counted: {first.detail}{more}")
        return {metric: failure}, listed(bad)
    return {metric: Exact(total)}, listed(summary) or f"{len(queries)} counted, no {metric}"


def _number(value: object) -> float:
    """A count as a number; a bool is none, though Python counts with it."""
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    number = float(value) if is_number else nan  # type: ignore[arg-type]  # mypy does not follow the name
    if not 0 <= number < inf:
        raise ProbeFailedError(Reason.BAD_RESPONSE, "it gives no number that could be a count")
    return number


def _amount(count: float) -> str:
    return f"{count:g}{' or more' if count == _CAP else ''}"
