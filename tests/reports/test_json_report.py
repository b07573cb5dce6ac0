"""A whole report comes back from its JSON, so that each format can write a run on record."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from full_report import everything

from probekit.model.checklist import Band, Deadline, Severity
from probekit.model.limit import Limit, parse_limit
from probekit.model.success import SuccessCriterion
from probekit.model.verdict import Action, Flag, Outcome, Verdict
from probekit.reports.json import write
from probekit.reports.json.read import ReportError
from probekit.reports.json.report import report_from


def again(report):
    return report_from(json.loads(write.render(report)))


@pytest.mark.parametrize(
    ("outcome", "severity", "is_criterion", "holds", "rolls_back"),
    list(product(Outcome, Severity, (False, True), (False, True), (False, True))),
)
def test_a_verdict_keeps_what_it_means_for_the_decision(
    make, report_of, outcome, severity, is_criterion, holds, rolls_back
) -> None:
    row = replace(make.rollback_row if rolls_back else make.slow_row, severity=severity)
    item = make.item(
        "p95 < 500 ms",
        severity=severity,
        holds_if_pending=holds,
        matrix_row=row,
        criteria=("c",) if is_criterion else (),
    )
    since = make.now - timedelta(minutes=7)
    verdict = Verdict(item=item, outcome=outcome, because="p95", observed=1.5, limit=item.expect[0], since=since)
    report = report_of(verdict)
    if is_criterion:
        report = replace(report, criteria=(SuccessCriterion(id="c", group="g", text="t", items=(item.id,)),))

    (found,) = again(report).verdicts

    assert found.is_follow_up is verdict.is_follow_up
    assert found.severity is verdict.severity
    assert found.due == verdict.due
    assert found.item.may_roll_back(found.band) is verdict.item.may_roll_back(verdict.band)
    assert again(report).bars_go(found) is report.bars_go(verdict)


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.PENDING])
def test_a_verdict_of_an_older_report_bars_a_go_by_its_severity_and_rolls_nothing_back(
    make, report_of, severity, outcome
) -> None:
    row = replace(make.rollback_row, severity=severity)
    item = make.item("up == 1", severity=severity, matrix_row=row, holds_if_pending=severity.is_grave)
    document = json.loads(write.render(report_of(Verdict(item=item, outcome=outcome, because="so", since=make.now))))
    for part in ("follow_up", "may_roll_back"):
        del document["verdicts"][0][part]

    report = report_from(document)

    assert report.bars_go(report.verdicts[0]) is severity.is_grave
    assert not report.verdicts[0].item.may_roll_back(None)


def test_the_parts_of_the_document_come_back_as_they_were(make, report_of) -> None:
    report = everything(make, report_of)

    found = again(report)

    for part in ("document", "baseline", "places", "decision", "evidence", "answered_ever", "items", "checklist"):
        assert getattr(found, part) == getattr(report, part), part
    assert [replace(one, items=()) for one in found.criteria] == [replace(one, items=()) for one in report.criteria]


def test_a_run_of_a_url_comes_back_as_one(report_of) -> None:
    assert again(report_of(run={"config_file": "--url", "is_of_url": True})).run.is_of_url
    assert not again(report_of()).run.is_of_url


def test_a_band_and_a_failure_of_some_addresses_keep_their_severity(make, report_of) -> None:
    deadline = Deadline(minutes=30, then="rollback")
    band = Band(when=parse_limit("p95 > 1 s"), severity=Severity.HIGH, deadline=deadline)
    item = make.item("p95 < 500 ms", severity=Severity.LOW)
    banded = Verdict(item=item, outcome=Outcome.FAIL, because="p95 2 s", band=band, since=make.now)
    some = Verdict(
        item=make.item("up == 1", id="post.a.b", matrix_row=make.rollback_row), outcome=Outcome.FAIL, because="up 0",
        flags=frozenset({Flag.SOME_ADDRESSES}), since=make.now,
    )  # fmt: skip

    report = report_of(banded, some)

    assert [one.severity for one in again(report).verdicts] == [Severity.HIGH, Severity.HIGH]
    assert [one.due for one in again(report).verdicts] == [one.due for one in report.verdicts]


@pytest.mark.parametrize(
    "limit",
    [
        parse_limit("first_byte < 200 ms"),
        parse_limit("hits > 80.5 %"),
        parse_limit("restarts == 0"),
        parse_limit("p95 within 10 % of baseline"),
        Limit(metric="memory", op="<=", value=20.0, of="baseline"),
    ],
)
def test_a_limit_comes_back_as_it_reads(make, report_of, limit) -> None:
    verdict = Verdict(item=make.item(), outcome=Outcome.FAIL, because="so", observed=3.0, limit=limit)

    (found,) = again(report_of(verdict)).verdicts

    assert str(found.limit) == str(limit)
    assert found.limit.metric_unit == limit.metric_unit


@pytest.mark.parametrize("action", Action)
def test_each_decision_comes_back(report_of, action) -> None:
    report = report_of()
    decided = replace(report, decision=replace(report.decision, action=action, minutes=4.5, because=("a", "b")))

    assert again(decided).decision == decided.decision
    assert again(decided).exit_code == action.exit_code


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document["decision"].update(action="perhaps"),
        lambda document: document["decision"].update(because=[]),
        lambda document: document.pop("account"),
        lambda document: document["account"].update(items=-1),
        lambda document: document["account"].update(items=10**400),
        lambda document: document["account"].update(items="many"),
        lambda document: document["verdicts"][0].update(outcome="perhaps"),
        lambda document: document["verdicts"][0].update(severity="huge"),
        lambda document: document["verdicts"][0].update(limit=7),
        lambda document: document["verdicts"][0].update(observed="many"),
        lambda document: document["verdicts"][0].update(since="yesterday"),
        lambda document: document["verdicts"][0].update(since="2026-11-23T09:30:00Z", due="soon"),
        lambda document: document["verdicts"][0].update(flags="flaky"),
        lambda document: document["verdicts"][0].update(records=[{"made": "soon"}]),
        lambda document: document.update(verdicts=7),
        lambda document: document.update(lines=[{"item": "a"}]),
        lambda document: document.update(lines=7),
        lambda document: document.update(document={"phases": 7}),
        lambda document: document.update(baseline=[{"id": 7}]),
        lambda document: document.update(places=[{"probe": "a", "file": 7}]),
        lambda document: document.update(success=[{"id": "a"}]),
        lambda document: document["run"].update(stage="perhaps"),
        lambda document: document["run"].update(seconds="long"),
        lambda document: document["run"].pop("checklist"),
    ],
)
def test_a_document_with_a_wrong_part_is_refused(make, report_of, spoil) -> None:
    verdict = Verdict(item=make.item("up == 1"), outcome=Outcome.FAIL, because="up 0", since=make.now)
    document = json.loads(write.render(report_of(verdict)))
    spoil(document)

    with pytest.raises(ReportError, match="not written by this version of probekit"):
        report_from(document)
