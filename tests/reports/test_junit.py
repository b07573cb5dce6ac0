"""JUnit XML is what test pages show: valid by Jenkins' schema, red exactly where the decision is no go."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from math import inf, nan
from pathlib import Path
from xml.etree import ElementTree as ET

import junitparser
import pytest
from hostile import HOSTILE, hostile_report
from hypothesis import given, strategies as st
from lxml import etree

from probekit import reports
from probekit.model.checklist import Severity
from probekit.model.document import Document
from probekit.model.people import Contact, Paging
from probekit.model.record import Record
from probekit.model.verdict import Action, Control, Flag, Outcome, Release, Served, Stage, Verdict
from probekit.reports._support.facts import facts
from probekit.reports.json.report import report_from
from probekit.reports.json.write import render as as_json
from probekit.reports.junit import FORMAT, render

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "data" / "junit-10.xsd"))
GREEN = (Action.GO, Action.PARTIAL)
FAILURE, ERROR, SKIPPED = "failure", "error", "skipped"


def valid(text):
    """The document of a report, which Jenkins' schema accepts."""
    SCHEMA.assertValid(etree.fromstring(text.encode()))
    return ET.fromstring(text)  # noqa: S314  # rendered here


def results(text):
    """Each case's name with its result, as a reader of JUnit's XML finds it; a passed case has None."""
    cases = [case for suite in junitparser.JUnitXml.fromstring(text.encode()) for case in suite]
    kinds = {junitparser.Failure: FAILURE, junitparser.Error: ERROR, junitparser.Skipped: SKIPPED}
    return {case.name: next((kinds[type(one)] for one in case.result), None) for case in cases}


def is_red(text):
    return not {FAILURE, ERROR}.isdisjoint(results(text).values())


@pytest.fixture(scope="session")
def verdict(make):
    def build(outcome=Outcome.PASS, severity=Severity.CRITICAL, name="pre.security.one", **fields):
        item = make.item("up == 1", id=name, severity=severity, **fields)
        return Verdict(item=item, outcome=outcome, because=f"it is {outcome}", limit=item.expect[0])

    return build


def test_it_is_a_format_that_is_found_by_its_name() -> None:
    assert reports.load_format("junit") is FORMAT
    assert FORMAT.mode == 0o600


# ---------------------------------------------------------------- results

RESULTS = {  # outcome -> result of what holds a release, of a follow-up, of a follow-up with --strict
    Outcome.PASS: (None, None, None),
    Outcome.ATTESTED: (None, None, None),
    Outcome.WAIVED: (SKIPPED, SKIPPED, SKIPPED),
    Outcome.NOT_APPLICABLE: (SKIPPED, SKIPPED, SKIPPED),
    Outcome.FAIL: (FAILURE, SKIPPED, FAILURE),
    Outcome.INCONCLUSIVE: (ERROR, SKIPPED, ERROR),
    Outcome.ERROR: (ERROR, SKIPPED, ERROR),
    Outcome.NOT_CONFIGURED: (ERROR, SKIPPED, ERROR),
    Outcome.PENDING: (ERROR, SKIPPED, ERROR),
}


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize(("column", "severity", "strict"), [(0, "high", False), (1, "low", False), (2, "low", True)])
def test_the_effect_on_the_decision_is_the_result(verdict, report_of, outcome, column, severity, strict) -> None:
    one = verdict(outcome, Severity(severity), holds_if_pending=column == 0)
    report = report_of(verdict(name="pre.security.good"), one, strict=strict)

    text = render(report)

    valid(text)
    assert results(text)["pre.security.one"] == RESULTS[outcome][column]
    assert is_red(text) == (report.decision.action not in GREEN)


