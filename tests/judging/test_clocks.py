"""The time of a failure on record ends where its bands are refuted, and runs on through what proves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from probekit.judging.judge import judge_item
from probekit.model.checklist import Severity
from probekit.model.history import FailureKey, History
from probekit.model.measurement import InstanceKey, Reason
from probekit.model.readings import Share
from probekit.model.verdict import Outcome, Release, Served

CRITICAL, HIGH, MEDIUM = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM
OTHER = Release(expected=("2",), answers={"1": 8}, served=Served.OTHER, because="1 is served, 2 expected")


@pytest.fixture
def errors(make):
    """An error rate: medium by itself, high above 1 %."""
    return make.item("error_rate < 0.1 %", severity=MEDIUM, bands={"error_rate > 1 %": HIGH})


@pytest.fixture
def memory(make):
    """Exact numbers in three severities."""
    bands = {"memory_used >= 97 %": CRITICAL, "memory_used >= 85 %": HIGH}
    return make.item("memory_used < 70 %", "swaps == 0", severity=MEDIUM, bands=bands)


@pytest.fixture
def window(make):
    """A window of six blocks of 50 requests, with so many failures in each."""

    def window(*failed, trials=50):
        values = {"error_rate": Share(failed or (0,) * 6, (trials,) * 6)}
        return make.attempt(replace(make.measurement(error_rate=0), values=values))

    return window


@pytest.fixture
def judged(make):
    """A function from an item and the attempts of its instances to the verdict, with failures on record since then."""

    def judged(item, *instances, known=(HIGH,), plan=None, **facts):
        since = {FailureKey(item.id, severity): make.now - timedelta(minutes=20) for severity in known}
        situation = make.situation(history=History(since=since), **facts)
        steps = [make.step(instance=str(place), wanted=item.metrics) for place in range(len(instances))]
        attempts = {InstanceKey("health", str(place)): (one,) if one else () for place, one in enumerate(instances)}
        return judge_item(item, make.plan(item, steps=steps, **(plan or {})), attempts, situation)

    return judged


def ended(verdict):
    return {severity for severity in Severity if verdict.ends(severity)}


def test_a_window_that_refutes_the_band_ends_the_time_of_its_failure_and_says_so(judged, errors, window) -> None:
    verdict = judged(errors, window())

    assert (verdict.outcome, ended(verdict)) == (Outcome.INCONCLUSIVE, {HIGH})
    over = "refuted: error_rate > 1 %, so the failure on record since 2026-11-23 10:10 UTC (high) is over"
    assert verdict.because.endswith(over)


@pytest.mark.parametrize(
    ("failed", "trials"), [((0,) * 6, 20), ((0, 1, 0, 0, 1, 0), 50), ((0, 3, 0, 0, 0, 0), 50)], ids=str
)
def test_a_window_that_leaves_the_band_open_ends_nothing(judged, errors, window, failed, trials) -> None:
    verdict = judged(errors, window(*failed, trials=trials))

    assert (verdict.outcome, ended(verdict)) == (Outcome.INCONCLUSIVE, set())
    assert "refuted" not in verdict.because


def test_a_pass_ends_every_severity(judged, errors, window) -> None:
    assert ended(judged(errors, window(trials=1000))) == set(Severity)


@pytest.mark.parametrize(
    ("value", "severity", "over"), [(75, MEDIUM, {CRITICAL, HIGH}), (90, HIGH, {CRITICAL}), (98, CRITICAL, set())]
)
def test_a_failure_ends_graver_ones_whose_bands_it_refutes_and_none_that_goes_on(
    make, judged, memory, value, severity, over
) -> None:
    verdict = judged(memory, make.attempt(make.measurement(memory_used=value, swaps=0)), known=tuple(Severity))

    assert (verdict.outcome, verdict.severity, ended(verdict)) == (Outcome.FAIL, severity, over)
    assert verdict.since == make.now - timedelta(minutes=20)  # it has failed since then, if more gravely


def test_an_exact_number_refutes_a_band_although_another_reading_is_missing(make, judged, memory) -> None:
    known = (CRITICAL, HIGH, MEDIUM)
    lacking = make.attempt(make.measurement(memory_used=60, swaps=Reason.TIMEOUT))

    verdict = judged(memory, lacking, known=known)

    assert (verdict.outcome, ended(verdict)) == (Outcome.INCONCLUSIVE, {CRITICAL, HIGH})  # medium has no band


@pytest.mark.parametrize("measured", [False, True])
def test_a_missing_reading_ends_nothing(make, judged, memory, measured) -> None:
    lost = make.attempt(make.measurement(memory_used=Reason.TIMEOUT, swaps=0))

    assert ended(judged(memory, *([lost] if measured else []))) == set()


def test_a_graver_band_must_be_refuted_too(make, judged) -> None:
    bands = {"swaps > 9": CRITICAL, "memory_used >= 85 %": HIGH}
    item = make.item("memory_used < 70 %", "swaps == 0", severity=MEDIUM, bands=bands)
    lacking = make.attempt(make.measurement(memory_used=60, swaps=Reason.TIMEOUT))

    assert ended(judged(item, lacking)) == set()


def test_every_instance_and_every_measurement_must_refute_it(make, judged, errors, window) -> None:
    memory = make.item("memory_used < 70 %", severity=MEDIUM, bands={"memory_used >= 85 %": HIGH})
    full, free = make.measurement(memory_used=90), make.measurement(memory_used=60)
    lost = make.attempt(replace(make.measurement(error_rate=0), values={}))

    assert ended(judged(errors, window(), window())) == {HIGH}
    assert ended(judged(errors, window(), window(trials=10))) == set()
    for nothing in (lost, make.attempt(), None):
        assert ended(judged(errors, window(), nothing)) == set()
    assert ended(judged(memory, make.attempt(full, free, free))) == set()


def test_what_has_no_band_only_a_pass_ends(make, judged, errors, window) -> None:
    plain = make.item("error_rate < 0.1 %", severity=HIGH)

    assert ended(judged(plain, window())) == set()
    assert ended(judged(errors, window(), known=(MEDIUM,))) == set()
    assert ended(judged(errors, window(), known=(HIGH, MEDIUM))) == {HIGH}


@pytest.mark.parametrize("facts", [{"partial": True}, {"complete": False}, {"release": OTHER}], ids=str)
def test_part_of_a_run_or_another_release_ends_nothing(judged, errors, window, facts) -> None:
    assert ended(judged(errors, window(), **facts)) == set()


def test_a_claim_that_a_direct_look_contradicts_ends_nothing(make, errors, window) -> None:
    history = History(since={FailureKey(errors.id, HIGH): make.now - timedelta(minutes=20)})
    attempts = {
        InstanceKey("health", ""): (window(),),
        InstanceKey("database", ""): (make.attempt(make.measurement(up=0)),),
    }
    step = make.step(wanted=errors.metrics)

    alone, told = (
        judge_item(errors, make.plan(errors, steps=(step,), claimed=claimed), attempts, make.situation(history=history))
        for claimed in ({}, {"health": frozenset({"database"})})
    )

    assert (ended(alone), ended(told)) == ({HIGH}, set())


@pytest.mark.parametrize(
    ("uncounted", "is_over"), [({"[2001:db8::1]:443": "IPv6 not tested from here"}, True), ({}, False)]
)
def test_an_address_that_does_not_count_keeps_no_time_running(judged, make, errors, window, uncounted, is_over) -> None:
    silent = make.attempt(make.measurement("[2001:db8::1]:443", up=0, error_rate=Reason.UNREACHABLE))

    assert (HIGH in ended(judged(errors, window(), silent, uncounted=uncounted))) is is_over


def test_a_failure_that_another_claim_recorded_is_not_refuted(judged, errors, window) -> None:
    assert ended(judged(errors, window(), plan={"claims": {errors.id: "b"}})) == set()
