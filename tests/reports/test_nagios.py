"""The line of a monitoring plugin: its state, its text, and numbers that other programs read alike."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import product
from math import inf, nan

import pytest

from probekit import reports
from probekit.model.checklist import Severity
from probekit.model.limit import Limit, parse_limit
from probekit.model.people import Contact, Paging
from probekit.model.record import Identity
from probekit.model.verdict import Action, Decision, Flag, Outcome, Release, Served, Stage, Verdict
from probekit.probe import Exact
from probekit.probes.command.perfdata import Number, Unreadable, numbers
from probekit.probes.command.plugin import of_plugin
from probekit.probes.command.program import Ended
from probekit.probes.command.settings import CommandProbe
from probekit.reports._support.labels import distinct, label
from probekit.reports._support.nagios_status import NagiosStatus, nagios_status
from probekit.reports.json.report import report_from
from probekit.reports.nagios import render

HOSTILE = [
    "smile \U0001f600",
    "quotes \"' and ''' more",
    "<script>alert(1)</script> & &lt;",
    "`tick` $USER1$ a|b|c; d=e",
    "line\nbreak\rand\ttab and \x00 NUL",
    "\x1b[31mred",
    "\u202eltr \u2066isolate\u2069",
    "]]> ::error:: %0A @name #1 ![x](y)",
    "\ud800 surrogate \ufffe",
    "y" * 100_000,
    "'",
    "",
    "x='1'=2;3;4 'y'=5 | 'z'=6",
]


@pytest.fixture
def verdict(make):
    def build(
        limit="first_byte < 200 ms",
        observed=None,
        *,
        outcome=Outcome.PASS,
        name="deploy.services.health",
        severity=Severity.CRITICAL,
        flags=(),
        **fields,
    ):
        item = make.item(limit, id=name, severity=severity, **fields)
        return Verdict(
            item=item,
            outcome=outcome,
            because="because",
            observed=observed,
            limit=item.expect[0] if observed is not None else None,
            flags=frozenset(flags),
            layer="application",
        )

    return build


def read_back(report, **metrics):
    """What probekit's own kind `command` reads from the plugin."""
    config = CommandProbe.model_validate(
        {"kind": "command", "argv": ["check_release"], "nagios": True, "metrics": metrics}
    )
    ended = Ended(code=int(nagios_status(report)), out=render(report).encode(), err=b"")
    return of_plugin(config, ended, lambda text: text)


# ---------------------------------------------------------------- the state


@pytest.mark.parametrize(
    ("action", "severity", "minutes", "status"),
    [
        *[(action, severity, minutes, 0) for action in (Action.GO, Action.PARTIAL)
          for severity, minutes in product(Severity, (None, 0.0, 5.0))],
        *[(Action.HOLD, severity, minutes, 1) for severity, minutes in product(Severity, (None, 0.0, 5.0))],
        *[(action, severity, minutes, 2) for action in (Action.NO_GO, Action.ROLLBACK)
          for severity, minutes in product(Severity, (None, 0.0, 5.0))],
        *[(Action.UNDECIDED, severity, minutes, 3) for severity, minutes in product(Severity, (None, 0.0, 5.0))],
        (Action.INVESTIGATE, Severity.CRITICAL, 60.0, 2),
        (Action.INVESTIGATE, Severity.HIGH, 60.0, 2),
        (Action.INVESTIGATE, Severity.MEDIUM, 60.0, 1),
        (Action.INVESTIGATE, Severity.LOW, 1.0, 1),
        (Action.INVESTIGATE, Severity.LOW, 0.99, 2),
        (Action.INVESTIGATE, Severity.MEDIUM, 0.0, 2),
        (Action.INVESTIGATE, Severity.MEDIUM, None, 1),
    ],
)  # fmt: skip
def test_the_state_follows_the_action_the_time_left_and_the_severity(
    report_of, verdict, action, severity, minutes, status
) -> None:
    failed = verdict(outcome=Outcome.FAIL, severity=severity)
    report = replace(report_of(failed), decision=Decision(action=action, minutes=minutes, because=("because",)))

    assert nagios_status(report) == status
    assert render(report).startswith(f"PROBEKIT {('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')[status]} - ")


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NOT_CONFIGURED, Outcome.PENDING])
def test_only_a_failure_makes_an_investigation_with_time_left_critical(report_of, verdict, outcome) -> None:
    report = report_of(verdict(outcome=outcome))
    decision = Decision(action=Action.INVESTIGATE, minutes=5.0, because=("because",))

    assert nagios_status(replace(report, decision=decision)) is NagiosStatus.WARNING


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_run_that_a_signal_ended_is_unknown_whatever_it_decided(report_of, verdict, action, signal) -> None:
    report = report_of(verdict(), run={"ended_by": signal})

    ended = replace(report, decision=Decision(action=action, minutes=None, because=("because",)))
    assert nagios_status(ended) is NagiosStatus.UNKNOWN