@pytest.mark.parametrize(
    ("action", "expected", "facts"),
    [
        (Action.GO, None, {}),
        (Action.PARTIAL, None, {"partial": True, "in_scope": 9}),
        (Action.INVESTIGATE, FAILURE, {"partial": True, "in_scope": 9, "strict": True}),
        (Action.INVESTIGATE, FAILURE, {"contradictions": ("two releases",)}),
        (Action.INVESTIGATE, FAILURE, {"release": Release(served=Served.OTHER, because="2.0 is served")}),
        (Action.INVESTIGATE, FAILURE, {"release": Release(served=Served.UNREADABLE)}),
        (Action.UNDECIDED, ERROR, {"complete": False, "run": {"ended_by": "SIGTERM"}}),
        (Action.UNDECIDED, ERROR, {"complete": False, "run": {"ended_by": "deadline"}}),
    ],
)
def test_the_decision_is_red_although_all_items_pass(verdict, report_of, action, expected, facts) -> None:
    report = report_of(verdict(), **facts)
    text = render(report)

    valid(text)
    assert report.decision.action is action
    assert results(text) == {"decision": expected, "pre.security.one": None}


@pytest.mark.parametrize(
    ("action", "expected", "outcome", "facts"),
    [
        (Action.HOLD, ERROR, Outcome.PENDING, {}),
        (Action.NO_GO, FAILURE, Outcome.FAIL, {"stage": Stage.BEFORE}),
        (Action.ROLLBACK, FAILURE, Outcome.FAIL, {}),
        (Action.UNDECIDED, ERROR, Outcome.FAIL, {"control": Control.SILENT}),
        (Action.UNDECIDED, ERROR, Outcome.WAIVED, {}),
    ],
)
def test_each_other_decision_is_red(verdict, report_of, action, expected, outcome, facts) -> None:
    report = report_of(verdict(outcome, holds_if_pending=True), **facts)
    report = replace(report, decision=replace(report.decision, action=action))

    (case,) = valid(render(report)).iterfind(f".//testcase[{expected}][@name='decision']")

    assert case.find(expected).get("type") == action.word
    assert case.find(expected).get("message") in case.find(expected).text


@given(
    found=st.lists(
        st.tuples(st.sampled_from(Outcome), st.sampled_from(Severity), st.booleans(), st.booleans()), max_size=8
    ),
    facts=st.fixed_dictionaries(
        {
            "strict": st.booleans(),
            "partial": st.booleans(),
            "complete": st.booleans(),
            "stage": st.sampled_from(Stage),
            "control": st.sampled_from(Control),
            "in_scope": st.integers(0, 9),
        }
    ),
)
def test_a_report_is_red_if_and_only_if_its_decision_is_no_go(verdict, report_of, found, facts) -> None:
    verdicts = [
        verdict(outcome, severity, f"pre.security.{number}", holds_if_pending=holds, criteria=("all",) * criterion)
        for number, (outcome, severity, holds, criterion) in enumerate(found)
    ]
    report = report_of(*verdicts, **facts)

    text = render(report)

    assert is_red(text) == (report.decision.action not in GREEN)
    assert len(results(text)) == len(found) + 1


# ---------------------------------------------------------------- the document


def test_a_section_is_a_suite_and_an_item_a_case_of_its_section(verdict, report_of) -> None:
    sections = {"pre.security": "Security 2.0", "post.security": "Security 2.0"}
    names = ("post.security.two", "pre.security.one", "deploy.code.three")
    report = replace(
        report_of(*(verdict(name=name) for name in names)),
        document=Document(
            sections=sections, lines={"pre.security.one": "One", "pre.security.out-of-scope": "Not here"}
        ),
    )

    suites = valid(render(report)).findall("testsuite")

    assert [(suite.get("name"), suite.get("id"), suite.get("tests")) for suite in suites] == [
        ("probekit", None, "1"),
        ("Security 2.0", "pre.security", "1"),
        ("Security 2.0", "post.security", "1"),
        ("deploy.code", "deploy.code", "1"),
    ]
    cases = [(case.get("classname"), case.get("name")) for suite in suites for case in suite.iterfind("testcase")]
    assert cases == [
        ("probekit", "decision"),
        ("pre.security: Security 2 0", "pre.security.one"),  # Jenkins takes what precedes the last dot as a package
        ("post.security: Security 2 0", "post.security.two"),
        ("deploy.code", "deploy.code.three"),
    ]


