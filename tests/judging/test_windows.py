"""A sampling that may go on while it is undecided: a false pass stays below 5 %, and no window is asked for in vain."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from itertools import accumulate

import pytest

from probekit.judging.assess import Assessor
from probekit.judging.evidence import collected
from probekit.judging.judge import judge_item
from probekit.judging.reference import NO_REFERENCE, Reference
from probekit.judging.retries import needed_retry
from probekit.judging.statistics import Risks, clustering, judge_mean, proves_below, still_needed
from probekit.judging.windows import evaluate_windows, strung
from probekit.model.checklist import Severity
from probekit.model.history import Deployment, History, PooledEvidence
from probekit.model.limit import parse_limit
from probekit.model.measurement import Failure, InstanceKey, Reason
from probekit.model.plan import Retry
from probekit.model.readings import BaselineValues, ErrorRate, Exact, LatencySample, Mean, Quantile, Share
from probekit.model.verdict import Outcome, Release, Served

R = Risks()
PASS, FAIL, INCONCLUSIVE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
SOURCE = InstanceKey("api", "")


def share(trials, *events):
    """Six blocks of so many trials, with these events in the first of them."""
    return Share((*events, *(0,) * (6 - len(events))), (trials // 6,) * 6)


def clean(requests, *, failures=0, milliseconds=1):
    """Six blocks of so many requests, with so many failures in each."""
    value = milliseconds * 1000
    return LatencySample(((value,) * requests,) * 6, ((0,) * requests,) * 6, (failures,) * 6, (0,) * 6)


def judged(*windows, limit="error_rate < 0.1 %", reference=NO_REFERENCE, may_go_on=True):
    return evaluate_windows(windows, parse_limit(limit), R, reference, may_go_on=may_go_on)


@pytest.mark.parametrize(
    ("window", "needed"), [(None, [59, 299, 2995]), (0, [63, 321, 3218]), (1, [104, 528, 5296]), (2, [104, 528, 5296])]
)
def test_each_window_takes_its_part_of_the_risk(window, needed) -> None:
    assert [still_needed(0, limit, Risks(window=window)) for limit in (0.05, 0.01, 0.001)] == needed


def test_evidence_that_is_looked_at_often_spends_nothing() -> None:
    assert still_needed(0, 0.001, Risks(window=0), "often") == still_needed(0, 0.001, R, "often") == 3441


def test_a_mean_spends_both_risks() -> None:
    values = (64.0, 68.0, 66.0, 65.0, 67.0, 66.0)

    alone, first, second = (judge_mean(Mean(values), 70, Risks(window=window)) for window in (None, 0, 1))

    assert alone.high < first.high < second.high
    assert alone.low > first.low > second.low


@pytest.mark.parametrize(
    ("windows", "outcome"),
    [
        ([share(3000)], INCONCLUSIVE),  # the first needs 3,218
        ([share(3240)], PASS),
        ([share(2400), share(2400)], INCONCLUSIVE),  # 4,800: the second needs 5,296 in all
        ([share(2700), share(2700)], PASS),
        ([share(1800)] * 3, PASS),
        ([share(3240, 1), share(3240)], INCONCLUSIVE),  # 1 of 6,480: 7,427 are needed
        ([share(3240, 1), share(3240), share(3240)], PASS),
        ([share(3240, 3, 3, 3), share(3240, 3, 3, 3)], INCONCLUSIVE),  # the bet needs more blocks
        ([share(3240, 30, 30, 30), share(3240)], FAIL),  # and is won by all blocks together
        ([share(3240, 20, 20), share(3240, 20, 20)], FAIL),  # two blocks each would be one burst each
    ],
)
def test_all_windows_are_judged_together_with_the_risk_that_is_left(windows, outcome) -> None:
    assert judged(*windows).outcome is outcome


def test_where_a_sampling_may_not_go_on_nothing_changes() -> None:
    assert judged(share(3000), may_go_on=False).outcome is PASS
    assert judged(share(3000), share(1200), may_go_on=False).outcome is INCONCLUSIVE  # it did go on: it is spent


def test_how_many_windows_stand_behind_a_number_is_told() -> None:
    assert judged(share(3240)).detail.startswith("0 of 3240 counted")
    assert judged(share(2700), share(2700)).detail.startswith("2 windows: 0 of 5400 counted, between 0 and")


def test_what_a_window_decided_stands_while_all_together_keep_the_limit() -> None:
    first, bad, worse = share(3240), share(3240, 2, 1, 1), share(3240, 4, 4)

    kept = judged(first, bad)

    assert (kept.outcome, judged(first, worse).outcome) == (PASS, INCONCLUSIVE)
    assert kept.detail.startswith("decided by 1 of 2 windows: 0 of 3240 counted")


def test_a_baseline_is_held_against_one_window_and_earlier_runs_against_all() -> None:
    limit, base = "p95 within 10 % of baseline", BaselineValues((100.0,) * 8)
    quick, slow = (Quantile(clean(20, milliseconds=ms), 0.95) for ms in (100, 300))
    earlier = Reference(earlier=ErrorRate(clean(400)))

    assert judged(quick, slow, limit=limit, reference=Reference(baseline=base)).outcome is PASS
    assert judged(*[ErrorRate(clean(60))] * 3, reference=earlier).outcome is PASS  # 3,480 in all, looked at often
    assert judged(*[ErrorRate(clean(50))] * 3, reference=earlier).outcome is INCONCLUSIVE  # 3,300


def test_windows_of_what_is_no_sample_are_not_added_up() -> None:
    assert strung([Exact(3), Exact(4)]) == Exact(4)
    assert strung([Mean((1.0,)), Mean((2.0,))]) == Mean((1.0, 2.0))
    assert strung([Mean((1.0,)), Exact(4)]) == Exact(4)


BLOCKS, EACH = 30, 100


def false_passes(burst, *, spent, runs=1500):
    """Of so many samplings at their limit of 1 %, errors in bursts of so many, how many pass within three windows."""
    rng, chances = random.Random(20261125), EACH // burst
    weights = [math.comb(chances, count) * 0.01**count * 0.99 ** (chances - count) for count in range(chances + 1)]
    falls = 0
    for _ in range(runs):
        events = [burst * count for count in rng.choices(range(chances + 1), weights, k=3 * BLOCKS)]
        so_far = [Share(tuple(events[:size]), (EACH,) * size) for size in accumulate([BLOCKS] * 3)]
        falls += any(
            _passes(one, Risks(window=number if spent else None).of_a_pass("once")) for number, one in enumerate(so_far)
        )
    return falls / runs


def _passes(share_, risk):
    factor = clustering(share_)
    return proves_below(sum(share_.events) / factor, sum(share_.trials) / factor, 0.01, risk)


@pytest.mark.heavy
@pytest.mark.parametrize("burst", [1, 5])
def test_three_windows_together_pass_falsely_in_less_than_5_percent(burst) -> None:
    assert false_passes(burst, spent=True) <= 0.05
    assert false_passes(burst, spent=False) > 0.06  # 8 % of single errors, 7 % of fives


@pytest.fixture
def step(make):
    wanted = frozenset({"error_rate", "p95"})
    fields = {"repeat": 1, "attempts": 1, "turn": "exclusive", "reach": frozenset(), "further_windows": 2}
    return make.step(probe="api", kind="latency", window=60.0, wanted=wanted, **fields)


@pytest.fixture
def errors(make):
    return make.item("error_rate < 0.1 %", id="errors", probe="api", severity=Severity.MEDIUM)


@pytest.fixture
def window(make):
    def window(sample, address="192.0.2.1:443", **others):
        values = {"error_rate": ErrorRate(sample), "p95": Quantile(sample, 0.95)} | others
        asked = frozenset(values)
        return replace(make.measurement(address), values=values, asked=asked, probe="api", reached=None)

    return window


@pytest.fixture
def asked(step, make):
    """Which retry is asked for after these windows of one address, with the step's fields changed."""

    def asked(items, first, *further, **fields):
        attempt = make.attempt(first, rechecks=further)
        return needed_retry(Assessor(), items, replace(step, **fields), [attempt])

    return asked


