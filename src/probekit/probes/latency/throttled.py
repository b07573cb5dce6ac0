"""Find out whether answers of 503 come of the sampling's own rate, by asking again slowly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from probekit.probe import Context, ProbeFailedError, Window
from probekit.probes.latency.lines import SILENT
from probekit.probes.latency.sender import Route, Sender, is_good

_SHARE: Final = 0.1  # of the requests: fewer failures could not be told from luck by so few questions as follow
_AGAIN: Final = 44  # all good proves a share below 10 % at a risk of 1 %: 0.9 ** 44 < 0.01
_APART: Final = 1.0  # seconds; a sampling that is no quicker has asked so slowly already
_LONGEST: Final = 2 * _AGAIN * _APART  # seconds of all: who needs more does not answer well at one a second


async def throttled(sender: Sender, context: Context, window: Window) -> str:
    """How the target throttled the sampling, in words; empty where its failures are its own.

    They are its own unless all of them are answers of 503, at least 10 % of the requests, and the routes that failed
    then answer 44 requests at one a second. A 429 needs no such question: it says itself that the rate is refused.
    """
    sample, busy, rate = sender.tally.sample(), sender.tally.busy, sender.schedule.rate
    asked, failed = sum(sample.failed().trials), sum(sample.failures)
    if failed != busy.total() or failed < _SHARE * asked or not failed or rate * _APART <= 1:
        return ""
    routes = [(sender.routes[number], sender.urls[number]) for number in sorted(busy) if busy[number]]
    if not await _are_well(routes, context, window):
        return ""
    share = f"{100 * failed / asked:.0f} % of {asked} requests got 503"
    return f"throttled at {rate:g} a second: {share}, and all of {_AGAIN} at one a second were answered"


async def _are_well(routes: Sequence[tuple[Route, str]], context: Context, window: Window) -> bool:
    """Whether the routes answer all requests, in turn, each on a connection of its own: one may lead to one replica."""
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