def test_suites_and_the_whole_count_their_cases(verdict, report_of) -> None:
    outcomes = [Outcome.PASS, Outcome.FAIL, Outcome.FAIL, Outcome.ERROR, Outcome.WAIVED, Outcome.ATTESTED]
    report = report_of(*(verdict(outcome, name=f"pre.security.{n}") for n, outcome in enumerate(outcomes)))
    text = render(report)

    read = junitparser.JUnitXml.fromstring(text.encode())
    counted = [(suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) for suite in read]

    assert counted == [("probekit", 1, 1, 0, 0), ("pre.security", 6, 2, 1, 1)]
    assert (read.tests, read.failures, read.errors) == (7, 3, 1)
    assert Counter(results(text).values()) == {None: 2, FAILURE: 3, ERROR: 1, SKIPPED: 1}


def test_each_fact_is_a_property_and_a_line_of_the_decision(verdict, report_of) -> None:
    one = replace(verdict(), flags=frozenset({Flag.REPORTED}))
    report = report_of(one, run={"deployed_by": "Ada", "phase": "pre"})

    suite = valid(render(report)).find("testsuite")

    known = facts(report)
    assert [(one.get("name"), one.get("value")) for one in suite.iterfind("properties/property")] == list(known)
    assert suite.find("testcase/system-out").text == "\n".join(f"{label}: {text}" for label, text in known)
    assert dict(known)["reported by a program, not measured"] == "pre.security.one"


def test_a_failure_has_its_evidence_what_to_do_and_whom_to_call(verdict, make, report_of) -> None:
    paging = Paging(contacts=(Contact(role="dev", name="Ada", contact="+1 2"),), page={Severity.HIGH: ("dev",)})
    item = make.item("first_byte < 200 ms", id="pre.security.one", severity=Severity.HIGH)
    slow = Verdict(item=item, outcome=Outcome.FAIL, because="all 8 measurements", observed=2310.0, limit=item.expect[0])
    failed = replace(slow, since=make.now, flags=frozenset({Flag.REPORTED}))

    (element,) = valid(render(report_of(failed, run={"paging": paging}))).iterfind(
        ".//*[@name='pre.security.one']/failure"
    )

    assert element.attrib == {
        "type": "fail",
        "message": "fail: first byte 2,310 ms, limit < 200 ms; all 8 measurements",
    }
    assert element.text.splitlines() == [
        "item: Run health check endpoint",
        "result: fail, high, reported",
        "because: first byte 2,310 ms, limit < 200 ms; all 8 measurements",
        "failing since: 2026-11-23 10:30:00 UTC",
        "do: find the cause by 10:40:00 UTC, else escalate",
        "owner: Backend Lead",
        "call: Ada, +1 2",
    ]


def test_whom_to_call_is_stated_for_what_rules_out_a_go_alone(verdict, report_of) -> None:
    paging = Paging(contacts=(Contact(role="dev", name="Ada", contact="+1 2"),), page=dict.fromkeys(Severity, ("dev",)))
    unread = verdict(Outcome.ERROR, name="pre.security.unread")
    later = verdict(Outcome.FAIL, Severity.LOW, name="pre.security.later")

    root = valid(render(report_of(unread, later, run={"paging": paging})))

    texts = {one.get("name").rpartition(".")[2]: one[0].text for one in root.iter("testcase")}
    assert ("call: Ada, +1 2" in texts["unread"], "call: " in texts["later"]) == (True, False)


