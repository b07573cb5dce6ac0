"""Verify that the limit trips where it is declared; after an early refusal, wait a quiet period and try again."""

from __future__ import annotations

from dataclasses import dataclass

from probekit.probe import Exact, Failure, Reason
from probekit.probes.rate_limit.headers import retry_after, smaller_quota
from probekit.probes.rate_limit.route import Burst, LimitedRoute
from probekit.probes.rate_limit.settings import LONGEST, QUIET_MARGIN

_TWO_WINDOWS = (
    "it did not trip, but the burst may have fallen into two windows: set 'per', and 'sliding' if the window slides"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """The result (1: it tripped at the limit; 0: earlier or never) with the bursts that show it."""

    bursts: tuple[Burst, ...]
    reading: Exact | Failure
    summary: str


async def trip(route: LimitedRoute, first: Burst) -> Trip:
    """Judge the first burst; if it was refused clearly before the limit, send a second one."""
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
    """The result of one burst; None if it was refused early, which other clients may have caused."""
    config = route.config
    if burst.is_odd:
        return route.odd(burst)
    if burst.refused:
        is_early = config.is_early(burst.passed, burst.seconds)
        return Exact(1) if not is_early else Exact(0) if _smaller(route, burst) else None
    if not config.is_beyond(burst.passed, burst.seconds):
        detail = f"{burst}: too slow to exceed the limit; raise throttle"
        return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
    return Exact(0) if burst.is_in_window(config) else Failure(reason=Reason.BAD_RESPONSE, detail=_TWO_WINDOWS)


def _smaller(route: LimitedRoute, burst: Burst) -> str:
    """The smaller limit that the refusal states; empty if it states none.

    For a smooth limit a header may state 'burst' or 'limit', so only a number below both is smaller.
    """
    limit = min(filter(None, (route.config.burst, route.config.limit)), default=0)
    return str(smaller_quota(burst.last, limit, route.config.per) or "")


def _quiet_period(route: LimitedRoute, burst: Burst) -> float | Failure:
    """Seconds without requests after which the whole limit is available again."""
    recovery = route.config.recovery
    early = f"{_summary(route, burst)}: other requests may have used it up"
    if recovery is None:
        return Failure(reason=Reason.BAD_RESPONSE, detail=f"{early}; set 'per', so that it is tried again after that")
    quiet = max(recovery, retry_after(burst.last, route.context.now()) or 0.0)
    if quiet > LONGEST:
        detail = f"{early}; a second try needs {quiet:g} s without requests, more than the maximum of {LONGEST:g} s"
        return Failure(reason=Reason.BUDGET_SPENT, detail=detail)
    return quiet + QUIET_MARGIN


async def _tripped_twice(route: LimitedRoute, first: Burst, second: Burst) -> Exact | Failure:
    """Return 0 if the limit is smaller than declared; a failure if it is smooth, or if no request is answered."""
    if not first.passed and not second.passed:
        detail = f"{second}, as before the quiet period: this client is banned, or other clients use the limit up"
        return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
    if route.config.burst is None and await route.refills():
        detail = f"{_summary(route, second)}, but the next request was answered soon: if the limit is a smooth one"
        return Failure(reason=Reason.BAD_RESPONSE, detail=f"{detail}, set 'burst' (requests that pass at once)")
    return Exact(0)


def _summary(route: LimitedRoute, burst: Burst) -> str:
    """The burst in words, with the declared limit if it was refused early."""
    config = route.config
    if not burst.refused or not config.is_early(burst.passed, burst.seconds):
        return str(burst)
    stated = _smaller(route, burst)
    declared = f"burst = {config.burst}" if config.burst is not None else f"limit = {config.limit}"
    return f"{burst}, but {declared} is declared" + (f" and its headers state {stated}" if stated else "")
