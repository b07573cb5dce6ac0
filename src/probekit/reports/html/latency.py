"""Draw the distribution of a sample's durations, with the limit and the interval of its percentile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from probekit.model.measurement import Attempt
from probekit.model.numbers import count, number
from probekit.model.percentile import Percentile
from probekit.model.readings import LatencySample, Quantile
from probekit.model.report import Report
from probekit.reports.html.shapes import LEFT, PLOT, RIGHT, TOP, WIDTH, Bar, LogScale, Mark

_BINS: Final = 40
_MILLISECONDS: Final = {"ms": 1.0, "s": 1000.0}  # of the units of a limit on a request


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The distribution of the durations of one sample."""

    title: str
    caption: str
    bars: tuple[Bar, ...]
    ticks: tuple[Mark, ...]
    limits: tuple[Mark, ...]
    interval: Bar | None
    value: float | None  # x of the percentile


def latencies(report: Report) -> tuple[Latency, ...]:
    """Return the distribution of each sample, with the limits on its percentiles."""
    by_probe: dict[tuple[str, str], list[Percentile]] = {}
    for one in report.percentiles:
        by_probe.setdefault((one.probe, one.instance), []).append(one)
    found = (_latency(report, probe, instance, some) for (probe, instance), some in by_probe.items())
    return tuple(one for one in found if one is not None)


def _latency(report: Report, probe: str, instance: str, known: Sequence[Percentile]) -> Latency | None:
    attempts = next(
        (some for key, some in report.attempts.items() if (key.probe, key.instance) == (probe, instance)), ()
    )
    sample = _sample(attempts[-1]) if attempts else None
    times = sorted(value / 1000 for values in sample.values for value in values) if sample else []
    if not times or sample is None:
        return None
    limits = {
        (one.limit.metric, one.limit.value * _MILLISECONDS[one.limit.unit]): one
        for one in report.verdicts
        if one.item.probe == probe and one.limit and one.limit.unit in _MILLISECONDS and one.limit.of == "value"
        if any(one.limit.metric == percentile.metric for percentile in known)
    }
    shown = next((one for one in known if any(metric == one.metric for metric, _ in limits)), known[-1])
    bounds = [value for metric, value in limits if metric == shown.metric]
    scale = LogScale([*times, *bounds])
    failed = sum(sample.failures) + sum(sample.unsent)
    return Latency(
        title=f"{probe}.{instance}" if instance else probe,
        caption=_latency_caption(shown, bounds, len(times), failed),
        bars=tuple(_bins(times, scale)),
        ticks=tuple(scale.ticks()),
        limits=tuple(_limit_mark(scale, shown.metric, value) for value in bounds[:2]),
        interval=_interval(scale, shown),
        value=None if shown.value is None else scale.x(shown.value),
    )


def _sample(attempt: Attempt) -> LatencySample | None:
    """Return the sample of all windows of an attempt; None where it has none."""
    whole: LatencySample | None = None
    for one in (*attempt.measurements, *attempt.rechecks):
        reading = next((value for value in one.values.values() if isinstance(value, Quantile)), None)
        if reading is not None:
            whole = reading.sample if whole is None else whole + reading.sample
    return whole


def _latency_caption(shown: Percentile, limits: Sequence[float], answered: int, failed: int) -> str:
    value = "unknown" if shown.value is None else number(shown.value, "ms")
    bounds = [f"above {number(shown.low, 'ms')}"] if shown.low is not None else []
    bounds += [f"below {number(shown.high, 'ms')}"] if shown.high is not None else []
    text = f"{shown.metric} {value}" + (f" ({' and '.join(bounds)})" if bounds else "")
    text += f", limit {' and '.join(number(limit, 'ms') for limit in limits)}" if limits else ", no limit"
    text += f"; {count(answered, 'answered request')}"
    return text + (f", and {failed:,} without an answer, which count as slow" if failed else "")


def _bins(times: Sequence[float], scale: LogScale) -> Iterator[Bar]:
    step = (RIGHT - LEFT) / _BINS
    counts = [0] * _BINS
    for time in times:
        counts[min(int((scale.x(time) - LEFT) / step), _BINS - 1)] += 1
    most = max(counts)
    for place, some in enumerate(counts):
        if some:
            height = max(round(some / most * PLOT, 1), 1.5)
            yield Bar(x=round(LEFT + place * step, 1), y=TOP + PLOT - height, width=round(step - 1, 1), height=height)


def _limit_mark(scale: LogScale, metric: str, value: float) -> Mark:
    x = scale.x(value)
    return Mark(x=x, label=f"{metric} limit {number(value, 'ms')}", anchor="end" if x > WIDTH / 2 else "start")


def _interval(scale: LogScale, shown: Percentile) -> Bar | None:
    """Return the band of the percentile's interval; it reaches the edge where it has no bound."""
    if shown.low is None and shown.high is None:
        return None
    start = LEFT if shown.low is None else scale.x(shown.low)
    end = RIGHT if shown.high is None else scale.x(shown.high)
    return Bar(x=start, y=TOP, width=max(round(end - start, 1), 1.0), height=PLOT)
