"""What does one reading prove of one limit?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from probekit.judging.comparison import judge_against_baseline, judge_within
from probekit.judging.evidence import added
from probekit.judging.statistics import LimitTest, Peeks, Risks, judge_failures, judge_mean, judge_quantile, judge_share
from probekit.model.limit import Limit
from probekit.model.readings import (
    BaselineValues,
    Complement,
    Counted,
    ErrorRate,
    Exact,
    Histogram,
    Mean,
    Quantile,
    Reading,
    Share,
)
from probekit.model.verdict import Outcome

_MICROSECONDS: Final = {"ms": 1e3, "s": 1e6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Whether a limit holds, with the number in the limit's own unit and what stands behind it."""

    outcome: Outcome
    value: float | None
    detail: str = ""


def evaluate(reading: Reading, limit: Limit, risks: Risks) -> Evaluation:
    """Whether the reading proves that the limit holds (`pass`), that it does not (`fail`), or neither.

    Raises:
        ValueError: the reading cannot be held against such a limit: a bug of the checklist or the kind.
    """
    if limit.of == "baseline":
        return _compared(reading, limit, risks)
    if isinstance(reading, Exact):
        outcome = Outcome.PASS if limit.holds(reading.value) else Outcome.FAIL
        return Evaluation(outcome=outcome, value=reading.value)
    if isinstance(reading, Histogram) and reading.slow(_in_milliseconds(limit)) is None:
        return Evaluation(outcome=Outcome.INCONCLUSIVE, value=number_of(reading), detail=_edges_near(reading, limit))
    judged = _judged(reading, limit, risks)
    alone = Evaluation(
        outcome=_turned(judged.outcome, reading, limit), value=number_of(reading), detail=_summary(reading, judged)
    )
    return _with_earlier(alone, reading, limit, risks)


def _with_earlier(alone: Evaluation, reading: Reading, limit: Limit, risks: Risks) -> Evaluation:
    """What earlier windows add: never to a failure, and to a pass only while this window's own share keeps the limit.

    With them this is one of many looks at evidence that grows, and is judged as such.
    """
    if limit.earlier is None or not isinstance(reading, Counted) or alone.outcome in (Outcome.FAIL, Outcome.ERROR):
        return alone
    if alone.value is None or not limit.holds(_in_unit(alone.value, limit)):
        summary = f"{alone.detail}; this window alone does not keep the limit, so earlier ones prove nothing"
        return replace(alone, outcome=Outcome.INCONCLUSIVE, detail=summary)
    whole = added(limit.earlier, reading)
    judged = _judged(whole, limit, risks, "often")
    outcome = _turned(judged.outcome, whole, limit)
    return Evaluation(
        outcome=Outcome.PASS if outcome is Outcome.PASS else Outcome.INCONCLUSIVE,
        value=alone.value,
        detail=f"{_summary(whole, judged)}, with the earlier windows of this release",
    )


def _in_milliseconds(limit: Limit) -> float:
    return limit.value * _MICROSECONDS[limit.unit] / 1000


def _edges_near(reading: Histogram, limit: Limit) -> str:
    """Between which edges the limit lies: nothing is known of what happens between them."""
    at = _in_milliseconds(limit)
    below, above = ([edge for edge in reading.edges if (edge < at) is side] for side in (True, False))
    near = [f"{edge:g} ms" for edge in (*below[-1:], *above[:1])]
    return f"no bucket ends at {at:g} ms, so nothing is decided; the nearest edges are {' and '.join(near) or 'none'}"


def _in_unit(value: float, limit: Limit) -> float:
    """Milliseconds in the limit's own unit; percent stays what it is."""
    return value * 1000 / _MICROSECONDS[limit.unit] if limit.unit in _MICROSECONDS else value


def _compared(reading: Reading, limit: Limit, risks: Risks) -> Evaluation:
    """A reading is one window of its statistic; the baseline has several."""
    value = number_of(reading)
    if value is None:
        return Evaluation(outcome=Outcome.INCONCLUSIVE, value=None, detail="there is no number to compare")
    before = limit.before or BaselineValues(())
    judge = judge_within if limit.op == "within" else judge_against_baseline
    judged = judge(BaselineValues((value,)), before, limit.value / 100, risks, limit.floor)
    if limit.lacking:
        summary = limit.lacking
    elif judged.needed:
        summary = f"{len(before.values)} windows of a baseline are known, {judged.needed} more are needed"
    elif judged.value is None:
        summary = "a zero, and no floor below which a difference is noise"
    elif max(value, *before.values) < limit.floor:
        floor = f"{limit.floor:g} {limit.unit}".strip()
        summary = (
            f"below {floor}, as all {judged.trials} windows before: between such small numbers a difference is noise"
        )
    else:
        summary = (
            f"x{judged.value:.3g} of {judged.trials} windows before, between x{judged.low:.3g} and x{judged.high:.3g}"
        )
        shifted = limit.op != "within" and judged.high < 1 / (1 + limit.value / 100)
        if shifted and _traffic_fell(reading, limit, risks):
            summary += ", but fewer asked, too: quick errors and users who stay away both look like an improvement"
            return Evaluation(outcome=Outcome.INCONCLUSIVE, value=value, detail=summary)
        summary += ", which has shifted to the better" if shifted else ""
        summary += ", which holds the limit" if judged.outcome is Outcome.INCONCLUSIVE else ""
    return Evaluation(outcome=judged.outcome, value=value, detail=summary)