def test_what_rules_out_a_go_although_every_item_passes_is_in_the_line(report_of, verdict) -> None:
    other = Release(expected=("2",), answers={"1": 8}, served=Served.OTHER, because="1 is served, expected 2")

    line = render(report_of(verdict("up == 1", 1.0), release=other))

    assert line.startswith("PROBEKIT CRITICAL - INVESTIGATE NOW: prod: wrong version: 1 is served, expected 2; ")


@pytest.mark.parametrize(("outcome", "follow_up", "strict"), list(product(Outcome, (False, True), (False, True))))
def test_a_line_is_ok_exactly_where_the_decision_is_go(report_of, verdict, outcome, follow_up, strict) -> None:
    graded = Severity.LOW if follow_up else Severity.CRITICAL
    one = verdict(outcome=outcome, severity=graded, holds_if_pending=not follow_up)
    report = report_of(one, verdict(name="pre.infra.tls", observed=1.0), strict=strict, in_scope=2)

    assert (nagios_status(report) is NagiosStatus.OK) == (report.decision.action is Action.GO)
    assert render(report).startswith("PROBEKIT OK - GO: ") == (not report.bars_go(one))


# ---------------------------------------------------------------- the text


def test_the_text_has_the_decision_its_reason_and_every_fact(report_of, verdict) -> None:
    report = report_of(
        verdict("up == 1", 0.0, outcome=Outcome.FAIL),
        verdict(name="pre.infra.tls", flags=[Flag.REPORTED]),
        identity=Identity(release="2.3.1", commit="a" * 40, images={"shop": "sha256:" + "b" * 64}, previous="2.3.0"),
        release=Release(expected=("2.3.1",), answers={"2.3.1": 8}, served=Served.EXPECTED),
        run={
            "paging": Paging(
                contacts=(Contact(role="lead", name="Ada", contact="ada@x.test"),),
                page={Severity.CRITICAL: ("lead",)},
            )
        },
    )

    text = render(report).partition(" | ")[0]

    assert text.startswith(
        "PROBEKIT CRITICAL - INVESTIGATE NOW: prod: health failed: no response; call Ada, ada@x.test; "
    )
    for part in (
        "203 items = 1 pass + 1 fail + 201 out of scope",
        "reported by a program, not measured pre.infra.tls",
        "served release 2.3.1",
        "release 2.3.1, commit aaaaaaaaaaaa, image shop sha256:bbbbbbbbbbbb",
        "previous release 2.3.0",
        "environment prod",
        "target https://app.example.com",
        "run 0123456789ab, 1.5 s from 2026-11-23 10:30:00 UTC",
        "seen from ci-7",
        f"sha256 {'0' * 64}",
        "probekit 0.1.0",
    ):
        assert f"; {part}" in text or f" {part}" in text
    assert text.count("\n") == 0


def test_a_long_fact_is_cut_in_its_middle_so_that_the_digest_stays(report_of, verdict) -> None:
    text = render(report_of(verdict(), run={"config_file": "/etc/" + "x" * 3000 + "/probes.toml"}))

    fact = next(part for part in text.split("; ") if part.startswith("configuration "))
    assert fact.startswith("configuration /etc/xxx")
    assert fact.endswith(f"...es.toml, sha256 {'0' * 64}")
    assert len(fact) == len("configuration ") + 120
    assert len(text) < 2000


# ---------------------------------------------------------------- performance data


