"""The sentences of a verdict: numbers with what stands behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from probekit.judging.statistics import LimitTest
from probekit.model import numbers
from probekit.model.limit import Limit
from probekit.model.readings import BaselineValues, Complement, ErrorRate, Histogram, Mean, Quantile, Reading, Share
from probekit.model.verdict import Outcome

Change = Literal["none", "better", "fewer requests"]  # better, or only seemingly: with fewer requests


def words(metric: str) -> str:
    """A metric's name as people read it."""
    return metric.replace("_", " ")


def number(value: float | None, limit: Limit) -> str:
    """A number with the limit's unit."""
    if value is None:
        return "unknown"
    unit = limit.unit if limit.of == "value" or limit.op != "within" else ""
    return numbers.number(value, unit, apart_from=limit.value if limit.of == "value" else None)


def metric_value(limit: Limit, value: float | None, detail: str) -> str:
    """A metric with its number and, in parentheses, what stands behind it."""
    return f"{words(limit.metric)} {number(value, limit)}" + (f" ({detail})" if detail else "")


def against(limit: Limit) -> str:
    """The limit without its metric's name."""
    return f"limit {str(limit).removeprefix(limit.metric).strip()}"


def all_of(counts: Sequence[int]) -> str:
    """How many measurements agree, by attempt."""
    measurements = sum(counts)
    attempts = f" in {len(counts)} attempts" if len(counts) > 1 else ""
    return f"all {measurements} measurements{attempts}" if measurements > 1 else "1 measurement"


def sample_summary(reading: Reading, judged: LimitTest) -> str:
    """How much stands behind the number of a sample, and what a decision would take."""
    if isinstance(reading, Mean):
        return _mean_summary(judged)
    events = round((judged.value or 0.0) * judged.trials)
    what = {Quantile: "too slow", Histogram: "too slow", Complement: "missed", ErrorRate: "failed"}.get(
        type(reading), "counted"
    )
    text = f"{events} of {judged.trials} {what}"
    if own := sum(reading.own_requests) if isinstance(reading, Share | Histogram) else 0:
        text += f", {own} of our own left out"
    if judged.outcome is Outcome.ERROR and isinstance(reading, ErrorRate) and reading.doubt:
        return f"{text}; {reading.doubt}"
    if judged.outcome is Outcome.ERROR:
        return f"{text}; only our own delay stands between this and a verdict"
    if judged.outcome is Outcome.INCONCLUSIVE:
        more = f"{judged.needed} more without one would prove it" if judged.needed else "the interval holds the limit"
        return f"{text}, which proves nothing yet: {more}"
    return f"{text}, between {_short(100 * judged.low)} and {_short(100 * judged.high)} %"


def _short(value: float, digits: int = 2) -> str:
    """Return an end of an interval: more digits would claim what is not known."""
    return numbers.number(float(f"{value:.{digits}g}"))


def _mean_summary(judged: LimitTest) -> str:
    text = f"the mean of {judged.trials} blocks"
    if judged.needed:
        return f"{text}, which proves nothing yet: {judged.needed} more are needed"
    interval = f"{text}, between {numbers.number(judged.low)} and {numbers.number(judged.high)}"
    return interval if judged.outcome is not Outcome.INCONCLUSIVE else f"{interval}, which holds the limit"


def nearest_edges(reading: Histogram, milliseconds: float) -> str:
    """Between which edges of a histogram a limit lies: nothing is known of what happens between them."""
    below, above = ([edge for edge in reading.edges if (edge < milliseconds) is side] for side in (True, False))
    near = " and ".join(numbers.number(edge, "ms") for edge in (*below[-1:], *above[:1]))
    missed = f"no bucket ends at {numbers.number(milliseconds, 'ms')}, so nothing is decided"
    return f"{missed}; the nearest edges are {near or 'none'}"


def comparison_summary(value: float, before: BaselineValues, limit: Limit, judged: LimitTest, change: Change) -> str:
    """How a value stands to the windows of a baseline."""
    if judged.needed:
        return f"{len(before.values)} windows of a baseline are known, {judged.needed} more are needed"
    if judged.value is None:
        return "a zero, and no floor below which a difference is noise"
    if max(value, *before.values) < limit.floor:
        floor = numbers.number(limit.floor, limit.unit)
        return f"below {floor}, as all {judged.trials} windows before: between such small numbers a difference is noise"
    ratio, low, high = (_short(one, 3) for one in (judged.value, judged.low, judged.high))
    text = f"x{ratio} of {judged.trials} windows before, between x{low} and x{high}"
    if change == "fewer requests":
        return f"{text}, but fewer asked, too: quick errors and users who stay away both look like an improvement"
    text += ", which has shifted to the better" if change == "better" else ""
    return text + (", which holds the limit" if judged.outcome is Outcome.INCONCLUSIVE else "")
