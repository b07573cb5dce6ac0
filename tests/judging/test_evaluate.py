"""One reading against one limit: units, directions, and the words for it."""

from __future__ import annotations

import pytest

from probekit.judging.evaluate import evaluate
from probekit.judging.reference import Reference
from probekit.judging.statistics import Risks
from probekit.model.limit import Limit, parse_limit
from probekit.model.readings import (
    BaselineValues,
    Complement,
    ErrorRate,
    Exact,
    Histogram,
    LatencySample,
    Mean,
    Quantile,
    Share,
    Summary,
)
from probekit.model.verdict import Outcome

R = Risks()
PASS, FAIL, INCONCLUSIVE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE


def sample(milliseconds: int, *, failures: int = 0, requests: int = 50) -> LatencySample:
    return LatencySample(((milliseconds * 1000,) * requests,) * 6, ((0,) * requests,) * 6, (failures,) * 6, (0,) * 6)


@pytest.mark.parametrize(
    ("reading", "limit", "outcome", "value"),
    [
        (Exact(199.9), "x < 200 ms", PASS, 199.9),
        (Exact(200.0), "x < 200 ms", FAIL, 200.0),
        (Summary(0, 5000), "x < 0.1 %", PASS, 0.0),
        (Summary(0, 100), "x < 0.1 %", INCONCLUSIVE, 0.0),
        (Summary(0.08, 5000), "x < 0.1 %", INCONCLUSIVE, 0.08),
        (Summary(0.08, 5_000_000), "x < 0.1 %", PASS, 0.08),
        (Summary(0.1, 5_000_000), "x < 0.1 %", INCONCLUSIVE, 0.1),
        (Summary(0.2, 500), "x < 0.1 %", INCONCLUSIVE, 0.2),
        (Summary(10, 500), "x < 0.1 %", FAIL, 10.0),
        (Summary(100, 1), "x < 0.1 %", FAIL, 100.0),
        (Summary(98, 600), "x > 80 %", PASS, 98.0),
        (Summary(100, 5), "x > 80 %", INCONCLUSIVE, 100.0),
        (Summary(33, 600), "x > 80 %", FAIL, 33.0),
        (Summary(240, 5000, 0.95), "x < 500 ms", PASS, 240.0),
        (Summary(240, 58, 0.95), "x < 500 ms", INCONCLUSIVE, 240.0),
        (Summary(500, 5000, 0.95), "x < 500 ms", FAIL, 500.0),
        (Summary(900, 5, 0.95), "x < 500 ms", INCONCLUSIVE, 900.0),
        (Summary(240, 1), "x < 500 ms", PASS, 240.0),
        (Summary(240, 0), "x < 500 ms", INCONCLUSIVE, 240.0),
        (Share((0,) * 6, (600,) * 6), "x < 0.1 %", PASS, 0.0),
        (Share((60,) * 6, (600,) * 6), "x < 0.1 %", FAIL, 10.0),
        (Share((0,) * 6, (60,) * 6), "x < 0.1 %", INCONCLUSIVE, 0.0),
        (Complement(Share((2,) * 6, (100,) * 6)), "x > 80 %", PASS, 98.0),
        (Complement(Share((67,) * 6, (100,) * 6)), "x > 80 %", FAIL, pytest.approx(33.0)),
        (Complement(Share((0,) * 6, (0,) * 6)), "x > 80 %", INCONCLUSIVE, None),
        (Quantile(sample(30), 0.95), "x < 500 ms", PASS, 30.0),
        (Quantile(sample(700), 0.95), "x < 500 ms", FAIL, 700.0),
        (Quantile(sample(700), 0.95), "x < 0.5 s", FAIL, 700.0),
        (ErrorRate(sample(30, failures=5)), "x < 0.1 %", FAIL, pytest.approx(9.0909, abs=0.001)),
        (Mean((40.0, 42.0, 38.0, 41.0, 39.0, 40.0)), "x < 60 %", PASS, 40.0),
        (Mean((40.0, 42.0, 38.0, 41.0, 39.0, 40.0)), "x > 60 %", FAIL, 40.0),
        (Mean((90.0, 92.0, 88.0, 91.0, 89.0, 90.0)), "x < 60 %", FAIL, 90.0),
        (Mean((20.0, 100.0, 30.0, 95.0, 40.0, 60.0)), "x < 60 %", INCONCLUSIVE, 57.5),
        (Mean((40.0,) * 5), "x < 60 %", INCONCLUSIVE, 40.0),
        (Mean(()), "x < 60 %", INCONCLUSIVE, None),
    ],
)
def test_a_limit_is_proved_refuted_or_neither(reading, limit, outcome, value) -> None:
    weighed = evaluate(reading, parse_limit(limit), R)

    assert (weighed.outcome, weighed.value) == (outcome, value)


