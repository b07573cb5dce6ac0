"""Read the state of a database from PostgreSQL's system catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from probekit.model.readings import Reading
from probekit.probe import Exact, Failure, ProbeFailedError, Reason
from probekit.probes.postgres.session import Row, Session
from probekit.probes.postgres.settings import PostgresProbe
from probekit.probes.postgres.sql_files import text_of
from probekit.probes.postgres.visible import BLIND, Found, visible
from probekit.probes.postgres.words import dotted, listed, plain

_FULL: Final = 100.0  # percent


async def invalid_indexes(session: Session, _config: PostgresProbe) -> Found:
    """Count the invalid indexes; one that is being built, or waits for its partitions, is inconclusive."""
    rows = await session.rows(text_of("invalid_indexes"))
    open_ = [row for row in rows if row["building"] or row["is_parent"] or row["hidden_build"]]
    broken = [row for row in rows if row not in open_]
    harmful = [row for row in broken if row["is_maintained"] or (row["is_unique"] and not row["is_copy"])]
    names = [dotted(row["schema"], row["index"]) for row in broken]
    found: dict[str, Reading | Failure] = {
        "invalid_indexes": Exact(len(broken)),
        "harmful_invalid_indexes": Exact(len(harmful)),
    }
    if open_ and not harmful:
        found["harmful_invalid_indexes"] = _unfinished(open_)
        found["invalid_indexes"] = Exact(len(broken)) if broken else _unfinished(open_)
    return found, f"invalid indexes: {listed(names)}" if names else ""


def _unfinished(rows: Sequence[Row]) -> Failure:
    names = listed([dotted(row["schema"], row["index"]) for row in rows])
    if any(row["hidden_build"] and not row["building"] for row in rows):
        return Failure(reason=Reason.NOT_PERMITTED, detail=f"{names} may still be being built: {BLIND}")
    return Failure(reason=Reason.BAD_RESPONSE, detail=f"still being built, or waiting for their partitions: {names}")


async def unenforced_constraints(session: Session, _config: PostgresProbe) -> Found:
    """Count the constraints that do not hold for all rows, or are not checked on writes."""
    rows = await session.rows(text_of("constraints"))
    names = [f"{dotted(row['schema'], row['table'], row['name'])} ({row['why']})" for row in rows]
    return {"unenforced_constraints": Exact(len(rows))}, f"constraints: {listed(names)}" if names else ""


async def idle_transactions(session: Session, config: PostgresProbe) -> Found:
    """Count the idle transactions that hold a transaction id, and with it locks."""
    rows = [row for row in await session.rows(text_of("idle_transactions")) if row["idle"] is not None]
    late = [row for row in rows if row["idle"] > config.idle_transaction]
    holding = [row for row in late if row["has_xid"]]
    summary = [f"pid {row['pid']} idle in its transaction for {row['idle']:.0f} s" for row in holding]
    summary += [f"pid {r['pid']} idle for {r['idle']:.0f} s, holding no id" for r in late if not r["has_xid"]]
    if not holding and session.server["activity_off"]:
        raise ProbeFailedError(Reason.NOT_PERMITTED, "track_activities is off in a session, so its activity is hidden")
    return {"idle_transactions": visible(session, len(holding))}, listed(summary)


async def prepared_transactions(session: Session, config: PostgresProbe) -> Found:
    """Count the prepared transactions of two-phase commits that were not finished in time."""
    ages = [row["age"] for row in await session.rows(text_of("prepared")) if row["age"] > config.idle_transaction]
    summary = f"{len(ages)} prepared transactions, the oldest for {ages[0]:.0f} s" if ages else ""
    return {"prepared_transactions": Exact(len(ages))}, summary


async def connections_used(session: Session, config: PostgresProbe) -> Found:
    """Return the highest use of all connection limits, in percent; 100 while clients wait at the pooler."""
    if not session.server["full_visibility"]:
        raise ProbeFailedError(Reason.NOT_PERMITTED, BLIND)
    rows = await session.rows(text_of("connections"))
    used, fullest = max(((100 * row["used"] / row["usable"], row) for row in rows), key=lambda pair: pair[0])
    summary = f"{fullest['used']} of {fullest['usable']} connections of {plain(fullest['what'])}"
    if config.pooler == "transaction" and used < _FULL:
        waiting = sum(int(pool["cl_waiting"]) for pool in await session.pools())
        if waiting:
            return {"connections_used": Exact(_FULL)}, f"{waiting} clients wait at the pooler, {summary}"
    return {"connections_used": Exact(used)}, summary
