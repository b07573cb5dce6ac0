"""Find out whether the limiter trusts an X-Forwarded-For that the client forged."""

from __future__ import annotations

from typing import Final

from probekit.probe import Exact, Failure, ProbeFailedError, Reason
from probekit.probes.rate_limit.route import LimitedRoute

SPOOFED: Final = {"203.0.113.1": 1, "203.0.113.2": 3}  # reserved addresses (TEST-NET-3, RFC 5737); refusals after each


async def spoofable(route: LimitedRoute) -> Exact | Failure:
    """Return 1 if requests with a forged address pass between refusals of plain ones; a refusal came just before.

    Each of them is followed by plain requests, which must be refused again. A limit that refills lets a request pass
    now and then, so one that passed shows nothing: two must pass, in less time than the limit needs to refill by one.
    No limit that refills evenly lets two of three requests pass and then none of three.
    """
    start, seconds = route.context.now(), 0.0
    try:
        for client, refusals in SPOOFED.items():
            answer = await route.ask({"X-Forwarded-For": client})
            seconds = (route.context.now() - start).total_seconds()
            if route.is_refusal(answer):
                return Exact(0)
            if not route.is_good(answer) or not await _refuses(route, refusals):
                return _unclear("the limit did not refuse all plain requests in between")
    except ProbeFailedError as error:
        return Failure(reason=error.reason, detail=error.detail)
    if not route.config.sliding and (route.config.refill or 0.0) * seconds >= 1:
        return _unclear(
            f"the limit may refill in the {seconds:.1f} s of these requests; if its window slides, set 'sliding'"
        )
    return Exact(1)


async def _refuses(route: LimitedRoute, requests: int) -> bool:
    """Whether plain requests are all refused."""
    for _ in range(requests):
        if not route.is_refusal(await route.ask()):
            return False
    return True


def _unclear(why: str) -> Failure:
    detail = f"whether a forged X-Forwarded-For evades the limit is inconclusive: {why}"
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
