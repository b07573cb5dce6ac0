"""Compare one statistic per window with the windows of a baseline; pure.

Windows differ by noise (neighbours, time of day), so the test is a prediction interval over several baseline windows,
on the logarithm of the statistic (Student's t; Meeker, Hahn and Escobar, Statistical
Intervals, 2017, section 4.7).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, stdev
from typing import Final

from probekit.judging.statistics import LimitTest, Risks, t_quantile
from probekit.model.readings import BaselineValues
from probekit.model.verdict import Outcome

LEAST_WINDOWS: Final = 3  # fewer have no spread
SMALLEST_SPREAD: Final = 0.01  # no service repeats itself to better than 1 %
_TINY: Final = 1e-12  # replaces zero in a logarithm; without a floor a zero is inconclusive anyway
_MOSTLY: Final = 0.84  # standard deviations: four of five runs


def judge_against_baseline(
    check: BaselineValues, base: BaselineValues, tolerance: float, risks: Risks, floor: float = 0.0
) -> LimitTest:
    """Test for more than the baseline plus the tolerance (a share of it) and the floor (in its own unit).

    Value and bounds are ratios to the baseline. Values below the floor count as the floor.

    Raises:
        ValueError: tolerance or floor is negative or not finite.
    """
    if not all(math.isfinite(amount) and amount >= 0 for amount in (tolerance, floor)):
        message = "tolerance and floor must be finite and not negative"
        raise ValueError(message)
    missing = max(0, LEAST_WINDOWS - len(base.values))
    if missing or not check.values or (floor == 0 and 0 in base.values + check.values):
        return LimitTest(
            outcome=Outcome.INCONCLUSIVE, value=None, low=0.0, high=math.inf, trials=len(base.values), needed=missing
        )
    before, after = ([math.log(max(value, floor)) for value in windows.values] for windows in (base, check))
    allowed = _allowed(before, tolerance, floor)
    change, noise, free = fmean(after) - fmean(before), _noise(before, len(after)), len(before) - 1
    low = change - t_quantile(1 - risks.false_fail, free) * noise
    high = change + t_quantile(1 - risks.false_pass, free) * noise
    return LimitTest(
        outcome=Outcome.PASS if high < allowed else Outcome.FAIL if low > allowed else Outcome.INCONCLUSIVE,
        value=math.exp(change),
        low=math.exp(low),
        high=math.exp(high),
        trials=len(before),
        needed=0,
    )


def judge_within(
    check: BaselineValues, base: BaselineValues, tolerance: float, risks: Risks, floor: float = 0.0
) -> LimitTest:
    """Test for a value within tolerance and floor of the baseline; both directions must pass.

    Raises:
        ValueError: see `judge_against_baseline`.
    """
    more = judge_against_baseline(check, base, tolerance, risks, floor)
    least = max(floor, _TINY)
    after, before = (
        BaselineValues(tuple(1 / max(value, least) for value in windows.values)) for windows in (check, base)
    )
    less = judge_against_baseline(after, before, tolerance, risks)
    if Outcome.FAIL in (more.outcome, less.outcome):
        return replace(more, outcome=Outcome.FAIL)
    both = more.outcome is Outcome.PASS and less.outcome is Outcome.PASS
    return replace(more, outcome=Outcome.PASS if both else Outcome.INCONCLUSIVE)


def baseline_reach(
    base: BaselineValues, tolerance: float, risks: Risks, floor: float = 0.0, checks: int = 1
) -> tuple[float, float]:
    """Return the tolerance that an unchanged system passes, and the ratio that fails, each in about four of five runs.

    Values below the floor count as the floor, as in `judge_against_baseline`; the ratio is to the measured values.

    Raises:
        ValueError: fewer than three windows, or a zero among them.
    """
    if len(base.values) < LEAST_WINDOWS or 0 in base.values:
        message = f"at least {LEAST_WINDOWS} windows above zero are needed"
        raise ValueError(message)
    before = [math.log(max(value, floor)) for value in base.values]
    noise, free = _noise(before, checks), len(before) - 1
    passing, failing = (t_quantile(1 - risk, free) + _MOSTLY for risk in (risks.false_pass, risks.false_fail))
    raised = fmean(before) - fmean(math.log(value) for value in base.values)
    return math.expm1(passing * noise), math.exp(raised + _allowed(before, tolerance, floor) + failing * noise)


def _allowed(before: Sequence[float], tolerance: float, floor: float) -> float:
    """Return the logarithm of the ratio that is still allowed."""
    return max(math.log1p(tolerance), math.log1p(floor / math.exp(fmean(before))))


def _noise(logs: Sequence[float], checks: int) -> float:
    return max(stdev(logs), SMALLEST_SPREAD) * math.sqrt(1 / checks + 1 / len(logs))
