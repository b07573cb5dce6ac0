"""Verify that a rate limit is declared in answers, trips where it is declared, and cannot be evaded by a client."""

from __future__ import annotations

from probekit.probe import Context, Exact, Failure, Kind, Load, Metric, ProbeFailedError, Readings, Reason
from probekit.probes.rate_limit.headers import LIMITS, retry_after
from probekit.probes.rate_limit.route import LimitedRoute
from probekit.probes.rate_limit.settings import LONGEST, MOST, RateLimit
from probekit.probes.rate_limit.spoof import SPOOFED, spoofable
from probekit.probes.rate_limit.trip import Trip, trip

__all__ = ["KIND", "LIMITS", "RateLimit", "measure"]

_OF_A_BURST = ("tripped", "retry_after", "spoofable")
_EXTRA = len(SPOOFED) + sum(SPOOFED.values()) + 1  # requests: those of `spoofable`, and one after a refill


async def measure(config: RateLimit, context: Context) -> Readings:
    """Read what an answer declares; if load is allowed, send a burst that ends ten percent beyond the limit."""
    route = LimitedRoute(config, context)
    untried = _untried(config, context)
    first = await (route.one() if untried else route.burst())
    if first.is_odd and not first.passed:
        failure = route.odd(first)
        raise ProbeFailedError(failure.reason, failure.detail)
    spoof: Exact | Failure
    if untried:
        spoof = untried
        tripped = Trip(bursts=(first,), reading=untried, summary=str(first))
    else:
        spoof = await spoofable(route) if first.refused else _never_refused(str(first))
        tripped = await trip(route, first)
    when = _retry_after(tripped, context)
    declared = Exact(1) if when == Exact(1) else _declared(tripped, is_tried=untried is None)
    passed = "; requests with a forged X-Forwarded-For were answered" if spoof == Exact(1) else ""
    holds = Exact(0) if spoof == Exact(1) else tripped.reading  # a limit that any client can evade does not hold
    return Readings(tripped.summary + passed, declared=declared, tripped=holds, retry_after=when, spoofable=spoof)


def _load(config: RateLimit) -> Load | None:
    """The requests and the time of the bursts; None if none can be sent."""
    if config.limit is None or config.most > MOST:
        return None
    return Load(requests=2 * config.most + _EXTRA, seconds=config.seconds)


def _unread(config: RateLimit, _base_url: str) -> dict[str, str]:
    """The metrics that only a burst reads, if the settings rule one out."""
    if config.limit is None:
        return dict.fromkeys(_OF_A_BURST, "needs 'limit', the number of requests after which the limit trips")
    if config.most > MOST:
        return dict.fromkeys(_OF_A_BURST, f"needs a burst of {config.most} requests, more than the maximum of {MOST}")
    return {}


def _untried(config: RateLimit, context: Context) -> Failure | None:
    """Why no burst is sent; None if one is sent."""
    if config.limit is None:
        detail = "a burst is needed: set 'limit' and allow = [\"load\"]"
    elif "load" not in context.allow:
        detail = 'a burst is needed: set allow = ["load"] in the environment'
    elif config.most > MOST:
        detail = f"a burst of {config.most} requests is needed, more than the maximum of {MOST}"
        return Failure(reason=Reason.BUDGET_SPENT, detail=detail)
    else:
        return None
    return Failure(reason=Reason.MISSING_SETTING, detail=detail)


def _declared(tripped: Trip, *, is_tried: bool) -> Exact | Failure:
    """Whether a header states the limit; 0 needs a refusal at the limit, or a burst that had to be refused."""
    if any(burst.declares_limit for burst in tripped.bursts):
        return Exact(1)
    refused = any(burst.refused for burst in tripped.bursts)
    if isinstance(tripped.reading, Failure) and not (refused and is_tried):
        detail = f"no header states a limit, and no refusal was seen: {tripped.reading.detail}"
        return Failure(reason=tripped.reading.reason, detail=detail)
    return Exact(0)


def _retry_after(tripped: Trip, context: Context) -> Exact | Failure:
    """Whether the last refusal says when to retry."""
    refused = [burst for burst in tripped.bursts if burst.refused]
    if not refused:
        reading, seen = tripped.reading, str(tripped.bursts[-1])
        return reading if isinstance(reading, Failure) else _never_refused(seen)
    return Exact(retry_after(refused[-1].last, context.now()) is not None)


def _never_refused(seen: str) -> Failure:
    return Failure(reason=Reason.BAD_RESPONSE, detail=f"{seen}, but this reading needs a refusal at the limit")


KIND = Kind(
    config=RateLimit,
    fills=("rate-limit",),
    layer="edge",
    default_limits=lambda config: ("declared == 1",) if config.limit is None else ("declared == 1", "tripped == 1"),
    metrics=(
        Metric(
            name="declared",
            unit="",
            high=1,
            help="1: an answer states the limit, or a refusal states when it ends; 0: none does.",
        ),
        Metric(
            name="tripped",
            unit="",
            high=1,
            help="1: a burst was refused at the limit; 0: it was refused earlier or never, or a forged X-Forwarded-For "
            "evades the limit.",
        ),
        Metric(
            name="retry_after",
            unit="",
            high=1,
            help="1: the refusal states in Retry-After when to retry; 0: it does not.",
        ),
        Metric(
            name="spoofable",
            unit="",
            high=1,
            help="1: a forged X-Forwarded-For evades the limit; 0: it does not.",
        ),
    ),
    measure=measure,
    turn="final",  # no endpoint: one burst an attempt, because the addresses of a name may share one limit
    allowed_by=lambda _config: dict.fromkeys(_OF_A_BURST, "load"),
    unread=_unread,
    load=_load,
    example="""\
kind = "rate_limit"
path = "/api/version"
limit = 30
per = "10s"
""",
    safety=(
        f"Only reads; if load is allowed, it sends a burst that ends ten percent beyond the limit (at most {MOST:,} "
        f"requests and {LONGEST:g} s), and after an early refusal a second one, after a quiet period of at most "
        f"{LONGEST:g} s; after a refusal, {len(SPOOFED)} requests have a forged X-Forwarded-For."
    ),
)
