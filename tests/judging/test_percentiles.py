"""The interval of a percentile: the limits between which the tests of a verdict decide nothing."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from probekit.judging.percentiles import percentiles
from probekit.judging.statistics import Risks, judge_quantile
from probekit.model.measurement import InstanceKey
from probekit.model.readings import LatencySample, Quantile
from probekit.model.verdict import Outcome

KEY = InstanceKey("api", "")


def sample_of(blocks, size, *, seed=1, failures=0):
    """Durations around 100 ms; failures in each block."""
    chance = random.Random(seed)
    values = tuple(tuple(int(chance.lognormvariate(11.5, 0.5)) for _ in range(size)) for _ in range(blocks))
    zeros = tuple((0,) * size for _ in values)
    return LatencySample(values, zeros, (failures,) * blocks, (0,) * blocks)


@pytest.fixture
def of(make):
    """A function from a sample to its percentile."""

    def of(*samples, q=0.95):
        windows = [replace(make.measurement(up=1.0), values={"p95": Quantile(one, q)}) for one in samples]
        first, *later = windows
        (found,) = percentiles({KEY: (make.attempt(first, rechecks=tuple(later)),)})
        return found

    return of


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("q", [0.5, 0.95])
def test_a_limit_above_the_interval_passes_one_below_fails_and_one_inside_decides_nothing(of, seed, q) -> None:
    sample = sample_of(30, 100, seed=seed)
    found = of(sample, q=q)

    def outcome(milliseconds):
        return judge_quantile(sample, q, milliseconds * 1000, Risks()).outcome

    assert found.low < found.value < found.high
    assert outcome(found.high) is Outcome.PASS
    assert outcome(found.low) is Outcome.FAIL
    assert outcome(found.high - 0.001) is not Outcome.PASS or outcome(found.value) is Outcome.INCONCLUSIVE
    assert outcome(found.value) is Outcome.INCONCLUSIVE


def test_a_small_sample_has_no_bound_above(of) -> None:
    assert of(sample_of(6, 2)).high is None
    assert of(sample_of(3, 100)).high is None  # too few blocks


def test_failures_leave_no_bound_above_and_no_value(of) -> None:
    found = of(sample_of(30, 10, failures=5))

    assert (found.value, found.high) == (None, None)


def test_further_windows_belong_to_the_sample(of) -> None:
    one, two = sample_of(10, 50, seed=1), sample_of(10, 50, seed=2)

    assert of(one, two) == of(one + two)
    assert of(one, two) != of(one)


def test_only_samples_have_a_percentile(make) -> None:
    assert percentiles({KEY: (make.attempt(make.measurement(up=1.0)),), InstanceKey("b", ""): ()}) == ()
    assert percentiles({}) == ()
