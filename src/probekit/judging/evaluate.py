"""Evaluate one reading against one limit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from probekit.judging.comparison import judge_against_baseline, judge_within
from probekit.judging.evidence import added
from probekit.judging.reference import NO_REFERENCE, Reference
from probekit.judging.statistics import (
    LimitTest,
    Peeks,
    Risks,
    judge_failures,
    judge_mean,
    judge_quantile,
    judge_share,
    proves_below,
    still_needed,
)
from probekit.judging.wording import Change, comparison_summary, nearest_edges, sample_summary
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
    Summary,
)
from probekit.model.verdict import Outcome

_MICROSECONDS: Final = {"ms": 1e3, "s": 1e6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Whether a limit holds, with the number in the limit's own unit and the sample behind it."""

    outcome: Outcome
    value: float | None
    detail: str = ""


def evaluate(reading: Reading, limit: Limit, risks: Risks, reference: Reference = NO_REFERENCE) -> Evaluation:
    """Return `pass` where the reading shows that the limit holds, `fail` where it shows the opposite, else neither.

    Raises:
        ValueError: the reading cannot be held against such a limit: a bug of the checklist or the kind.
    """
    if limit.of == "baseline":
        return _compared(reading, limit, risks, reference)
    if isinstance(reading, Exact):
        outcome = Outcome.PASS if limit.holds(reading.value) else Outcome.FAIL
        return Evaluation(outcome=outcome, value=reading.value)
    if isinstance(reading, Summary):
        return _summarized(reading, limit, risks)
    if isinstance(reading, Histogram) and reading.slow(_in_milliseconds(limit)) is None:
        return Evaluation(
            outcome=Outcome.INCONCLUSIVE,
            value=number_of(reading),
            detail=nearest_edges(reading, _in_milliseconds(limit)),
        )
    judged = limit_test(reading, limit, risks)
    alone = Evaluation(
        outcome=_turned(judged.outcome, reading, limit),
        value=number_of(reading),
        detail=sample_summary(reading, judged),
    )
    return _with_earlier(alone, reading, limit, risks, reference.earlier)


def _summarized(reading: Summary, limit: Limit, risks: Risks) -> Evaluation:
    """Evaluate a number of which only the sample size is known: trials count as independent.

    A percentile decides by its value alone if its sample is large enough for such a limit.
    """
    holds, part = limit.holds(reading.value), limit.value / 100
    if reading.q is not None:
        is_enough = reading.of >= still_needed(0, 1 - reading.q, risks)
    elif limit.unit != "%" or not 0 < part < 1:
        is_enough = reading.of > 0
    else:
        events = reading.of * min(reading.value / 100, 1.0)
        is_above = reading.value > limit.value
        k, most = (reading.of - events, 1 - part) if is_above else (events, part)
        is_enough = proves_below(
            k, reading.of, most, risks.of_a_pass("once") if holds else risks.false_fail * risks.part
        )
    if not is_enough:
        detail = f"of {reading.of}: sample too small"
        return Evaluation(outcome=Outcome.INCONCLUSIVE, value=reading.value, detail=detail)
    outcome = Outcome.PASS if holds else Outcome.FAIL
    return Evaluation(outcome=outcome, value=reading.value, detail=f"of {reading.of}")


def _with_earlier(
    alone: Evaluation, reading: Reading, limit: Limit, risks: Risks, earlier: Counted | None
) -> Evaluation:
    """Add earlier windows to a window that neither failed nor breaks the limit by its own share.

    The evidence grows from run to run, so the test is the one for repeated analysis.
    """
    if earlier is None or not isinstance(reading, Counted) or alone.outcome in (Outcome.FAIL, Outcome.ERROR):
        return alone
    if not keeps(alone.value, limit):
        summary = f"{alone.detail}; this window alone misses the limit, so earlier windows are not added"
        return replace(alone, outcome=Outcome.INCONCLUSIVE, detail=summary)
    whole = added(earlier, reading)
    judged = limit_test(whole, limit, risks, "often")
    outcome = _turned(judged.outcome, whole, limit)
    return Evaluation(
        outcome=Outcome.PASS if outcome is Outcome.PASS else Outcome.INCONCLUSIVE,
        value=alone.value,
        detail=f"{sample_summary(whole, judged)}, with the earlier windows of this release",
    )


