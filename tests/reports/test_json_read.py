"""A report tells since when items fail, and what was seen; what is no report, or not of here, is refused."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from probekit.model.checklist import Severity
from probekit.model.history import Deployment, FailureKey, History, PooledEvidence, TargetKey
from probekit.model.measurement import InstanceKey, Reason
from probekit.model.readings import Complement, ErrorRate, Histogram, LatencySample, Mean, Quantile, Share, Summary
from probekit.model.verdict import Outcome, Verdict
from probekit.reports.json import write
from probekit.reports.json.read import AheadError, ReportError, deployment_of, history_of
from probekit.reports.json.report import report_from

SCHEMA = json.loads(Path(write.__file__).with_name("report.schema.json").read_text("utf-8"))
PLACE = TargetKey(environment="prod", base_url="https://app.example.com")
KEY = FailureKey("deploy.services.health-endpoint", Severity.CRITICAL)


@pytest.fixture
def written(report_of):
    """A function from verdicts, and what was known before, to the report as the next run reads it."""

    def written(*verdicts, known=None, **facts):
        return json.loads(write.render(report_of(*verdicts, history=History(since=known or {}), **facts)))

    return written


def test_a_failure_is_known_from_then_on(written, make) -> None:
    began = make.now - timedelta(minutes=5)
    failed = Verdict(item=make.item("up == 1"), outcome=Outcome.FAIL, because="it is down", since=began)

    document = written(failed)

    assert history_of(document, PLACE, make.now).since == {KEY: began}


@pytest.mark.parametrize("outcome", [None, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NOT_CONFIGURED])
def test_what_is_not_measured_or_proves_nothing_keeps_what_was_known(written, make, outcome) -> None:
    began = make.now - timedelta(minutes=50)
    verdicts = [Verdict(item=make.item("up == 1"), outcome=outcome, because="nothing was read")] if outcome else []

    document = written(*verdicts, known={KEY: began})

    assert history_of(document, PLACE, make.now).since == {KEY: began}


def test_a_pass_ends_it_at_every_severity(written, make) -> None:
    passed = Verdict(item=make.item("up == 1"), outcome=Outcome.PASS, because="it is up")
    known = {KEY: make.now - timedelta(hours=1), FailureKey(KEY.item, Severity.HIGH): make.now - timedelta(hours=2)}

    assert written(passed, known=known)["history"]["since"] == []


def test_readings_that_refute_a_severity_end_it_and_no_milder_one(written, make) -> None:
    grave, mild = FailureKey(KEY.item, Severity.HIGH), FailureKey(KEY.item, Severity.MEDIUM)
    known = dict.fromkeys((grave, mild), make.now - timedelta(hours=1))
    unclear = Verdict(
        item=make.item("up == 1"), outcome=Outcome.INCONCLUSIVE, because="", refuted=frozenset({Severity.HIGH})
    )

    assert history_of(written(unclear, known=known), PLACE, make.now).since == {mild: known[mild]}


@pytest.mark.parametrize("partial", [False, True])
def test_each_claim_of_an_item_has_a_time_and_of_earlier_ones_the_first_is_kept(written, make, partial) -> None:
    hours = {claim: make.now - timedelta(hours=age) for claim, age in (("a", 3), ("b", 2), ("c", 1))}
    known = {FailureKey(*KEY[:2], claim): moment for claim, moment in hours.items()}
    failed = Verdict(item=make.item("up == 1"), outcome=Outcome.FAIL, because="", since=make.now, claim="d")

    found = history_of(written(failed, known=known, partial=partial), PLACE, make.now).since

    by_claim = {key.claim: moment for key, moment in found.items()}
    assert by_claim == (hours if partial else {"a": hours["a"], "d": make.now})


def test_a_pass_ends_the_failures_of_every_claim(written, make) -> None:
    known = {FailureKey(*KEY[:2], claim): make.now for claim in ("", "a", "b")}
    passed = Verdict(item=make.item("up == 1"), outcome=Outcome.PASS, because="it is up", claim="b")

    assert written(passed, known=known)["history"]["since"] == []


def test_a_failure_that_was_written_without_a_claim_has_none(written, make) -> None:
    document = written(known={KEY: make.now})
    del document["history"]["since"][0]["claim"]

    assert history_of(document, PLACE, make.now).since == {KEY: make.now}


@pytest.mark.parametrize(
    "document", [None, [], "text", {}, {"schema": "probekit.report/2"}, {"schema": "probekit.report/1"}]
)
def test_what_is_no_report_is_refused(document, make) -> None:
    with pytest.raises(ReportError, match="not written by this version of probekit"):
        history_of(document, PLACE, make.now)


def test_a_report_of_another_target_is_refused(written, make) -> None:
    document = written()

    with pytest.raises(ReportError, match="the report is on environment 'prod', not on 'elsewhere'"):
        history_of(document, replace(PLACE, environment="elsewhere"), make.now)
    with pytest.raises(
        ReportError, match=r"the report is on https://app\.example\.com, not on https://eu\.example\.com"
    ):
        history_of(document, replace(PLACE, base_url="https://eu.example.com"), make.now)


@pytest.mark.parametrize(("part", "name"), [("run", "started"), ("situation", "now")])
def test_a_run_that_began_or_ended_in_the_future_is_refused(written, make, part, name) -> None:
    document = written()
    for seconds, is_refused in ((60, False), (61, True)):  # so much clocks may differ
        document[part][name] = (make.now + timedelta(seconds=seconds)).isoformat()
        with pytest.raises(AheadError, match="the future of this clock") if is_refused else nullcontext():
            history_of(document, PLACE, make.now)


def test_a_time_in_the_future_is_not_known(report_of, make) -> None:
    now, ahead = make.now, make.now + timedelta(minutes=2)
    (source, one), *_ = EVIDENCE.items()
    known = {KEY: now, FailureKey(KEY.item, Severity.HIGH): ahead}
    kept = {source: replace(one, until=now), InstanceKey("later", ""): replace(one, until=ahead)}

    document = json.loads(write.render(replace(report_of(history=History(since=known)), evidence=kept)))

    found = history_of(document, PLACE, now)
    assert (set(found.since), set(found.evidence)) == ({KEY}, {source})


@pytest.mark.parametrize("since", [{"item": 3}, {"item": "a", "severity": "huge", "since": "2026-11-23T10:00:00Z"}, 7])
def test_a_report_that_was_tampered_with_is_refused(written, make, since) -> None:
    document = written()
    document["history"]["since"] = [since]

    with pytest.raises(ReportError, match="not written by this version of probekit"):
        history_of(document, PLACE, make.now)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-23T10:00:00"])
@pytest.mark.parametrize(
    "keys",
    [
        ("run", "started"),
        ("situation", "now"),
        ("situation", "deployment", "started"),
        ("situation", "deployment", "finished"),
        ("history", "since", 0, "since"),
        ("history", "evidence", 0, "deployment"),
        ("history", "evidence", 0, "until"),
    ],
)
def test_a_time_without_a_zone_or_beyond_the_calendar_is_refused(report_of, make, keys, moment) -> None:
    deployment = Deployment(release="2.3.1", started=make.now, finished=make.now)
    report = report_of(history=History(since={KEY: make.now}, deployment=deployment))
    document = json.loads(write.render(replace(report, evidence=EVIDENCE)))
    history_of(document, PLACE, make.now)
    part = document
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = moment

    with pytest.raises(ReportError, match="not written by this version of probekit"):
        (history_of(document, PLACE, make.now), deployment_of(document))


SHARE = Share((0, 1, 0, 0, 0, 2), (50,) * 6, (3,) * 6)
SAMPLE = LatencySample(((1000, 2000),) * 6, ((0, 10),) * 6, (1, 0, 0, 0, 0, 0), (0,) * 6)

EVIDENCE = {
    InstanceKey("api", ""): PooledEvidence(
        release="2.3.1",
        deployment=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
        fingerprint="0123456789abcdef",
        values={
            "p95": Quantile(SAMPLE, 0.95),
            "error_rate": ErrorRate(SAMPLE, "one page"),
            "hit_rate": Complement(SHARE),
        },
        until=datetime(2026, 11, 23, 10, 25, tzinfo=UTC),
        addresses=("192.0.2.1:443", "192.0.2.2:443"),
    )
}


@pytest.fixture
def seen(make):
    """Measurements with every sort of reading, as two attempts, the second with measurements that were asked again."""
    plain = make.measurement(
        up=1, status=200.0, first_byte=12.5, failed_assertions=Reason.BAD_RESPONSE, note="all is well"
    )
    rich = replace(
        make.measurement(up=0),
        lag=0.25,
        values={
            "share": SHARE,
            "reported": Summary(0.25, 4000),
            "reported_p95": Summary(240.5, 4000, 0.95),
            "hit_rate": Complement(SHARE),
            "cpu_used": Mean((10.0, 20.5)),
            "p95": Quantile(SAMPLE, 0.95),
            "p50": Quantile(SAMPLE, 0.5),
            "error_rate": ErrorRate(SAMPLE),
            "p99": Histogram((100.0, 250.5), ((1, 2), (3, 4)), (5, 6), 0.99),
        },
    )
    return (plain, rich), {InstanceKey("health", ""): (make.attempt(plain), make.attempt(rich, rechecks=(plain,)))}


def test_what_was_seen_and_how_things_stood_come_back_as_they_were(make, report_of, seen) -> None:
    measurements, attempts = seen
    deployment = Deployment(release="2.3.1", started=make.now - timedelta(minutes=9))
    report = report_of(measurements=measurements, history=History(deployment=deployment), strict=True)

    document = json.loads(write.render(replace(report, attempts=attempts, evidence=EVIDENCE)))
    found = report_from(document)

    assert history_of(document, PLACE, make.now).evidence == EVIDENCE
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert found.attempts == attempts
    assert found.situation == report.situation


def test_the_earlier_name_of_access_denied_is_read(make, report_of) -> None:
    denied = make.measurement(up=Reason.ACCESS_DENIED)
    report = report_of(measurements=[denied])
    attempts = {InstanceKey("health", ""): (make.attempt(denied),)}
    text = write.render(replace(report, attempts=attempts)).replace('"access_denied"', '"turned_away"')

    assert "turned_away" in text
    assert report_from(json.loads(text)).attempts == attempts


WRITTEN_SAMPLE = {"values": [[1.0]], "delays": [[0.0]], "failures": [0], "unsent": [0]}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document["measurements"][0]["values"].update(up=True),
        lambda document: document["measurements"][0]["values"].update(up="1"),
        lambda document: document["measurements"][0]["values"].update(up={"events": [2], "trials": [1]}),
        lambda document: document["measurements"][0]["values"].update(up={"q": 0.95, "of_sample": 7}),
        lambda document: document["measurements"][0].update(
            values={"up": {"failures_of_sample": -1, "doubt": ""}}, samples=[WRITTEN_SAMPLE]
        ),
        lambda document: document["measurements"][0]["values"].update(up={"levels": [-1]}),
        lambda document: document["measurements"][0].pop("asked"),
        lambda document: document["attempts"][0].update(measurements=[99]),
        lambda document: document["attempts"][0].update(measurements=[-1]),
        lambda document: document["situation"].update(control="perhaps"),
        lambda document: document["situation"].pop("now"),
        lambda document: document.update(measurements=None),
    ],
)
def test_a_report_with_a_part_that_is_none_is_refused(report_of, seen, spoil) -> None:
    measurements, attempts = seen
    document = json.loads(write.render(replace(report_of(measurements=measurements), attempts=attempts)))
    spoil(document)

    with pytest.raises(ReportError, match="not written by this version of probekit"):
        report_from(document)
