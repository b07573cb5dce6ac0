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
from probekit.model.maintenance import Maintenance
from probekit.model.measurement import Reason
from probekit.model.people import Contact, Paging
from probekit.model.record import Identity
from probekit.model.success import SuccessCriterion
from probekit.model.verdict import Control, Flag, Outcome, Release, Runner, Served, Stage, Verdict
from probekit.reports import View
from probekit.reports.console import render


@pytest.fixture
def down(make):
    item = make.item("up == 1", matrix_row=make.rollback_row)
    summary = "no answer from 10.0.0.1 within 2 s"
    because = f"{summary}; all 12 measurements in 3 attempts"
    return Verdict(
        item=item, outcome=Outcome.FAIL, because=because, observed=0.0, limit=item.expect[0], summary=summary
    )


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

    assert shown[0] == "ROLLBACK NOW: prod: health-endpoint failed: no answer from 10.0.0.1 within 2 s"
    assert shown[1] == "  deploy.services.health-endpoint (critical) failed, and rollback rule 'API"
    assert "Next: roll back to the previous release now, then mark and verify it: probekit" in shown
    assert shown[-1] == "rollback, exit code 20"


def test_a_settle_time_that_is_too_short_is_phrased_and_stands_once(make, report_of) -> None:
    item = make.item("settled >= 30 s", id="deploy.services.settle-time")
    because = "only 5 s since the deployment (minimum 30 s); 1 measurement"
    short = Verdict(item=item, outcome=Outcome.FAIL, because=because, observed=5.037, limit=item.expect[0])

    shown = lines(report_of(short))

    assert shown[0].endswith("settle-time failed: only 5 s since the deployment")
    assert "".join(shown).count("only 5 s since") == 2  # the first line, and the list of failures
    assert "settled 5.037 s" not in "".join(shown)


FAILED = "health-endpoint failed: no answer from 10.0.0.1 within 2 s"


@pytest.mark.parametrize(
    ("facts", "first", "last"),
    [
        ({}, f"INVESTIGATE NOW: prod: {FAILED}", "investigate, exit code 10"),
        ({"stage": Stage.BEFORE}, f"NO GO: prod: {FAILED}", "no_go, exit code 21"),
        ({"control": Control.SILENT}, "UNDECIDED: prod: no control answers, so", "undecided, exit code 30"),
    ],
)
def test_each_decision_is_the_first_word_and_its_code_the_last(report_of, down, facts, first, last) -> None:
    shown = lines(report_of(down, **facts), width=120)

    assert shown[0].startswith(first)
    assert shown[-1] == last


def test_the_first_line_says_how_bad_it_is_and_how_many_more_there_are(make, report_of) -> None:
    item = make.item("first_byte < 200 ms", id="post.performance.slow")
    slow = Verdict(
        item=item,
        outcome=Outcome.FAIL,
        because="first byte 2,310 ms, limit < 200 ms; all 8 measurements",
        observed=2310.0,
        limit=item.expect[0],
        summary="200 from 10.0.0.1",
    )

    shown = lines(report_of(slow, replace(slow, item=replace(item, id="post.performance.slow-too"))))

    assert shown[0] == "INVESTIGATE NOW: prod: slow failed: first byte 2,310 ms, limit < 200 ms (also"


def test_an_interrupted_run_names_the_signal_and_the_process_s_own_code(report_of, good) -> None:
    shown = lines(report_of(good, run={"ended_by": "SIGINT"}, complete=False))

    assert shown[0] == "UNDECIDED: prod: the run was interrupted by SIGINT"
    assert shown[-1] == "undecided, exit code 130"


def test_what_one_cause_asks_for_is_said_of_each_item(make, report_of, down, recent) -> None:
    """A failure that a rollback fixes and one that it does not fix may have the same reason."""
    tls = replace(down, item=make.item("up == 1", id="pre.infra.tls-deployed"))

    shown = unwrapped(report_of(tls, down, history=recent))

    for name, advice in ((tls.item.id, "fix it now; a rollback would not fix it"), (down.item.id, "roll back to the")):
        assert re.search(rf"{name} \(critical\) measured [^;]+; [^;]+ do {advice}", shown)


