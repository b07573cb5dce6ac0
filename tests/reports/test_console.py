"""The report that a person reads at three in the morning."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from math import inf

import pytest

from probekit import checklist, reports
from probekit.model.checklist import Severity
from probekit.model.history import Deployment, History
from probekit.model.verdict import Control, Flag, Outcome, Release, Runner, Served, Stage, Verdict
from probekit.reports import View
from probekit.reports.console import render


@pytest.fixture
def down(make):
    item = make.item("up == 1", matrix_row=make.rollback_row)
    because = "up 0, limit == 1; all 12 measurements in 3 attempts"
    return Verdict(item=item, outcome=Outcome.FAIL, because=because, observed=0.0, limit=item.expect[0])


@pytest.fixture
def good(make):
    item = make.item("up == 1", id="pre.infra.tls-deployed")
    return Verdict(item=item, outcome=Outcome.PASS, because="up 1", layer="application")


@pytest.fixture
def recent(make):
    return History(deployment=Deployment(release="2.3.1", started=make.now - timedelta(minutes=9)))


def lines(report, **wishes):
    return render(report, View(**wishes)).splitlines()


def unwrapped(report):
    return " ".join(" ".join(lines(report)).split())


def at(shown, start):
    """Where the first line that starts so stands."""
    return next(number for number, line in enumerate(shown) if line.startswith(start))


def test_the_decision_and_its_reason_come_first_and_the_code_last(report_of, down, good, recent) -> None:
    shown = lines(report_of(down, good, history=recent))

    assert shown[0] == "ROLLBACK, exit code 20, now: prod"
    assert shown[1].startswith("  deploy.services.health-endpoint (critical) failed, and row 'api-down' says")
    assert "Next: roll back to the previous release now" in shown[-3]
    assert shown[-1] == "rollback, exit code 20"


@pytest.mark.parametrize(
    ("facts", "first", "last"),
    [
        ({}, "INVESTIGATE, exit code 10, page somebody now: prod", "investigate, exit code 10"),
        ({"stage": Stage.BEFORE}, "NO GO, exit code 21: prod", "no_go, exit code 21"),
        ({"control": Control.SILENT}, "UNDECIDED, exit code 30: prod", "undecided, exit code 30"),
    ],
)
def test_each_action_is_named_with_its_code(report_of, down, facts, first, last) -> None:
    shown = lines(report_of(down, **facts))

    assert (shown[0], shown[-1]) == (first, last)


def test_an_interrupted_run_names_the_signal_and_the_process_s_own_code(report_of, good) -> None:
    shown = lines(report_of(good, run={"ended_by": "SIGINT"}, complete=False))

    assert (shown[0], shown[-1]) == ("UNDECIDED, exit code 130 (SIGINT): prod", "undecided, exit code 130")


def test_a_go_is_short_and_calm(report_of, good, recent) -> None:
    shown = lines(report_of(good, history=recent))

    assert shown[:2] == ["GO, exit code 0: prod", "  1 of 1 items are verified"]
    assert shown[-2:] == ["Next: go on.", "go, exit code 0"]
    assert len(shown) < 16
    assert not {"failed", "not verified", "follow-ups"} & {line.split(":")[0] for line in shown}


def test_the_head_says_what_was_verified_from_where_and_by_which_file(report_of, good) -> None:
    shown = lines(report_of(good, release=Release(expected=("2.3.1",), served=Served.EXPECTED)))

    assert shown[2] == "release 2.3.1, stage after, seen from ci-7, by probes.toml"


def test_every_failed_item_is_shown_with_its_value_and_limit(make, report_of, down) -> None:
    slow = make.item("first_byte < 200 ms", id="post.performance.slow", severity=Severity.MEDIUM)
    full = make.item("disk_used < 80 %", id="post.performance.full", severity=Severity.LOW)
    report = report_of(
        down,
        Verdict(item=slow, outcome=Outcome.FAIL, because="first byte 231 ms, limit < 200 ms"),
        Verdict(item=full, outcome=Outcome.FAIL, because="since monday", observed=91.25, limit=full.expect[0]),
    )

    shown = lines(report)

    assert shown[at(shown, "failed: 1") + 1 :][:2] == [
        "  deploy.services.health-endpoint (critical, Backend Lead)",
        "    up 0, limit == 1",  # its whole reason stands at the top
    ]
    assert shown[at(shown, "follow-ups: 2") + 1 :][:4] == [
        "  post.performance.slow (medium, Backend Lead)",
        "    first byte 231 ms, limit < 200 ms",
        "  post.performance.full (low, Backend Lead)",
        "    disk used 91.25 %, limit < 80 %; since monday",
    ]


def test_a_value_that_a_tolerance_limits_is_no_percentage(make, report_of) -> None:
    """It is in its metric's unit, which the limit does not say."""
    item = make.item("p95 within 20 % of baseline")
    because = "x1.3 of 3 windows before"
    report = report_of(Verdict(item=item, outcome=Outcome.FAIL, because=because, observed=240.5, limit=item.expect[0]))

    assert "p95 240.5, limit within 20 % of baseline" in unwrapped(report)
    (verdict,) = json.loads(reports.load_format("json").text(report))["verdicts"]
    assert (verdict["observed"], verdict["unit"]) == (240.5, None)


