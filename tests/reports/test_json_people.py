"""People and planned periods stand in the JSON report, and come back for `runs judge`."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib.resources import files

import jsonschema
import pytest
from builders import NOW

from probekit.model.checklist import Severity
from probekit.model.maintenance import Maintenance, Period
from probekit.model.people import Contact, Paging
from probekit.model.verdict import Outcome, Verdict
from probekit.reports.json import write
from probekit.reports.json.read import ReportError
from probekit.reports.json.report import report_from

SCHEMA = json.loads(files("probekit.reports.json").joinpath("report.schema.json").read_text("utf-8"))
HOUR = timedelta(hours=1)
ON_CALL = Contact(role="on_call", name="당직 엔지니어", contact="https://pager.example.com/on-call")
ESCALATION = Contact(role="escalation", name="Head of Operations")
PAGING = Paging(
    contacts=(ON_CALL, ESCALATION),
    page={
        Severity.CRITICAL: ("on_call", "escalation"),
        Severity.HIGH: ("on_call",),
        Severity.MEDIUM: (),
        Severity.LOW: (),
    },
)
WINDOW = Maintenance(start=NOW - HOUR, end=NOW + HOUR, reason="new storage")
RUN = {
    "deployed_by": "Release Team",
    "reviewed_by": "Release Board",
    "deployment_window": Period(start=NOW - HOUR, end=NOW),
    "paging": PAGING,
}


@pytest.fixture
def report(make, report_of):
    failed = Verdict(item=make.item(severity=Severity.HIGH), outcome=Outcome.FAIL, because="", since=NOW)
    return report_of(failed, run=RUN, maintenance=(WINDOW,))


def document_of(report):
    document = json.loads(write.render(report))
    jsonschema.validate(document, SCHEMA)
    return document


def test_they_are_told(report) -> None:
    document = document_of(report)

    on_call = {"role": "on_call", "name": "당직 엔지니어", "contact": "https://pager.example.com/on-call"}
    assert document["decision"]["to_call"] == [on_call]
    assert document["situation"]["maintenance"] == [
        {"from": "2026-11-23T09:30:00Z", "to": "2026-11-23T11:30:00Z", "reason": "new storage"}
    ]
    told = {name: document["run"][name] for name in ("deployed_by", "reviewed_by", "deployment_window", "page")}
    assert told == {
        "deployed_by": "Release Team",
        "reviewed_by": "Release Board",
        "deployment_window": {"from": "2026-11-23T09:30:00Z", "to": "2026-11-23T10:30:00Z"},
        "page": {"critical": ["on_call", "escalation"], "high": ["on_call"], "medium": [], "low": []},
    }
    assert [one["role"] for one in document["run"]["contacts"]] == ["on_call", "escalation"]


def test_they_come_back_as_they_were(report) -> None:
    found = report_from(document_of(report))

    people = found.run
    assert found.situation.maintenance == report.maintenance
    assert people.paging == report.run.paging
    assert (people.deployed_by, people.reviewed_by) == ("Release Team", "Release Board")
    assert people.deployment_window == report.run.deployment_window


def test_a_report_without_them_is_read(make, report_of) -> None:
    document = document_of(report_of())
    for name in ("deployed_by", "reviewed_by", "deployment_window", "contacts", "page"):
        del document["run"][name]
    del document["situation"]["maintenance"]

    found = report_from(document)

    assert (found.situation.maintenance, found.run.paging, found.run.deployed_by) == ((), Paging(), None)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document["situation"].update(maintenance=7),
        lambda document: document["situation"].update(maintenance=[{"from": "2026-11-23T09:30:00Z"}]),
        lambda document: document["situation"]["maintenance"][0].update(to="2026-11-23T09:30:00Z"),
        lambda document: document["situation"]["maintenance"][0].update({"from": "2026-11-23T09:30:00"}),
        lambda document: document["run"].update(contacts=[{"role": "on_call"}]),
        lambda document: document["run"].update(contacts="on_call"),
        lambda document: document["run"].update(page={"huge": ["on_call"]}),
        lambda document: document["run"].update(page=["on_call"]),
        lambda document: document["run"].update(deployed_by=7),
        lambda document: document["run"].update(deployment_window="now"),
        lambda document: document["run"].update(deployment_window={"from": None, "to": None}),
    ],
)
def test_a_part_that_is_none_is_refused(report, spoil) -> None:
    document = document_of(report)
    spoil(document)

    with pytest.raises(ReportError, match="not written by this version of probekit"):
        report_from(document)