def test_a_go_is_short_and_calm(report_of, good, recent) -> None:
    shown = lines(report_of(good, history=recent))

    assert shown[0] == "GO: prod: 1 item verified"
    assert shown[-2:] == ["Next: go on.", "go, exit code 0"]
    assert len(shown) <= 16
    assert not {"failed", "not verified", "follow-ups"} & {line.split(":")[0] for line in shown}


def test_the_head_says_what_was_verified_from_where_and_by_which_file(report_of, good) -> None:
    shown = lines(report_of(good, release=Release(expected=("2.3.1",), answers={"2.3.1": 8}, served=Served.EXPECTED)))

    assert "release 2.3.1 at https://app.example.com, stage after, seen from ci-7, by probes.toml" in " ".join(
        line.strip() for line in shown
    )


def test_every_failed_item_is_shown_with_its_value_and_limit(make, report_of, down) -> None:
    slow = make.item("first_byte < 200 ms", id="post.performance.slow", severity=Severity.MEDIUM)
    full = make.item("disk_used < 80 %", id="post.performance.full", severity=Severity.LOW)
    report = report_of(
        down,
        Verdict(item=slow, outcome=Outcome.FAIL, because="first byte 231 ms, limit < 200 ms"),
        Verdict(item=full, outcome=Outcome.FAIL, because="since monday", observed=91.25, limit=full.expect[0]),
    )

    shown = lines(report)

    assert shown[at(shown, "failed: 1") + 1 :][:5] == [
        "  deploy.services.health-endpoint (critical)",
        "    measured no answer from 10.0.0.1 within 2 s; all 12 measurements in 3",
        "             attempts",
        "    do       fix it now, or decide by hand whether to roll back",
        "    owner    Backend Lead",
    ]
    assert shown[at(shown, "follow-ups: 2") + 1 :][:8] == [
        "  post.performance.slow (medium)",
        "    measured first byte 231 ms, limit < 200 ms",
        "    do       fix it in a hotfix or in the next release",
        "    owner    Backend Lead",
        "  post.performance.full (low)",
        "    measured disk used 91.25 %, limit < 80 %; since monday",
        "    do       document it, and fix it in the next release",
        "    owner    Backend Lead",
    ]


def test_a_value_that_a_tolerance_limits_is_no_percentage(make, report_of) -> None:
    """It is in its metric's unit, which the limit does not say."""
    item = make.item("p95 within 20 % of baseline")
    because = "x1.3 of 3 baseline windows"
    report = report_of(Verdict(item=item, outcome=Outcome.FAIL, because=because, observed=240.5, limit=item.expect[0]))

    assert "p95 240.5, limit within 20 % of baseline" in unwrapped(report)
    (verdict,) = json.loads(reports.load_format("json").text(report))["verdicts"]
    assert (verdict["observed"], verdict["unit"]) == (240.5, None)


def test_of_many_failures_none_is_left_out(make, report_of) -> None:
    items = [make.item("up == 1", id=f"a.b.item-{number}") for number in range(40)]
    failed = [Verdict(item=item, outcome=Outcome.FAIL, because="up 0, limit == 1") for item in items]

    shown = lines(report_of(*failed))

    assert {f"  {item.id} (critical)" for item in items} <= set(shown)


