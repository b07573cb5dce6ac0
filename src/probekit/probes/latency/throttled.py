"""Find out whether the rate of a sampling caused its 503 answers, by sending requests again slowly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from probekit.probe import Context, ProbeFailedError, Window
from probekit.probes.latency.lines import SILENT
from probekit.probes.latency.sender import Route, Sender, is_good

_SHARE: Final = 0.1  # of the requests: 44 more requests could not show a smaller share of failures
_AGAIN: Final = 44  # if all are answered, the share is below 10 % at a risk of 1 %: 0.9 ** 44 < 0.01
_APART: Final = 1.0  # seconds between two requests; a sampling at this rate or slower needs no repetition
_LONGEST: Final = 2 * _AGAIN * _APART  # seconds of all: a target that takes longer cannot handle one a second


async def throttled(sender: Sender, context: Context, window: Window) -> str:
    """Return how the target throttled the sampling, in words; empty if its failures count against the target.

    They count unless all of them are 503 answers, at least 10 % of the requests, and the routes that failed then
    answer 44 requests at one a second. A 429 needs no such check: it states that the rate was refused.
    """
    sample, busy, rate = sender.tally.sample(), sender.tally.busy, sender.schedule.rate
    asked, failed = sum(sample.failed().trials), sum(sample.failures)
    if failed != busy.total() or failed < _SHARE * asked or not failed or rate * _APART <= 1:
        return ""
    routes = [(sender.routes[number], sender.urls[number]) for number in sorted(busy) if busy[number]]
    if not await _are_well(routes, context, window):
        return ""
    share = f"{100 * failed / asked:.0f} % of {asked} requests got 503"
    return f"throttled at {rate:g} a second: {share}, but all of {_AGAIN} at one a second were answered: lower 'rate'"


async def _are_well(routes: Sequence[tuple[Route, str]], context: Context, window: Window) -> bool:
    """Whether the routes answer all requests, sent in turn on new connections, which may reach different replicas."""
    end = window.now() + timedelta(seconds=_LONGEST)
    for number in range(_AGAIN):
        await window.sleep(_APART)
        route, url = routes[number % len(routes)]
        try:
            answer = await context.http.get(url)
        except ProbeFailedError as error:
            if error.reason not in SILENT:
                raise
            return False
        if not is_good(answer, route) or window.now() > end:
            return False
    return True
