"""The report that other programs read: one strict document by a published schema."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta, timezone
from importlib.resources import files
from math import nan

import jsonschema
import pytest

from probekit import reports
from probekit.model.checklist import Severity
from probekit.model.history import Deployment, History
from probekit.model.measurement import Reason
from probekit.model.verdict import Action, Control, Flag, Outcome, Release, Runner, Served, Stage, Verdict

SCHEMA = json.loads(files("probekit.reports.json").joinpath("report.schema.json").read_text("utf-8"))


def read(report):
    document = json.loads(
        reports.load_format("json").text(report), parse_constant=lambda word: pytest.fail(f"{word} is no JSON")
    )
    jsonschema.validate(document, SCHEMA)
    return document


@pytest.fixture
def slow(make):
    item = make.item("first_byte < 200 ms")
    return Verdict(item=item, outcome=Outcome.FAIL, because="first byte 231 ms", observed=231.0, limit=item.expect[0])


def test_each_verdict_says_whether_it_passed_and_by_which_number(make, report_of, slow) -> None:
    passed = Verdict(item=make.item("up == 1"), outcome=Outcome.PASS, because="up 1", flags=frozenset({Flag.FLAKY}))

    document = read(report_of(slow, passed))

    assert [verdict["passed"] for verdict in document["verdicts"]] == [False, True]
    assert document["verdicts"][0] | {"title": ""} == {
        "item": "deploy.services.health-endpoint",
        "title": "",
        "bound_to": None,
        "records": [],
        "outcome": "fail",
        "passed": False,
        "severity": "critical",
        "own": False,
        "probe": "health",
        "layer": "record",
        "claim": "",
        "summary": "",
        "follow_up": False,
        "may_roll_back": False,
        "reason": None,
        "because": "first byte 231 ms",
        "observed": 231.0,
        "unit": "ms",
        "limit": "first_byte < 200 ms",
        "flags": [],
        "confirmed": True,
        "since": None,
        "due": None,
        "owner": "Backend Lead",
        "row": None,
        "changed": None,
    }
    assert document["verdicts"][1]["flags"] == ["flaky"]


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.PASS])
def test_nothing_but_a_pass_passed(make, report_of, outcome) -> None:
    document = read(report_of(Verdict(item=make.item("up == 1"), outcome=outcome, because="")))

    assert document["verdicts"][0]["passed"] is False


def test_the_account_adds_up_to_the_whole_checklist(make, report_of) -> None:
    verdicts = [Verdict(item=make.item("up == 1"), outcome=outcome, because="") for outcome in Outcome]

    account = read(report_of(*verdicts))["account"]

    assert account.pop("items") == sum(account.values()) == 203


@pytest.mark.parametrize(("ended_by", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("deadline", 30)])
def test_the_exit_code_is_the_process_s_own(report_of, slow, ended_by, code) -> None:
    document = read(report_of(slow, run={"ended_by": ended_by}, complete=False))

    assert (document["decision"]["action"], document["decision"]["exit_code"]) == ("undecided", code)
    assert document["run"]["ended_by"] == ended_by


def test_what_is_no_number_is_a_reason(make, report_of) -> None:
    measurement = make.measurement(up=1, first_byte=nan, status=Reason.TIMEOUT)

    (measurement,) = read(report_of(measurements=(measurement,)))["measurements"]

    assert measurement["values"]["up"] == 1
    assert measurement["values"]["first_byte"]["reason"] == "bad_response"
    assert measurement["values"]["status"]["reason"] == "timeout"


def test_hostile_text_stays_inside_its_string(make, report_of) -> None:
    hostile = '"}],\u202e\x1b[31m\n\x7f\\ud800 🚀'

    text = reports.load_format("json").text(report_of(measurements=(make.measurement(note=hostile, up=1),)))

    assert text.isascii()
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.loads(text)["measurements"][0]["summary"] == hostile


def test_half_a_surrogate_pair_is_written_out_since_strict_readers_refuse_it(make, report_of) -> None:
    (measurement,) = read(report_of(measurements=(make.measurement(note="a\udc80b", up=1),)))["measurements"]

    assert measurement["summary"] == r"a\udc80b"


def test_a_claim_that_python_holds_as_a_bool_is_1_or_0(make, report_of, slow) -> None:
    document = read(report_of(replace(slow, observed=False), measurements=(make.measurement(up=True),)))

    assert '"up": 1}' in json.dumps(document)
    assert repr(document["verdicts"][0]["observed"]) == "0"


def test_an_observed_value_that_is_no_number_is_null(report_of, slow) -> None:
    document = read(report_of(replace(slow, observed=nan)))

    assert document["verdicts"][0]["observed"] is None


def test_it_is_one_document_with_a_verdict_on_a_line_and_the_same_each_time(make, report_of, slow) -> None:
    report = report_of(slow, replace(slow, flags=frozenset(Flag)), measurements=(make.measurement(up=1, status=200),))

    text = reports.load_format("json").text(report)

    assert text.endswith("}\n")
    assert sum(line.startswith('{"item":') for line in text.splitlines()) == 2
    assert text == reports.load_format("json").text(report)
    assert json.loads(text)["verdicts"][1]["flags"] == sorted(Flag)


def test_both_limits_are_told_where_the_environment_changed_one(make, report_of) -> None:
    item = make.item("up == 1", changed_from=make.item("up == 0").expect, changed_reason="our contract")

    document = read(report_of(Verdict(item=item, outcome=Outcome.PASS, because="up 1")))

    assert document["verdicts"][0]["changed"] == {"from": ["up == 0"], "to": ["up == 1"], "reason": "our contract"}


def test_times_are_utc(make, report_of, slow) -> None:
    east = timezone(timedelta(hours=5, minutes=30))

    document = read(report_of(replace(slow, since=make.now.astimezone(east))))

    assert document["verdicts"][0]["since"] == "2026-11-23T10:30:00Z"


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (Outcome, "$defs/outcome"),
        (Severity, "$defs/severity"),
        (Reason, "$defs/reason"),
        (Stage, "properties/run/properties/stage"),
        (Control, "properties/situation/properties/control"),
        (Served, "properties/situation/properties/release/properties/served"),
        (Flag, "properties/verdicts/items/properties/flags/items"),
    ],
)
def test_the_schema_knows_every_word_of_the_model(words, path) -> None:
    schema = SCHEMA
    for part in path.split("/"):
        schema = schema[part]

    assert schema["enum"] == [word.value for word in words]


def test_the_schema_knows_every_action_and_its_code() -> None:
    decision = SCHEMA["properties"]["decision"]["properties"]

    assert decision["action"]["enum"] == [action.word for action in Action]
    assert {action.exit_code for action in Action} < set(decision["exit_code"]["enum"])


def test_the_schema_is_one_and_strict_everywhere() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    for table in _tables(SCHEMA):
        assert "additionalProperties" in table
        assert set(table.get("required", ())) == set(table.get("properties", ()))


def _tables(schema):
    if isinstance(schema, dict):
        if "object" in schema.get("type", ()):
            yield schema
        for part in schema.values():
            yield from _tables(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _tables(part)


def test_a_table_that_the_schema_does_not_know_is_refused(report_of, slow) -> None:
    document = read(report_of(slow))
    document["verdicts"][0]["opinion"] = "fine"

    with pytest.raises(jsonschema.ValidationError, match="opinion"):
        jsonschema.validate(document, SCHEMA)


def test_the_situation_is_told(make, report_of, slow) -> None:
    deployment = Deployment(release="2", started=make.now - timedelta(minutes=9), finished=make.now)
    release = Release(expected=("2",), answers={"1": 8}, served=Served.OTHER, because="1 is served")

    document = read(report_of(slow, history=History(deployment=deployment), release=release, control=Control.SILENT))

    assert document["situation"]["deployment"]["finished"] == "2026-11-23T10:30:00Z"
    assert document["situation"]["release"]["served"] == "other"
    assert document["situation"]["control"] == "silent"


def test_how_the_runner_did_is_told(report_of) -> None:
    document = read(report_of(runner=Runner(lag=0.0421, cpu=31.25, load=None)))

    assert document["situation"]["runner"] == {"lag": 0.0421, "cpu": 31.25, "load": None}
