"""What few samples prove, and what they do not: golden numbers, edges, and promises kept under bursts and stalls."""

from __future__ import annotations

import random
from importlib import import_module
from itertools import accumulate
from math import inf, nan

import pytest
from hypothesis import given, strategies as st

from probekit.judging.statistics import (
    Risks,
    betainc,
    clustering,
    judge_failures,
    judge_quantile,
    judge_share,
    proves_above,
    proves_below,
    still_needed,
    t_quantile,
)
from probekit.model.readings import LatencySample, Quantile, Share
from probekit.model.verdict import Outcome

R = Risks()
PASS, FAIL, INCONCLUSIVE, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR


def slow(milliseconds: int, own: int) -> LatencySample:
    """Six blocks of 20 requests, each so slow, with so much delay of our own."""
    return LatencySample(((milliseconds * 1000,) * 20,) * 6, ((own * 1000,) * 20,) * 6, (0,) * 6, (0,) * 6)


def steady(events: int, trials: int, blocks: int) -> Share:
    return Share((events,) * blocks, (trials,) * blocks)


@pytest.mark.parametrize(
    ("events", "limit", "trials"),
    [(0, 0.05, 59), (0, 0.01, 299), (0, 0.001, 2995), (1, 0.001, 4742), (2, 0.001, 6294), (3, 0.001, 7752)],
)
def test_how_many_trials_a_proof_takes(events, limit, trials) -> None:
    assert still_needed(events, limit, R) == trials
    assert proves_below(events, trials, limit, R.false_pass)
    assert not proves_below(events, trials - 1, limit, R.false_pass)


@pytest.mark.parametrize(("limit", "trials"), [(0.05, 68), (0.01, 343), (0.001, 3441)])
def test_looking_often_takes_more_trials(limit, trials) -> None:
    assert still_needed(0, limit, R, "often") == trials
    assert proves_below(0, trials, limit, R.false_pass, "often")
    assert not proves_below(0, trials - 1, limit, R.false_pass, "often")


@pytest.mark.heavy
def test_evidence_that_grows_may_be_looked_at_after_every_window() -> None:
    rng, runs, passed = random.Random(20261125), 400, 0  # a seed, so that a difference can be found again
    for _ in range(runs):
        events = list(accumulate(sum(rng.random() < 0.01 for _ in range(300)) for _ in range(12)))
        measurements = [(k, 300 * number) for number, k in enumerate(events, 1)]
        passed += any(proves_below(k, n, 0.01, R.false_pass, "often") for k, n in measurements)

    assert 0 < passed <= 0.05 * runs  # as promised, whatever the number of measurements; a dozen single ones pass 15 %


def test_a_smaller_risk_takes_more_trials() -> None:
    assert [still_needed(0, limit, Risks(false_pass=0.05 / 3)) for limit in (0.05, 0.001)] == [80, 4093]


def test_too_few_clean_trials_prove_nothing_and_say_how_many_are_missing() -> None:
    judged = judge_share(steady(0, 99, 30), 0.001, R)

    assert (judged.outcome, judged.needed) == (INCONCLUSIVE, 25)


def test_five_blocks_are_too_few_to_show_clustering() -> None:
    assert [judge_share(steady(0, 600, blocks), 0.001, R).outcome for blocks in (5, 6)] == [INCONCLUSIVE, PASS]


def test_the_interval_is_the_test_inverted() -> None:
    assert round(judge_share(steady(0, 20, 6), 0.05, R).high, 4) == 0.0247


@pytest.mark.parametrize(
    ("events", "trials", "limit", "risk", "too_few", "enough"),
    [
        (2, 100, 0.01, 0.01, 9, 10),
        (2, 100, 0.01, 0.001, 12, 13),
        (10, 10, 0.05, 0.001, 2, 3),
        (10, 10, 0.5, 0.001, 12, 13),
    ],
)
def test_how_many_blocks_a_failure_takes(events, trials, limit, risk, too_few, enough) -> None:
    assert not proves_above(steady(events, trials, too_few), limit, risk)
    assert proves_above(steady(events, trials, enough), limit, risk)


def test_one_burst_is_no_failure() -> None:
    burst = Share((500, 0, 0, 0, 0, 0), (500,) * 6)

    assert judge_share(burst, 0.001, R).outcome is INCONCLUSIVE
    assert (
        round(clustering(Share((10, 0, 0, 0, 0, 0), (100,) * 6)), 2) == 11.09
    )  # 10.17, and 0.1 of the excess for one block