def test_what_failed_comes_before_what_is_unproven_and_both_before_what_can_wait(make, report_of, down, good) -> None:
    others = [
        Verdict(item=make.item(id="a.b.later", severity=Severity.LOW), outcome=Outcome.FAIL, because="x"),
        Verdict(item=make.item(id="a.b.unsigned", holds_if_pending=True), outcome=Outcome.PENDING, because="x"),
        Verdict(item=make.item(id="a.b.unread"), outcome=Outcome.ERROR, because="x"),
    ]

    shown = lines(report_of(good, *others, down))
    places = [at(shown, title) for title in ("failed: 1", "not verified: 1", "unsigned (holds", "follow-ups: 1")]

    assert places == sorted(places)
    assert at(shown, "203 items = ") < at(shown, "control: ") < at(shown, "Next: ")


def test_a_failure_says_how_old_and_how_sure_it_is(make, report_of, down) -> None:
    old = replace(down, since=make.now - timedelta(minutes=3), confirmed=False, flags=frozenset({Flag.PRE_EXISTING}))

    shown = unwrapped(report_of(old))

    assert "deploy.services.health-endpoint (critical, pre existing)" in shown
    assert "since 2026-11-23 10:27:00 UTC, 3 min ago" in shown
    assert "attempts not every attempt failed yet: verify again" in shown


def test_each_missing_signature_that_holds_the_release_is_named_and_others_are_counted(make, report_of) -> None:
    def unsigned(**facts):
        items = [make.item(id=f"a.b.{'-'.join(facts) or 'later'}-{number}", **facts) for number in range(7)]
        return [Verdict(item=one, outcome=Outcome.PENDING, because=f"{one.owner} has not signed") for one in items]

    shown = unwrapped(report_of(*unsigned(holds_if_pending=True), *unsigned()))

    assert "a.b.holds_if_pending-5 and 1 more (critical, pending)" in shown
    assert "7 unsigned: Backend Lead 7" in shown
    assert "a.b.later-0" not in shown


@pytest.mark.parametrize(("found", "counted"), [(3, False), (4, True)])
def test_many_items_that_nothing_measures_are_counted_and_few_are_named(make, report_of, found, counted) -> None:
    items = [make.item(id=f"a.b.item-{number}") for number in range(found)]
    report = report_of(*(Verdict(item=one, outcome=Outcome.NOT_CONFIGURED, because="x") for one in items))

    assert (f"{found} not configured (" in unwrapped(report)) is counted
    assert ("a.b.item-0" in unwrapped(report)) is not counted


def test_a_value_is_never_written_as_the_limit_that_it_misses(make, report_of) -> None:
    item = make.item("response_time < 200 ms")
    missed = Verdict(item=item, outcome=Outcome.FAIL, because="slow", observed=200.04, limit=item.expect[0])

    assert "response time 200.04 ms, limit < 200 ms" in unwrapped(report_of(missed))


def test_one_outage_is_one_entry(make, report_of) -> None:
    items = [make.item(id=f"a.b.item-{number}") for number in range(9)]
    report = report_of(*(Verdict(item=item, outcome=Outcome.ERROR, because="db is down") for item in items))

    shown = unwrapped(report)

    assert "a.b.item-5 and 3 more (critical, error)" in shown
    assert shown.count("why db is down") == 1


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
    assert "changed limit: a.b.changed: up == 1 here, up == 0 in the checklist; reason: our contract" in shown
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


def test_one_item_is_no_plural(report_of, good) -> None:
    assert "1 item = 1 pass" in lines(replace(report_of(good), items=1))


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

    assert len(shown) < 62
    assert "203 items = 203 not configured" in shown
    assert at(shown, "    critical by probe: ") < at(shown, "    high     by probe: ")


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

    assert shown[0].startswith("PASS (partial run): prod: no failure in 1 of the 23 items in")
    assert shown[-1] == "partial, exit code 0"


def test_a_failure_of_a_partial_run_says_how_much_was_looked_at(report_of, down, recent) -> None:
    shown = lines(report_of(down, partial=True, in_scope=23, history=recent))

    assert shown[0].startswith("INVESTIGATE NOW (partial run, 1 of 23 items): prod: health-endpoint failed:")
    assert "a partial run orders nothing" in unwrapped(report_of(down, partial=True, in_scope=23, history=recent))


