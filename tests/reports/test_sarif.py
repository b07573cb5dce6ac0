"""SARIF holds the security items that are not settled, in the form that GitHub and the schema demand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from math import inf, nan
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import pytest
from hostile import HOSTILE, hostile_report
from hypothesis import given, strategies as st

from probekit import reports
from probekit.model.checklist import Severity
from probekit.model.document import Document, Place
from probekit.model.measurement import Reason
from probekit.model.verdict import Action, Control, Flag, Outcome, Release, Served, Stage, Verdict
from probekit.reports import Location, View
from probekit.reports._support.facts import facts
from probekit.reports.json.report import report_from
from probekit.reports.json.write import render as as_json
from probekit.reports.sarif import FORMAT, render

NPM = Path(__file__).parents[2] / "build" / "npm" / "node_modules"
GREEN = (Action.GO, Action.PARTIAL)
DECISION = "probekit.decision"
KEYS = {  # of every object: those that it always has; SARIF 2.1.0 and GitHub require them
    "log": {"$schema", "version", "runs"},
    "run": {
        "tool", "automationDetails", "invocations", "originalUriBaseIds", "columnKind", "results", "properties",
    },
    "rule": {"id", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"},
    "result": {
        "ruleId", "ruleIndex", "kind", "level", "message", "locations", "partialFingerprints", "properties",
    },
    "region": {"startLine", "startColumn", "endLine", "endColumn"},
}  # fmt: skip


def run_of(report, view=None):
    """The run of a report, checked by what SARIF and GitHub require of every one."""
    text = render(report, view) if view else render(report)
    log = json.loads(text)
    (run,) = log["runs"]
    rules, results = run["tool"]["driver"]["rules"], run["results"]
    assert text.isascii()
    assert log.keys() == KEYS["log"]
    assert run.keys() == KEYS["run"]
    assert len({rule["id"] for rule in rules}) == len(rules) <= 25_000
    for rule in rules:
        assert rule.keys() == KEYS["rule"]
        assert all(rule[name]["text"] for name in ("shortDescription", "fullDescription", "help"))
        assert len(rule["properties"]["tags"]) <= 10
    for result in results:
        assert result.keys() == KEYS["result"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["kind"] == "fail"
        assert result["message"]["text"]
        (location,) = result["locations"]
        where = location["physicalLocation"]
        assert where["region"].keys() == KEYS["region"]
        assert re.fullmatch(r"(file:///)?([\w./~-]|%[0-9A-Fa-f]{2})+", where["artifactLocation"]["uri"], re.ASCII)
        assert not where["artifactLocation"]["uri"].startswith("/")
    return run


def levels(run):
    return {result["ruleId"]: result["level"] for result in run["results"]}


def is_red(run):
    return not {"error", "warning"}.isdisjoint(levels(run).values())


@pytest.fixture(scope="session")
def verdict(make):
    def build(outcome=Outcome.FAIL, severity=Severity.CRITICAL, name="pre.security.one", **fields):
        item = make.item("up == 1", id=name, severity=severity, **fields)
        return Verdict(item=item, outcome=outcome, because=f"it is {outcome}", limit=item.expect[0])

    return build


def test_it_is_a_format_that_is_found_by_its_name() -> None:
    assert reports.load_format("sarif") is FORMAT
    assert FORMAT.mode == 0o600


# ---------------------------------------------------------------- results

LEVELS = {  # outcome -> level of what holds a release, of a follow-up, of a follow-up with --strict
    Outcome.PASS: (None, None, None),
    Outcome.ATTESTED: (None, None, None),
    Outcome.WAIVED: (None, None, None),
    Outcome.NOT_APPLICABLE: (None, None, None),
    Outcome.FAIL: ("error", "note", "warning"),
    Outcome.INCONCLUSIVE: ("error", "note", "warning"),
    Outcome.ERROR: ("error", "note", "warning"),
    Outcome.NOT_CONFIGURED: ("error", "note", "warning"),
    Outcome.PENDING: ("error", "note", "warning"),
}


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize(("column", "severity", "strict"), [(0, "high", False), (1, "low", False), (2, "low", True)])
def test_the_effect_on_the_decision_is_the_level(verdict, report_of, outcome, column, severity, strict) -> None:
    one = verdict(outcome, Severity(severity), holds_if_pending=column == 0)
    report = report_of(verdict(Outcome.PASS, name="pre.security.good"), one, strict=strict)

    run = run_of(report)

    assert levels(run).get("pre.security.one") == LEVELS[outcome][column]
    assert is_red(run) == (report.decision.action not in GREEN)


@given(
    found=st.lists(
        st.tuples(
            st.sampled_from(Outcome),
            st.sampled_from(Severity),
            st.booleans(),
            st.booleans(),
            st.sampled_from(("pre.security", "deploy.code")),
        ),
        max_size=8,
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
        verdict(outcome, severity, f"{section}.{number}", holds_if_pending=holds, criteria=("all",) * criterion)
        for number, (outcome, severity, holds, criterion, section) in enumerate(found)
    ]
    report = report_of(*verdicts, **facts)

    run = run_of(report)

    assert is_red(run) == (report.decision.action not in GREEN)
    scores = {
        rule["id"]: float(rule["properties"].get("security-severity", 0)) for rule in run["tool"]["driver"]["rules"]
    }
    assert is_red(run) or all(scores[name] < 7 for name in levels(run))  # GitHub lets a check fail from 7.0 on


@pytest.mark.parametrize(
    ("action", "facts"),
    [
        (Action.INVESTIGATE, {"contradictions": ("two releases",)}),
        (Action.INVESTIGATE, {"release": Release(served=Served.OTHER, because="2.0 is served")}),
        (Action.UNDECIDED, {"complete": False, "run": {"ended_by": "SIGTERM"}}),
    ],
)
def test_the_decision_is_a_result_although_all_items_pass(verdict, report_of, action, facts) -> None:
    report = report_of(verdict(Outcome.PASS), **facts)

    (result,) = run_of(report)["results"]

    assert report.decision.action is action
    assert (result["ruleId"], result["level"], result["properties"]) == (DECISION, "error", {"action": action.word})


def test_only_items_of_security_sections_are_included(verdict, report_of) -> None:
    names = ("pre.security.one", "post.security.two", "pre.review.security-scans", "signoff.approvals.security")
    own = verdict(name="own.security.mine", is_own=True)

    run = run_of(report_of(*(verdict(name=name) for name in names), own))

    assert levels(run).keys() == {DECISION, "pre.security.one", "post.security.two"}


def test_the_most_severe_result_comes_first(verdict, report_of) -> None:
    mild = verdict(severity=Severity.LOW, name="pre.security.mild")
    criterion = verdict(severity=Severity.MEDIUM, name="pre.security.criterion", criteria=("all",))

    run = run_of(report_of(mild, criterion, verdict()))

    assert list(levels(run).items()) == [
        (DECISION, "error"),
        ("pre.security.one", "error"),
        ("pre.security.criterion", "warning"),
        ("pre.security.mild", "note"),
    ]


def test_a_result_states_what_is_wrong_where_and_what_to_do(verdict, report_of) -> None:
    failed = replace(verdict(Outcome.FAIL, Severity.HIGH), flags=frozenset({Flag.REPORTED}))
    unread = replace(verdict(Outcome.ERROR, name="pre.security.two"), reason=Reason.UNTRUSTED)

    run = run_of(report_of(failed, unread, stage=Stage.BEFORE))

    found = {result["ruleId"]: result for result in run["results"]}
    assert found["pre.security.one"]["message"]["text"].splitlines() == [
        "fail: it is fail",
        "Environment: prod, https://app.example.com",
        "do not deploy before it is fixed",
        "Owner: Backend Lead",
    ]
    assert found["pre.security.one"]["properties"] == {
        "outcome": "fail",
        "severity": "high",
        "flags": ["reported"],
        "rulesOutGo": True,
    }
    assert "name the certificate's authority in connect.ca" in found["pre.security.two"]["message"]["text"]
    assert found[DECISION]["message"]["text"].startswith("NO GO: prod: one failed")


@pytest.mark.parametrize(
    ("severity", "outcome", "score"),
    [
        (Severity.CRITICAL, Outcome.FAIL, 9.5),
        (Severity.HIGH, Outcome.FAIL, 8.0),
        (Severity.MEDIUM, Outcome.FAIL, 5.5),
        (Severity.LOW, Outcome.FAIL, 2.0),
        (Severity.CRITICAL, Outcome.PASS, 9.5),
        (Severity.CRITICAL, Outcome.PENDING, 5.5),  # it does not hold the release
    ],
)
def test_a_rule_has_the_severity_in_github_s_bands(verdict, report_of, severity, outcome, score) -> None:
    _, rule = run_of(report_of(verdict(outcome, severity)))["tool"]["driver"]["rules"]

    assert rule["properties"]["security-severity"] == str(score)
    assert rule["properties"]["tags"] == ["security", "pre"]


# ---------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ({"health": Place(file="a.toml", keys=("health",)), "": Place(file="b.toml")}, ("a.toml", 7)),
        ({"": Place(file="b.toml", keys=("env", "prod"))}, ("b.toml", 7)),
        ({"other": Place(file="c.toml")}, ("probes.toml", 1)),
        ({}, ("probes.toml", 1)),
    ],
)
def test_the_location_is_the_table_of_the_probe(verdict, report_of, places, expected) -> None:
    view = View(located=lambda place: Location(uri=place.file, line=7))

    run = run_of(replace(report_of(verdict()), places=places), view)

    physical = run["results"][1]["locations"][0]["physicalLocation"]
    assert (physical["artifactLocation"]["uri"], physical["region"]["startLine"]) == expected
    assert physical["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("deploy/probes.toml", "deploy/probes.toml"),
        ("my files/ü?#[x].toml", "my%20files/%C3%BC%3F%23%5Bx%5D.toml"),
        ("a%20b/100%.toml", "a%20b/100%25.toml"),
        ("c:/probes.toml", "c%3A/probes.toml"),
        ("file:///etc/my%20files/probes.toml", "file:///etc/my%20files/probes.toml"),
        ("/etc/my files/probes.toml", "file:///etc/my%20files/probes.toml"),
    ],
)
def test_a_uri_is_encoded_once(verdict, report_of, uri, expected) -> None:
    view = View(located=lambda place: Location(uri=uri))

    run = run_of(replace(report_of(verdict()), places={"": Place(file="probes.toml")}), view)

    artifact = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact["uri"] == expected
    assert ("uriBaseId" in artifact) == (not urlsplit(expected).scheme)


def test_a_place_is_read_once(verdict, report_of) -> None:
    read = []

    def located(place):
        read.append(place)
        return Location(uri=place.file)

    places = {"health": Place(file="probes.toml", keys=("health",))}

    run_of(
        replace(report_of(*(verdict(name=f"pre.security.{n}") for n in range(5))), places=places), View(located=located)
    )

    assert read == [places["health"]]


# ---------------------------------------------------------------- identity


def identities(run):
    return {result["ruleId"]: result["partialFingerprints"] for result in run["results"]}


def test_an_alert_keeps_its_identity_whatever_is_measured_when_and_where(verdict, make, report_of) -> None:
    later = {"started": make.now + timedelta(days=1), "id": "another", "seconds": 9.0}
    other = replace(verdict(Outcome.ERROR, Severity.HIGH), because="timeout", observed=3.0)
    moved = View(located=lambda place: Location(uri="elsewhere.toml", line=99))

    one = run_of(report_of(verdict()))
    two = run_of(replace(report_of(other, run=later), places={"": Place(file="x")}), moved)

    assert identities(one) == identities(two)
    assert all(found.keys() == {"primaryLocationLineHash", "probekitItem/v1"} for found in identities(one).values())
    assert all(re.fullmatch(r"[0-9a-f]{16}:1", found["primaryLocationLineHash"]) for found in identities(one).values())


def test_items_and_environments_have_identities_of_their_own(verdict, report_of) -> None:
    both = (verdict(), verdict(name="pre.security.two"))

    found = [identities(run_of(report_of(*both, run={"environment": name}))) for name in ("prod", "staging")]

    assert len({tuple(prints.values()) for run in found for prints in run.values()}) == 6


@pytest.mark.parametrize(
    ("facts", "category"),
    [
        ({}, "prod"),
        ({"run": {"environment": "eu/prod 1"}}, "eu%2Fprod 1"),
        ({"run": {"phase": "pre"}}, "prod/phase pre"),
        ({"partial": True}, "prod/partial"),
        ({"in_scope": 2}, "prod/partial"),
        ({"partial": True, "run": {"phase": "pre"}}, "prod/phase pre/partial"),
    ],
)
def test_a_report_replaces_only_one_of_the_same_environment_and_scope(verdict, report_of, facts, category) -> None:
    identity = run_of(report_of(verdict(), **facts))["automationDetails"]["id"]

    assert identity.rpartition("/") == (category, "/", "0123456789ab")


def test_the_invocation_has_the_times_and_the_exit_code(verdict, report_of) -> None:
    started = datetime(2026, 11, 23, 11, 30, 0, 500_000, tzinfo=UTC)

    run = run_of(report_of(verdict(Outcome.PASS), run={"started": started, "seconds": 90.25}))

    assert run["invocations"] == [
        {
            "executionSuccessful": True,
            "exitCode": 0,
            "exitCodeDescription": "GO",
            "startTimeUtc": "2026-11-23T11:30:00.500Z",
            "endTimeUtc": "2026-11-23T11:31:30.750Z",
            "toolExecutionNotifications": [],
        }
    ]


def test_a_time_of_another_zone_is_written_in_utc(verdict, report_of) -> None:
    started = datetime(2026, 11, 23, 12, 30, tzinfo=timezone(timedelta(hours=2)))

    (invocation,) = run_of(report_of(verdict(), run={"started": started}))["invocations"]

    assert invocation["startTimeUtc"] == "2026-11-23T10:30:00.000Z"


def test_an_interrupted_run_is_a_failed_one(verdict, report_of) -> None:
    (invocation,) = run_of(report_of(verdict(), complete=False, run={"ended_by": "SIGINT"}))["invocations"]

    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 130)
    assert invocation["toolExecutionNotifications"] == [
        {"level": "error", "message": {"text": "prod: the run was interrupted by SIGINT"}}
    ]


def test_a_run_that_a_signal_ended_is_red_whatever_was_decided(verdict, report_of) -> None:
    report = report_of(replace(verdict(Outcome.PASS), layer="application"), run={"ended_by": "SIGTERM"})

    assert report.decision.action is Action.GO
    assert levels(run_of(report)) == {DECISION: "error"}


@pytest.mark.parametrize("seconds", [inf, nan, 1e300])
def test_a_run_of_an_impossible_duration_has_no_end(verdict, report_of, seconds) -> None:
    (invocation,) = run_of(report_of(verdict(), run={"seconds": seconds}))["invocations"]

    assert "endTimeUtc" not in invocation


def test_each_fact_is_a_property_of_the_run(verdict, report_of) -> None:
    report = report_of(replace(verdict(), flags=frozenset({Flag.REPORTED})), run={"deployed_by": "Ada"})

    assert run_of(report)["properties"] == dict(facts(report))


# ---------------------------------------------------------------- what a report may contain


def keys(node):
    """All keys of a document, with the lengths of its arrays."""
    if isinstance(node, Mapping):
        return {key: keys(inner) for key, inner in node.items()}
    return [keys(inner) for inner in node] if isinstance(node, list) else None


def texts(node):
    """All texts of a document."""
    if isinstance(node, str):
        return [node]
    inner = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    return [text for one in inner for text in texts(one)]


def messages(node):
    """All texts of messages of a document, which a reader shows."""
    if not isinstance(node, Mapping | list):
        return []
    here = [node["text"]] if isinstance(node, Mapping) and isinstance(node.get("text"), str) else []
    inner = node.values() if isinstance(node, Mapping) else node
    return here + [text for one in inner for text in messages(one)]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_changes_the_structure_or_stays_invisible(make, report_of, text) -> None:
    plain, hostile = (run_of(hostile_report(one, make, report_of)) for one in ("plain", text))

    assert keys(hostile) == keys(plain)
    assert all(part.replace("\n", "").isprintable() for part in texts(hostile))
    assert all(
        len(part) < 12_000 for part in texts({**hostile, "results": [one["message"] for one in hostile["results"]]})
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_message_has_a_link_a_placeholder_a_tag_or_a_mention(make, report_of, text) -> None:
    shown = messages(run_of(hostile_report(text, make, report_of)))

    assert len(shown) > 40
    assert not [one for one in shown if re.search(r"\]\(|(?<!\w)@\w|#\d|<[a-z/!?]", one, re.IGNORECASE)]
    assert not [one for one in shown if re.search(r"[{}]", re.sub(r"\{\{|\}\}", "", one))]


@pytest.mark.parametrize("character", ["x", "\u202e", "\x00", "\U000e0100", "##["])
def test_a_description_has_no_more_characters_than_github_takes(verdict, report_of, character) -> None:
    text = character * 10_000
    run = run_of(report_of(verdict(title=text, text=text)))

    rule = run["tool"]["driver"]["rules"][1]
    assert 900 < len(rule["fullDescription"]["text"]) <= 1_024
    assert 900 < len(rule["shortDescription"]["text"]) <= 1_024


def test_every_item_that_a_program_reported_is_named(verdict, report_of) -> None:
    names = [f"pre.security.reported-{number}" for number in range(100)]
    found = [replace(verdict(Outcome.PASS, name=name), flags=frozenset({Flag.REPORTED})) for name in names]

    assert run_of(report_of(*found))["properties"]["reported by a program, not measured"] == ", ".join(names)


def test_a_long_text_is_cut_and_says_so(verdict, report_of) -> None:
    result = run_of(report_of(replace(verdict(), because="x" * 100_000)))["results"][1]

    assert result["message"]["text"].splitlines()[0] == "fail: " + "x" * 974 + "... (99,026 more characters)"


@pytest.mark.parametrize("observed", [None, inf, nan])
@pytest.mark.parametrize("outcome", Outcome)
def test_any_number_can_be_written(verdict, report_of, outcome, observed) -> None:
    run_of(report_of(replace(verdict(outcome), observed=observed)))


def test_a_report_without_items_has_the_decision_alone(report_of) -> None:
    run = run_of(report_of())

    assert levels(run) == {DECISION: "error"}
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [DECISION]


def test_a_report_beyond_github_s_limit_keeps_the_most_severe_results(verdict, report_of) -> None:
    passed = [verdict(Outcome.PASS, name=f"pre.security.good-{n}") for n in range(24_990)]
    failed = [verdict(name=f"pre.security.bad-{n}") for n in range(20)]

    run = run_of(report_of(*passed, *failed))

    assert len(run["tool"]["driver"]["rules"]) == 25_000
    assert len(run["results"]) == 21


def test_a_report_of_an_older_version_has_the_same_results(verdict, report_of) -> None:
    report = replace(report_of(verdict(Outcome.ERROR)), places={"": Place(file="probes.toml")})
    document = json.loads(as_json(replace(report, document=Document(sections={"pre.security": "Security"}))))
    for key in ("document", "lines", "places", "baseline", "success"):
        del document[key]

    assert run_of(report_from(document))["results"] == run_of(report)["results"]


def test_the_same_report_gives_the_same_text(verdict, report_of) -> None:
    report = report_of(verdict(), verdict(Outcome.PASS, name="post.security.two"))

    assert render(report) == render(report)


# ---------------------------------------------------------------- the schema


@pytest.fixture(scope="module")
def schema():
    document = json.loads((NPM / "@microsoft/sarif-multitool-linux/sarif-2.1.0.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator(document, format_checker=jsonschema.FormatChecker())


@pytest.mark.services
def test_every_report_follows_the_schema_of_sarif(schema, make, report_of, verdict) -> None:
    plain = [report_of(verdict(outcome), strict=True) for outcome in Outcome]
    hostile = [hostile_report(text, make, report_of) for text in HOSTILE.values()]
    interrupted = report_of(verdict(), complete=False, run={"ended_by": "SIGTERM"})

    for report in (report_of(), interrupted, *plain, *hostile):
        schema.validate(json.loads(render(report)))
    broken = json.loads(render(plain[0])) | {"version": "2.1"}
    assert not schema.is_valid(broken)


def test_the_title_of_an_alert_says_what_is_wrong(make, report_of) -> None:
    item = make.item("up == 1", id="post.security.headers", title="Every page has its headers")
    log = json.loads(render(report_of(Verdict(item=item, outcome=Outcome.FAIL, because="no header"))))

    titles = [rule["shortDescription"]["text"] for rule in log["runs"][0]["tool"]["driver"]["rules"]]
    assert titles == ["The decision about the deployment is not go", "Not passed: Every page has its headers"]
