"""What INFO says of a server: its role, memory and settings."""

from __future__ import annotations

from collections.abc import Mapping

from probekit.probe import Address, Exact, Failure, ProbeFailedError, Reason
from probekit.probes.redis.refusals import failure, unread
from probekit.probes.redis.session import Session
from probekit.probes.redis.settings import RedisProbe
from probekit.transport.urls import SocketFile


async def facts_of(session: Session) -> Mapping[str, str] | Failure:
    """The fields of INFO, or why there are none."""
    try:
        return await session.info()
    except ProbeFailedError as error:
        return failure(error)


def claims(config: RedisProbe, facts: Mapping[str, str] | Failure) -> dict[str, Exact | Failure]:
    """What INFO says of role, memory and settings."""
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
        return unread("INFO names no role")
    is_cut_off = role == "replica" and facts.get("master_link_status") != "up"
    return Exact(role == config.role and not is_cut_off)


def _used_memory(facts: Mapping[str, str]) -> Exact | Failure:
    try:
        used, limit = int(facts["used_memory"]), int(facts["maxmemory"])
    except (KeyError, ValueError):
        return unread("INFO does not tell used_memory and maxmemory")
    if not limit:
        return unread("maxmemory is 0: the server has no limit of its own to compare with")
    return Exact(used / limit * 100)


def _differing_settings(config: RedisProbe, facts: Mapping[str, str]) -> Exact | Failure:
    if not config.settings:
        detail = 'none is declared: settings = { maxmemory_policy = "allkeys-lru" }'
        return Failure(reason=Reason.MISSING_SETTING, detail=detail)
    if unknown := [name for name in config.settings if name not in facts]:
        return unread(f"INFO does not tell {', '.join(unknown)}")
    return Exact(sum(facts[name] != str(value) for name, value in config.settings.items()))


def summary(address: Address | SocketFile, facts: Mapping[str, str] | Failure) -> str:
    """The server in a sentence: what it is, how full, and what an operator would not want to overlook."""
    if isinstance(facts, Failure):
        return f"{address} answers PING, but INFO cannot be read: {facts.detail}"
    role = {"slave": "replica"}.get(facts.get("role", ""), facts.get("role", "unknown role"))
    memory = _used_memory(facts)
    parts = [f"{address} is a {role}", f"{memory.value:.1f} % of its memory used" if isinstance(memory, Exact) else ""]
    alarms = {
        "nobody else is connected": facts.get("connected_clients") == "1",
        "its master is out of reach": facts.get("master_link_status") == "down",
        "its last snapshot failed": facts.get("rdb_last_bgsave_status") == "err",
        "its last write to disk failed": facts.get("aof_last_write_status") == "err",
    }
    return ", ".join(part for part in (*parts, *(alarm for alarm, rings in alarms.items() if rings)) if part)
