"""Does the limit trip where it is declared? A refusal that comes early is tried again after a quiet period."""

from __future__ import annotations

from dataclasses import dataclass

from probekit.probe import Exact, Failure, Reason
from probekit.probes.rate_limit.headers import retry_after, smaller_quota
from probekit.probes.rate_limit.route import Burst, LimitedRoute
from probekit.probes.rate_limit.settings import LONGEST, QUIET_MARGIN

_TWO_WINDOWS = (
    "it did not trip, but the burst may have fallen into two windows: set 'per', and 'sliding' where it is so"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """1: it tripped at the limit; 0: before it, or not at all; with the bursts that show it."""

    bursts: tuple[Burst, ...]
    reading: Exact | Failure
    summary: str


async def trip(route: LimitedRoute, first: Burst) -> Trip:
    """Judge the first burst, and send a second one where the first was refused clearly before the limit."""
    known = _known(route, first)
    if known is not None:
        return Trip(bursts=(first,), reading=known, summary=_summary(route, first))
    quiet = _quiet_period(route, first)
    if isinstance(quiet, Failure):
        return Trip(bursts=(first,), reading=quiet, summary=_summary(route, first))
    await route.context.sleep(quiet)
    second = await route.burst()
    summary = f"{_summary(route, first)}; after {quiet:g} s without requests, {_summary(route, second)}"
    known = _known(route, second)
    if known is None:
        known = await _tripped_twice(route, first, second)
    return Trip(bursts=(first, second), reading=known, summary=summary)


def _known(route: LimitedRoute, burst: Burst) -> Exact | Failure | None:
    """What one burst says; None where it was refused early, for which others may be to blame."""
    config = route.config
    if burst.is_odd:
        return route.odd(burst)
    if burst.refused:
        is_early = config.is_early(burst.passed, burst.seconds)
        return Exact(1) if not is_early else Exact(0) if _smaller(route, burst) else None
    if not config.is_beyond(burst.passed, burst.seconds):
        detail = f"{burst}: too slow to exceed the limit; see throttle"
        return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
    return Exact(0) if burst.is_in_window(config) else Failure(reason=Reason.BAD_RESPONSE, detail=_TWO_WINDOWS)


def _smaller(route: LimitedRoute, burst: Burst) -> str:
    """The smaller limit that the refusal states; empty where it states none.

    Of a smooth limit a header may state either number, so that only less than both is smaller.
    """
    limit = min(filter(None, (route.config.burst, route.config.limit)), default=0)
    return str(smaller_quota(burst.last, limit, route.config.per) or "")


def _quiet_period(route: LimitedRoute, burst: Burst) -> float | Failure:
    """Seconds without requests after which all of the limit is there again."""
    recovery = route.config.recovery
    early = f"{_summary(route, burst)}: other requests may have used it up"
    if recovery is None:
        return Failure(reason=Reason.BAD_RESPONSE, detail=f"{early}; set 'per', to have it tried again after that time")
    quiet = max(recovery, retry_after(burst.last, route.context.now()) or 0.0)
    if quiet > LONGEST:
        detail = f"{early}; it is not tried again, for {quiet:g} s without requests are more than {LONGEST:g} s"
        return Failure(reason=Reason.BUDGET_SPENT, detail=detail)
    return quiet + QUIET_MARGIN


async def _tripped_twice(route: LimitedRoute, first: Burst, second: Burst) -> Exact | Failure:
    """0 where the limit is smaller than declared: not where it is a smooth one, or where nothing is answered at all."""
    if not first.passed and not second.passed:
        detail = f"{second}, as before a quiet period: this client is banned, or others use the limit up"
        return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
    if route.config.burst is None and await route.refills():
        detail = f"{_summary(route, second)}, and the next one was answered soon: where the limit is a smooth one"
        return Failure(reason=Reason.BAD_RESPONSE, detail=f"{detail}, set 'burst' (requests that pass at once)")
    return Exact(0)


def _summary(route: LimitedRoute, burst: Burst) -> str:
    """The burst, with what was declared where it was refused early."""
    config = route.config
    if not burst.refused or not config.is_early(burst.passed, burst.seconds):
        return str(burst)
    stated = _smaller(route, burst)
    declared = f"burst {config.burst}" if config.burst is not None else f"{config.limit}"
    return f"{burst}, where {declared} is declared" + (f" and its headers say {stated}" if stated else "")