@pytest.mark.parametrize(
    ("reading", "band", "expected"),
    [
        (Quantile(sample(2500), 0.95), "x > 2000 ms", True),
        (Quantile(sample(1900), 0.95), "x > 2000 ms", False),
        (ErrorRate(sample(30, failures=5)), "x > 1 %", True),
        (ErrorRate(sample(30, failures=0)), "x > 1 %", False),
        (Exact(71.0), "x > 70 %", True),
        (Exact(70.0), "x > 70 %", False),
    ],
)
def test_a_band_holds_only_when_it_is_proved(reading, band, expected) -> None:
    assert (evaluate(reading, parse_limit(band), R).outcome is PASS) is expected


def counted(*counts: int, q: float = 0.95) -> Histogram:
    """Six blocks, each with so many observations up to 100, 250 and 500 ms and in all."""
    *edges, trials = counts
    return Histogram((100.0, 250.0, 500.0), (tuple(edges),) * 6, (trials,) * 6, q)


@pytest.mark.parametrize(
    ("limit", "outcome", "told"),
    [
        ("x < 500 ms", PASS, "0 of 600 too slow"),
        ("x < 0.25 s", FAIL, "300 of 600 too slow"),
        (
            "x < 300 ms",
            INCONCLUSIVE,
            "no histogram bucket ends at 300 ms, so the result is inconclusive; the nearest bucket",
        ),
        ("x < 2 s", INCONCLUSIVE, "the nearest bucket bounds are 500 ms"),
    ],
)
def test_a_histogram_is_judged_by_the_bucket_that_ends_at_the_limit(limit, outcome, told) -> None:
    weighed = evaluate(counted(10, 50, 100, 100), parse_limit(limit), R)

    assert (weighed.outcome, weighed.value) == (outcome, 500.0)
    assert told in weighed.detail


def test_a_percentile_beyond_the_last_bucket_has_no_number() -> None:
    assert evaluate(counted(0, 0, 50, 100), parse_limit("x < 500 ms"), R).value is None
    assert evaluate(counted(0, 0, 0, 0), parse_limit("x < 500 ms"), R).outcome is INCONCLUSIVE


def test_an_equality_cannot_be_held_against_a_share() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        evaluate(Share((0,), (1,)), parse_limit("x == 1 %"), R)


def test_it_says_what_stands_behind_the_number_and_what_is_missing() -> None:
    proved = evaluate(Quantile(sample(30), 0.95), parse_limit("x < 500 ms"), R)
    lacking = evaluate(ErrorRate(sample(30)), parse_limit("x < 0.1 %"), R)

    level = evaluate(Mean((40.0, 42.0, 38.0, 41.0, 39.0, 40.0)), parse_limit("x < 60 %"), R)
    short = evaluate(Mean((40.0,) * 4), parse_limit("x < 60 %"), R)
    few = evaluate(Share((0,), (300,)), parse_limit("x < 0.1 %"), R)
    at_once = evaluate(Share((0,) * 5, (2_000,) * 5), parse_limit("x < 1 %"), R)

    assert proved.detail == "0 of 300 too slow, between 0 and 0.99 %"
    assert lacking.detail == "0 of 300 failed; sample too small: 300 of 2,995 requests"
    assert level.detail == "the mean of 6 blocks, between 38.06 and 41.16"  # 40 less 3.365, and 2.015 more, of 0.577
    assert short.detail == "the mean of 4 blocks; sample too small: 4 of 6 blocks"
    assert few.detail == "0 of 300 counted; sample too small: 300 of 2,995 observations"
    assert at_once.outcome is INCONCLUSIVE
    assert at_once.detail == "0 of 10000 counted, between 0 and 0.03 %; sample too small: 5 of 6 blocks"


@pytest.mark.parametrize(
    ("requests", "now", "outcome", "told"),
    [
        ((100.0, 104.0, 96.0, 101.0), 100, PASS, "an improvement"),
        ((100.0, 104.0, 96.0, 101.0), 40, INCONCLUSIVE, "with fewer requests"),
        ((100.0, 20.0, 250.0, 60.0), 40, PASS, "an improvement"),  # it always goes up and down so much
        ((), 40, PASS, "an improvement"),
    ],
)
def test_an_improvement_beside_vanished_traffic_is_unproven(requests, now, outcome, told) -> None:
    before, traffic = BaselineValues((500.0,) * 4), BaselineValues(requests)
    limit = Limit(metric="p95", op="<=", value=10, unit="ms", of="baseline", floor=5.0)
    reference = Reference(baseline=before, traffic=traffic)
    reading = Histogram((100.0, 500.0), ((now, now),) * 6, (now,) * 6, 0.95)

    weighed = evaluate(reading, limit, R, reference)

    assert (weighed.outcome, weighed.value) == (outcome, 100.0)
    assert told in weighed.detail
