"""Count the violations of declared invariants, and the rows without their parent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import inf, nan
from typing import Final

from psycopg import sql

from probekit.model.numbers import number
from probekit.probe import Exact, Failure, ProbeFailedError, Reason
from probekit.probes.postgres.relations import declared, foreign_keys
from probekit.probes.postgres.session import Session
from probekit.probes.postgres.settings import PostgresProbe
from probekit.probes.postgres.sql_files import code
from probekit.probes.postgres.visible import Found
from probekit.probes.postgres.words import listed, plain

_CAP: Final = 1000  # of queries/orphans.sql


async def violations(session: Session, config: PostgresProbe) -> Found:
    """Return the sum of what the invariants count."""
    if not config.invariants:
        raise ProbeFailedError(Reason.MISSING_SETTING, 'no invariant is declared: set invariants.NAME = "SELECT ..."')
    queries = [
        (plain(name), sql.SQL("SELECT /* probekit */ (\n{}\n) AS found").format(code(text.rstrip("; \t\r\n"))))
        for name, text in config.invariants.items()
    ]
    return await _counted(session, "violations", queries, "violations of")


async def orphans(session: Session, config: PostgresProbe) -> Found:
    """Count the children without a parent: declared relations first, then foreign keys, small tables first."""
    keys = await foreign_keys(session)
    queries: list[tuple[str, sql.Composed | ProbeFailedError]] = []
    for pair in config.orphans:
        try:
            queries.append((plain(pair.child), (await declared(pair, keys, session)).query()))
        except ProbeFailedError as error:
            queries.append((plain(pair.child), error))
    queries += [
        (str(key), key.query())
        for key in keys
        if (not config.schemas or key.child[0] in config.schemas)
        and not any(key.is_declared_as(pair) for pair in config.orphans)
    ]
    if not queries:
        raise ProbeFailedError(
            Reason.MISSING_SETTING, "there is no foreign key, and no relation is declared: set orphans"
        )
    return await _counted(session, "orphans", queries, "orphans in")


async def _counted(
    session: Session, metric: str, queries: Sequence[tuple[str, sql.Composed | ProbeFailedError]], what: str
) -> Found:
    """Return the sum of all counts; 0 only where every count succeeded, more also where another count failed."""
    found: list[tuple[str, float]] = []
    failed: list[tuple[str, ProbeFailedError]] = []
    for name, query in queries:
        try:
            if isinstance(query, ProbeFailedError):
                raise query
            found.append((name, _number((await session.rows(query))[0]["found"])))
        except ProbeFailedError as error:
            failed.append((name, error))
    bad = [f"{_amount(count)} {what} {name}" for name, count in found if count]
    summary = [*bad, *(f"{name} was not counted: {error.detail}" for name, error in failed)]
    total = sum(count for _, count in found)
    if failed and not total:
        name, first = failed[0]
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        failure = Failure(reason=first.reason, detail=f"{name} was not counted: {first.detail}{more}")
        return {metric: failure}, listed(bad)
    return {metric: Exact(total)}, listed(summary) or f"{len(queries)} counted, no {metric}"


def _number(value: object) -> float:
    """Return a count as a number; a bool is refused."""
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    number = float(value) if is_number else nan  # type: ignore[arg-type]  # mypy does not follow the name
    if not 0 <= number < inf:
        raise ProbeFailedError(Reason.BAD_RESPONSE, "the query does not return a number of 0 or more")
    return number


def _amount(count: float) -> str:
    return f"{number(count)}{' or more' if count == _CAP else ''}"
