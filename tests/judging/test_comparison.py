"""Worse than before: golden numbers, floors, and what so many windows can decide."""

from __future__ import annotations

import random
from math import exp, inf, nan

import pytest

from probekit.judging.comparison import baseline_reach, judge_against_baseline, judge_within
from probekit.judging.statistics import Risks
from probekit.model.readings import BaselineValues
from probekit.model.verdict import Outcome

R = Risks()
PASS, FAIL, INCONCLUSIVE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
EQUAL = BaselineValues((100.0,) * 8)


def against(value: float, base: BaselineValues = EQUAL, tolerance: float = 0.10, floor: float = 0.0) -> Outcome:
    return judge_against_baseline(BaselineValues((value,)), base, tolerance, R, floor).outcome


@pytest.mark.parametrize(
    ("value", "floor", "outcome"),
    [(107, 0, PASS), (110.1, 0, INCONCLUSIVE), (114, 0, FAIL), (110, 20, PASS), (114, 20, PASS), (60, 0, PASS)],
)
def test_ten_percent_more_than_eight_equal_windows(value, floor, outcome) -> None:
    assert against(value, floor=floor) is outcome


def test_value_and_bounds_are_ratios() -> None:
    judged = judge_against_baseline(BaselineValues((110.0,)), EQUAL, 0.10, R)

    assert judged.value == pytest.approx(1.10)
    assert judged.low < 1.10 < judged.high


def test_two_windows_are_no_baseline_and_one_is_missing() -> None:
    judged = judge_against_baseline(BaselineValues((100.0,)), BaselineValues((100.0, 100.0)), 0.10, R)

    assert (judged.outcome, judged.value, judged.needed) == (INCONCLUSIVE, None, 1)


def test_a_zero_proves_nothing_without_a_floor() -> None:
    assert against(0.0) is INCONCLUSIVE
    assert against(1.0, base=BaselineValues((0.0,) * 8)) is INCONCLUSIVE
    assert against(0.4, base=BaselineValues((0.0,) * 8), floor=0.5) is PASS
    assert judge_against_baseline(BaselineValues(()), EQUAL, 0.10, R).outcome is INCONCLUSIVE


def test_a_floor_belongs_to_the_limit_and_leaves_a_steady_system_its_pass() -> None:
    base = BaselineValues((98.0, 101.0, 103.0, 99.0, 100.0, 97.0, 102.0, 100.0))

    assert against(100.0, base=base, floor=10.0) is PASS


def test_noisy_windows_decide_less_and_say_so() -> None:
    noisy = BaselineValues((80.0, 120.0, 95.0, 130.0, 75.0, 110.0, 90.0, 105.0))

    assert against(115.0, base=noisy) is INCONCLUSIVE
    passing, failing = baseline_reach(noisy, 0.10, R)
    assert passing > 0.4
    assert failing > 1.8
    assert against(100 * failing * 1.5, base=noisy) is FAIL


def test_the_reach_of_eight_windows_with_five_percent_between_them() -> None:
    rng = random.Random(5)  # a seed, so that a difference can be found again
    reaches = [baseline_reach(drawn(rng, 8, 0.05), 0.10, R) for _ in range(200)]

    assert sum(passing for passing, _ in reaches) / 200 == pytest.approx(0.16, abs=0.02)
    assert sum(failing for _, failing in reaches) / 200 == pytest.approx(1.35, abs=0.04)


def test_the_reach_of_values_below_the_floor_begins_at_twice_the_floor() -> None:
    small = BaselineValues((3.0, 3.5, 4.0, 3.3))

    _, failing = baseline_reach(small, 0.10, R, 10.0)

    assert 20 < 3.43 * failing < 30
    assert against(20.0, base=small, floor=10.0) is not FAIL
    assert against(3.43 * failing, base=small, floor=10.0) is FAIL


@pytest.mark.heavy
def test_a_system_at_the_limit_seldom_passes_and_an_unchanged_one_seldom_fails() -> None:
    rng, runs = random.Random(20261125), 400  # a seed, so that a difference can be found again
    passed = failed = 0
    for _ in range(runs):
        base = drawn(rng, 8, 0.05)
        passed += against(110 * exp(rng.gauss(0, 0.05)), base=base) is PASS
        failed += against(100 * exp(rng.gauss(0, 0.05)), base=base) is FAIL

    assert passed <= 0.08 * runs  # 5 % promised, 400 runs are few
    assert failed <= 0.02 * runs  # 1 % at the limit, less below it


def drawn(rng: random.Random, windows: int, spread: float) -> BaselineValues:
    return BaselineValues(tuple(100 * exp(rng.gauss(0, spread)) for _ in range(windows)))


@pytest.mark.parametrize(
    "build",
    [
        lambda: BaselineValues((nan,)),
        lambda: BaselineValues((-1.0,)),
        lambda: BaselineValues((inf,)),
        lambda: judge_against_baseline(EQUAL, EQUAL, -0.1, R),
        lambda: judge_against_baseline(EQUAL, EQUAL, 0.1, R, floor=nan),
        lambda: baseline_reach(BaselineValues((1.0, 2.0)), 0.1, R),
        lambda: baseline_reach(BaselineValues((0.0, 1.0, 2.0)), 0.1, R),
    ],
)
def test_what_cannot_be_evidence_is_a_bug_of_ours_and_never_a_pass(build) -> None:
    with pytest.raises(ValueError, match=r".+"):
        build()


@pytest.mark.parametrize(
    ("value", "outcome"), [(100, PASS), (140, PASS), (70, PASS), (180, FAIL), (50, FAIL), (152, INCONCLUSIVE)]
)
def test_within_means_neither_more_nor_less(value, outcome) -> None:
    assert judge_within(BaselineValues((float(value),)), EQUAL, 0.5, R).outcome is outcome


def test_within_a_zero_proves_nothing_unless_a_floor_says_what_is_noise() -> None:
    assert judge_within(BaselineValues((0.0,)), EQUAL, 0.5, R).outcome is FAIL
    assert judge_within(BaselineValues((0.0,)), BaselineValues((0.0,) * 8), 0.5, R).outcome is INCONCLUSIVE