ONE_MORE = Retry(rechecks=1)


def test_an_undecided_sampling_goes_on_for_two_windows_at_most(asked, errors, window) -> None:
    short = window(clean(400))  # 2,400

    assert asked([errors], short) == asked([errors], short, short) == ONE_MORE
    assert asked([errors], short, short, short) is None
    assert asked([errors], short, short, further_windows=1) is None
    assert asked([errors], short, further_windows=0) is None


def test_what_is_decided_takes_no_further_window(asked, errors, window) -> None:
    assert asked([errors], window(clean(600))) is None
    assert asked([errors], window(clean(400, failures=40))) is None


def test_no_item_goes_on_beside_one_that_failed(asked, errors, window, make) -> None:
    slow = make.item("p95 < 500 ms", id="slow", probe="api")
    tardy = window(clean(400, milliseconds=600))

    assert asked([errors], tardy) == ONE_MORE
    assert asked([errors, slow], tardy) is None


def test_a_window_that_could_decide_nothing_is_not_taken(asked, errors, window) -> None:
    assert asked([errors], window(clean(50))) is None  # 900 in all three, where 5,296 are needed
    assert asked([errors], window(clean(294))) is None  # 5,292
    assert asked([errors], window(clean(295))) == ONE_MORE


def test_errors_beyond_the_limit_go_on_where_more_of_them_would_prove_a_failure(asked, errors, window) -> None:
    two_blocks = replace(clean(100), failures=(2, 2, 0, 0, 0, 0))

    assert asked([errors], window(two_blocks)) == ONE_MORE
    assert asked([errors], window(replace(clean(100), failures=(1, 0, 0, 0, 0, 0)))) is None


