"""What has the target itself counted of everybody's requests? Its own metrics, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from probekit.probe import (
    Context,
    Histogram,
    HttpConfig,
    Kind,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
    Share,
    http_endpoint,
)

_QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_START: Final = "process_start_time_seconds"
_MOST: Final = 50_000  # samples of one scrape

Labels = frozenset[tuple[str, str]]


class Scrape(HttpConfig):
    """Where the metrics are, and which of them count requests."""

    kind: Literal["scrape"]
    requests: str | None = Field(None, min_length=1, description="the counter of requests, by status")
    status: str = Field("status", min_length=1, description="the label of that counter that holds the status")
    errors: tuple[str, ...] = Field(("5",), min_length=1, description="how a status begins that is an error")
    duration: str | None = Field(None, min_length=1, description="the histogram of durations, in seconds")
    where: dict[str, str] = Field({}, description="labels that a series must have to count")
    without: dict[str, tuple[str, ...]] = Field(
        {}, description="label to the values that do not count: health checks, metrics, and our own routes or agent"
    )
    process: str | None = Field(None, description="the label that tells processes behind one address apart")

    @model_validator(mode="after")
    def _counts_something(self) -> Self:
        if self.requests is None and self.duration is None:
            message = "name 'requests', a counter, or 'duration', a histogram, or both"
            raise ValueError(message)
        return self

    def counts(self, labels: Mapping[str, str]) -> bool:
        """Whether a series of these labels is one of those that count."""
        kept = all(labels.get(name) == value for name, value in self.where.items())
        return kept and not any(labels.get(name) in values for name, values in self.without.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scraped:
    """Counters of one process since it began, by name and labels."""

    process: tuple[str, float | None]  # its label and its start
    statuses: Mapping[Labels, float]
    buckets: Mapping[tuple[Labels, float], float]  # by upper edge in seconds


@dataclass(slots=True)
class _Block:
    """Differences of one block of time; what a process counted before it was first seen, or lost, is in none."""

    is_whole: bool = True
    requests: int = 0
    errors: int = 0
    buckets: dict[float, int] = field(default_factory=dict)


async def sample(config: Scrape, context: Context) -> AsyncGenerator[Readings, None]:
    """What was counted in each block: differences of one process, never across a restart.

    Raises:
        ProbeFailedError: the metrics cannot be read, or do not hold what the configuration names.
    """
    if context.window is None:
        raise ProbeFailedError(Reason.BUG, "a sampling needs a window")
    before = {one.process: one for one in await _scraped(config, context)}
    sent = context.http.sent_in_all
    while await context.window.next():
        block = _Block()
        for after in await _scraped(config, context):
            earlier = before.get(after.process)
            block.is_whole &= earlier is not None and _add(block, earlier, after, config)
            before[after.process] = after
        sent, before_it = context.http.sent_in_all, sent
        yield _readings(config, block, 0 if config.without else sent - before_it)


async def _scraped(config: Scrape, context: Context) -> list[_Scraped]:
    answer = await context.http.get(config.target(context.base_url), headers={"Accept": "text/plain;version=0.0.4"})
    answer.require_answer()
    if answer.status != 200 or answer.media_type == "text/html":  # noqa: PLR2004  # RFC 9110 section 15.3.1
        detail = f"{answer.status} {answer.media_type} from {answer.address}, where metrics are due"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return _parsed(config, answer.body)


def _parsed(config: Scrape, body: bytes) -> list[_Scraped]:
    """The processes of one scrape."""
    statuses: dict[str, dict[Labels, float]] = {}
    buckets: dict[str, dict[tuple[Labels, float], float]] = {}
    starts: dict[str, float] = {}
    for number, (name, labels, value) in enumerate(_samples(body)):
        if number >= _MOST:
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"more than {_MOST} samples of metrics")
        process = labels.get(config.process, "") if config.process else ""
        if name == _START:
            starts[process] = value
        if not config.counts(labels) or not isfinite(value) or value < 0:
            continue
        key = frozenset(labels.items())
        if name in (config.requests, f"{config.requests}_total"):
            if config.status not in labels:
                detail = (
                    f"'{name}' has no label '{config.status}', by which errors are told: {', '.join(sorted(labels))}"
                )
                raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
            statuses.setdefault(process, {})[key] = value
        elif config.duration and name == f"{config.duration}_bucket":
            edge = _edge(labels.get("le", ""))
            rest = frozenset(pair for pair in labels.items() if pair[0] != "le")
            buckets.setdefault(process, {})[rest, edge] = value
    _require(config, statuses, buckets)
    if any(inf not in {edge for _, edge in found} for found in buckets.values()):
        detail = f"'{config.duration}' has no +Inf bucket: what is slower than its last edge would be in none"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return [
        _Scraped(
            process=(name, starts.get(name, starts.get(""))),
            statuses=statuses.get(name, {}),
            buckets=buckets.get(name, {}),
        )
        for name in sorted({*statuses, *buckets})
    ]


def _samples(body: bytes) -> Iterator[tuple[str, Mapping[str, str], float]]:
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  # only this kind needs it

    try:
        for family in text_string_to_metric_families(body.decode("utf-8")):
            for one in family.samples:
                yield one.name, one.labels, float(one.value)
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        detail = f"the metrics are not in Prometheus' text format ({type(error).__name__})"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail) from None


def _edge(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ProbeFailedError(Reason.BAD_RESPONSE, "a bucket without an edge") from None


def _require(config: Scrape, statuses: Mapping[str, object], buckets: Mapping[str, object]) -> None:
    for name, found in ((config.requests, statuses), (config.duration, buckets)):
        if name and not found:
            detail = f"no series of '{name}' with the declared labels is among the metrics"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail)


def _add(block: _Block, before: _Scraped, after: _Scraped, config: Scrape) -> bool:
    """Add what was counted between two scrapes of one process; False, with nothing added, where a counter fell."""
    statuses = {key: value - before.statuses.get(key, 0.0) for key, value in after.statuses.items()}
    buckets = {key: value - before.buckets.get(key, 0.0) for key, value in after.buckets.items()}
    if min((*statuses.values(), *buckets.values()), default=0.0) < 0:
        return False
    for labels, more in statuses.items():
        status = dict(labels).get(config.status, "")
        block.requests += round(more)
        block.errors += round(more) if status.startswith(config.errors) else 0
    for (_, edge), more in buckets.items():
        block.buckets[edge] = block.buckets.get(edge, 0) + round(more)
    return True


def _readings(config: Scrape, block: _Block, ours: int) -> Readings:
    """What was counted; `ours`: how many of the requests may be those that this run sent meanwhile."""
    summary = f"{block.requests or block.buckets.get(inf, 0)} requests counted by the target in the last block"
    summary += "" if block.is_whole else "; a process was restarted, or is seen for the first time, and is left out"
    values: dict[str, Share | Histogram] = {}
    if config.requests:
        values["error_rate"] = Share((block.errors,), (block.requests,), _none_or(min(ours, block.requests)))
    if config.duration and block.buckets:
        trials = block.buckets[inf]
        edges = tuple(sorted(edge for edge in block.buckets if isfinite(edge)))
        counts = tuple(min(block.buckets[edge], trials) for edge in edges)
        milliseconds = tuple(round(edge * 1000, 6) for edge in edges)
        mine = _none_or(min(ours, trials))
        values |= {name: Histogram(milliseconds, (counts,), (trials,), q, mine) for name, q in _QUANTILES.items()}
    return Readings(summary, **values)


def _none_or(ours: int) -> tuple[int, ...]:
    return (ours,) if ours else ()


KIND = Kind(
    config=Scrape,
    fills=("api",),
    metrics=(
        Metric(name="p50", unit="ms", help="half of everybody's requests took no longer", quantile=0.5),
        Metric(
            name="p95",
            unit="ms",
            help="95 % took no longer; judged by the bucket that ends at the limit",
            quantile=0.95,
        ),
        Metric(name="p99", unit="ms", help="99 % took no longer", quantile=0.99),
        Metric(
            name="error_rate",
            unit="%",
            help="share of everybody's requests with a status that is an error",
            is_share=True,
        ),
    ),
    sample=sample,
    passive=True,
    endpoint=http_endpoint,
    each_address=True,
    example="""\
kind = "scrape"
path = "/metrics"
requests = "http_requests_total"
duration = "http_request_duration_seconds"
without = { handler = ["/health", "/metrics"] }  # and our own routes
""",
    privileges="whatever opens the metrics (connect.headers)",
)