def test_a_run_that_a_signal_ended_is_red_whatever_was_decided(verdict, report_of) -> None:
    report = report_of(replace(verdict(), layer="application"), run={"ended_by": "SIGTERM"})

    assert report.decision.action is Action.GO
    assert results(render(report)) == {"decision": ERROR, "pre.security.one": None}


def test_a_case_names_the_records_that_it_rests_on_and_a_suite_its_time_in_utc(verdict, report_of) -> None:
    recorded = replace(verdict(), records=(Record(release="2.4.0", by="gitleaks", place="scan.json"),))
    started = datetime(2026, 11, 23, 12, 30, tzinfo=timezone(timedelta(hours=2)))

    root = valid(render(report_of(recorded, run={"started": started})))

    (output,) = root.iterfind(".//*[@name='pre.security.one']/system-out")
    assert "record: " in output.text
    assert "2.4.0" in output.text
    assert "gitleaks" in output.text
    assert {suite.get("timestamp") for suite in root.iter("testsuite")} == {"2026-11-23T10:30:00"}


def test_a_missing_signature_names_who_signs(verdict, report_of) -> None:
    unsigned = verdict(Outcome.PENDING, holds_if_pending=True)

    (element,) = valid(render(report_of(unsigned))).iterfind(".//*[@name='pre.security.one']/error")

    assert "do: get the signature of Backend Lead, then verify again" in element.text.splitlines()


def test_a_passed_case_has_its_evidence_as_output_and_a_waived_one_its_reason(verdict, report_of) -> None:
    waived = replace(verdict(Outcome.WAIVED, name="pre.security.two"), because="accepted by Ada until 2026-12-01")

    root = valid(render(report_of(verdict(), waived)))

    assert "because: it is pass" in root.find(".//*[@name='pre.security.one']/system-out").text
    (skipped,) = root.iterfind(".//*[@name='pre.security.two']/skipped")
    assert skipped.get("message") == "waived: accepted by Ada until 2026-12-01"
    assert "because: accepted by Ada until 2026-12-01" in skipped.text


def test_an_own_check_is_a_case_of_a_suite_of_its_own(verdict, report_of) -> None:
    text = render(report_of(verdict(), verdict(Outcome.FAIL, name="own.shop", is_own=True)))

    suite = valid(text).findall("testsuite")[-1]

    assert (suite.get("id"), suite.get("name"), results(text)["own.shop"]) == ("own", "Own checks", FAILURE)


@pytest.mark.parametrize("facts", [{"stage": Stage.ROLLED_BACK}, {"stage": Stage.BEFORE}, {"run": {"phase": "pre"}}])
def test_every_kind_of_run_is_valid_and_names_itself(verdict, report_of, facts) -> None:
    report = report_of(verdict(), **facts)

    root = valid(render(report))

    stage = {one.get("name"): one.get("value") for one in root.iter("property")}["stage"]
    assert stage == str(report.run.stage) + (", phase pre" if report.run.phase else "")


def test_the_time_of_the_run_is_that_of_the_decision_in_seconds(verdict, report_of) -> None:
    root = valid(render(report_of(verdict(), run={"seconds": 1234.5})))

    timed = [(one.tag, one.get("time")) for one in root.iter() if one.get("time")]
    assert timed == [("testsuites", "1234.500"), ("testsuite", "1234.500"), ("testcase", "1234.500")]
    assert {suite.get("timestamp") for suite in root.iter("testsuite")} == {"2026-11-23T10:30:00"}


# ---------------------------------------------------------------- what a report may contain


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_changes_the_structure_of_the_document(make, report_of, text) -> None:
    def structure(root):
        return [(one.tag, *one.attrib) for one in root.iter()]

    plain, hostile = (valid(render(hostile_report(one, make, report_of))) for one in ("plain", text))

    assert structure(hostile) == structure(plain)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_has_a_character_that_is_invisible_or_a_command_of_a_reader(make, report_of, text) -> None:
    rendered = render(hostile_report(text, make, report_of))

    read = [part for one in valid(rendered).iter() for part in (one.text or "", *one.attrib.values())]
    assert all(part.replace("\n", "").isprintable() for part in read)
    assert not [part for part in read if re.search(r"\[\[ATTACHMENT\|.+?\]\]", part)]  # GitLab, Jenkins
    assert not [line for line in rendered.splitlines() if line.lstrip().startswith("::") or "##[" in line]  # GitHub