@pytest.mark.parametrize("reason", [Reason.TIMEOUT, Reason.BAD_RESPONSE, Reason.ACCESS_DENIED, Reason.NO_NETWORK])
def test_what_has_no_reading_does_not_go_on(asked, errors, window, reason) -> None:
    missing = Failure(reason=reason, detail="no")

    assert asked([errors], window(clean(400), error_rate=missing)) is None
    assert asked([errors], window(clean(400)), window(clean(400), error_rate=missing)) is None


def test_a_target_that_went_silent_is_asked_no_further(asked, make, window) -> None:
    median = make.item("p50 < 500 ms", id="median", probe="api")
    answered, silent = ((1000, 600_000) * 10,) * 3, ((),) * 3
    dead = LatencySample(answered + silent, ((0,) * 20,) * 3 + silent, (0, 0, 0, 1, 1, 0), (0, 0, 0, 0, 0, 1))
    half = LatencySample(((1000, 600_000) * 10,) * 6, ((0,) * 20,) * 6, (0,) * 6, (0,) * 6)

    def of(sample):
        return asked([median], window(sample, p50=Quantile(sample, 0.5)))

    assert (dead.went_silent, half.went_silent) == (True, False)
    assert of(dead) is None
    assert of(half) == ONE_MORE


def test_what_is_compared_with_a_baseline_and_what_is_an_error_do_not_go_on(asked, make, window) -> None:
    compared = make.item("p95 within 10 % of baseline", id="compared", probe="api")
    unsent = replace(clean(400), unsent=(50,) * 6)

    assert asked([compared], window(clean(400))) is None
    assert asked([make.item("error_rate < 0.1 %", probe="api")], window(unsent)) is None


def test_every_address_gets_its_further_window_and_is_judged_by_its_own(make, step, errors, window) -> None:
    here, there = "192.0.2.1:443", "192.0.2.2:443"
    first = [window(clean(400), here), window(clean(400), there)]
    again = [window(clean(500), here), window(clean(480), there)]
    plan = make.plan(errors, steps=(step,), layers={"api": "application"})

    def outcome(*rechecks):
        evidence = {SOURCE: (make.attempt(*first, rechecks=rechecks),)}
        return judge_item(errors, plan, evidence, make.situation()).outcome

    assert needed_retry(Assessor(), [errors], step, [make.attempt(*first)]) == Retry(rechecks=2)
    assert outcome(*again) is INCONCLUSIVE  # 5,400 here, 5,280 there
    assert outcome(again[0], window(clean(500), there)) is PASS


def test_the_verdict_is_of_all_windows_and_the_first_risk_that_of_a_sampling_that_may_go_on(
    make, step, errors, window
) -> None:
    def verdict(*windows, **fields):
        plan = make.plan(errors, steps=(replace(step, **fields),), layers={"api": "application"})
        first, *further = map(window, windows)
        return judge_item(errors, plan, {SOURCE: (make.attempt(first, rechecks=tuple(further)),)}, make.situation())

    assert verdict(clean(500)).outcome is INCONCLUSIVE  # 3,000
    assert verdict(clean(500), further_windows=0).outcome is PASS
    assert verdict(clean(500), clean(500)).because.startswith("error rate 0 % (2 windows: 0 of 6000 failed, between")


def test_a_missing_reading_of_any_window_never_passes(make, step, errors, window) -> None:
    plan = make.plan(errors, steps=(step,), layers={"api": "application"})
    missing = window(clean(1), error_rate=Failure(reason=Reason.ACCESS_DENIED, detail="429"))
    attempt = make.attempt(window(clean(600)), rechecks=(missing,))

    assert judge_item(errors, plan, {SOURCE: (attempt,)}, make.situation()).outcome is Outcome.ERROR


def test_evidence_for_later_runs_holds_all_windows_of_one_address(make, step, errors, window) -> None:
    plan = make.plan(errors, steps=(step,), fingerprints={SOURCE: "0" * 16}, layers={"api": "application"})
    deployment = Deployment(release="2", started=make.now)
    release = Release(expected=("2",), answers={"2": 4}, served=Served.EXPECTED)
    situation = make.situation(release=release, history=History(deployment=deployment))
    attempt = make.attempt(
        window(clean(10)),
        window(clean(99), "192.0.2.2:443"),
        rechecks=(window(clean(20)), window(clean(99), "192.0.2.2:443"), window(clean(30))),
    )

    evidence = collected(plan, {SOURCE: (attempt,)}, situation)[SOURCE]

    assert isinstance(evidence, PooledEvidence)
    assert evidence.values["error_rate"] == ErrorRate(clean(10) + clean(20) + clean(30))
