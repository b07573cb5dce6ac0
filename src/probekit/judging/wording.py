"""Write the sentences of a verdict: a number with the sample behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from probekit.judging.statistics import BLOCKS_TO_PASS, LimitTest
from probekit.model import numbers
from probekit.model.limit import Limit
from probekit.model.readings import BaselineValues, Complement, ErrorRate, Histogram, Mean, Quantile, Reading, Share
from probekit.model.verdict import Outcome
from probekit.text import words

Change = Literal["none", "better", "fewer requests"]  # fewer requests: the improvement may be an artefact


def number(value: float | None, limit: Limit) -> str:
    """Return a number with the limit's unit."""
    if value is None:
        return "unknown"
    unit = limit.unit if limit.of == "value" or limit.op != "within" else ""
    return numbers.number(value, unit, apart_from=limit.value if limit.of == "value" else None)


def metric_value(limit: Limit, value: float | None, detail: str) -> str:
    """Return a metric with its number and, in parentheses, the sample behind it."""
    return f"{words(limit.metric)} {number(value, limit)}" + (f" ({detail})" if detail else "")


def against(limit: Limit) -> str:
    """Return the limit without its metric's name."""
    return f"limit {str(limit).removeprefix(limit.metric).strip()}"


def all_of(counts: Sequence[int]) -> str:
    """Return how many measurements agree, in how many attempts."""
    measurements = sum(counts)
    attempts = f" in {len(counts)} attempts" if len(counts) > 1 else ""
    return f"all {measurements} measurements{attempts}" if measurements > 1 else "1 measurement"


def sample_summary(reading: Reading, judged: LimitTest) -> str:
    """Return the sample behind a number and, where it is too small, the size that a verdict takes."""
    if isinstance(reading, Mean):
        return _mean_summary(judged)
    events = round((judged.value or 0.0) * judged.trials)
    what = {Quantile: "too slow", Histogram: "too slow", Complement: "missed", ErrorRate: "failed"}.get(
        type(reading), "counted"
    )
    text = f"{events} of {judged.trials} {what}"
    if own := sum(reading.own_requests) if isinstance(reading, Share | Histogram) else 0:
        text += f", without {own} of probekit's own requests"
    if judged.outcome is Outcome.ERROR and isinstance(reading, ErrorRate) and reading.doubt:
        return f"{text}; {reading.doubt}"
    if judged.outcome is Outcome.ERROR:
        return f"{text}; the local delay of the runner alone prevents a verdict"
    if judged.outcome is Outcome.INCONCLUSIVE and judged.needed:
        noun = "requests" if isinstance(reading, Quantile | Histogram | ErrorRate) else "observations"
        return f"{text}; {too_small(judged.trials, judged.needed, noun)}"
    text += f", between {_short(100 * judged.low)} and {_short(100 * judged.high)} %"
    if judged.outcome is Outcome.INCONCLUSIVE and judged.needed_blocks:
        return f"{text}; {too_small(BLOCKS_TO_PASS - judged.needed_blocks, judged.needed_blocks, 'blocks')}"
    return text


def too_small(size: int, missing: int, noun: str) -> str:
    """Return by how much a sample is too small, if what is missing brings no further event."""
    return f"sample too small: {size:,} of {size + missing:,} {noun}"


def _short(value: float, digits: int = 2) -> str:
    """Return an end of an interval, with no more digits than its precision allows."""
    return numbers.number(float(f"{value:.{digits}g}"))


def _mean_summary(judged: LimitTest) -> str:
    text = f"the mean of {judged.trials} blocks"
    if judged.needed:
        return f"{text}; {too_small(judged.trials, judged.needed, 'blocks')}"
    interval = f"{text}, between {numbers.number(judged.low)} and {numbers.number(judged.high)}"
    return interval if judged.outcome is not Outcome.INCONCLUSIVE else f"{interval}, which includes the limit"


def nearest_edges(reading: Histogram, milliseconds: float) -> str:
    """Return the edges of a histogram next to a limit that is none of them, which leaves the limit undecided."""
    below, above = ([edge for edge in reading.edges if (edge < milliseconds) is side] for side in (True, False))
    near = " and ".join(numbers.number(edge, "ms") for edge in (*below[-1:], *above[:1]))
    missed = f"no histogram bucket ends at {numbers.number(milliseconds, 'ms')}, so the result is inconclusive"
    return f"{missed}; the nearest bucket bounds are {near or 'none'}"


def comparison_summary(value: float, before: BaselineValues, limit: Limit, judged: LimitTest, change: Change) -> str:
    """Return how a value compares with the windows of a baseline."""
    if judged.needed:
        return f"baseline too small: {len(before.values)} of {len(before.values) + judged.needed} windows"
    if judged.value is None:
        return "the value or the baseline is zero, and the limit has no floor"
    if max(value, *before.values) < limit.floor:
        floor = numbers.number(limit.floor, limit.unit)
        return f"below the floor of {floor}, as are all {judged.trials} baseline windows: a difference is noise"
    ratio, low, high = (_short(one, 3) for one in (judged.value, judged.low, judged.high))
    text = f"x{ratio} of {judged.trials} baseline windows, between x{low} and x{high}"
    if change == "fewer requests":
        return f"{text}, with fewer requests: fast errors and missing users look like an improvement"
    text += ", an improvement" if change == "better" else ""
    return text + (", which includes the limit" if judged.outcome is Outcome.INCONCLUSIVE else "")