def test_of_many_failures_none_is_left_out(make, report_of) -> None:
    items = [make.item("up == 1", id=f"a.b.item-{number}") for number in range(40)]
    failed = [Verdict(item=item, outcome=Outcome.FAIL, because="up 0, limit == 1") for item in items]

    shown = lines(report_of(*failed))

    assert {f"  {item.id} (critical, Backend Lead)" for item in items} <= set(shown)


def test_what_failed_comes_before_what_is_unproven_and_both_before_what_can_wait(make, report_of, down, good) -> None:
    others = [
        Verdict(item=make.item(id="a.b.later", severity=Severity.LOW), outcome=Outcome.FAIL, because="x"),
        Verdict(item=make.item(id="a.b.unsigned", holds_if_pending=True), outcome=Outcome.PENDING, because="x"),
        Verdict(item=make.item(id="a.b.unread"), outcome=Outcome.ERROR, because="x"),
    ]

    shown = lines(report_of(good, *others, down))
    places = [at(shown, title) for title in ("failed: 1", "not verified: 1", "unsigned, which holds", "follow-ups: 1")]

    assert places == sorted(places)
    assert at(shown, "203 items = ") < at(shown, "control: ") < at(shown, "Next: ")


def test_a_failure_says_how_old_and_how_sure_it_is(make, report_of, down) -> None:
    old = replace(down, since=make.now - timedelta(minutes=3), confirmed=False, flags=frozenset({Flag.PRE_EXISTING}))

    shown = unwrapped(report_of(old))

    assert "(critical, pre existing, Backend Lead, not in every attempt yet, since 2026-11-23 10:27:00 UTC)" in shown


def test_one_outage_is_one_entry(make, report_of) -> None:
    items = [make.item(id=f"a.b.item-{number}") for number in range(9)]
    report = report_of(*(Verdict(item=item, outcome=Outcome.ERROR, because="db is down") for item in items))

    shown = unwrapped(report)

    assert "a.b.item-5 and 3 more (critical, error)" in shown
    assert shown.count("db is down") == 1


def test_flaky_passes_changed_limits_waivers_and_what_does_not_apply_are_shown(make, report_of, good) -> None:
    changed = make.item(id="a.b.changed", expect=make.item("up == 1").expect)
    changed = replace(changed, changed_from=make.item("up == 0").expect, changed_reason="our contract")
    dropped = replace(changed, id="a.b.dropped", changed_from=make.item("up == 1", "status == 200").expect)
    verdicts = [
        Verdict(
            item=make.item(id="a.b.stray"),
            outcome=Outcome.PASS,
            because="1 of 32 measurements was not good: 503",
            flags=frozenset({Flag.FLAKY}),
        ),
        Verdict(item=changed, outcome=Outcome.PASS, because="up 1", flags=frozenset({Flag.CHANGED})),
        Verdict(item=dropped, outcome=Outcome.PASS, because="up 1", flags=frozenset({Flag.CHANGED})),
        Verdict(item=make.item(id="a.b.exempt"), outcome=Outcome.NOT_APPLICABLE, because="no cache here"),
        Verdict(item=make.item(id="a.b.waived"), outcome=Outcome.WAIVED, because="until Friday"),
    ]

    shown = unwrapped(report_of(good, *verdicts))

    assert "flaky pass: a.b.stray: 1 of 32 measurements was not good: 503" in shown
    assert "changed limit: a.b.changed: up == 1 here, up == 0 in the checklist; why: our contract" in shown
    assert (
        "a.b.dropped: up == 1 here, up == 1 and status == 200 in the checklist; without a limit here: status" in shown
    )
    assert "not applicable: a.b.exempt: no cache here" in shown
    assert "waived: a.b.waived: until Friday" in shown


