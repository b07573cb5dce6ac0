"""Check that the server is a primary that accepts writes, or a replica that receives and applies them."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Final

from probekit.probe import Exact, Failure, Reason
from probekit.probes.postgres.session import Row, Session
from probekit.probes.postgres.settings import PostgresProbe
from probekit.probes.postgres.sql_files import text_of
from probekit.probes.postgres.visible import BLIND, Found
from probekit.probes.postgres.words import listed, plain

_APPLIES_WITHIN: Final = 1.0  # seconds in which a replica must apply some of what it received
_GLANCE: Final = 0.05  # seconds between two measurements of the applied position


async def expected_role(session: Session, config: PostgresProbe) -> Found:
    """Return 1 for the declared role; 0 for a primary that is read-only by default, or a replica that is cut off."""
    in_recovery = session.server["in_recovery"]
    if in_recovery != (config.role == "replica"):
        return {"expected_role": Exact(0)}, ""
    return await (_replica(session) if in_recovery else _primary(session))


async def _primary(session: Session) -> Found:
    read_only = [plain(row["role"]) for row in await session.rows(text_of("read_only"))]
    read_only += ["the whole server"] if session.server["read_only_server"] else []
    summary = f"read-only by default for {listed(read_only)}" if read_only else ""
    return {"expected_role": Exact(not read_only)}, summary


async def _replica(session: Session) -> Found:
    """Return 0 only where replication is known to have stopped: it may need no WAL receiver."""
    row = (await session.rows(text_of("replica")))[0]
    if row["paused"]:
        return _no_replica("the replay is paused (run pg_wal_replay_resume() to resume it)")
    if not row["has_receiver"]:
        return _without_receiver(row)
    if row["receiver"] is None:
        return _open(Reason.NOT_PERMITTED, BLIND)
    if row["receiver"] != "streaming":
        return _no_replica(f"the WAL receiver is {plain(row['receiver'])}")
    return await _applying(session, row)


def _without_receiver(row: Row) -> Found:
    """Return what the settings say about a replica without a WAL receiver."""
    if row["has_upstream"] is None:
        return _open(Reason.NOT_PERMITTED, f"no WAL receiver runs, and the settings cannot be read: {BLIND}")
    if row["has_archive"]:
        return _open(
            Reason.BAD_RESPONSE, "no WAL receiver runs: the replica recovers from an archive (restore_command)"
        )
    if row["has_upstream"]:
        return _no_replica("no WAL receiver runs: nothing is received from the server in primary_conninfo")
    detail = "no WAL receiver runs, and no setting names a source: cut off, or replicated in another way (Aurora)"
    return _open(Reason.BAD_RESPONSE, detail)


async def _applying(session: Session, first: Row) -> Found:
    """Return 1 where some of what was received is applied soon, or nothing is left to apply.

    A recovery_min_apply_delay that is longer than the wait explains that nothing is applied.
    """
    delay = (first["delay"] or 0) / 1000  # seconds from a commit until it may be applied
    within = _APPLIES_WITHIN + delay
    row, until = first, perf_counter() + within
    while row["unapplied"] > 0 and row["applied"] == first["applied"]:
        if delay > _APPLIES_WITHIN:
            return {"expected_role": Exact(1)}, f"applies after {first['delay']} ms (recovery_min_apply_delay)"
        if perf_counter() > until:
            detail = f"{row['unapplied']} bytes were received, and none was applied within {within:g} s"
            return _open(Reason.BAD_RESPONSE, detail)
        await asyncio.sleep(_GLANCE)
        row = (await session.rows(text_of("replica")))[0]
    return {"expected_role": Exact(1)}, ""


def _no_replica(summary: str) -> Found:
    return {"expected_role": Exact(0)}, summary


def _open(reason: Reason, detail: str) -> Found:
    return {"expected_role": Failure(reason=reason, detail=detail)}, ""
