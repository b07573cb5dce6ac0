"""A report tells the next run since when items fail; what is no report, or not of here, is refused."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from probekit.model import Memory, Outcome, Severity, Verdict
from probekit.recall import RecallError, since_of
from probekit.reports import json_report

KEY = ("deploy.services.health-endpoint", Severity.CRITICAL)


@pytest.fixture
def written(report_of):
    """A function from verdicts, and what was known before, to the report as the next run reads it."""

    def written(*verdicts, known=None):
        return json.loads(json_report.render(report_of(*verdicts, memory=Memory(since=known or {}))))

    return written


def test_a_failure_is_known_from_then_on(written, make) -> None:
    began = make.now - timedelta(minutes=5)
    failed = Verdict(item=make.item("up == 1"), outcome=Outcome.FAIL, because="it is down", since=began)

    document = written(failed)

    assert since_of(document, document["run"]["environment"], make.now) == {KEY: began}


@pytest.mark.parametrize("outcome", [None, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NOT_CONFIGURED])
def test_what_is_not_measured_or_proves_nothing_keeps_what_was_known(written, make, outcome) -> None:
    began = make.now - timedelta(minutes=50)
    verdicts = [Verdict(item=make.item("up == 1"), outcome=outcome, because="nothing was read")] if outcome else []

    document = written(*verdicts, known={KEY: began})

    assert since_of(document, document["run"]["environment"], make.now) == {KEY: began}


def test_a_pass_ends_it_at_every_severity(written, make) -> None:
    passed = Verdict(item=make.item("up == 1"), outcome=Outcome.PASS, because="it is up")
    known = {KEY: make.now - timedelta(hours=1), (KEY[0], Severity.HIGH): make.now - timedelta(hours=2)}

    assert written(passed, known=known)["memory"]["since"] == []


@pytest.mark.parametrize(
    "document", [None, [], "text", {}, {"schema": "probekit.report/2"}, {"schema": "probekit.report/1"}]
)
def test_what_is_no_report_is_refused(document, make) -> None:
    with pytest.raises(RecallError, match="no report of this probekit"):
        since_of(document, "prod", make.now)


def test_a_report_of_another_environment_or_from_the_future_is_refused(written, make) -> None:
    document = written()

    with pytest.raises(RecallError, match="not on 'elsewhere'"):
        since_of(document, "elsewhere", make.now)
    with pytest.raises(RecallError, match="clocks"):
        since_of(document, document["run"]["environment"], make.now - timedelta(days=1))


@pytest.mark.parametrize("since", [{"item": 3}, {"item": "a", "severity": "huge", "since": "2026-11-23T10:00:00Z"}, 7])
def test_a_report_that_was_tampered_with_is_refused(written, make, since) -> None:
    document = written()
    document["memory"]["since"] = [since]

    with pytest.raises(RecallError, match="no report of this probekit"):
        since_of(document, document["run"]["environment"], make.now)