def test_a_percentile_is_a_share_of_slow_ones() -> None:
    assert [judge_quantile(slow(ms, 0), 0.95, 500_000, R).outcome for ms in (100, 600)] == [PASS, FAIL]


def test_what_hangs_on_our_own_delay_is_our_error() -> None:
    assert judge_quantile(slow(510, 30), 0.95, 500_000, R).outcome is ERROR


def test_failures_are_slow_and_what_never_left_is_no_pass() -> None:
    failing = LatencySample(((1000,) * 20,) * 6, ((0,) * 20,) * 6, (5,) * 6, (0,) * 6)
    unsent = LatencySample(((1000,) * 20,) * 6, ((0,) * 20,) * 6, (0,) * 6, (5,) * 6)

    assert judge_quantile(failing, 0.95, 500_000, R).outcome is FAIL
    assert judge_quantile(unsent, 0.95, 500_000, R).outcome is ERROR


def test_an_error_rate_with_starts_that_never_left_is_ours_unless_it_fails_anyway() -> None:
    values, delays = ((1000,) * 1000,) * 6, ((0,) * 1000,) * 6
    clean = LatencySample(values, delays, (0,) * 6, (0,) * 6)
    some_unsent = LatencySample(values, delays, (0,) * 6, (20,) * 6)
    broken = LatencySample(values, delays, (100,) * 6, (20,) * 6)

    assert [judge_failures(sample, 0.001, R).outcome for sample in (clean, some_unsent, broken)] == [PASS, ERROR, FAIL]


def test_nothing_is_inconclusive() -> None:
    for share in (Share((), ()), Share((0,) * 6, (0,) * 6)):
        judged = judge_share(share, 0.01, R)
        assert (judged.outcome, judged.value, judged.trials) == (INCONCLUSIVE, None, 0)
        assert judged.needed == 299


def test_the_observed_percentile_counts_failures_as_slowest() -> None:
    values = tuple(range(1000, 20_000, 1000))  # 19 answers
    all_well = LatencySample((values,), ((0,) * 19,), (0,), (0,))
    one_lost = LatencySample((values,), ((0,) * 19,), (1,), (0,))
    two_lost = LatencySample((values,), ((0,) * 19,), (2,), (0,))

    assert [Quantile(sample, 0.95).value for sample in (all_well, one_lost, two_lost)] == [19_000, 19_000, None]


@pytest.mark.parametrize(
    "build",
    [
        lambda: Share((1,), (0,)),
        lambda: Share((-1,), (1,)),
        lambda: Share((0,), (nan,)),
        lambda: Share((0, 0), (1,)),
        lambda: Share((0,), (inf,)),
        lambda: LatencySample(((1,),), ((2,),), (0,), (0,)),  # a delay longer than its latency
        lambda: LatencySample(((1,),), ((0,),), (0, 0), (0,)),
        lambda: LatencySample(((-1,),), ((0,),), (0,), (0,)),
        lambda: Risks(false_pass=0),
        lambda: judge_share(steady(0, 1, 1), 0.0, R),
        lambda: judge_share(steady(0, 1, 1), 1.0, R),
        lambda: judge_quantile(slow(1, 0), 1.0, 1, R),
    ],
)
def test_what_cannot_be_evidence_is_a_bug_of_ours_and_never_a_pass(build) -> None:
    with pytest.raises(ValueError, match=r".+"):
        build()


@pytest.mark.parametrize(
    ("a", "b", "x", "value"),
    # I_x(1, b) = 1 - (1 - x)^b and I_x(a, 1) = x^a are exact; I_0.5(a, a) = 0.5 by symmetry
    [(1, 10, 0.1, 1 - 0.9**10), (10, 1, 0.9, 0.9**10), (7, 7, 0.5, 0.5), (3, 5, 0.0, 0.0), (3, 5, 1.0, 1.0)],
)
def test_the_incomplete_beta_function(a, b, x, value) -> None:
    assert betainc(a, b, x) == pytest.approx(value, abs=1e-12)


@pytest.fixture(scope="module")
def scipy():
    """Imported for who needs it: it takes longer than most tests."""
    return import_module("scipy.stats")


