"""Read role, memory and settings of a server from INFO."""

from __future__ import annotations

from collections.abc import Mapping

from probekit.probe import Address, Exact, Failure, ProbeFailedError, Reason
from probekit.probes.redis.refusals import failure, unread
from probekit.probes.redis.session import Session
from probekit.probes.redis.settings import RedisProbe
from probekit.transport.urls import SocketFile


async def facts_of(session: Session) -> Mapping[str, str] | Failure:
    """Return the fields of INFO, or the failure to read them."""
    try:
        return await session.info()
    except ProbeFailedError as error:
        return failure(error)


def claims(config: RedisProbe, facts: Mapping[str, str] | Failure) -> dict[str, Exact | Failure]:
    """Return the readings of role, memory and settings."""
    if isinstance(facts, Failure):
        return dict.fromkeys(("expected_role", "used_memory", "differing_settings"), facts)
    return {
        "expected_role": _expected_role(config, facts),
        "used_memory": _used_memory(facts),
        "differing_settings": _differing_settings(config, facts),
    }


def _expected_role(config: RedisProbe, facts: Mapping[str, str]) -> Exact | Failure:
    role = {"master": "master", "slave": "replica"}.get(facts.get("role", ""))
    if role is None:
        return unread("INFO has no valid role")
    is_cut_off = role == "replica" and facts.get("master_link_status") != "up"
    return Exact(role == config.role and not is_cut_off)


def _used_memory(facts: Mapping[str, str]) -> Exact | Failure:
    try:
        used, limit = int(facts["used_memory"]), int(facts["maxmemory"])
    except (KeyError, ValueError):
        return unread("INFO lacks used_memory or maxmemory")
    if not limit:
        return unread("maxmemory is 0: the server has no memory limit to compare with")
    return Exact(used / limit * 100)


def _differing_settings(config: RedisProbe, facts: Mapping[str, str]) -> Exact | Failure:
    if not config.settings:
        detail = 'no setting is declared: set settings = { maxmemory_policy = "allkeys-lru" }'
        return Failure(reason=Reason.MISSING_SETTING, detail=detail)
    if unknown := [name for name in config.settings if name not in facts]:
        return unread(f"INFO lacks {', '.join(unknown)}")
    return Exact(sum(facts[name] != str(value) for name, value in config.settings.items()))


def summary(address: Address | SocketFile, facts: Mapping[str, str] | Failure) -> str:
    """Return a summary of the server: its role, its memory, and its alarms."""
    if isinstance(facts, Failure):
        return f"{address} answers PING, but INFO cannot be read: {facts.detail}"
    role = {"slave": "replica"}.get(facts.get("role", ""), facts.get("role", "unknown role"))
    memory = _used_memory(facts)
    parts = [f"{address} is a {role}", f"{memory.value:.1f} % of maxmemory used" if isinstance(memory, Exact) else ""]
    alarms = {
        "no other client is connected": facts.get("connected_clients") == "1",
        "its master is unreachable": facts.get("master_link_status") == "down",
        "its last snapshot failed": facts.get("rdb_last_bgsave_status") == "err",
        "its last write to disk failed": facts.get("aof_last_write_status") == "err",
    }
    return ", ".join(part for part in (*parts, *(alarm for alarm, rings in alarms.items() if rings)) if part)