@pytest.mark.parametrize(
    ("limit", "observed", "severity", "data"),
    [
        ("first_byte < 200 ms", 23.5, Severity.CRITICAL, "23.5ms;;@200:"),
        ("first_byte < 200 ms", 23.5, Severity.MEDIUM, "23.5ms;@200:"),
        ("error_rate <= 0.1 %", 0.05, Severity.HIGH, "0.05%;;~:0.1"),
        ("hit_rate > 80 %", 100.0, Severity.LOW, "100%;@~:80"),
        ("up == 1", 1.0, Severity.CRITICAL, "1;;1:1"),
        ("settled >= 30 s", 5.037, Severity.LOW, "5.037s;30:"),
        ("age <= 1.1 min", 0.1, Severity.HIGH, "6s;;~:66"),
        ("age < 2 h", 1e-9, Severity.HIGH, "0.0000036s;;@7200:"),
        ("time_left > 30 d", 364.5, Severity.MEDIUM, "31492800s;@~:2592000"),
        ("memory < 512 MB", 1e20, Severity.HIGH, "100000000000000000000MB;;@512:"),
        ("memory < 512 MB", inf, Severity.HIGH, "U"),
        ("memory < 512 MB", nan, Severity.HIGH, "U"),
        ("p95 within 10 % of baseline", 212.5, Severity.HIGH, "212.5"),
    ],
)
def test_a_number_has_the_unit_and_the_range_of_its_limit(report_of, verdict, limit, observed, severity, data) -> None:
    line = render(report_of(verdict(limit, observed, severity=severity)))

    assert line.endswith(f" | 'deploy.services.health/{parse_limit(limit).metric}'={data}\n")


def test_a_tolerance_over_the_baseline_has_no_range(report_of, verdict) -> None:
    over = replace(verdict(observed=3.0), limit=Limit(metric="p95", op="<=", value=10.0, of="baseline"))

    assert render(report_of(over)).endswith(" | 'deploy.services.health/p95'=3\n")


def alerts(text: str, value: float) -> bool:
    """The guidelines' "Threshold and Ranges": outside of start to end, ends included; inside with an @."""
    inside, bounds = text.startswith("@"), text.removeprefix("@")
    low, colon, high = bounds.partition(":")
    start = -inf if low == "~" else float(low) if colon else 0.0
    end = inf if colon and not high else float(high if colon else low)
    return (start <= value <= end) == inside


@pytest.mark.parametrize("value", [-3.0, 0.0, 99.5, 100.0, 100.5, 1e9])
@pytest.mark.parametrize("operator", ["<", "<=", "==", ">=", ">"])
def test_nagios_alerts_exactly_where_the_limit_does_not_hold(report_of, verdict, operator, value) -> None:
    one = verdict(f"size {operator} 100", value)

    number, _, critical = render(report_of(one)).rpartition("=")[2].strip().split(";")

    assert float(number) == value
    assert alerts(critical, value) is not one.limit.holds(value)


def test_the_kind_command_reads_state_text_and_numbers_back(report_of, verdict) -> None:
    report = report_of(
        verdict("up == 1", 0.0, outcome=Outcome.FAIL), verdict("p95 < 500 ms", 3.212, name="deploy.performance.p95")
    )

    readings = read_back(
        report,
        up={"at": "deploy.services.health/up"},
        p95={"at": "deploy.performance.p95/p95", "unit": "ms"},
    )

    assert readings.values == {"status": Exact(2), "up": Exact(0.0), "p95": Exact(3.212)}
    assert readings.summary.startswith("CRITICAL: PROBEKIT CRITICAL - INVESTIGATE NOW: prod: health failed")


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(text[:12]) for text in HOSTILE])
def test_a_hostile_name_is_one_label_and_one_line(report_of, verdict, text) -> None:
    other = verdict("p95 < 500 ms", 3.0, name="deploy.performance.p95")
    hostile = verdict("first_byte < 200 ms", 23.0, name=text, outcome=Outcome.FAIL)
    report = report_of(
        replace(hostile, summary=text, because=text),
        other,
        run=dict.fromkeys(("environment", "base_url", "vantage", "config_file", "version", "id"), text),
        identity=Identity(release=text, commit=text, images={text: text}, previous=text),
        release=Release(expected=(text,), answers={text: 1}, served=Served.OTHER, because=text),
    )

    line = render(report)
    found = numbers(line)

    assert line[:-1].isprintable()
    assert line.count("|") == 1
    assert "<script" not in line
    assert "</script" not in line
    assert len(line.encode("ascii", "backslashreplace")) <= 4000
    written = label(text).replace("|", "/").replace("=", "_").replace("<s", "< s").replace("</", "< /")
    assert found == {
        f"{written}/first_byte": Number(23.0, "ms"),
        "deploy.performance.p95/p95": Number(3.0, "ms"),
    }


def test_names_that_look_alike_have_labels_of_their_own(report_of, verdict) -> None:
    names = ["a=b", "a_b", "a_b", "y" * 300, "y" * 301, "\x1b", "\\x1b"]

    found = numbers(render(report_of(*(verdict("up == 1", 1.0, name=name) for name in names))))

    assert len(found) == len(names)
    assert not [one for one in found.values() if isinstance(one, Unreadable)]


