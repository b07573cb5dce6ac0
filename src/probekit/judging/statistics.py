"""Test a share, a percentile or a mean against a limit by a small sample; pure.

A fail is a bet over blocks of time against "each block's expected share is at most the limit", which is valid after
any block (Ville 1939) and assumes nothing about events inside a block. A pass is exact binomial (Clopper and Pearson
1934) on the counts divided by their clustering, once, at the end of a window. Evidence that grows from run to run is
analysed repeatedly, and passes by a mixture of likelihood ratios (Robbins 1970), which takes more trials. A sampling
that may go on is judged after each of its windows, and each judgement takes its part of the risk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Final, Literal

from probekit.model.readings import LatencySample, Mean, Share
from probekit.model.verdict import Outcome

BLOCKS_TO_PASS: Final = 6  # fewer cannot show clustering
BLOCKS_TO_FAIL: Final = 3  # one burst touches two
BETS: Final = (0.02, 0.1, 0.3, 0.6, 0.95)
MIXTURE: Final = ((0.0, 0.4), (0.1, 0.2), (0.3, 0.2), (0.5, 0.1), (0.7, 0.1))  # part of the limit, weight
_FARTHEST: Final = 1e4  # standard deviations: beyond every quantile in use
SPENT: Final = (
    0.8,
    0.1,
    0.1,
)  # parts of a risk, by window: 0.04 + 0.005 + 0.005 of 0.05; most passes come at the first
SKEW: Final = 0.1  # correction of an estimate: few blocks with events tend to understate clustering
UNSENT: Final = 0.01  # share of unsent starts beyond which an error rate says nothing about the target

Peeks = Literal["once", "often"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Risks:
    """How often a judgement may be wrong, in each direction."""

    false_pass: float = 0.05
    false_fail: float = 0.01  # 0.001 where the failure could itself roll back
    window: int | None = None  # index of the latest window of a sampling that may go on; None: the only window

    def __post_init__(self) -> None:
        _inside(self.false_pass, self.false_fail)

    @property
    def part(self) -> float:
        """The part of a risk that this window may spend: every window is a chance to be wrong."""
        return 1.0 if self.window is None else SPENT[min(self.window, len(SPENT) - 1)]

    def of_a_pass(self, peeks: Peeks) -> float:
        """Return the risk of a false pass at this window; a test for repeated analysis does not divide it."""
        return self.false_pass if peeks == "often" else self.false_pass * self.part


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitTest:
    """Pass, fail, inconclusive or error, with the interval of the inverted tests, as shares."""

    outcome: Outcome
    value: float | None  # the observed share
    low: float  # at the risk of a false fail
    high: float  # at the risk of a false pass
    trials: int
    needed: int  # further trials without an event for a pass; 0 when it is decided
    clustering: float = 1.0
    needed_blocks: int = 0  # further blocks for a pass, where only they are missing


def judge_share(share: Share, limit: float, risks: Risks, peeks: Peeks = "once") -> LimitTest:
    """Test whether the share is below the limit (also a share); `often`: growing evidence, analysed repeatedly.

    Raises:
        ValueError: the limit lies outside of (0, 1).
    """
    _inside(limit)
    if any(share.own_requests):
        return _without_own_requests(share, limit, risks, peeks)
    events, trials = sum(share.events), sum(share.trials)
    cluster = clustering(share)
    k, n = events / cluster, trials / cluster
    risk = risks.of_a_pass(peeks)
    is_low = proves_below(k, n, limit, risk, peeks)
    missing_blocks = max(0, BLOCKS_TO_PASS - _used(share)) if is_low else 0
    below = is_low and not missing_blocks
    above = proves_above(share, limit, risks.false_fail)
    outcome = Outcome.INCONCLUSIVE if below == above else Outcome.PASS if below else Outcome.FAIL
    missing = still_needed(k, limit, risks, peeks, cluster) - trials if outcome is Outcome.INCONCLUSIVE else 0
    return LimitTest(
        outcome=outcome,
        value=events / trials if trials else None,
        low=_edge(lambda p: not proves_above(share, p, risks.false_fail)),
        high=_edge(lambda p: proves_below(k, n, p, risk, peeks)),
        trials=trials,
        needed=max(0, missing),
        clustering=cluster,
        needed_blocks=missing_blocks,
    )


def _without_own_requests(share: Share, limit: float, risks: Risks, peeks: Peeks) -> LimitTest:
    """Test a share that the target counted, so that probekit's own requests cause neither a pass nor a fail."""
    passing, failing = (judge_share(part, limit, risks, peeks) for part in share.without_own_requests())
    if failing.outcome is Outcome.FAIL:
        return failing
    outcome = passing.outcome if passing.outcome is Outcome.PASS else Outcome.INCONCLUSIVE
    return replace(passing, outcome=outcome, low=failing.low)


def judge_quantile(sample: LatencySample, q: float, limit: float, risks: Risks, peeks: Peeks = "once") -> LimitTest:
    """Test whether the q-quantile is below the limit (microseconds): `p95 < limit` is `P(T >= limit) < 5 %`.

    A pass counts the local delay, a fail leaves it out; where only the local delay decides, the result is an error.
    """
    _inside(q)
    felt, theirs = (judge_share(share, 1 - q, risks, peeks) for share in sample.slow(limit))
    if felt.outcome is Outcome.PASS or felt == theirs:
        return felt
    if theirs.outcome is Outcome.FAIL:
        return theirs
    is_local = theirs.outcome is Outcome.PASS or felt.outcome is Outcome.FAIL
    return replace(felt, outcome=Outcome.ERROR if is_local else Outcome.INCONCLUSIVE, low=theirs.low)


