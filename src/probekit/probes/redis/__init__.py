"""Measure a cache: its answers, its role and memory, a canary write, and the share of lookups that find their key."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator

from probekit.probe import Context, Exact, Failure, Kind, Metric, ProbeFailedError, Readings, Reason
from probekit.probes.redis.canary import write_canary
from probekit.probes.redis.hit_rate import counted, hit_rate
from probekit.probes.redis.info import claims, facts_of, summary
from probekit.probes.redis.refusals import SILENT, RefusedError, failure
from probekit.probes.redis.route import open_session
from probekit.probes.redis.session import Session
from probekit.probes.redis.settings import RedisProbe


async def measure(config: RedisProbe, context: Context) -> Readings:
    """Run PING, INFO and, where it is wanted and allowed, a canary: a key that is set, incremented and deleted.

    No response, no free client slot, another protocol or an error instead of PONG is `up = 0`.
    """
    try:
        async with open_session(config, context) as session:
            return await _readings(session, config, context)
    except ProbeFailedError as error:
        if error.reason not in SILENT and not isinstance(error, RefusedError):
            raise
        return Readings(error.detail, up=Exact(0))


async def sample(config: RedisProbe, context: Context) -> AsyncGenerator[Readings, None]:
    """Yield the share of lookups that found their key, block by block, from the counters of INFO."""
    if context.window is None:
        raise ProbeFailedError(Reason.BUG, "the sampling has no window")
    before = await counted(config, context)
    while await context.window.next():
        try:
            after = await counted(config, context)
        except ProbeFailedError as error:
            yield Readings(error.detail, hit_rate=failure(error))
            continue
        yield Readings(after.text, hit_rate=hit_rate(before, after))
        before = after


async def _readings(session: Session, config: RedisProbe, context: Context) -> Readings:
    ping = await _ping(session)
    readings = Readings(
        up=ping if isinstance(ping, Failure) else Exact(1),
        connect=Exact(session.line.connect * 1000),
        round_trip=ping,
    )
    if session.line.tls is not None:
        readings.values["tls"] = Exact(session.line.tls * 1000)
    facts = await facts_of(session)
    readings.summary = summary(session.address, facts)
    readings.values |= claims(config, facts)
    if "canary" in context.wanted:
        canary, problem = await write_canary(session, config, context, facts)
        readings.values["canary"] = canary
        readings.summary += problem and f"; {problem}"
    return readings


async def _ping(session: Session) -> Exact | Failure:
    """Return the milliseconds until PONG, or the failure of a user without permission for PING."""
    start = time.perf_counter()
    try:
        answer = await session.call("PING")
    except ProbeFailedError as error:
        if error.reason is not Reason.NOT_PERMITTED:
            raise
        return failure(error)
    if answer != b"PONG":
        raise ProbeFailedError(Reason.UNREACHABLE, f"{session.address} does not answer PING with PONG")
    return Exact((time.perf_counter() - start) * 1000)


KIND = Kind(
    config=RedisProbe,
    fills=("cache", "cache-load"),
    layer="cache",
    default_limits=lambda _: ("up == 1",),
    metrics=(
        Metric(
            name="up",
            unit="",
            high=1,
            help="1: PING was answered; 0: refused, reset, no response, still loading, no free client slot, or another "
            "protocol.",
        ),
        Metric(
            name="canary",
            unit="",
            high=1,
            help="1: a key was set, incremented and deleted, or a declared replica refused the write; only where "
            "canary-write is allowed.",
        ),
        Metric(
            name="expected_role",
            unit="",
            high=1,
            help="1: the server has the declared role, and a replica is connected to its master.",
        ),
        Metric(
            name="differing_settings", unit="", help="Number of declared settings for which INFO shows another value."
        ),
        Metric(
            name="hit_rate",
            unit="%",
            help="Share of lookups that found their key, per block of time.",
            in_window=True,
            is_share=True,
        ),
        Metric(name="used_memory", unit="%", help="Memory in use, as a share of maxmemory."),
        Metric(name="connect", unit="ms", help="Time to open the connection.", timed=True),
        Metric(name="tls", unit="ms", help="Time of the TLS handshake, where the URL begins with rediss.", timed=True),
        Metric(name="round_trip", unit="ms", help="Time from PING to PONG on the open connection.", timed=True),
    ),
    measure=measure,
    is_http=False,
    sample=sample,
    allowed_by=lambda _config: {"canary": "canary-write"},
    in_flight=1,
    requests=7,  # PING, INFO, SET, INCR, DEL, a sentinel's master, a cluster's slots
    example="""\
kind = "redis"
url = { env = "CACHE_URL" }  # rediss://probekit:PASSWORD@cache.example.com:6379/0, unix:///run/redis.sock?db=0
settings = { maxmemory_policy = "allkeys-lru" }  # required values of INFO fields
""",
    privileges="ACL SETUSER probekit on >PASSWORD ~probekit:* -@all +ping +info +select +set +incr +del; "
    "in a cluster also +cluster|nodes",
    safety="Only reads; where canary-write is allowed, sets, increments and deletes one key under its prefix.",
)