def _traffic_fell(reading: Reading, limit: Limit, risks: Risks) -> bool:
    """Whether fewer requests came than in the windows before, beyond the tolerance."""
    before = limit.traffic.values if limit.traffic else ()
    if not isinstance(reading, Histogram) or not reading.requests or not before:
        return False
    apart, then = BaselineValues((1 / reading.requests,)), BaselineValues(tuple(1 / requests for requests in before))
    return judge_against_baseline(apart, then, limit.value / 100, risks).outcome is Outcome.FAIL


def number_of(reading: Reading) -> float | None:
    """What is observed: percent for a share, milliseconds for a percentile, else as it is; None where there is none."""
    match reading:
        case Exact(value):
            return value
        case Mean() | Histogram():
            return reading.value
        case Quantile():
            return None if reading.value is None else reading.value / 1000
        case ErrorRate(sample):
            return number_of(sample.failed())
        case Complement(share):
            missed = number_of(share)
            return None if missed is None else 100 - missed
    trials = sum(reading.trials)
    return 100 * sum(reading.events) / trials if trials else None


def holds(reading: Reading, limit: Limit, risks: Risks) -> bool:
    """Whether a band's limit holds: the whole interval lies inside."""
    return evaluate(reading, limit, risks).outcome is Outcome.PASS


def _judged(reading: Mean | Counted, limit: Limit, risks: Risks, peeks: Peeks = "once") -> LimitTest:
    """Every such limit is one on a share, or a mean, that must be small."""
    if isinstance(reading, Mean):
        return judge_mean(reading, limit.value, risks)
    if isinstance(reading, Histogram):
        return judge_share(reading.slow(_in_milliseconds(limit)) or Share((), ()), 1 - reading.q, risks, peeks)
    if isinstance(reading, Quantile):
        return judge_quantile(reading.sample, reading.q, limit.value * _MICROSECONDS[limit.unit], risks, peeks)
    part = limit.value / 100
    if isinstance(reading, Complement):
        return judge_share(reading.share, 1 - part, risks, peeks)
    return (
        judge_failures(reading.sample, part, risks, peeks)
        if isinstance(reading, ErrorRate)
        else judge_share(reading, part, risks, peeks)
    )


def _turned(outcome: Outcome, reading: Reading, limit: Limit) -> Outcome:
    """`x < L` holds by a small share, `x > L` by a large one; a complement turns that round."""
    if limit.op in ("==", "within"):
        message = f"'{limit}' cannot be held against a share or a mean"
        raise ValueError(message)
    if (limit.op in ("<", "<=")) is not isinstance(reading, Complement):
        return outcome
    return {Outcome.PASS: Outcome.FAIL, Outcome.FAIL: Outcome.PASS}.get(outcome, outcome)


def _summary(reading: Reading, judged: LimitTest) -> str:
    """How much stands behind the number, and what a proof would take."""
    if isinstance(reading, Mean):
        return _mean_summary(judged)
    events = round((judged.value or 0.0) * judged.trials)
    what = {Quantile: "too slow", Histogram: "too slow", Complement: "missed", ErrorRate: "failed"}.get(
        type(reading), "counted"
    )
    text = f"{events} of {judged.trials} {what}"
    if ours := sum(reading.own_requests) if isinstance(reading, Share | Histogram) else 0:
        text += f", {ours} of our own left out"
    if judged.outcome is Outcome.ERROR:
        return f"{text}; only our own delay stands between this and a verdict"
    if judged.outcome is Outcome.INCONCLUSIVE:
        more = f"{judged.needed} more without one would prove it" if judged.needed else "the interval holds the limit"
        return f"{text}, which proves nothing yet: {more}"
    return f"{text}, between {100 * judged.low:.2g} and {100 * judged.high:.2g} %"


def _mean_summary(judged: LimitTest) -> str:
    text = f"the mean of {judged.trials} blocks"
    if judged.needed:
        return f"{text}, which proves nothing yet: {judged.needed} more are needed"
    interval = f"{text}, between {judged.low:.4g} and {judged.high:.4g}"
    return interval if judged.outcome is not Outcome.INCONCLUSIVE else f"{interval}, which holds the limit"
