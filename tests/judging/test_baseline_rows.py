"""The baseline table of the document: what was normal before, what is measured now, and whether that is close."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from probekit import checklist
from probekit.judging.baseline_rows import compared_rows
from probekit.model.history import BaselineWindow, Deployment, History, Recorded
from probekit.model.measurement import InstanceKey, MetricKey
from probekit.model.verdict import Outcome
from probekit.planning.baseline import baseline_items, empty_comparisons

KNOWN = checklist.load("softfactory")
ITEMS = baseline_items(KNOWN)
PRINT = "0" * 16


@pytest.fixture
def compare(make):
    """A function from readings of host-load by instance, and windows, to the rows of the table by their ids."""

    def compare(readings, *windows, wanted=frozenset(), deployed=None, vantage=""):
        attempts = {
            InstanceKey("host-load", name): tuple(make.attempt(make.measurement(**one)) for one in attempts)
            for name, values in readings.items()
            for attempts in [values if isinstance(values, list) else [values]]
        }
        steps = tuple(make.step(probe="host-load", instance=name, wanted=wanted) for name in readings)
        plan = make.plan(
            steps=steps,
            layers={"host-load": "host"},
            fingerprints=dict.fromkeys(attempts, PRINT),
            vantage=vantage,
        )
        deployment = Deployment(release="2", started=deployed) if deployed else None
        situation = make.situation(history=History(baseline=windows, deployment=deployment))
        rows = compared_rows(empty_comparisons(KNOWN), ITEMS, plan, attempts, situation)
        return {(row.id, row.instance): row for row in rows}

    return compare


def window(make, minutes, memory, instance="", print_=PRINT, vantage=""):
    values = {MetricKey("host-load", instance, "memory"): Recorded(value=memory, fingerprint=print_)}
    taken = make.now - timedelta(minutes=minutes)
    return BaselineWindow(taken=taken, release="1", vantage=vantage, values=values, rows=1)


def test_each_line_of_the_document_is_a_row_in_its_order(compare) -> None:
    assert [row.text for row in compare({}).values()] == [row.text for row in KNOWN.baseline]
    assert {row.outcome for row in compare({}).values()} == {Outcome.NOT_CONFIGURED}
    assert {row.because for row in compare({}).values()} == {"no probe of this run measures it"}


def test_a_row_has_the_mean_before_the_value_now_and_the_verdict(make, compare) -> None:
    windows = [window(make, minutes, memory) for minutes, memory in ((60, 99.0), (50, 101.0), (40, 100.0))]

    row = compare({"": {"memory": 100.5}}, *windows)["memory-avg", ""]

    assert (row.before, row.windows, row.after, row.unit) == (100.0, 3, 100.5, "MB")
    assert row.limit == "memory at most 20 % over baseline"
    assert row.outcome is Outcome.PASS


def test_a_value_far_above_the_baseline_fails(make, compare) -> None:
    windows = [window(make, 60 - number, 100.0 + number % 3) for number in range(8)]

    row = compare({"": {"memory": 900.0}}, *windows)["memory-avg", ""]

    assert (row.outcome, row.after) == (Outcome.FAIL, 900.0)


def test_a_row_of_a_plain_limit_needs_no_window(compare) -> None:
    rows = compare({"": {"cpu_used": 71.0}})

    assert rows["cpu-avg", ""].outcome is Outcome.FAIL
    assert (rows["cpu-avg", ""].before, rows["cpu-avg", ""].after) == (None, 71.0)


@pytest.mark.parametrize(("metric", "row"), [("memory", "memory-avg"), ("cpu_used", "cpu-avg")])
def test_a_row_is_judged_by_a_metric_that_no_item_in_scope_asked_for(make, metric, row) -> None:
    key = InstanceKey("host-load", "")
    measured = replace(make.measurement(**{metric: 10.0}), asked=frozenset())
    attempts = {key: (make.attempt(measured),)}
    plan = make.plan(
        steps=(make.step(probe="host-load"),), layers={"host-load": "host"}, fingerprints={key: PRINT}, vantage=""
    )
    windows = tuple(window(make, minutes, 10.0) for minutes in (60, 50, 40))
    situation = make.situation(history=History(baseline=windows))

    rows = compared_rows(empty_comparisons(KNOWN), ITEMS, plan, attempts, situation)

    assert [(one.outcome, one.after) for one in rows if one.id == row] == [(Outcome.PASS, 10.0)]


def test_each_instance_has_a_row_of_its_own(make, compare) -> None:
    rows = compare({"a": {"cpu_used": 10.0}, "b": {"cpu_used": 99.0}}, window(make, 30, 5.0, instance="b"))

    assert [rows["cpu-avg", name].outcome for name in ("a", "b")] == [Outcome.PASS, Outcome.FAIL]
    assert [rows["memory-avg", name].before for name in ("a", "b")] == [None, 5.0]


@pytest.mark.parametrize(
    "other",
    [{"print_": "1" * 16}, {"vantage": "elsewhere"}, {"instance": "b"}],
)
def test_a_window_that_was_measured_differently_does_not_count(make, compare, other) -> None:
    rows = compare({"": {"memory": 100.0}}, window(make, 30, 5.0, **other))

    assert rows["memory-avg", ""].before is None
    assert rows["memory-avg", ""].outcome is Outcome.INCONCLUSIVE


def test_a_window_after_the_deployment_is_not_normal(make, compare) -> None:
    deployed = make.now - timedelta(minutes=35)

    rows = compare({"": {"memory": 1.0}}, window(make, 40, 5.0), window(make, 30, 500.0), deployed=deployed)

    assert (rows["memory-avg", ""].before, rows["memory-avg", ""].windows) == (5.0, 1)


def test_the_value_of_the_last_attempt_is_shown(compare) -> None:
    rows = compare({"": [{"cpu_used": 99.0}, {"cpu_used": 12.0}]})

    assert rows["cpu-avg", ""].after == 12.0


def test_of_a_probe_that_is_not_planned_the_settings_of_the_newest_window_count(make, compare) -> None:
    windows = [window(make, 40, 5.0, "a", "1" * 16), window(make, 30, 7.0, "a", "2" * 16)]

    assert compare({}, *windows)["memory-avg", "a"].before == 7.0


def test_a_value_on_record_is_shown_where_this_run_measured_none(make, compare) -> None:
    rows = compare({}, window(make, 30, 5.0, instance="a"))

    assert (rows["memory-avg", "a"].before, rows["memory-avg", "a"].after) == (5.0, None)
    assert rows["memory-avg", "a"].outcome is Outcome.NOT_CONFIGURED


def test_a_row_whose_probe_ran_without_a_value_is_not_verified(compare) -> None:
    row = compare({"": {"cpu_used": 71.0}})["memory-avg", ""]

    assert (row.outcome, row.because) == (Outcome.INCONCLUSIVE, "no value was measured in this run")
