"""No reading is never a pass; what disagrees is neither a pass nor a failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import inf, nan

import pytest

from probekit.judging import windows
from probekit.judging.assess import Assessor
from probekit.judging.evaluate import evaluate
from probekit.judging.judge import judge, judge_item
from probekit.judging.retries import needed_retry
from probekit.model.checklist import Severity
from probekit.model.history import Deployment, FailureKey, History
from probekit.model.measurement import Attempt, InstanceKey, Reason
from probekit.model.plan import Retry
from probekit.model.verdict import Flag, Outcome, Release, Served

HERE, THERE = "127.0.0.1:443", "127.0.0.2:443"
HEALTH = ("up == 1", "status == 200", "failed_assertions == 0", "response_time < 200 ms")
BANDS = {
    "status > 200": Severity.CRITICAL,
    "failed_assertions > 0": Severity.CRITICAL,
    "response_time >= 200 ms": Severity.HIGH,
}

OTHER = Release(expected=("2",), answers={"1": 8}, served=Served.OTHER, because="1 is served, 2 expected")


@pytest.fixture
def health(make):
    return make.item(
        *HEALTH, bands=BANDS, confirm=3, matrix_row=make.rollback_row, criteria=("health.endpoints-responding",)
    )


@pytest.fixture
def judged(make):
    def one(item, *attempts, history=None, release=None, claims=None):
        situation = make.situation(history=history or History(), release=release or Release())
        step = make.step(wanted=item.metrics, timed=frozenset({"response_time"}))
        attempts_by_instance = {InstanceKey("health", ""): attempts} if attempts else {}
        return judge_item(item, make.plan(item, steps=(step,), claims=claims or {}), attempts_by_instance, situation)

    return one


@pytest.fixture
def good(make):
    return lambda address=HERE, response_time=3.0: make.measurement(
        address, up=1, status=200, failed_assertions=0, response_time=response_time
    )


@pytest.fixture
def down(make):
    return lambda address=HERE: make.measurement(address, note="no answer within 2 s", up=0)


@pytest.fixture
def broken(make):
    return lambda address=HERE, response_time=3.0: make.measurement(
        address,
        note="503 from the balancer",
        up=1,
        status=503,
        failed_assertions=Reason.BAD_RESPONSE,
        response_time=response_time,
    )


@pytest.fixture
def step(make, health):
    metrics = frozenset(limit.metric for limit in health.expect)
    return make.step(wanted=metrics, reachability_metrics=metrics)


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({"up": 1, "response_time": 199.9}, Outcome.PASS),
        ({"up": 1, "response_time": 200.0}, Outcome.FAIL),  # the limit itself is outside
        ({"up": 1, "response_time": nan}, Outcome.INCONCLUSIVE),
        ({"up": 1, "response_time": inf}, Outcome.INCONCLUSIVE),
        ({"up": 1}, Outcome.INCONCLUSIVE),
        ({"up": 1, "response_time": Reason.BAD_RESPONSE}, Outcome.INCONCLUSIVE),
        ({"up": 1, "response_time": Reason.TIMEOUT}, Outcome.INCONCLUSIVE),
        ({"up": 1, "response_time": Reason.NOT_PERMITTED}, Outcome.INCONCLUSIVE),
        ({"up": 1, "response_time": Reason.BUDGET_SPENT}, Outcome.INCONCLUSIVE),
        ({"up": 1, "response_time": Reason.ACCESS_DENIED}, Outcome.ERROR),
        ({"up": 1, "response_time": Reason.BUG}, Outcome.ERROR),
        ({"up": 1, "response_time": Reason.MISSING_SECRET}, Outcome.ERROR),
        ({"up": 0}, Outcome.ERROR),  # another item fails for it; this one only needed the target
    ],
)
def test_a_limit_is_held_against_a_reading_and_nothing_else(make, judged, values, outcome) -> None:
    fast = make.item("response_time < 200 ms")
    measurement = replace(make.measurement(**values), asked=frozenset({"response_time"}))

    verdict = judged(fast, make.attempt(measurement))

    assert verdict.outcome is outcome


def test_a_verdict_says_why_there_is_no_reading(make, judged, health, good, down) -> None:
    item = make.item("up == 1", "status == 200")
    lost = make.attempt(make.measurement(up=1, status=Reason.TIMEOUT))

    found = [judged(item, lost), judged(health), judged(health, make.attempt(*[good()] * 8))]
    found += [judged(item, make.attempt(down()))]

    assert [one.reason for one in found] == [Reason.TIMEOUT, Reason.CUT_OFF, None, None]


def test_an_item_without_a_look_is_an_error_of_the_run(judged, health) -> None:
    verdict = judged(health)

    assert verdict.outcome is Outcome.ERROR
    assert "cut_off" in verdict.because


@pytest.mark.parametrize(
    ("value", "outcome"), [(0.09, Outcome.PASS), (0.1, Outcome.FAIL), (0.9, Outcome.FAIL), (0.0999999, Outcome.PASS)]
)
def test_decimals_are_compared_exactly(make, judged, value, outcome) -> None:
    item = make.item("error_rate < 0.1 %")

    verdict = judged(item, make.attempt(make.measurement(error_rate=value)))

    assert verdict.outcome is outcome


def test_of_several_limits_a_failure_outweighs_an_error_and_that_an_unclear_one(make, judged) -> None:
    item = make.item("status == 200", "violations == 0", "orphans == 0")
    failing = make.measurement(status=500, violations=Reason.BUG, orphans=Reason.TIMEOUT)
    erring = make.measurement(status=200, violations=Reason.BUG, orphans=Reason.TIMEOUT)
    unclear = make.measurement(status=200, violations=0, orphans=Reason.TIMEOUT)

    outcomes = [judged(item, make.attempt(measurement)).outcome for measurement in (failing, erring, unclear)]

    assert outcomes == [Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE]


def test_all_good_looks_pass_with_value_and_limit(make, judged, health, good) -> None:
    verdict = judged(health, make.attempt(*[good()] * 8))

    assert (verdict.outcome, verdict.flags) == (Outcome.PASS, frozenset())
    assert (verdict.observed, str(verdict.limit)) == (3.0, "response_time < 200 ms")


def test_a_failure_counts_when_every_attempt_was_all_bad(make, judged, health, down) -> None:
    bad = make.attempt(*[down()] * 8), make.attempt(*[down()] * 2), make.attempt(*[down()] * 2)

    verdict = judged(health, *bad)

    assert (verdict.outcome, verdict.confirmed, verdict.severity) == (Outcome.FAIL, True, Severity.CRITICAL)
    assert verdict.because == "no answer within 2 s; all 12 measurements in 3 attempts"


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_failure_cut_off_before_its_last_attempt_is_unconfirmed(make, judged, health, down, attempts) -> None:
    verdict = judged(health, *[make.attempt(*[down()] * 8)] * attempts)

    assert (verdict.outcome, verdict.confirmed) == (Outcome.FAIL, False)


def test_a_neighbour_that_needs_more_attempts_changes_nothing(make, judged, good, down) -> None:
    once = make.item("up == 1", confirm=1)

    verdict = judged(once, make.attempt(*[down()] * 8), make.attempt(*[good()] * 2))

    assert verdict.outcome is Outcome.FAIL


@pytest.mark.parametrize("bad", range(2, 8))
def test_looks_that_disagree_prove_nothing(make, judged, health, good, broken, bad) -> None:
    measurements = [broken()] * bad + [good()] * (8 - bad)

    verdict = judged(health, make.attempt(*measurements))

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.flags == {Flag.FLAKY}
    assert f"{bad} of 8 measurements" in verdict.because


def test_good_after_bad_is_no_pass(make, judged, health, good, down) -> None:
    verdict = judged(health, make.attempt(*[down()] * 8), make.attempt(*[good()] * 2))

    assert (verdict.outcome, verdict.flags) == (Outcome.INCONCLUSIVE, {Flag.FLAKY})


def test_one_stray_look_of_eight_passes_when_24_more_are_good(make, judged, health, good, broken) -> None:
    attempt = make.attempt(broken(), *[good()] * 7, rechecks=(good(),) * 24)

    verdict = judged(health, attempt)

    assert (verdict.outcome, verdict.flags) == (Outcome.PASS, {Flag.FLAKY})
    assert "1 of 32 measurements was not good: 503 from the balancer" in verdict.because


@pytest.mark.parametrize(
    ("good_again", "odd_again"),
    [(23, 1), (23, 0), (0, 24)],
    ids=["one of the 24 is bad too", "cut off before the 24th", "all 24 are bad"],
)
def test_one_stray_look_is_no_pass_otherwise(make, judged, health, good, broken, good_again, odd_again) -> None:
    again = (good(),) * good_again + (broken(),) * odd_again

    verdict = judged(health, make.attempt(broken(), *[good()] * 7, rechecks=again))

    assert (verdict.outcome, verdict.flags) == (Outcome.INCONCLUSIVE, {Flag.FLAKY})


def test_a_stray_measurement_is_asked_again_however_few_were_taken(make, judged, health, step, good, broken) -> None:
    attempt = make.attempt(good(), broken())

    assert judged(health, attempt).outcome is Outcome.INCONCLUSIVE
    assert needed_retry(Assessor(), [health], step, [attempt]) == Retry(rechecks=24, at=("127.0.0.1:443",), each=8)
    assert judged(health, make.attempt(good(), broken(), rechecks=(good(),) * 24)).outcome is Outcome.PASS
    assert judged(health, make.attempt(good(), broken(), rechecks=(good(),) * 23)).outcome is Outcome.INCONCLUSIVE


def test_an_attempt_that_ended_with_a_timeout_is_outweighed_by_a_good_one(
    make, judged, health, step, good, broken
) -> None:
    ended = make.attempt(make.measurement(up=0))
    other = [make.attempt(good(), rechecks=(good(),) * count) for count in (0, 23, 24)]
    mixed = make.attempt(good(), rechecks=(*(good(),) * 23, broken()))

    assert needed_retry(Assessor(), [health], step, [ended]) == Retry()
    assert needed_retry(Assessor(), [health], step, [ended, other[0]]).rechecks == 24
    assert needed_retry(Assessor(), [health], step, [ended, other[2]]) is None
    assert needed_retry(Assessor(), [health], step, [make.attempt(broken()), other[0]]) is None  # it answered
    assert needed_retry(Assessor(), [health], replace(step, repeat=1), [ended, other[0]]) is None
    assert [judged(health, ended, one).outcome for one in (*other, mixed)] == [
        *[Outcome.INCONCLUSIVE] * 2, Outcome.PASS, Outcome.INCONCLUSIVE,
    ]  # fmt: skip
    assert Flag.FLAKY in judged(health, ended, other[2]).flags


def test_rechecks_are_asked_for_once_in_an_attempt(make, health, step, good, broken) -> None:
    mixed = make.attempt(good(), broken())
    part = make.item("indexes == 0", probe="health")  # read only until the target was reached
    unread = make.attempt(make.measurement(up=0, indexes=1), make.measurement(up=1, indexes=0))

    assert needed_retry(Assessor(), [health], step, [mixed]).rechecks == 24
    for again in ((good(),), (good(),) * 24, (make.measurement(up=0),)):
        assert needed_retry(Assessor(), [health], step, [replace(mixed, rechecks=again)]) is None
    assert needed_retry(Assessor(), [part], step, [unread]) is None


@pytest.mark.parametrize(
    ("reasons", "outcome"),
    [
        ((Reason.ACCESS_DENIED, Reason.ACCESS_DENIED), Outcome.ERROR),
        ((Reason.BAD_RESPONSE, Reason.ACCESS_DENIED), Outcome.ERROR),
        ((Reason.BAD_RESPONSE, Reason.TIMEOUT), Outcome.INCONCLUSIVE),
    ],
)
def test_an_attempt_of_void_looks_takes_the_outcome_of_their_failures_unflagged(
    make, judged, health, reasons, outcome
) -> None:
    measurements = [
        make.measurement(up=reason, status=reason, failed_assertions=reason, response_time=reason) for reason in reasons
    ]

    verdict = judged(health, make.attempt(*measurements))

    assert (verdict.outcome, verdict.flags) == (outcome, frozenset())


SLOW_ONES = (  # slow of the first 8 (lag of ours in each), slow of 24 rechecks (None: none yet), outcome, rechecks
    (0, 0.0, None, Outcome.PASS, 0),
    (1, 0.0, None, Outcome.INCONCLUSIVE, 24),
    (2, 0.0, None, Outcome.INCONCLUSIVE, 24),
    (3, 0.0, None, Outcome.INCONCLUSIVE, 0),
    (3, 1.0, None, Outcome.ERROR, 0),
    (4, 0.0, None, Outcome.FAIL, 0),  # the median is over the limit
    (1, 0.0, 0, Outcome.PASS, 0),
    (1, 0.0, 2, Outcome.PASS, 0),
    (2, 0.0, 1, Outcome.PASS, 0),
    (2, 0.0, 2, Outcome.INCONCLUSIVE, 0),
    (2, 1.0, 2, Outcome.ERROR, 0),
    (1, 0.0, 12, Outcome.INCONCLUSIVE, 0),
    (2, 0.0, 20, Outcome.FAIL, 0),
)


@pytest.mark.parametrize(("first", "lag", "again", "outcome", "rechecks"), SLOW_ONES)
def test_a_few_slow_measurements_are_noise_only_if_rechecks_say_so(
    make, judged, health, good, first, lag, again, outcome, rechecks
) -> None:
    def some(slow, count):
        return [replace(good(response_time=900.0), lag=lag)] * slow + [good(response_time=5.0)] * (count - slow)

    attempt = make.attempt(*some(first, 8), rechecks=tuple(some(again, 24)) if again is not None else ())
    attempts = [attempt] * 3 if outcome is Outcome.FAIL else [attempt]

    verdict = judged(health, *attempts)

    step = make.step(wanted=health.metrics, timed=frozenset({"response_time"}))
    retry = needed_retry(Assessor(), [health], step, attempts)
    assert (verdict.outcome, retry.rechecks if retry else 0) == (outcome, rechecks)
    is_odd = outcome is Outcome.INCONCLUSIVE or (outcome is Outcome.PASS and first)
    assert verdict.flags == (frozenset({Flag.FLAKY}) if is_odd else frozenset())
    if is_odd:
        slow = f"{first + (again or 0)} of {8 if again is None else 32} measurements took too long, up to 900 ms"
        assert f"{slow}, with median response time 5 ms, limit < 200 ms" in verdict.because


def test_a_slow_median_makes_a_good_attempt_a_bad_one_of_the_milder_band(make, judged, health, good) -> None:
    slow = make.attempt(*[good(response_time=response_time) for response_time in (100.0, 231.0, 250.0)])

    verdict = judged(health, slow, slow, slow)

    assert (verdict.outcome, verdict.severity) == (Outcome.FAIL, Severity.HIGH)
    assert verdict.because.startswith("median response time 231 ms, limit < 200 ms")
    assert verdict.observed == 231.0


def test_what_misses_its_limit_only_by_the_lag_of_our_own_loop_is_our_error(make, judged, health, good) -> None:
    lagging = make.attempt(*[replace(good(response_time=231.0), lag=0.1)] * 8)
    slow_anyway = make.attempt(*[replace(good(response_time=331.0), lag=0.1)] * 8)

    assert judged(health, lagging).outcome is Outcome.ERROR
    assert "event loop lag of the runner" in judged(health, lagging).because
    assert judged(health, slow_anyway, slow_anyway, slow_anyway).outcome is Outcome.FAIL


def test_one_slow_look_among_dead_ones_does_not_make_an_outage_milder(make, judged, health, down, broken) -> None:
    attempts = [make.attempt(*[down()] * 7, broken(response_time=900.0)), *[make.attempt(*[down()] * 2)] * 2]

    verdict = judged(health, *attempts)

    assert (verdict.outcome, verdict.severity) == (Outcome.FAIL, Severity.CRITICAL)


def test_a_slow_and_broken_answer_is_not_called_slow(make, judged, health, broken) -> None:
    attempt = make.attempt(*[broken(response_time=900.0)] * 8)

    assert judged(health, attempt, attempt, attempt).severity is Severity.CRITICAL


def test_one_look_never_makes_a_failure_graver(make, judged) -> None:
    item = make.item("violations == 0", severity=Severity.HIGH, bands={"violations > 100": Severity.CRITICAL})

    verdict = judged(item, make.attempt(make.measurement(violations=200), make.measurement(violations=2)))

    assert verdict.severity is Severity.HIGH


def test_a_missing_metric_holds_no_band(make, judged) -> None:
    item = make.item("shrink <= 1 %", severity=Severity.HIGH, bands={"violations > 0": Severity.CRITICAL})

    verdict = judged(item, make.attempt(make.measurement(shrink=5, violations=Reason.TIMEOUT)))

    assert (verdict.outcome, verdict.severity, verdict.band) == (Outcome.FAIL, Severity.HIGH, None)


@pytest.mark.parametrize(("response_time", "worse"), [(4000.0, False), (4000.1, True), (300.0, False)])
def test_a_deadline_that_asks_for_more_is_told_whether_the_value_is_worse(make, judged, response_time, worse) -> None:
    item = make.item(
        "response_time < 200 ms",
        severity=Severity.MEDIUM,
        bands={"response_time >= 200 ms": Severity.HIGH},
        matrix_row=make.slow_row,
    )

    verdict = judged(item, make.attempt(make.measurement(response_time=response_time)))

    assert (verdict.outcome, verdict.worse) == (Outcome.FAIL, worse)


def test_every_instance_is_judged_and_the_worst_counts(make, health, good, down) -> None:
    once = make.item("up == 1")
    evidence = {
        InstanceKey("health", "primary"): [make.attempt(good())],
        InstanceKey("health", "replica"): [make.attempt(down())],
    }

    verdict = judge_item(once, make.plan(once), evidence, make.situation())

    assert verdict.outcome is Outcome.FAIL
    assert verdict.because.startswith("replica: ")


def test_an_item_is_judged_on_the_looks_that_were_asked_for_its_metrics(make, judged, good) -> None:
    indexes = make.item("invalid_indexes == 0")
    measurements = [make.measurement(up=1, invalid_indexes=0), *[make.measurement(up=1)] * 7]

    assert judged(indexes, make.attempt(*measurements)).outcome is Outcome.PASS


def test_a_pass_of_another_release_tells_nothing_of_the_expected_one(make, judged, health, good, down) -> None:
    passed = judged(health, make.attempt(*[good()] * 8), release=OTHER)
    failed = judged(health, *[make.attempt(*[down()] * 8)] * 3, release=OTHER)

    assert (passed.outcome, failed.outcome) == (Outcome.INCONCLUSIVE, Outcome.FAIL)
    assert passed.flags == failed.flags == {Flag.OTHER_RELEASE}
    assert passed.because.startswith(
        "1 is served, 2 expected, so this result does not apply to the expected version: up 1"
    )


@pytest.mark.parametrize(
    ("layer", "passes"),
    [
        *((layer, False) for layer in ("application", "edge", "logs")),
        *((layer, True) for layer in ("certificate", "dns", "database", "cache", "host", "platform", "services")),
        ("record", True),
    ],
)
@pytest.mark.parametrize("is_bad", [False, True])
def test_another_release_hides_only_what_depends_on_it(make, health, good, down, layer, passes, is_bad) -> None:
    plan = make.plan(health, layers={"health": layer}, steps=(make.step(wanted=health.metrics),))
    attempts = [make.attempt(*[down() if is_bad else good()] * 8)] * 3

    verdict = judge_item(health, plan, {InstanceKey("health", ""): attempts}, make.situation(release=OTHER))

    assert verdict.layer == layer
    if is_bad:
        assert verdict.outcome is Outcome.FAIL
        assert (Flag.OTHER_RELEASE in verdict.flags) is (layer != "record")
    else:
        assert verdict.outcome is (Outcome.PASS if passes else Outcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("severity", "trusted", "outcome", "flags"),
    [
        (Severity.CRITICAL, (), Outcome.INCONCLUSIVE, {Flag.REPORTED, Flag.UNTRUSTED}),
        (Severity.CRITICAL, ("health",), Outcome.PASS, {Flag.REPORTED}),
        (Severity.HIGH, (), Outcome.PASS, {Flag.REPORTED, Flag.UNTRUSTED}),
    ],
)
def test_no_critical_item_passes_by_a_program_that_is_not_trusted(
    make, good, severity, trusted, outcome, flags
) -> None:
    item = make.item("up == 1", severity=severity)
    plan = make.plan(item, steps=(make.step(reported=True),), trusted=frozenset(trusted))

    verdict = judge_item(item, plan, {InstanceKey("health", ""): [make.attempt(*[good()] * 8)]}, make.situation())

    assert (verdict.outcome, verdict.flags) == (outcome, flags)


@pytest.mark.parametrize(
    ("bad", "outcome", "told"),
    [(0, Outcome.PASS, "up 1"), (1, Outcome.FAIL, "1 of 20 answers"), (20, Outcome.FAIL, "20 of 20 answers")],
)
def test_one_answer_of_another_release_refutes_an_item_about_every_answer(make, good, down, bad, outcome, told) -> None:
    item = make.item("up == 1", confirm=2)
    plan = make.plan(item, release_guards=(make.step(),))
    answers = make.attempt(*[good()] * (20 - bad), *[down()] * bad)

    verdict = judge_item(item, plan, {InstanceKey("health", ""): [answers]}, make.situation(release=OTHER))

    assert (verdict.outcome, verdict.confirmed) == (outcome, True)
    assert told in verdict.because


def test_another_release_says_nothing_of_our_own_record(make) -> None:
    settled = make.item("settled >= 1 s", probe="deployment")
    measurement = make.measurement(settled=5)
    other = make.situation(release=OTHER)

    verdict = judge_item(
        settled, make.plan(settled), {InstanceKey("deployment", ""): [make.attempt(measurement)]}, other
    )

    assert verdict.outcome is Outcome.PASS


def test_a_claim_that_a_direct_look_contradicts_proves_nothing(make, good, down) -> None:
    item = make.item("up == 1", probe="infrastructure")
    plan = make.plan(item, claimed={"infrastructure": frozenset({"database"})})
    says_ok = {InstanceKey("infrastructure", ""): [make.attempt(good())]}

    contradicted = judge_item(
        item, plan, says_ok | {InstanceKey("database", ""): [make.attempt(down())]}, make.situation()
    )
    agreed = judge_item(item, plan, says_ok | {InstanceKey("database", ""): [make.attempt(good())]}, make.situation())

    assert (contradicted.outcome, agreed.outcome) == (Outcome.INCONCLUSIVE, Outcome.PASS)
    assert "direct measurement of database reports: no answer within 2 s" in contradicted.because


def test_what_nobody_can_answer_is_said_and_never_passes(make) -> None:
    uncovered = make.item("up == 1", id="a.b.unserved")
    exempt = make.item("up == 1", id="a.b.exempt")
    signed = make.item(id="a.b.signed", probe=None, signoff_rule="required", holds_if_pending=True)
    plan = make.plan(
        uncovered,
        exempt,
        signed,
        uncovered={"a.b.unserved": "no probe"},
        not_applicable={"a.b.exempt": "no cache here"},
    )

    verdicts = judge(plan, {}, make.situation())

    assert [verdict.outcome for verdict in verdicts] == [
        Outcome.NOT_CONFIGURED,
        Outcome.NOT_APPLICABLE,
        Outcome.PENDING,
    ]
    assert verdicts[1].because == "no cache here"


def test_a_changed_limit_is_flagged(make, judged, good) -> None:
    item = make.item("up == 1", changed_from=("up == 0",), changed_reason="a test")

    assert Flag.CHANGED in judged(item, make.attempt(good())).flags


def test_a_failure_counts_from_the_first_one_on_record_at_that_severity_or_graver(make, judged, down) -> None:
    item = make.item("up == 1", severity=Severity.HIGH)
    hour, minute = make.now - timedelta(hours=1), make.now - timedelta(minutes=1)
    history = History(
        since={FailureKey(item.id, Severity.MEDIUM): hour - timedelta(hours=9),
               FailureKey(item.id, Severity.HIGH): minute, FailureKey(item.id, Severity.CRITICAL): hour},
        deployment=Deployment(release="2", started=make.now - timedelta(minutes=30)),
    )  # fmt: skip

    known = judged(item, make.attempt(down()), history=history)
    new = judged(item, make.attempt(down()))

    assert (known.since, Flag.PRE_EXISTING in known.flags) == (hour, True)
    assert (new.since, Flag.PRE_EXISTING in new.flags) == (make.now, False)


def test_a_failure_of_another_claim_gives_no_age_and_was_there_before_the_deployment(make, judged, down) -> None:
    item = make.item("up == 1", severity=Severity.HIGH)
    began = make.now - timedelta(hours=1)
    deployment = Deployment(release="2", started=make.now - timedelta(minutes=30))

    def since_of(claim, recorded):
        history = History(since={FailureKey(item.id, Severity.HIGH, recorded): began}, deployment=deployment)
        verdict = judged(item, make.attempt(down()), history=history, claims={item.id: claim})
        return verdict.since, Flag.PRE_EXISTING in verdict.flags, verdict.claim

    assert since_of("a", "a") == (began, True, "a")
    assert since_of("b", "a") == (make.now, True, "b")
    assert since_of("b", "") == (make.now, True, "b")  # by a report that was written without claims


def test_more_asks_for_attempts_until_a_failure_is_confirmed(make, health, step, down) -> None:
    bad = make.attempt(*[down()] * 8)

    asked = [needed_retry(Assessor(), [health], step, [bad] * count) for count in (1, 2, 3)]

    assert asked == [Retry(), Retry(), None]


def test_more_asks_nothing_when_all_is_good_or_looks_disagree(make, health, step, good, broken) -> None:
    mixed = make.attempt(broken(), broken(), *[good()] * 6)

    assert needed_retry(Assessor(), [health], step, [make.attempt(*[good()] * 8)]) is None
    assert needed_retry(Assessor(), [health], step, [mixed]) is None


def test_more_asks_a_stray_look_again_at_its_own_address_and_only_once(make, health, step, good, broken) -> None:
    measurements = [*[good(HERE)] * 4, broken(THERE), *[good(THERE)] * 3]

    assert needed_retry(Assessor(), [health], step, [make.attempt(*measurements)]) == Retry(
        rechecks=24, at=(THERE,), each=8
    )
    assert (
        needed_retry(Assessor(), [health], step, [Attempt(measurements=tuple(measurements), rechecks=(good(),) * 24)])
        is None
    )


def test_more_looks_at_the_items_of_the_step_only(make, step, down) -> None:
    other = make.item("up == 1", probe="database", confirm=3)

    assert needed_retry(Assessor(), [other], step, [make.attempt(down())]) is None


def test_an_instance_that_answers_for_other_parts_of_its_probe_is_not_asked(make, step) -> None:
    item = make.item("up == 1")
    wanted = {"a": frozenset({"up"}), "b": frozenset({"status"})}
    steps = tuple(replace(step, instance=name, wanted=metrics) for name, metrics in wanted.items())
    evidence = {
        InstanceKey("health", "a"): (make.attempt(make.measurement(up=1)),),
        InstanceKey("health", "b"): (make.attempt(make.measurement(status=1)),),
    }

    verdict = judge_item(item, make.plan(item, steps=steps), evidence, make.situation())

    assert verdict.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("counters", "own", "outcome"),
    [
        (10.0, Reason.BAD_RESPONSE, Outcome.PASS),  # ours is unproven: it does not count
        (10.0, 900.0, Outcome.FAIL),  # ours may still fail
        (Reason.BAD_RESPONSE, 10.0, Outcome.INCONCLUSIVE),  # the counters decided nothing
        (10.0, Reason.UNREACHABLE, Outcome.ERROR),
    ],
)
def test_beside_the_target_s_own_counters_our_requests_may_only_fail_an_item(
    make, step, counters, own, outcome
) -> None:
    item = make.item("response_time < 200 ms", confirm=1)
    steps = (replace(step, instance="counters", passive=True), replace(step, instance="ours"))
    evidence = {
        InstanceKey("health", "counters"): (make.attempt(make.measurement(response_time=counters)),),
        InstanceKey("health", "ours"): (make.attempt(make.measurement(response_time=own)),),
    }

    assert judge_item(item, make.plan(item, steps=steps), evidence, make.situation()).outcome is outcome


@pytest.fixture
def evaluations(monkeypatch):
    """Each call of `evaluate`: the reading's place in memory and the limit."""
    calls = []

    def counted(reading, limit, risks, reference):
        calls.append((id(reading), limit, risks))
        return evaluate(reading, limit, risks, reference)

    monkeypatch.setattr(windows, "evaluate", counted)
    return calls


@pytest.mark.parametrize(("healthy", "calls"), [(True, 24), (False, 36)])
def test_each_reading_is_evaluated_once_against_each_limit(
    make, health, good, broken, evaluations, healthy, calls
) -> None:
    """Healthy: 3 limits of 8 measurements, the duration left out. Broken: 2 limits and 1 band of 12."""
    step = make.step(wanted=health.metrics)
    plan, assessor = make.plan(health, steps=(step,)), Assessor()
    attempts = [make.attempt(*[good() if healthy else broken() for _ in range(8)])]
    while retry := needed_retry(assessor, plan.items, step, attempts):
        assert retry == Retry()
        attempts.append(make.attempt(broken(), broken()))

    (verdict,) = judge(plan, {step.key: tuple(attempts)}, make.situation(), assessor)

    assert verdict.outcome is (Outcome.PASS if healthy else Outcome.FAIL)
    assert len(evaluations) == len(set(evaluations))
    assert len(evaluations) == calls
