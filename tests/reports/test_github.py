"""Annotations of GitHub Actions: which there are, and that the runner reads exactly these and no other command."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from probekit.model.checklist import Severity
from probekit.model.document import Document, Place
from probekit.model.limit import parse_limit
from probekit.model.measurement import Reason
from probekit.model.verdict import Flag, Outcome, Release, Served, Stage, Verdict
from probekit.reports import Location, View, markdown
from probekit.reports.github import FORMAT, render
from probekit.text import escape

# The commands that actions/runner registers (ActionCommandManager.cs).
REGISTERED = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice", "remove-matcher",
    "save-state", "set-env", "set-output", "stop-commands", "warning",
}  # fmt: skip
HOSTILE = {
    "a command": "::set-output name=x::y",
    "on a line of its own": "x\n::stop-commands::y\r\n::add-mask::z\r::set-env name=PATH::w",
    "an older command": "##[add-mask]x ##[set-output name=a;]b",
    "the end of the command": "x::y :: z",
    "properties": "x,file=evil.txt,line=1,title=evil::y",
    "escapes": "100 % of %0A::error::x%0D%25%3A%2C %250A",
    "other lines": "x\x0b::error::y\x0c::error::y\x85::error::y\u2028::error::y",
    "terminal": "\x1b[31m \x00 \u202egpj \ud800 \ufffe",
    "nothing": " ",
}


class Command:
    """A command as the runner reads it: ActionCommand.cs, TryParseV2 and then TryParse."""

    def __init__(self, name: str, properties: dict[str, str], message: str) -> None:
        self.name = name
        self.properties = properties
        self.message = message


def unescaped(text, replacements):
    for code, character in replacements:
        text = text.replace(code, character)
    return text


MESSAGE = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
OLDER = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))


def command_of(line):
    """The command in one line of output; None where the runner prints the line."""
    trimmed = line.lstrip()
    if trimmed.startswith("::") and "::" in trimmed[2:]:
        info, _, message = trimmed[2:].partition("::")
        name, _, properties = info.partition(" ")
        if name.lower() in REGISTERED:
            pairs = (one.split("=", 1) for one in properties.strip().split(",") if one)
            found = {pair[0]: unescaped(pair[1], PROPERTY) for pair in pairs if len(pair) == 2 and pair[1]}
            return Command(name, found, unescaped(message, MESSAGE))
    older = re.search(r"##\[([^\]]*)\](.*)", line)
    if older and older[1].partition(" ")[0].lower() in REGISTERED:
        return Command(older[1].partition(" ")[0], {}, unescaped(older[2], OLDER))
    return None


def commands(text):
    """The commands in an output, whose lines end as for StreamReader.ReadLine; a line without one fails."""
    found = [command_of(line) for line in re.split("\r\n|\n|\r", text.removesuffix("\n"))]
    assert None not in found
    return found


@pytest.fixture
def verdict(make):
    def build(outcome=Outcome.FAIL, *, because="no answer", **fields):
        flags = {
            name: fields.pop(name) for name in ("flags", "observed", "limit", "summary", "reason") if name in fields
        }
        return Verdict(item=make.item("up == 1", **fields), outcome=outcome, because=because, **flags)

    return build


# ---------------------------------------------------------------- the annotations


def test_the_decision_is_the_first_annotation_with_what_to_do_and_the_facts(report_of, verdict) -> None:
    first = commands(render(report_of(verdict(), stage=Stage.BEFORE)))[0]

    assert (first.name, first.properties) == ("error", {"title": "probekit: NO GO"})
    assert first.message.splitlines()[:2] == [
        "prod: health-endpoint failed: no answer",
        "next: do not deploy; Backend Lead must fix what failed; then verify again.",
    ]
    assert {"environment: prod", "target: https://app.example.com", "seen from: ci-7", "probekit: 0.1.0"} <= set(
        first.message.splitlines()
    )


def test_a_go_is_a_notice_and_nothing_else_where_all_is_settled(report_of, verdict) -> None:
    for outcome in (Outcome.PASS, Outcome.ATTESTED, Outcome.WAIVED, Outcome.NOT_APPLICABLE):
        report = report_of(replace(verdict(Outcome.PASS), layer="application"), verdict(outcome, id="a.b.c"))

        assert [(one.name, one.properties["title"]) for one in commands(render(report))] == [("notice", "probekit: GO")]
        interrupted = replace(report, run=replace(report.run, ended_by="SIGINT"))
        assert [one.name for one in commands(render(interrupted))] == ["error"]


@pytest.mark.parametrize(
    "facts",
    [
        {"release": Release(expected=("2",), answers={"1": 2}, served=Served.OTHER, because="1 is served")},
        {"contradictions": ("two releases are named",)},
        {"run": {"ended_by": "SIGTERM"}, "complete": False},
    ],
    ids=["another version", "a contradiction", "interrupted"],
)
def test_what_is_no_go_is_an_error_although_every_item_passed(report_of, verdict, facts) -> None:
    report = report_of(replace(verdict(Outcome.PASS), layer="application"), **facts)

    assert [one.name for one in commands(render(report))] == ["error"]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("outcome", [one for one in Outcome if not one.is_settled])
def test_what_rules_out_a_go_is_an_error_and_what_can_wait_a_warning(
    report_of, verdict, outcome, severity, strict
) -> None:
    one = verdict(outcome, severity=severity)
    report = report_of(one, replace(verdict(Outcome.PASS, id="a.b.c"), layer="application"), strict=strict)

    decision, annotation = commands(render(report))

    assert annotation.name == ("error" if report.bars_go(one) else "warning")
    assert (decision.name == "error") == (report.exit_code != 0)
    assert report.exit_code or annotation.name == "warning"


def test_an_annotation_states_the_value_the_limit_the_flags_and_what_to_do(report_of, verdict) -> None:
    slow = verdict(
        id="post.performance.slow", because="3300 requests", observed=812.0, limit=parse_limit("p95 < 500 ms"),
        flags=frozenset({Flag.REPORTED}), severity=Severity.HIGH,
    )  # fmt: skip

    annotation = commands(render(report_of(slow)))[1]

    assert annotation.properties["title"] == "fail: post.performance.slow (high)"
    assert annotation.message.splitlines() == [
        "The health endpoint answers",
        "p95 812 ms, limit < 500 ms; 3300 requests",
        "flags: reported",
        "do: find the cause now",
        "owner: Backend Lead",
    ]


def test_an_annotation_names_both_limits_where_the_environment_changes_one(report_of, verdict) -> None:
    changed = verdict(
        changed_from=(parse_limit("up == 1"), parse_limit("status == 200")), changed_reason="no route yet",
        flags=frozenset({Flag.CHANGED}),
    )  # fmt: skip

    message = commands(render(report_of(changed)))[1].message

    assert (
        "changed limit: up == 1 here, up == 1 and status == 200 in the checklist; "
        "without a limit here: status; reason: no route yet"
    ) in message.splitlines()


def test_of_one_severity_a_failure_comes_before_what_was_not_read(report_of, verdict) -> None:
    found = [verdict(outcome, id=f"a.b.{outcome}") for outcome in (Outcome.ERROR, Outcome.FAIL, Outcome.INCONCLUSIVE)]

    titles = [one.properties["title"] for one in commands(render(report_of(*found)))]

    assert [title.partition(":")[0] for title in titles] == ["probekit", "fail", "error", "inconclusive"]


@pytest.mark.parametrize(("level", "severity"), [("error", Severity.HIGH), ("warning", Severity.LOW)])
@pytest.mark.parametrize("number", [9, 10, 11, 500])
def test_of_each_type_there_are_ten_the_most_severe_first_and_the_last_counts_the_others(
    report_of, verdict, level, severity, number
) -> None:
    found = [verdict(id=f"a.b.c{n}", severity=severity) for n in range(number)]
    worst = [verdict(id="a.b.worst", severity=Severity.CRITICAL)]

    shown = commands(render(report_of(*found, *worst)))

    assert shown[1].properties["title"] == "fail: a.b.worst (critical)"
    of_level = [one for one in shown if one.name == level]
    others = len(of_level) - (2 if level == "error" else 0)
    assert len(of_level) <= 10
    if number > 10:
        assert len(of_level) == 10
        assert of_level[-1].properties["title"] == f"probekit: {number - others + 1} items more"
    elif level == "warning":
        assert len(of_level) == number


# ---------------------------------------------------------------- the place


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("probes.toml", "probes.toml"),
        ("deploy/probes.toml", "deploy/probes.toml"),
        ("a%20b,c%3A%25.toml", "a b,c:%.toml"),
        ("file:///etc/probekit/probes.toml", None),
        ("/etc/probes.toml", None),
        ("../probes.toml", None),
        ("a/%2e%2e/%2e%2e/x", None),
        ("x%0A%3A%3Aerror%3A%3Ay", None),
        ("", None),
    ],
)
def test_an_annotation_is_at_the_table_of_its_probe_where_that_is_in_the_folder(report_of, verdict, uri, file) -> None:
    places = {"": Place(file="x"), "health": Place(file="probes.toml", keys=("env", "prod", "probes", "health"))}
    report = replace(report_of(verdict()), places=places)
    asked = []

    def located(place):
        asked.append(place)
        return Location(uri=uri, line=7)

    decision, annotation = commands(render(report, View(located=located)))

    assert asked == [places["health"]]
    assert "file" not in decision.properties
    assert annotation.properties.get("file") == file
    assert annotation.properties.get("line") == (file and "7")


def test_an_item_without_a_probe_of_its_own_is_at_the_table_of_the_environment(report_of, verdict) -> None:
    report = replace(report_of(verdict(probe=None)), places={"": Place(file="probes.toml")})

    assert commands(render(report))[1].properties["file"] == "probes.toml"
    assert "file" not in commands(render(replace(report, places={})))[1].properties


# ---------------------------------------------------------------- texts of others


def hostile_report(make, report_of, verdict, text):
    found = (
        verdict(id=f"pre.a.{text}", because=text, summary=text, title=text, owner=text, text=text),
        verdict(Outcome.ERROR, id="pre.a.two", because=text, reason=Reason.TIMEOUT, severity=Severity.LOW, probe=text),
    )
    report = report_of(
        *found,
        run={"environment": f"prod {text}", "vantage": text, "notes": (text,), "deployed_by": text},
        release=Release(answers={text: 1}, because=text),
    )
    place = Place(file=f"{text}.toml")
    return replace(report, checklist=text, places={"health": place, text: place}, document=Document(lines={text: text}))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_begins_or_ends_a_command(make, report_of, verdict, text) -> None:
    shown = commands(render(hostile_report(make, report_of, verdict, text)))

    assert [one.name for one in shown] == ["error", "error", "warning"]
    assert all(set(one.properties) <= {"title", "file", "line"} for one in shown)
    assert shown[1].properties["title"] == f"fail: pre.a.{escape(text)} (critical)"
    assert escape(text).strip() in shown[1].message.splitlines() or not text.strip()
    assert all(one.properties.get("file", f"{text}.toml") == f"{text}.toml" for one in shown)


def test_a_long_text_is_cut_to_what_the_runner_keeps(make, report_of, verdict) -> None:
    report = hostile_report(make, report_of, verdict, "%:\n" * 30_000)

    assert all(len(one.message) <= 4096 for one in commands(render(report)))
    assert all(len(one.properties["title"]) <= 255 for one in commands(render(report)))


def test_ten_thousand_verdicts_are_twenty_annotations(report_of, verdict) -> None:
    found = [verdict(id=f"a.b.c{n}", severity=severity) for n in range(5_000) for severity in ("high", "low")]
    report = report_of(*(replace(one, item=replace(one.item, severity=Severity(one.item.severity))) for one in found))

    assert len(commands(render(report))) == 20


def test_a_report_without_verdicts_has_its_decision(report_of) -> None:
    assert [one.name for one in commands(render(report_of()))] == ["error"]


# ---------------------------------------------------------------- the summary


def test_the_summary_of_the_step_is_the_markdown_report_after_an_empty_line(report_of, verdict) -> None:
    report = report_of(verdict())

    (summary,) = FORMAT.appended.values()
    assert list(FORMAT.appended) == ["GITHUB_STEP_SUMMARY"]
    assert summary(report, View()) == "\n" + markdown.render(report)


def test_the_test_s_runner_reads_what_the_real_one_reads() -> None:
    """So that a hostile text would be seen: each of these is a command for the runner."""
    for line in ("::add-mask::x", "  ::ERROR file=a::x", "x ##[add-mask]y", "::unknown::##[debug]x", "##[group]"):
        assert command_of(line), line
    for line in ("x ::add-mask::y", "::add-mask", "::unknown::x", "##[unknown]x", "::: add-mask::x"):
        assert command_of(line) is None, line
