"""Read the target's own counters of all its requests, from its metrics in Prometheus' text format."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Final

from probekit.probe import (
    Context,
    Histogram,
    Kind,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
    Share,
    http_endpoint,
)
from probekit.probes._support.exposition import MOST_BYTES
from probekit.probes.scrape.counters import Counters, read, require_equal_edges
from probekit.probes.scrape.settings import Scrape

_QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(slots=True)
class _Block:
    """The growth of the counters in one block of time, without processes that appeared or ended in it."""

    is_whole: bool = True
    requests: int = 0
    errors: int = 0
    buckets: dict[float, int] = field(default_factory=dict)

    def add(self, growth: Counters, config: Scrape) -> None:
        """Add the growth of one process."""
        for labels, more in growth.statuses.items():
            status = dict(labels).get(config.status, "")
            self.requests += round(more)
            self.errors += round(more) if status.startswith(config.errors) else 0
        for (_, edge), more in growth.buckets.items():
            self.buckets[edge] = self.buckets.get(edge, 0) + round(more)


async def sample(config: Scrape, context: Context) -> AsyncGenerator[Readings, None]:
    """Yield what was counted in each block: the growth of each process, never across a restart.

    Raises:
        ProbeFailedError: the metrics cannot be read, lack what the configuration names, or fall without a restart, so
            that nothing of the whole window is reliable.
    """
    if context.window is None:
        raise ProbeFailedError(Reason.BUG, "the sampling has no window")
    before = {one.process: one for one in await _scraped(config, context)}
    sent = context.http.sent_in_all
    while await context.window.next():
        block = _Block()
        now = await _scraped(config, context)
        require_equal_edges(config, [*before.values(), *now])
        for after in now:
            earlier = before.get(after.process)
            if earlier is None:
                block.is_whole = False
            else:
                block.add(after.since(earlier), config)
            before[after.process] = after
        sent, before_it = context.http.sent_in_all, sent
        yield _readings(config, block, 0 if config.without else sent - before_it)


async def _scraped(config: Scrape, context: Context) -> list[Counters]:
    answer = await context.http.get(
        config.target(context.base_url), headers={"Accept": "text/plain;version=0.0.4"}, most=MOST_BYTES
    )
    answer.require_answer()
    if answer.status != 200 or answer.media_type == "text/html":  # noqa: PLR2004  # RFC 9110 section 15.3.1
        detail = f"{answer.status} {answer.media_type} from {answer.address} instead of metrics"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return await asyncio.to_thread(read, config, answer.body)  # a large page would block the event loop


def _readings(config: Scrape, block: _Block, own: int) -> Readings:
    """Return the readings of a block; `own` is the number of requests that this run sent during it."""
    summary = f"{block.requests or block.buckets.get(inf, 0)} requests counted by the target in the last block"
    summary += "" if block.is_whole else "; a restarted or new process is left out"
    values: dict[str, Share | Histogram] = {}
    if config.requests:
        values["error_rate"] = Share((block.errors,), (block.requests,), _none_or(min(own, block.requests)))
    if config.duration and block.buckets:
        trials = block.buckets[inf]
        edges = tuple(sorted(edge for edge in block.buckets if isfinite(edge)))
        counts = tuple(min(block.buckets[edge], trials) for edge in edges)
        milliseconds = tuple(round(edge * config.milliseconds, 6) for edge in edges)
        mine = _none_or(min(own, trials))
        values |= {name: Histogram(milliseconds, (counts,), (trials,), q, mine) for name, q in _QUANTILES.items()}
    return Readings(summary, **values)


def _none_or(own: int) -> tuple[int, ...]:
    return (own,) if own else ()


def _default_limits(config: Scrape) -> tuple[str, ...]:
    """Return the checklist's limit on durations and a lenient one on errors, as far as the settings name them."""
    durations = ("p95 < 500 ms",) if config.duration else ()
    return (*durations, "error_rate < 1 %") if config.requests else durations


KIND = Kind(
    config=Scrape,
    fills=("api",),
    metrics=(
        Metric(name="p50", unit="ms", help="Duration that half of all requests did not exceed.", quantile=0.5),
        Metric(
            name="p95",
            unit="ms",
            help="Duration that 95 % of all requests did not exceed; judged by the bucket that ends at the limit.",
            quantile=0.95,
        ),
        Metric(name="p99", unit="ms", help="Duration that 99 % of all requests did not exceed.", quantile=0.99),
        Metric(
            name="error_rate",
            unit="%",
            help="Share of all requests with a status that counts as an error.",
            is_share=True,
        ),
    ),
    default_limits=_default_limits,
    sample=sample,
    passive=True,
    endpoint=http_endpoint,
    each_address=True,
    example="""\
kind = "scrape"
path = "/metrics"
requests = "http_requests_total"
duration = "http_request_duration_seconds"
without = { handler = ["/health", "/metrics"] }  # and probekit's own routes
""",
    privileges="read access to the metrics (connect.headers)",
)
