"""What holds for every report format: the facts that it carries, and that no text of a target gets out of its place."""

from __future__ import annotations

import json
import re

import pytest
from full_report import everything
from hostile import HOSTILE

from probekit import reports
from probekit.model.limit import parse_limit
from probekit.model.measurement import Reason
from probekit.model.verdict import Flag, Outcome, Release, Served, Verdict
from probekit.reports._support.facts import facts
from probekit.reports.json import write
from probekit.reports.json.report import report_from
from probekit.text import inert_json

FORMATS = reports.format_names()
FIGURES = {  # what somebody who reads only this report must find
    "environment": "prod",
    "target": "https://app.example.com",
    "time": "2026",
    "vantage": "ci-7",
    "version": "0.1.0",
    "configuration": "f" * 12,
    "run": "0123456789ab",
    "release": "2.3.1",
    "expected release": "2.4.0",
    "commit": "c0ffee1",
    "account": "203",
    "reported by a program": "pre.security.tls-days-left",
}
MARKUP = {"html", "junit", "markdown"}
TEXTS = ("console", "github", "junit", "markdown", "sarif")  # what states the reason of a verdict
RUNNER = re.compile(r"^\s*::|##\[", re.MULTILINE)  # a command for the runner of GitHub Actions
OTHERWISE = {  # how a format states a figure in its own way
    "prometheus": {"time": "probekit_run_timestamp_seconds{", "account": 'outcome="out_of_scope"'},
}
# Controls but for the line feeds and tabs of a format itself, bidirectional marks, halves of pairs, no characters.
RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def written(name, report):
    """All that a format writes, wherever it goes."""
    form = reports.load_format(name)
    return "\n".join([form.text(report), *(render(report, reports.PLAIN) for render in form.appended.values())])


@pytest.mark.parametrize("name", FORMATS)
def test_it_carries_the_facts_of_the_run(make, report_of, name) -> None:
    text = written(name, everything(make, report_of))

    figures = FIGURES | OTHERWISE.get(name, {})
    lacking = {what: figure for what, figure in figures.items() if figure not in text}
    assert not lacking


def test_the_facts_of_a_run_are_these_in_this_order(make, report_of) -> None:
    assert [label for label, _ in facts(everything(make, report_of))] == [
        "decision", "reason", "call", "account", "own checks", "reported by a program, not measured", "served release",
        "release", "previous release", "environment", "target", "stage", "deployed by", "reviewed by", "run",
        "seen from", "checklist", "configuration", "probekit",
    ]  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_no_text_leaves_its_place(make, report_of, name, hostile) -> None:
    text = written(name, everything(make, report_of, hostile))

    text.encode("utf-8")
    assert not RAW.search(text)
    assert "<script>alert" not in text or name not in MARKUP
    assert name == "github" or not RUNNER.search(inert_json(text))


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_gives_the_same_text(make, report_of, name) -> None:
    report = everything(make, report_of)

    assert written(name, report) == written(name, report)


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_on_record_gives_the_text_of_its_run(make, report_of, name) -> None:
    report = everything(make, report_of)

    assert written(name, report_from(json.loads(write.render(report)))) == written(name, report)


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_of_an_older_version_can_be_written(make, report_of, name) -> None:
    document = json.loads(write.render(everything(make, report_of)))
    for part in ("document", "lines", "places", "baseline", "success"):
        del document[part]
    for verdict in document["verdicts"]:
        for part in ("probe", "summary", "follow_up", "may_roll_back", "records", "bound_to", "own", "owner", "row"):
            del verdict[part]

    assert "deploy.services.health-endpoint" in written(name, report_from(document))


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_report_and_numbers_without_an_end_can_be_written(make, report_of, name) -> None:
    item = make.item("p95 < 500 ms")
    endless = [
        Verdict(item=item, outcome=Outcome.FAIL, because="p95 unknown", observed=value, limit=parse_limit("p95 < 1 s"))
        for value in (float("inf"), float("-inf"), float("nan"), None, 1e300, -0.0)
    ]

    assert written(name, report_of())
    assert written(name, report_of(*endless))


def test_every_format_has_a_purpose_for_the_documentation() -> None:
    assert all(reports.load_format(name).help for name in FORMATS)
    assert [reports.load_format(name).name for name in FORMATS] == list(FORMATS)


@pytest.mark.parametrize("name", TEXTS)
def test_a_failure_keeps_its_evidence_where_another_release_is_served(make, report_of, name) -> None:
    release = Release(expected=("2",), answers={"1": 8}, served=Served.OTHER, because="1 is served, 2 expected")
    failed = Verdict(
        item=make.item(id="pre.security.page"),
        outcome=Outcome.FAIL,
        because="two headers are missing",
        flags=frozenset({Flag.OTHER_RELEASE}),
    )

    text = reports.load_format(name).text(report_of(failed, release=release))

    assert "two headers are missing" in text
    assert "so its results do not apply to the expected version" not in text


@pytest.mark.parametrize("name", TEXTS)
def test_the_reason_of_a_missing_reading_is_in_words(make, report_of, name) -> None:
    unread = Verdict(
        item=make.item(id="pre.security.page"),
        outcome=Outcome.INCONCLUSIVE,
        because="not_measured: decision fixed",
        reason=Reason.NOT_MEASURED,
    )

    text = reports.load_format(name).text(report_of(unread))

    assert "not measured: decision fixed" in text
    assert "not_measured" not in text
