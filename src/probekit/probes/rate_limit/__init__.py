"""Is the rate limit declared, does it trip where it is declared, and can a client get round it?"""

from __future__ import annotations

from probekit.probe import Context, Exact, Failure, Kind, Load, Metric, ProbeFailedError, Readings, Reason
from probekit.probes.rate_limit.headers import LIMITS, retry_after
from probekit.probes.rate_limit.route import LimitedRoute
from probekit.probes.rate_limit.settings import LONGEST, MOST, RateLimit
from probekit.probes.rate_limit.spoof import SPOOFED, spoofable
from probekit.probes.rate_limit.trip import Trip, trip

__all__ = ["KIND", "LIMITS", "RateLimit", "measure"]

_OF_A_BURST = ("tripped", "retry_after", "spoofable")
_EXTRA = len(SPOOFED) + sum(SPOOFED.values()) + 1  # requests: what `spoofable` takes, and one that may be refilled


async def measure(config: RateLimit, context: Context) -> Readings:
    """Read what an answer declares and, where load is allowed, send a burst that ends ten percent beyond the limit."""
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
    passed = "; requests with an X-Forwarded-For of their own were answered" if spoof == Exact(1) else ""
    holds = Exact(0) if spoof == Exact(1) else tripped.reading  # a limit that any client gets round is none
    return Readings(tripped.summary + passed, declared=declared, tripped=holds, retry_after=when, spoofable=spoof)


def _load(config: RateLimit) -> Load | None:
    """What bursts send and take; None where none can be sent."""
    if config.limit is None or config.most > MOST:
        return None
    return Load(requests=2 * config.most + _EXTRA, seconds=config.seconds)


def _unread(config: RateLimit, _base_url: str) -> dict[str, str]:
    """The metrics that only a burst reads, where the settings rule one out."""
    if config.limit is None:
        return dict.fromkeys(_OF_A_BURST, "needs 'limit', the requests after which the limit trips")
    if config.most > MOST:
        return dict.fromkeys(_OF_A_BURST, f"needs a burst of {config.most} requests, and {MOST} are the most")
    return {}


def _untried(config: RateLimit, context: Context) -> Failure | None:
    """Why no burst is sent; None where one is."""
    if config.limit is None:
        detail = "it takes a burst: set 'limit' and allow = [\"load\"]"
    elif "load" not in context.allow:
        detail = 'it takes a burst: set allow = ["load"] in the environment'
    elif config.most > MOST:
        detail = f"a burst of {config.most} requests is beyond what may be tried ({MOST} requests)"
        return Failure(reason=Reason.BUDGET_SPENT, detail=detail)
    else:
        return None
    return Failure(reason=Reason.MISSING_SETTING, detail=detail)


def _declared(tripped: Trip, *, is_tried: bool) -> Exact | Failure:
    """Whether a header says what the limit is; that none does counts only once the limit's refusal was seen, or due."""
    if any(burst.declares_limit for burst in tripped.bursts):
        return Exact(1)
    refused = any(burst.refused for burst in tripped.bursts)
    if isinstance(tripped.reading, Failure) and not (refused and is_tried):
        detail = f"no header declares a limit, and no refusal at it was seen: {tripped.reading.detail}"
        return Failure(reason=tripped.reading.reason, detail=detail)
    return Exact(0)


def _retry_after(tripped: Trip, context: Context) -> Exact | Failure:
    """Whether the last refusal says when to come back."""
    refused = [burst for burst in tripped.bursts if burst.refused]
    if not refused:
        reading, seen = tripped.reading, str(tripped.bursts[-1])
        return reading if isinstance(reading, Failure) else _never_refused(seen)
    return Exact(retry_after(refused[-1].last, context.now()) is not None)


def _never_refused(seen: str) -> Failure:
    return Failure(reason=Reason.BAD_RESPONSE, detail=f"{seen}: only the limit's own refusal could tell")


KIND = Kind(
    config=RateLimit,
    fills=("rate-limit",),
    layer="edge",
    default_limits=lambda config: ("declared == 1",) if config.limit is None else ("declared == 1", "tripped == 1"),
    metrics=(
        Metric(
            name="declared", unit="", high=1, help="1: the answers say what the limit is, or a refusal when it ends"
        ),
        Metric(
            name="tripped",
            unit="",
            high=1,
            help="1: a burst met the refusal at the limit; 0: before it, never, or X-Forwarded-For gets round it",
        ),
        Metric(name="retry_after", unit="", high=1, help="1: the refusal says in Retry-After when to come back"),
        Metric(
            name="spoofable", unit="", high=1, help="1: an X-Forwarded-For of the client's own gets round the limit"
        ),
    ),
    measure=measure,
    turn="final",  # no endpoint: one burst an attempt, for the addresses of a name may share one limit
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
        f"it only reads; where load is allowed, a burst ends ten percent beyond the limit ({MOST:,} requests and "
        f"{LONGEST:g} s at most), and one that is refused early is sent once more after a quiet period "
        f"({LONGEST:g} s at most); after a refusal, {len(SPOOFED)} requests name another client in X-Forwarded-For"
    ),
)