def judge_failures(sample: LatencySample, limit: float, risks: Risks, peeks: Peeks = "once") -> LimitTest:
    """Test whether the error rate is below the limit; with more than 1 % of the starts unsent it is an error."""
    judged = judge_share(sample.failed(), limit, risks, peeks)
    unsent = sum(sample.unsent)
    lost = unsent > UNSENT * (judged.trials + unsent)
    return replace(judged, outcome=Outcome.ERROR) if lost and judged.outcome is not Outcome.FAIL else judged


def judge_mean(mean: Mean, limit: float, risks: Risks) -> LimitTest:
    """Test whether the mean is below the limit, by Student's t over the blocks; a pass and a fail both take six.

    Bounds are in the unit of the mean, trials are blocks. Unlike the bet on a share, a t test may be wrong at every
    window, so a sampling that may go on divides both risks.
    """
    values = mean.values
    missing = max(0, BLOCKS_TO_PASS - len(values))
    if missing:
        return LimitTest(
            outcome=Outcome.INCONCLUSIVE, value=mean.value, low=0.0, high=math.inf, trials=len(values), needed=missing
        )
    centre, error, free = fmean(values), stdev(values) / math.sqrt(len(values)), len(values) - 1
    low = centre - t_quantile(1 - risks.false_fail * risks.part, free) * error
    high = centre + t_quantile(1 - risks.of_a_pass("once"), free) * error
    outcome = Outcome.PASS if high < limit else Outcome.FAIL if low > limit else Outcome.INCONCLUSIVE
    return LimitTest(outcome=outcome, value=centre, low=low, high=high, trials=len(values), needed=0)


def proves_above(share: Share, limit: float, risk: float) -> bool:
    """Return whether a bet against "each block's expected share is at most the limit" has won 1 / risk."""
    times = [events / trials / limit for events, trials in zip(share.events, share.trials, strict=True) if trials]
    if sum(ratio > 0 for ratio in times) < BLOCKS_TO_FAIL:
        return False
    won = [sum(math.log1p(bet * (ratio - 1)) for ratio in times) for bet in BETS]
    return _log_sum(won) - math.log(len(BETS)) >= -math.log(risk)


def proves_below(k: float, n: float, limit: float, risk: float, peeks: Peeks = "once") -> bool:
    """Return whether k events in n trials are too few for the limit: exactly, or by a mixture for repeated analysis."""
    if n <= k:
        return False
    if peeks == "once":
        return 1 - betainc(k + 1, n - k, limit) <= risk
    won = [
        math.log(weight) + (k and k * math.log(part)) + (n - k) * (math.log1p(-part * limit) - math.log1p(-limit))
        for part, weight in MIXTURE
        if part or not k
    ]
    return _log_sum(won) >= -math.log(risk)


def still_needed(k: float, limit: float, risks: Risks, peeks: Peeks = "once", cluster: float = 1.0) -> int:
    """Return the least number of trials with which k (clustered) events still show "below the limit"."""
    low, high, risk = math.floor(k), 2 * math.ceil(k + 1), risks.of_a_pass(peeks)
    while not proves_below(k, high, limit, risk, peeks):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if proves_below(k, middle, limit, risk, peeks):
            high = middle
        else:
            low = middle
    return math.ceil(high * cluster)


def clustering(share: Share) -> float:
    """Return how many times more the blocks differ than independent trials would, at least 1.

    It is Pearson's dispersion with a correction for skew: with three stalls, 92 of 100 windows show too little.
    """
    events, trials = sum(share.events), sum(share.trials)
    blocks = _used(share)
    if events in (0, 1, trials) or blocks < 2:  # noqa: PLR2004  # a spread needs two
        return 1.0
    p = events / trials
    pearson = sum((k - n * p) ** 2 / (n * p * (1 - p)) for k, n in zip(share.events, share.trials, strict=True) if n)
    excess = pearson / (blocks - 1) - 1
    return 1 + max(0.0, excess) * (1 + SKEW / sum(k > 0 for k in share.events))


def t_quantile(p: float, free: int) -> float:
    """Return the p-quantile, p > 0.5, of Student's t with `free` degrees of freedom."""
    return _FARTHEST * _edge(lambda x: 1 - betainc(free / 2, 0.5, free / (free + (_FARTHEST * x) ** 2)) / 2 >= p)


def betainc(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), by Lentz's continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - betainc(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    total = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + step * d or 1e-300)  # Lentz: never divide by zero
            c = 1 + step / c or 1e-300
            total *= c * d
        if abs(c * d - 1) < 1e-15:  # noqa: PLR2004  # a double holds no more
            break
    return math.exp(front) * total / a


def _edge(holds: Callable[[float], bool]) -> float:
    """Return the least number between 0 and 1 at which a monotone condition holds."""
    low, high = 0.0, 1.0
    for _ in range(50):  # short of 1.0 itself
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high if low else 0.0


def _used(share: Share) -> int:
    return sum(trials > 0 for trials in share.trials)


def _log_sum(logs: Sequence[float]) -> float:
    top = max(logs)
    return top + math.log(sum(math.exp(value - top) for value in logs))


def _inside(*shares: float) -> None:
    if not all(0 < share < 1 for share in shares):
        message = "a share or a risk outside of (0, 1)"
        raise ValueError(message)