def test_what_a_program_reports_is_told_apart_from_what_was_measured(report_of, good) -> None:
    shown = lines(report_of(replace(good, flags=frozenset({Flag.REPORTED})), good))

    assert "reported by a program, not measured: pre.infra.tls-deployed" in shown


@pytest.mark.parametrize(
    ("outcome", "fields", "what_to_do"),
    [
        (Outcome.FAIL, {}, "Next: call Backend Lead now: fix it; then verify again."),
        (Outcome.FAIL, {"severity": Severity.HIGH}, "Next: call Backend Lead: find out why within 10 min;"),
        (
            Outcome.ERROR,
            {},
            "Next: no failure stops the release, but not every item is verified: fix that within 5 min;",
        ),
        (Outcome.PENDING, {"holds_if_pending": True}, "Next: get the signature of Backend Lead, then verify again."),
        (Outcome.FAIL, {"severity": Severity.LOW}, "Next: go on. The follow-ups can wait."),
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
            "INVESTIGATE NOW: prod: wrong version: 1 is served, 2 expected",
            "Next: find out first why another version is served; then verify again.",
        ),
        (
            {"partial": True, "in_scope": 9, "strict": True},
            "no failure in 1 of the 9 items in scope; --strict requires a run of the whole scope",
            "Next: verify the whole scope again.",
        ),
        (
            {"partial": True, "in_scope": 9},
            "no failure in 1 of the 9 items in scope",
            "Next: go on; to approve the release",
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
    assert coloured.count("\x1b") > 4


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

    assert "    measured up infinite, limit == 1; x" in shown


@pytest.mark.parametrize(
    ("runner", "reason", "is_told"),
    [
        (Runner(lag=0.4, cpu=95, load=3.0), None, False),
        (Runner(lag=0.4, cpu=95, load=3.0), Reason.TIMEOUT, False),
        (Runner(lag=0.4, cpu=95, load=3.0), Reason.OVERLOADED, True),
        (Runner(lag=0.02, cpu=30, load=None), Reason.OVERLOADED, True),
    ],
)
def test_a_busy_runner_is_told_where_a_verdict_suffered_from_it(make, report_of, good, runner, reason, is_told) -> None:
    outcome = Outcome.PASS if reason is None else Outcome.ERROR
    other = Verdict(item=make.item(id="a.b.c"), outcome=outcome, because="x", reason=reason)

    text = unwrapped(report_of(good, other, runner=runner))

    assert ("this machine was too busy for the measurements" in text) is is_told
    assert ("do verify again when this machine is less busy" in text) is is_told


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_without_a_reading_says_how_the_item_gets_verified(make, report_of, reason) -> None:
    item = make.item(id="a.b.c", probe="database")
    verdict = Verdict(item=item, outcome=Outcome.ERROR, because=f"{reason}: x", reason=reason)

    shown = lines(report_of(verdict))

    done = shown[at(shown, "    do       ")]
    assert len(done.split()) > 4
    assert "{" not in done


def test_every_item_stands_in_a_table_with_value_and_limit_where_all_is_shown(make, report_of, down, good) -> None:
    tls = replace(good, observed=3.554e5, limit=make.item("time_left > 30 d").expect[0])
    exempt = Verdict(item=make.item(id="pre.infra.cache"), outcome=Outcome.NOT_APPLICABLE, because="none here")

    shown = lines(report_of(down, tls, exempt), show="all")

    assert shown[at(shown, "item ") :][:6] == [
        "item               result          measured             limit",
        "deploy.services",
        "  health-endpoint  fail            down                 up",
        "pre.infra",
        "  tls-deployed     pass            time left 355,400 d  > 30 d",
        "  cache            not applicable",
    ]
    assert not [line for line in lines(report_of(down, tls, exempt)) if line.startswith("item ")]


CRITERIA = (
    SuccessCriterion(id="a", group="All well", text="It answers", items=("deploy.services.health-endpoint",)),
    SuccessCriterion(id="b", group="All well", text="It is trusted", items=("pre.infra.tls-deployed",)),
    SuccessCriterion(id="c", group="All known", text="It is seen", items=("a.b.c", "a.b.d")),
)


def test_each_success_criterion_is_met_missed_or_open(make, report_of, down, good) -> None:
    unread = Verdict(item=make.item(id="a.b.c"), outcome=Outcome.ERROR, because="x")
    report = replace(report_of(down, good, unread), criteria=CRITERIA)

    in_full, in_short = lines(report, show="all"), lines(report)

    assert in_full[at(in_full, "success criteria: ") :][:6] == [
        "success criteria: 1 met, 1 missed, 1 open",
        "  All well",
        "    It answers     missed  health-endpoint failed",
        "    It is trusted  met",
        "  All known",
        "    It is seen     open    c not verified; 1 item out of scope",
    ]
    assert in_short[at(in_short, "success criteria: ") :][:3] == [
        "success criteria: 1 met, 1 missed, 1 open",
        "  missed: It answers: health-endpoint failed",
        "",
    ]


def test_what_another_release_hides_is_one_cause(make, report_of) -> None:
    release = Release(expected=("2",), answers={"1": 8}, served=Served.OTHER, because="1 is served, 2 expected")
    hidden = [
        Verdict(
            item=make.item(id=f"a.b.item-{number}"),
            outcome=Outcome.INCONCLUSIVE,
            because=f"1 is served, 2 expected, so this result does not apply to the expected version: up {number}",
            flags=frozenset({Flag.OTHER_RELEASE}),
        )
        for number in range(4)
    ]

    shown = unwrapped(report_of(*hidden, release=release))

    assert shown.startswith("INVESTIGATE NOW: prod: wrong version: 1 is served, 2 expected release 1 (expected 2) at")
    assert shown.count("so its results do not apply to the expected version") == 1
    assert "a.b.item-0, a.b.item-1, a.b.item-2, a.b.item-3 (critical, inconclusive, other release)" in shown


def test_who_is_to_be_called_stands_at_the_top_and_beside_each_failure(make, report_of, down) -> None:
    on_call = Contact(role="on_call", name="On-call rota", contact="https://pager.example.com")
    lead = Contact(role="deployment_lead", name="Deployment lead")
    paging = Paging(
        contacts=(on_call, lead), page={Severity.CRITICAL: ("on_call",), Severity.MEDIUM: ("deployment_lead",)}
    )
    slow = Verdict(item=make.item(id="a.b.c", severity=Severity.MEDIUM), outcome=Outcome.FAIL, because="x")
    window = Maintenance(start=make.now, end=make.now + timedelta(hours=1), reason="new disks")
    run = {"paging": paging, "deployed_by": "Release team", "reviewed_by": "Platform team"}

    shown = lines(report_of(down, slow, run=run, maintenance=(window,)), width=120)

    assert "  maintenance: from 2026-11-23 10:30 to 11:30 UTC (new disks)" in shown
    assert shown.index("  call: On-call rota, https://pager.example.com") < at(shown, "failed: 1")
    assert [line for line in shown if line.startswith("    call ")] == [
        "    call     On-call rota, https://pager.example.com",
        "    call     Deployment lead",
    ]
    assert {"deployed by: Release team", "reviewed by: Platform team"} <= set(shown)
    assert shown[at(shown, "Next: ")].startswith("Next: call On-call rota now: fix it")


def test_a_rollback_names_what_it_would_not_mend_and_the_whole_next_command(make, report_of, down, recent) -> None:
    database = Verdict(item=make.item("up == 1", id="a.b.database"), outcome=Outcome.FAIL, because="up 0, limit == 1")
    history = replace(recent, previous=Identity(release="2.3.0"))

    shown = lines(report_of(down, database, history=history), width=120)

    assert shown[0].startswith(
        "ROLLBACK NOW: prod: health-endpoint failed: no answer from 10.0.0.1 within 2 s (also data"
    )
    assert "  a rollback would not fix a.b.database: investigate there first" in shown
    assert "probekit deployment rolled-back --env prod; probekit verify --env prod" in unwrapped(
        report_of(down, database, history=history)
    )
    assert "probekit verify --url https://app.example.com --stage rolled-back --release 2.3.0" in unwrapped(
        report_of(down, database, history=history, run={"is_of_url": True})
    )


def test_what_a_decision_by_hand_could_be_is_said_only_where_a_rollback_would_help(make, report_of, down) -> None:
    database = Verdict(item=make.item("up == 1", id="a.b.database"), outcome=Outcome.FAIL, because="up 0, limit == 1")

    assert "now: fix it, or decide by hand whether to roll back;" in unwrapped(report_of(down))
    assert "now: fix it; then verify again." in unwrapped(report_of(database))


@pytest.mark.parametrize(
    ("reason", "of_file", "of_url"),
    [
        (Reason.ACCESS_DENIED, "connect.headers", "--header Authorization=VARIABLE"),
        (Reason.UNTRUSTED, "connect.ca", "--ca FILE"),
        (
            Reason.BAD_RESPONSE,
            "probekit probe health --env",
            "probekit init https://app.example.com writes a configuration",
        ),
    ],
)
def test_without_a_file_no_remedy_names_one(make, report_of, reason, of_file, of_url) -> None:
    item = make.item(id="a.b.c", probe="health")
    verdict = Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because=f"{reason}: why; what to do", reason=reason)

    by_file, by_url = (unwrapped(report_of(verdict, run={"is_of_url": is_url})) for is_url in (False, True))

    assert by_file.startswith("INVESTIGATE within 5 min: prod: c not verified: why release")
    assert (of_file in by_file, of_url in by_file) == (True, False)
    assert (of_file in by_url, of_url in by_url) == (False, True)


def test_a_version_that_is_expected_and_not_read_is_no_served_one(report_of, good) -> None:
    release = Release(expected=("2",), served=Served.UNASKED)

    assert "release unknown (expected 2) at https://app.example.com" in unwrapped(report_of(good, release=release))


@pytest.mark.parametrize(
    ("reason", "because", "told"),
    [
        (Reason.MISSING_SETTING, "no log is noted: probekit deployment log FILE", "do what the reason says"),
        (Reason.BAD_RESPONSE, "no run is on record: run 'probekit verify'", "do what the reason says"),
        (Reason.BAD_RESPONSE, "its JSON ends early", "read the answer: probekit probe"),
        (Reason.MISSING_SETTING, "no expected version", "add the setting (probekit plan"),
        (None, "unbound: the record does not say when it was made", "correct the record, or the release"),
        (None, "of another release: the record is of 2.3.0", "correct the record, or the release"),
    ],
)
def test_what_to_do_fits_the_reason(report_of, good, reason, because, told) -> None:
    text = f"{reason}: {because}" if reason else because
    lacking = replace(good, outcome=Outcome.INCONCLUSIVE, reason=reason, because=text)

    assert f"do {told}" in unwrapped(report_of(lacking))


def test_before_a_deployment_the_served_release_has_no_fact_of_the_next_one(report_of, good) -> None:
    report = report_of(good)
    release = Release(expected=("2.3.0",), answers={"2.3.0": 2}, served=Served.EXPECTED)
    situation = replace(report.situation, release=release, identity=Identity(release="2.3.1", commit="3f2a9c1"))
    report = replace(report, situation=situation, run=replace(report.run, stage=Stage.BEFORE))

    told = unwrapped(report)

    assert "release 2.3.0 at " in told
    assert "stage before, for 2.3.1, commit 3f2a9c1" in told
