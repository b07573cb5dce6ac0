"""Read the metrics of the catalogue and of the rows in one session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Final

from probekit.model.readings import Reading
from probekit.probe import Context, Exact, Failure, ProbeFailedError, Readings, Reason
from probekit.probes.postgres import catalogue, integrity, locks, role
from probekit.probes.postgres.refusals import RefusedError
from probekit.probes.postgres.session import Session, opened
from probekit.probes.postgres.settings import PostgresProbe
from probekit.probes.postgres.visible import Found
from probekit.probes.postgres.words import plain

Reader = Callable[[Session, PostgresProbe], Awaitable[Found]]

_READERS: Final[tuple[tuple[frozenset[str], Reader], ...]] = (
    (frozenset({"expected_role"}), role.expected_role),
    (frozenset({"invalid_indexes", "harmful_invalid_indexes"}), catalogue.invalid_indexes),
    (frozenset({"unenforced_constraints"}), catalogue.unenforced_constraints),
    (frozenset({"idle_transactions"}), catalogue.idle_transactions),
    (frozenset({"prepared_transactions"}), catalogue.prepared_transactions),
    (frozenset({"connections_used"}), catalogue.connections_used),
    (frozenset({"blocked_sessions"}), locks.blocked_sessions),
    (frozenset({"violations"}), integrity.violations),
    (frozenset({"orphans"}), integrity.orphans),
)
_SCANS: Final = frozenset({"violations", "orphans"})


async def read(config: PostgresProbe, context: Context) -> Readings:
    """Return the wanted readings; no response is `up = 0`, and a reading that fails does not affect the others."""
    scans = bool(context.wanted & _SCANS)
    statement = config.statement_timeout if scans else min(config.statement_timeout, context.timeout)
    until = perf_counter() + (config.scan_time if scans else context.timeout)
    try:
        async with opened(config, context, statement=statement, until=until) as session:
            return await _read(session, config, context)
    except RefusedError as refused:
        known = {name: Exact(value) for name, value in refused.facts.items()}
        if refused.reason is Reason.UNREACHABLE:
            return Readings(refused.detail, **known)
        failure = Failure(reason=refused.reason, detail=refused.detail)
        return Readings(refused.detail, **(dict.fromkeys(context.wanted | {"up"}, failure) | known))


async def _read(session: Session, config: PostgresProbe, context: Context) -> Readings:
    server = session.server
    values: dict[str, Reading | Failure] = {
        "up": Exact(1),
        "connect": Exact(session.connect * 1000),
        "round_trip": Exact(session.round_trip * 1000),
        "encrypted": Exact(session.is_encrypted),
        "expected_database": Exact(_is_expected(session, config)),
    }
    seen = [_introduced(session)]
    for metrics, read in _READERS:
        if metrics & context.wanted:
            try:
                found, summary = await read(session, config)
            except ProbeFailedError as error:
                found, summary = dict.fromkeys(metrics, Failure(reason=error.reason, detail=error.detail)), ""
            values |= found
            seen += [summary] if summary else []
    return Readings("; ".join(seen), {"server": str(server["version_num"])}, **values)


def _is_expected(session: Session, config: PostgresProbe) -> bool:
    declared = config.database or session.connection.info.dbname
    return session.server["database"] == declared and config.user in (None, session.server["user"])


def _introduced(session: Session) -> str:
    server = session.server
    version = f"{server['version_num'] // 10000}.{server['version_num'] % 10000}"
    role = "replica" if server["in_recovery"] else "primary"
    how = "over a Unix socket" if session.is_local else "encrypted" if session.is_encrypted else "not encrypted"
    return f"PostgreSQL {version}, {role}, database {plain(server['database'])} as {plain(server['user'])}, {how}"
