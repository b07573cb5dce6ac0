"""Compute the share of lookups that found their key, from the counters of INFO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from probekit.probe import Complement, Context, Failure, ProbeFailedError, Reason, Share
from probekit.probes.redis.info import summary
from probekit.probes.redis.refusals import unread
from probekit.probes.redis.route import open_session
from probekit.probes.redis.settings import RedisProbe

_ONLY_GROW: Final = ("keyspace_hits", "keyspace_misses", "total_commands_processed", "total_connections_received")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The counters of INFO since the server's start."""

    run: str
    counters: Mapping[str, int]
    text: str


async def counted(config: RedisProbe, context: Context) -> Counted:
    """Return the server's counters."""
    async with open_session(config, context) as session:
        facts = await session.info()
        try:
            counters = {name: int(facts[name]) for name in _ONLY_GROW}
            return Counted(run=facts["run_id"], counters=counters, text=summary(session.address, facts))
        except (KeyError, ValueError) as error:
            detail = f"INFO of {session.address} lacks run_id or a number for {', '.join(_ONLY_GROW)}"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail) from error


def hit_rate(before: Counted, after: Counted) -> Complement | Failure:
    """Return the share of hits between two readings of the counters of one uninterrupted process."""
    if before.run != after.run:
        return unread("the server was restarted or replaced while lookups were counted")
    new = {name: count - before.counters[name] for name, count in after.counters.items()}
    if min(new.values()) < 0:
        return unread("the server's counters were reset while lookups were counted")
    misses, hits = new["keyspace_misses"], new["keyspace_hits"]
    return Complement(Share((misses,), (misses + hits,)))
