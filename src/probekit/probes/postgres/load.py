"""Measure which statements are slow: running now, and on average over a window."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from probekit.model.readings import Reading
from probekit.probe import Context, Exact, Failure, ProbeFailedError, Readings, Reason
from probekit.probes.postgres.refusals import ReadingError
from probekit.probes.postgres.session import Session, opened
from probekit.probes.postgres.settings import PostgresProbe
from probekit.probes.postgres.sql_files import text_of
from probekit.probes.postgres.words import listed, plain

_OVER_WINDOW: Final = ("slow_statements", "mean_query_time")
_KNOWN: Final = {
    "55000": (Reason.MISSING_SETTING, "pg_stat_statements is not in shared_preload_libraries"),
    "22021": (
        Reason.BAD_RESPONSE,
        "pg_stat_statements holds a text of another database that the encoding of this one cannot represent",
    ),
}
_OLDEST: Final = (1, 9)  # of PostgreSQL 14: the first with pg_stat_statements_info and toplevel
_BLIND: Final = "the role cannot see other roles' statements: GRANT pg_monitor to it, inherited"


async def blocks(config: PostgresProbe, context: Context) -> AsyncGenerator[Readings, None]:
    """Yield the slow statements at the end of each block; after the last one, the statements of the whole window.

    Raises:
        ProbeFailedError: no session was opened.
    """
    if context.window is None:
        raise ProbeFailedError(Reason.BUG, "the sampling has no window")
    statement = min(config.statement_timeout, context.timeout)
    async with opened(config, context, statement=statement) as session:
        asked = [name for name in _OVER_WINDOW if name in context.wanted]
        before = await _totals(session) if asked else None
        slowest: list[str] = []
        while await context.window.next():
            if "slow_now" in context.wanted:
                found, slow = await _slow_now(session, config)
                slowest = slow or slowest
                yield Readings(listed(slowest), slow_now=found)
        if before is not None:
            over, summary = await _over_window(session, before, config)
            yield Readings(listed([*slowest, *summary]), **{name: over[name] for name in asked})


async def _slow_now(session: Session, config: PostgresProbe) -> tuple[Reading | Failure, list[str]]:
    try:
        rows = await session.rows(text_of("slow_now"))
    except ProbeFailedError as error:
        return Failure(reason=error.reason, detail=error.detail), []
    slow = [r for r in rows if r["running"] > config.slow_now and r["query_id"] not in config.slow_allowed]
    if not slow and not session.server["full_visibility"]:
        return Failure(reason=Reason.NOT_PERMITTED, detail=_BLIND), []
    if not slow and session.server["activity_off"]:
        detail = "track_activities is off in a session, so its activity is hidden"
        return Failure(reason=Reason.NOT_PERMITTED, detail=detail), []
    return Exact(len(slow)), [f"pid {row['pid']} was running for {row['running']:.1f} s" for row in slow]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Totals:
    """The content of pg_stat_statements: calls and milliseconds of each statement of each user."""

    statements: Mapping[tuple[int, int], tuple[int, float]]  # by (user, statement)
    thrown_away: int
    reset: str


async def _totals(session: Session) -> _Totals | Failure:
    if not session.server["full_visibility"]:
        return Failure(reason=Reason.NOT_PERMITTED, detail=_BLIND)
    try:
        extension = await session.rows(text_of("statements_extension"))
        if not extension:
            detail = "pg_stat_statements is not installed in this database: run CREATE EXTENSION pg_stat_statements"
            return Failure(reason=Reason.MISSING_SETTING, detail=detail)
        version = extension[0]["version"]
        if _is_old(version):
            detail = (
                f"pg_stat_statements has version {plain(version)} in this database, and 1.9 or later is needed:"
                f" run ALTER EXTENSION pg_stat_statements UPDATE"
            )
            return Failure(reason=Reason.MISSING_SETTING, detail=detail)
        rows = await session.rows(text_of("statements").format(schema=sql.Identifier(extension[0]["schema"])))
    except ReadingError as error:
        reason, detail = _KNOWN.get(error.state, (error.reason, error.detail))
        return Failure(reason=reason, detail=detail)
    return _Totals(
        statements={
            (row["userid"], row["queryid"]): (row["calls"], row["total_exec_time"])
            for row in rows
            if row["queryid"] is not None
        },
        thrown_away=rows[0]["thrown_away"],
        reset=rows[0]["reset"],
    )


def _is_old(version: str) -> bool:
    """Return whether a version such as 1.8 is too old; a version of another form (a custom build) is tried."""
    found = re.fullmatch(r"(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) < _OLDEST


async def _over_window(
    session: Session, before: _Totals | Failure, config: PostgresProbe
) -> tuple[Mapping[str, Reading | Failure], list[str]]:
    """Return the readings of the window, from the growth of the totals since its beginning."""
    if isinstance(before, Failure):
        return dict.fromkeys(_OVER_WINDOW, before), []
    after = await _totals(session)
    if isinstance(after, Failure):
        return dict.fromkeys(_OVER_WINDOW, after), []
    spent = _difference(before, after)
    if after.reset != before.reset or any(calls < 0 for calls, _ in spent.values()):
        detail = "pg_stat_statements was reset during the window"
        return dict.fromkeys(_OVER_WINDOW, Failure(reason=Reason.BAD_RESPONSE, detail=detail)), []
    slow = {
        queryid: milliseconds / calls
        for (_, queryid), (calls, milliseconds) in spent.items()
        if calls and milliseconds / calls >= config.slow_mean * 1000 and queryid not in config.slow_allowed
    }
    summary = [f"statement {queryid} took {mean:.0f} ms on average" for queryid, mean in slow.items()]
    calls = sum(calls for calls, _ in spent.values())
    values: dict[str, Reading | Failure] = {"slow_statements": Exact(len(slow))}
    if after.thrown_away != before.thrown_away:
        detail = "pg_stat_statements dropped entries during the window: raise pg_stat_statements.max"
        lost = Failure(reason=Reason.BAD_RESPONSE, detail=detail)
        return {"slow_statements": values["slow_statements"] if slow else lost, "mean_query_time": lost}, summary
    if not calls:
        detail = "no statement ended during the window, so there are no times to judge"
        return dict.fromkeys(_OVER_WINDOW, Failure(reason=Reason.BAD_RESPONSE, detail=detail)), summary
    values["mean_query_time"] = Exact(sum(milliseconds for _, milliseconds in spent.values()) / calls)
    return values, [*summary, f"{calls} calls in the window"]


def _difference(before: _Totals, after: _Totals) -> Mapping[tuple[int, int], tuple[int, float]]:
    """Return the calls and milliseconds of each statement since the first measurement."""
    nothing = (0, 0.0)
    return {
        key: (calls - before.statements.get(key, nothing)[0], spent - before.statements.get(key, nothing)[1])
        for key, (calls, spent) in after.statements.items()
    }