def test_the_situation_is_told(make, report_of, good, recent) -> None:
    release = Release(expected=("2",), answers={"1": 8}, served=Served.OTHER, because="1 is served, 2 expected")

    shown = unwrapped(report_of(good, history=recent, release=release, run={"notes": ("/srv/.env was read",)}))

    assert (
        "release: 1 is served, 2 expected control: answers deployment on record: 2.3.1, not finished, started" in shown
    )
    assert "started 2026-11-23 10:21:00 UTC, 9 min ago note: /srv/.env was read" in shown


def test_the_account_adds_up(make, report_of) -> None:
    verdicts = [Verdict(item=make.item(id="a.b.c"), outcome=outcome, because="x") for outcome in Outcome]

    shown = unwrapped(report_of(*verdicts))
    account = re.search(r"203 items = (.+) out of scope", shown)

    assert account
    counts = [int(part.split()[0]) for part in account[1].split(" + ")]
    assert counts == [*[1] * len(Outcome), 203 - len(Outcome)]


def test_each_section_has_a_line_with_its_counts(make, report_of, down, good) -> None:
    shown = lines(report_of(down, good, replace(good, outcome=Outcome.ERROR)))

    assert "deploy.services  1 fail" in shown
    assert "pre.infra        1 pass, 1 error" in shown


def test_the_whole_checklist_unconfigured_stays_under_60_lines(report_of) -> None:
    items = checklist.load("softfactory").items
    verdicts = [Verdict(item=item, outcome=Outcome.NOT_CONFIGURED, because="no probe") for item in items]

    shown = lines(report_of(*verdicts))

    assert len(shown) < 60
    assert "203 items = 203 not configured" in shown
    assert at(shown, "    critical, by probe: ") < at(shown, "    high, by probe: ")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_asked(report_of, down, good, recent, width) -> None:
    items = checklist.load("softfactory").items
    some = [Outcome.FAIL, *Outcome, Outcome.ERROR]
    verdicts = [
        Verdict(item=item, outcome=some[number % len(some)], because="because " * 40, flags=frozenset(Flag))
        for number, item in enumerate(items)
    ]

    shown = lines(report_of(down, good, *verdicts, history=recent), width=width)

    assert max(map(len, shown)) <= width


def test_a_partial_run_says_first_that_it_is_no_release_decision(report_of, good) -> None:
    shown = lines(report_of(good, partial=True, in_scope=23))

    assert shown[0] == "PASS (partial run, 1 of 23 items): not a release decision, exit code 0: prod"
    assert shown[-1] == "partial, exit code 0"


def test_a_failure_of_a_partial_run_says_how_much_was_looked_at(report_of, down, recent) -> None:
    shown = lines(report_of(down, partial=True, in_scope=23, history=recent))

    assert shown[0] == "INVESTIGATE (partial run, 1 of 23 items), exit code 10, page somebody now: prod"
    assert "a partial run orders nothing" in unwrapped(report_of(down, partial=True, in_scope=23, history=recent))


def test_what_a_program_reports_is_told_apart_from_what_was_measured(report_of, good) -> None:
    shown = lines(report_of(replace(good, flags=frozenset({Flag.REPORTED})), good))

    assert "reported by a program, not measured: pre.infra.tls-deployed" in shown