@given(st.floats(0.5, 500), st.floats(0.5, 5000), st.floats(1e-6, 1 - 1e-6))
def test_the_incomplete_beta_function_is_scipy_s(scipy, a, b, x) -> None:
    assert betainc(a, b, x) == pytest.approx(scipy.beta.cdf(x, a, b), abs=1e-9)


@given(st.integers(0, 40), st.integers(1, 3000), st.sampled_from([0.001, 0.01, 0.05, 0.5]))
def test_one_look_passes_where_the_exact_test_does(scipy, events, trials, limit) -> None:
    events = min(events, trials)
    exact = float(scipy.binomtest(events, trials, limit, alternative="less").pvalue)

    if abs(exact - 0.05) > 1e-9:
        assert proves_below(events, trials, limit, 0.05) is (events < trials and exact <= 0.05)


@given(st.sampled_from([0.8, 0.95, 0.99, 0.999]), st.integers(1, 200))
def test_the_quantiles_of_student_s_t_are_scipy_s(scipy, p, free) -> None:
    assert t_quantile(p, free) == pytest.approx(scipy.t.ppf(p, free), rel=1e-6)


BLOCKS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=12)


@given(BLOCKS, st.sampled_from([0.001, 0.01, 0.05, 0.5]))
def test_verdict_and_interval_never_disagree(blocks, limit) -> None:
    share = Share(tuple(min(pair) for pair in blocks), tuple(max(pair) for pair in blocks))

    judged = judge_share(share, limit, R)

    assert 0 <= judged.low <= 1
    assert 0 <= judged.high <= 1
    if judged.outcome is PASS:
        assert judged.high <= limit * (1 + 1e-9)
    if judged.outcome is FAIL:
        assert judged.low >= limit * (1 - 1e-9)


@pytest.mark.parametrize(
    ("events", "ours", "outcome"),
    [
        (0, 0, PASS),
        (0, 25, PASS),
        (0, 80, INCONCLUSIVE),  # without ours too few are left
        (30, 0, FAIL),
        (30, 8, FAIL),
        (30, 30, INCONCLUSIVE),  # ours alone may have been what failed
    ],
)
def test_requests_of_our_own_make_neither_a_pass_nor_a_fail(events, ours, outcome) -> None:
    share = Share((events,) * 6, (100,) * 6, (ours,) * 6)

    assert judge_share(share, 0.01, R).outcome is outcome


def test_what_was_not_counted_of_ours_is_none_when_windows_are_put_together() -> None:
    both = Share((1,), (10,)) + Share((2, 3), (20, 30), (4, 5))

    assert both == Share((1, 2, 3), (10, 20, 30), (0, 4, 5))
    assert both.last(2).own_requests == (4, 5)
    with pytest.raises(ValueError, match="other blocks"):
        Share((1, 2), (10, 20), (1,))


@pytest.mark.heavy
@pytest.mark.parametrize("burst", [1, 5])
def test_a_service_at_the_limit_seldom_passes_and_one_at_half_of_it_never_fails(burst) -> None:
    rng = random.Random(20261125)  # a seed, so that a difference can be found again
    runs, passes, fails = 300, 0, 0
    for _ in range(runs):
        at, half = (_window(rng, share, burst) for share in (0.01, 0.005))
        passes += judge_share(at, 0.01, R).outcome is PASS
        fails += judge_share(half, 0.01, Risks(false_fail=0.001)).outcome is FAIL

    assert passes <= 0.12 * runs  # 5 % promised; bursts of five add to it (7 % expected), and 300 runs are few
    assert fails == 0


def _window(rng: random.Random, share: float, burst: int) -> Share:
    """30 blocks of 500 requests, the errors in bursts of so many."""
    events = [sum(burst for _ in range(500 // burst) if rng.random() < share) for _ in range(30)]
    return Share(tuple(min(count, 500) for count in events), (500,) * 30)


@pytest.mark.heavy
def test_percentiles_with_stalls_pass_falsely_in_less_than_5_percent_of_single_windows() -> None:
    """Three stalls of 20 requests in 30 blocks look like less clustering than there is: 5.3 % without the allowance."""
    rng, passes, runs = random.Random(20261125), 0, 3000
    for _ in range(runs):
        slow = [20 * sum(rng.random() < 0.05 for _ in range(5)) for _ in range(30)]
        one = Share(tuple(slow), (100,) * 30)
        factor = clustering(one)
        passes += proves_below(sum(slow) / factor, 3000 / factor, 0.05, 0.05)

    assert passes <= 0.04 * runs