@pytest.mark.parametrize(("character", "size"), [("y", 200), ("\x1b", 200), ("\U0001f600", 200), ("\u202e", 200)])
def test_a_label_is_cut_with_its_escapes(character, size) -> None:
    assert len(label(character * 300)) == size
    assert label(character * 300).endswith("...")
    assert label("y" * size) == "y" * size


@pytest.mark.parametrize("text", ["\U0001f600" * 1_000, "\u00e9" * 1_000, "a\U0001f600" * 1_000])
def test_a_line_of_other_characters_than_ascii_fits_in_every_encoding(report_of, verdict, text) -> None:
    run = dict.fromkeys(("id", "environment", "base_url", "version", "config_file", "vantage", "deployed_by"), text)
    identity = Identity(release=text, commit=text, images={text: text}, previous=text)

    line = render(report_of(verdict("up == 1", 1.0, name="pre.infra.tls"), run=run, identity=identity))

    assert len(line.encode("ascii", "backslashreplace")) <= 4000
    assert "'pre.infra.tls/up'=1;" in line


def test_a_label_that_occurs_again_gets_a_number_that_is_free() -> None:
    assert distinct(["a", "a (2)", "a", "b", "a"]) == ["a", "a (2)", "a (3)", "b", "a (4)"]
    assert len(set(distinct(["a"] * 10_000))) == 10_000


def test_what_does_not_fit_is_counted_and_the_severe_items_come_first(report_of, verdict) -> None:
    many = [
        verdict("p95 < 500 ms", 3.0, name=f"post.performance.number-{n}", severity=Severity.LOW) for n in range(10_000)
    ]
    grave = verdict("up == 1", 1.0, name="pre.infra.tls", severity=Severity.HIGH)
    failed = verdict("missing == 0", 2.0, name="post.security.headers", severity=Severity.MEDIUM, outcome=Outcome.FAIL)

    line = render(report_of(*many, grave, failed, strict=True))
    labels = list(numbers(line))

    assert 3900 < len(line) <= 4000
    assert labels[:3] == ["post.security.headers/missing", "pre.infra.tls/up", "post.performance.number-0/p95"]
    assert f"; {len(labels)} of 10002 readings follow | " in line


def test_one_label_that_is_too_long_does_not_keep_the_others_out(report_of, verdict) -> None:
    long = verdict(f"{'m' * 4000} < 1", 0.5, name="\U0001f600" * 400, severity=Severity.CRITICAL)

    line = render(report_of(*[long] * 5, verdict("up == 1", 1.0, name="pre.infra.tls", severity=Severity.LOW)))

    assert "'pre.infra.tls/up'=1;1:1" in line
    assert len(line.encode("ascii", "backslashreplace")) <= 4000


# ---------------------------------------------------------------- other reports


def test_a_report_without_verdicts_and_readings_has_no_bar(report_of, verdict) -> None:
    assert render(report_of()).startswith("PROBEKIT UNKNOWN - UNDECIDED: prod: nothing was measured")
    assert "|" not in render(report_of())
    assert "|" not in render(report_of(verdict(outcome=Outcome.ERROR)))


def test_a_report_that_an_older_version_stored_is_rendered(report_of, verdict) -> None:
    document = json.loads(reports.load_format("json").text(report_of(verdict("up == 1", 1.0), stage=Stage.BEFORE)))
    for key in ("document", "lines", "places", "baseline"):
        document.pop(key, None)

    assert render(report_from(document)).endswith(" | 'deploy.services.health/up'=1;;1:1\n")


def test_an_own_check_a_phase_and_a_partial_run_are_named(report_of, verdict) -> None:
    own = verdict("up == 1", 1.0, name="own.checks.shop", is_own=True)

    line = render(report_of(own, partial=True, in_scope=9, run={"phase": "post"}))

    assert line.startswith("PROBEKIT OK - PASS (partial run): prod, phase post: no failure in 1 of the 9 items")
    assert "; own checks 1; " in line


def test_the_deadline_is_in_the_line(report_of, make, verdict) -> None:
    late = replace(
        verdict("p95 < 500 ms", 900.0, outcome=Outcome.FAIL, severity=Severity.HIGH),
        since=make.now - timedelta(minutes=4),
    )

    assert render(report_of(late)).startswith("PROBEKIT CRITICAL - INVESTIGATE within 6 min: prod: health failed: p95")