@pytest.mark.parametrize(
    ("outcome", "fields", "what_to_do"),
    [
        (Outcome.FAIL, {}, "Next: page Backend Lead now: mend it, or decide by hand whether to roll back;"),
        (Outcome.FAIL, {"severity": Severity.HIGH}, "Next: tell Backend Lead: 10 min to find out why;"),
        (Outcome.ERROR, {}, "Next: nothing grave failed, but not every item is verified: fix that in 5 min;"),
        (Outcome.PENDING, {"holds_if_pending": True}, "Next: get the signature of Backend Lead, then verify again."),
        (Outcome.FAIL, {"severity": Severity.LOW}, "Next: go on. The follow-ups above can wait."),
    ],
)
def test_it_ends_with_what_to_do_and_who_must_do_it(make, report_of, good, outcome, fields, what_to_do) -> None:
    verdict = Verdict(item=make.item("up == 1", **fields), outcome=outcome, because="x")

    assert what_to_do in unwrapped(report_of(good, verdict))


@pytest.mark.parametrize(
    ("facts", "reason", "what_to_do"),
    [
        (
            {"release": Release(expected=("2",), served=Served.OTHER, because="1 is served, 2 expected")},
            "WRONG VERSION: 1 is served, 2 expected",
            "Next: find out why another version is served, before anything else; then verify again.",
        ),
        (
            {"partial": True, "in_scope": 9, "strict": True},
            "nothing bad was found, in 1 of the 9 items in scope; --strict asks for a run of all of them",
            "Next: verify again, with the whole scope.",
        ),
        (
            {"partial": True, "in_scope": 9},
            "nothing bad was found, in 1 of the 9 items in scope",
            "Next: go on, but not with the release",
        ),
    ],
)
def test_it_begins_with_the_reason_and_ends_with_what_that_asks_for(report_of, good, facts, reason, what_to_do) -> None:
    shown = unwrapped(report_of(good, **facts))

    assert reason in shown
    assert what_to_do in shown


def test_colour_is_only_there_on_wish_and_says_nothing_that_words_do_not(report_of, down) -> None:
    report = report_of(down)

    plain, coloured = (
        reports.load_format("console").text(report),
        reports.load_format("console").text(report, View(colour=True)),
    )

    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert coloured.count("\x1b") == 4


HOSTILE = "503\n\x1b[2JGO, exit code 0: prod\rgo, exit code 0\u202eevil\u200b\ud800\x85"


def test_hostile_text_is_written_out_wherever_it_comes_from(make, report_of, good) -> None:
    hostile = make.item("up == 1", id="a.b.c", changed_from=make.item("up == 0").expect, changed_reason=HOSTILE)
    verdicts = [Verdict(item=hostile, outcome=outcome, because=HOSTILE, flags=frozenset(Flag)) for outcome in Outcome]
    release = Release(expected=(HOSTILE,), because=HOSTILE)
    run = {"environment": HOSTILE, "vantage": HOSTILE, "config_file": HOSTILE, "notes": (HOSTILE,)}

    text = reports.load_format("console").text(report_of(*verdicts, release=release, run=run))

    assert all(line.isprintable() for line in text.split("\n"))
    assert not {"GO, exit code 0: prod", "go, exit code 0"} & {line.strip() for line in text.split("\n")}
    assert r"503\x0a\x1b[2JGO," in text
    assert r"\u202eevil\u200b\ud800" in text


def test_a_value_that_is_no_number_breaks_no_report(make, report_of) -> None:
    item = make.item("up == 1")

    shown = lines(report_of(Verdict(item=item, outcome=Outcome.FAIL, because="x", observed=inf, limit=item.expect[0])))

    assert "    up inf, limit == 1" in shown


@pytest.mark.parametrize(
    ("runner", "is_told"),
    [
        (Runner(lag=0.02, cpu=30, load=0.5), False),
        (Runner(lag=0.4, cpu=30, load=0.5), True),
        (Runner(lag=0.02, cpu=95, load=None), True),
        (Runner(lag=0.02, cpu=30, load=3.0), True),
    ],
)
def test_a_strained_runner_is_told_before_anybody_believes_a_duration(report_of, runner, is_told) -> None:
    text = reports.load_format("console").text(report_of(runner=runner))

    assert ("this machine was strained" in text) is is_told