def test_hidden_characters_are_shown(make, report_of) -> None:
    report = hostile_report("a\x00\ud800\ufffe\u202e\nb", make, report_of)

    (element,) = valid(render(report)).iterfind(".//testcase[@name='decision']/failure")

    assert r"contradiction: a\x00\ud800\ufffe\u202e\x0ab" in element.get("message")


def test_a_text_of_hidden_characters_is_not_longer_than_another(make, report_of) -> None:
    for text in ("\u202e" * 5_000, "x" * 400 + "\x00" * 5_000, "##[" * 5_000):
        root = valid(render(hostile_report(text, make, report_of)))

        assert all(len(element.get("message", "")) <= 540 for element in root.iter())
        assert root.find(".//testcase[@name='decision']/failure").get("message").endswith(" more characters)")


def test_a_long_text_is_cut_and_says_so(verdict, report_of) -> None:
    failed = replace(verdict(Outcome.FAIL), because="x" * 100_000)

    (element,) = valid(render(report_of(failed))).iterfind(".//*[@name='pre.security.one']/failure")

    assert element.get("message") == "fail: " + "x" * 494 + "... (99,506 more characters)"
    assert "x" * 10_000 + "... (90,000 more characters)\n" in element.text


@pytest.mark.parametrize("observed", [None, 0.0, inf, -inf, nan])
@pytest.mark.parametrize("outcome", Outcome)
def test_any_number_can_be_written(verdict, report_of, outcome, observed) -> None:
    valid(render(report_of(replace(verdict(outcome), observed=observed))))


@pytest.mark.parametrize("seconds", [inf, nan, -1.0])
def test_a_run_of_an_impossible_duration_has_no_time(verdict, report_of, seconds) -> None:
    assert "time" not in valid(render(report_of(verdict(), run={"seconds": seconds}))).attrib


def test_a_report_without_items_is_red(report_of) -> None:
    text = render(report_of())

    valid(text)
    assert results(text) == {"decision": ERROR}


def test_ten_thousand_items_are_valid_and_all_there(verdict, report_of) -> None:
    outcomes = list(Outcome)
    verdicts = [verdict(outcomes[n % 9], name=f"pre.part{n % 50}.item-{n}") for n in range(10_000)]

    text = render(report_of(*verdicts))

    valid(text)
    assert len(results(text)) == 10_001


def test_a_report_of_an_older_version_is_written_the_same_without_headings(verdict, report_of) -> None:
    report = report_of(verdict(), verdict(Outcome.ERROR, name="deploy.code.two"))
    document = json.loads(as_json(replace(report, document=Document(sections={"pre.security": "Security"}))))
    for key in ("document", "lines", "places", "baseline", "success"):
        del document[key]

    text = render(report_from(document))

    valid(text)
    assert results(text) == {"decision": FAILURE, "pre.security.one": None, "deploy.code.two": ERROR}
    assert [suite.get("name") for suite in valid(text)] == ["probekit", "pre.security", "deploy.code"]


def test_the_same_report_gives_the_same_text_and_a_stored_one_too(verdict, report_of) -> None:
    lines = dict.fromkeys(("pre.security.one", "deploy.code.two"), "Run health check endpoint")
    report = report_of(verdict(), verdict(Outcome.FAIL, name="deploy.code.two"))
    report = replace(report, document=Document(sections={"pre.security": "Security"}, lines=lines))

    assert render(report) == render(report)
    assert render(report_from(json.loads(as_json(report)))) == render(report)
