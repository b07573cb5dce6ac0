"""Does the limiter believe an X-Forwarded-For that the client wrote itself?"""

from __future__ import annotations

from typing import Final

from probekit.probe import Exact, Failure, ProbeFailedError, Reason
from probekit.probes.rate_limit.route import LimitedRoute

SPOOFED: Final = {"203.0.113.1": 1, "203.0.113.2": 3}  # of nobody: TEST-NET-3 (RFC 5737); refusals after each


async def spoofable(route: LimitedRoute) -> Exact | Failure:
    """1 where requests that name another client pass between refusals of this one; it was refused just before.

    Each of them is followed by some that name nobody, which must be refused again. A limit that refills lets a request
    pass now and then, so one that passed shows nothing: two must, in less time than the limit takes to let one pass.
    No limit that refills evenly, whatever it is, lets two of three requests pass and then none of three.
    """
    start, seconds = route.context.now(), 0.0
    try:
        for client, refusals in SPOOFED.items():
            answer = await route.ask({"X-Forwarded-For": client})
            seconds = (route.context.now() - start).total_seconds()
            if route.is_refusal(answer):
                return Exact(0)
            if not route.is_good(answer) or not await _refuses(route, refusals):
                return _unclear("the limit did not refuse all requests in between")
    except ProbeFailedError as error:
        return Failure(reason=error.reason, detail=error.detail)
    if not route.config.sliding and (route.config.refill or 0.0) * seconds >= 1:
        return _unclear(f"the limit refills within the {seconds:.1f} s of these requests; set 'sliding' where it is so")
    return Exact(1)


async def _refuses(route: LimitedRoute, requests: int) -> bool:
    """Whether so many requests that name nobody are refused."""
    for _ in range(requests):
        if not route.is_refusal(await route.ask()):
            return False
    return True


def _unclear(why: str) -> Failure:
    detail = f"whether an X-Forwarded-For gets round the limit is not clear: {why}"
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