def _in_milliseconds(limit: Limit) -> float:
    return limit.value * _MICROSECONDS[limit.unit] / 1000


def keeps(value: float | None, limit: Limit) -> bool:
    """Return whether an observed number, as `number_of` gives it, is on the right side of the limit."""
    return value is not None and limit.holds(_in_unit(value, limit))


def _in_unit(value: float, limit: Limit) -> float:
    """Return milliseconds in the limit's own unit, and percent as it is."""
    return value * 1000 / _MICROSECONDS[limit.unit] if limit.unit in _MICROSECONDS else value


def _compared(reading: Reading, limit: Limit, risks: Risks, reference: Reference) -> Evaluation:
    """Compare one window of a statistic with the windows of a baseline."""
    value = number_of(reading)
    if value is None:
        return Evaluation(outcome=Outcome.INCONCLUSIVE, value=None, detail="the reading has no number to compare")
    before = reference.baseline or BaselineValues(())
    judge = judge_within if limit.op == "within" else judge_against_baseline
    judged = judge(BaselineValues((value,)), before, limit.value / 100, risks, limit.floor)
    if reference.lacking:
        return Evaluation(outcome=judged.outcome, value=value, detail=reference.lacking)
    change: Change = "none"
    if limit.op != "within" and judged.high < 1 / (1 + limit.value / 100):
        change = "fewer requests" if _traffic_fell(reading, reference, limit, risks) else "better"
    outcome = Outcome.INCONCLUSIVE if change == "fewer requests" else judged.outcome
    detail = comparison_summary(value, before, limit, judged, change)
    return Evaluation(outcome=outcome, value=value, detail=detail)


def _traffic_fell(reading: Reading, reference: Reference, limit: Limit, risks: Risks) -> bool:
    """Return whether there are fewer requests than in the baseline, beyond the tolerance."""
    before = reference.traffic.values if reference.traffic else ()
    if not isinstance(reading, Histogram) or not reading.requests or not before:
        return False
    apart, then = BaselineValues((1 / reading.requests,)), BaselineValues(tuple(1 / requests for requests in before))
    return judge_against_baseline(apart, then, limit.value / 100, risks).outcome is Outcome.FAIL


def number_of(reading: Reading) -> float | None:
    """Return the observed number: percent for a share, milliseconds for a percentile, else its own unit."""
    match reading:
        case Exact(value) | Summary(value):
            return value
        case Mean() | Histogram():
            return reading.value
        case Quantile():
            return None if reading.value is None else reading.value / 1000
        case ErrorRate(sample=sample):
            return number_of(sample.failed())
        case Complement(share):
            missed = number_of(share)
            return None if missed is None else 100 - missed
    trials = sum(reading.trials)
    return 100 * sum(reading.events) / trials if trials else None


def limit_test(reading: Mean | Counted, limit: Limit, risks: Risks, peeks: Peeks = "once") -> LimitTest:
    """Return the test of a reading: every such limit is one on a share, or a mean, that must be small."""
    if isinstance(reading, Mean):
        return judge_mean(reading, limit.value, risks)
    if isinstance(reading, Histogram):
        return judge_share(reading.slow(_in_milliseconds(limit)) or Share((), ()), 1 - reading.q, risks, peeks)
    if isinstance(reading, Quantile):
        return judge_quantile(reading.sample, reading.q, limit.value * _MICROSECONDS[limit.unit], risks, peeks)
    part = limit.value / 100
    if isinstance(reading, Complement):
        return judge_share(reading.share, 1 - part, risks, peeks)
    if isinstance(reading, ErrorRate):
        judged = judge_failures(reading.sample, part, risks, peeks)
        return (
            replace(judged, outcome=Outcome.ERROR) if reading.doubt and judged.outcome is not Outcome.FAIL else judged
        )
    return judge_share(reading, part, risks, peeks)


def _turned(outcome: Outcome, reading: Reading, limit: Limit) -> Outcome:
    """Return the outcome for the direction of the limit: a complement and `>` each reverse the test."""
    if limit.op in ("==", "within"):
        message = f"'{limit}' cannot be compared with a share or a mean"
        raise ValueError(message)
    if (limit.op in ("<", "<=")) is not isinstance(reading, Complement):
        return outcome
    return {Outcome.PASS: Outcome.FAIL, Outcome.FAIL: Outcome.PASS}.get(outcome, outcome)
