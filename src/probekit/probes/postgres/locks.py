"""Find the sessions that wait for a lock, the lock, and the sessions that hold it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from probekit.probes.postgres.session import Row, Session
from probekit.probes.postgres.settings import AdvisoryKey, PostgresProbe
from probekit.probes.postgres.sql_files import text_of
from probekit.probes.postgres.visible import Found, visible
from probekit.probes.postgres.words import listed

_BETWEEN: Final = 1.0  # seconds between two measurements of locks


async def blocked_sessions(session: Session, config: PostgresProbe) -> Found:
    """Count the sessions that have waited for a lock as long as declared, and still do a second later."""
    first = await _waiting(session, config)
    if not first:
        return {"blocked_sessions": visible(session, 0)}, ""
    await asyncio.sleep(_BETWEEN)
    pids = {row["pid"] for row in first}
    still = [row for row in await _waiting(session, config) if row["pid"] in pids]
    summary = [f"pid {row['pid']} has waited {row['waited']:.0f} s for {_blockers(row)}, {_lock(row)}" for row in still]
    return {"blocked_sessions": visible(session, len(still))}, listed(summary)


async def _waiting(session: Session, config: PostgresProbe) -> Sequence[Row]:
    rows = await session.rows(text_of("blocked"))
    return [
        row
        for row in rows
        if row["waited"] is not None and row["waited"] >= config.blocked_for and not _is_allowed(row, config)
    ]


def _is_allowed(row: Row, config: PostgresProbe) -> bool:
    return row["locktype"] == "advisory" and _key(row) in config.advisory_allowed


def _key(row: Row) -> AdvisoryKey:
    """Return the key as pg_advisory_lock(bigint) or (int, int) took it; pg_locks holds it unsigned."""
    if row["parts"] == 1:
        return _signed(row["high"] << 32 | row["low"], 64)
    return _signed(row["high"], 32), _signed(row["low"], 32)


def _signed(number: int, bits: int) -> int:
    return number - (1 << bits) if number >> (bits - 1) else number


def _lock(row: Row) -> str:
    if row["locktype"] != "advisory":
        return f"{row['locktype']} lock"
    key = _key(row)
    return f"advisory lock {list(key) if isinstance(key, tuple) else key} (list it in advisory_allowed if intended)"


def _blockers(row: Row) -> str:
    names = [f"pid {pid}" if pid else "a prepared transaction" for pid in dict.fromkeys(row["blockers"])]
    return listed(names) or "an unknown session"
