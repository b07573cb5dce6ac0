"""The checklist as Markdown: what is ticked and filled in, what stays of a long one, and that no text is markup."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from probekit.model.checklist import Severity
from probekit.model.document import BaselineComparison, Document
from probekit.model.history import Deployment, History
from probekit.model.limit import parse_limit
from probekit.model.maintenance import Maintenance
from probekit.model.people import Contact, Paging
from probekit.model.success import SuccessCriterion
from probekit.model.verdict import Action, Decision, Flag, Outcome, Release, Stage, Verdict
from probekit.reports.json import write
from probekit.reports.json.report import report_from
from probekit.reports.markdown import render
from probekit.reports.markdown.inline import code, marked, prose
from probekit.text import escape

ROOT = Path(__file__).parents[2]
MOST = 65_000
LINT = ROOT / "build" / "npm" / "node_modules" / ".bin" / "markdownlint-cli2"
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# What GitHub or GitLab makes a link, a mention or a picture of, in a text outside of code: "Autolinked references and
# URLs", GFM 6.9, "Writing mathematical expressions", and the references of GitLab.
REFERENCES = re.compile(
    r"@\w|#\d|\bGH-\d|[0-9a-f]{7,40}|https?:|ftp:|www\.|//|:[a-z+]\w*:|\$|\[|\]|!\d|~\w|%\w|javascript", re.IGNORECASE
)
HOSTILE = {
    "backticks": "`code` ``two`` `",
    "many backticks": "`" * 90 + "<b>@team" + "`" * 90,
    "pipes": "a | b || c \\| d",
    "backslashes": "\\` \\@team \\\\",
    "mention": "@team, (@org/team) x@y.test",
    "references": "#1 GH-1 owner/repo#1 !1 $1 ~bug %v1 &1",
    "commits": "deadbeef 0123456789abcdef0123456789abcdef01234567 owner/repo@deadbeef",
    "URLs": "https://evil.test/ www.evil.test evil.test mailto:x@evil.test <https://evil.test>",
    "HTML": "<script>alert(1)</script> <img src=x onerror=alert(1)> <!-- x --> <details>",
    "entities": "&#64;team &lt;b&gt; &amp;",
    "links": "![x](https://evil.test/p.png) [x](javascript:alert(1)) [x][y] [^1]",
    "emphasis": "**x** __x__ *x* _x_ ~~x~~ :smile: $x$ $$x$$",
    "a heading": "# x",
    "a list": "- x",
    "a numbered list": "1. x",
    "another list": "+ x",
    "a quotation": "> x",
    "a tick": "[x] done",
    "lines": "x\n\n# y\n- [x] z\n===\n---\n| a |\n| --- |\n```mermaid\ngraph\n```\n\r$$x$$\r\n[^1]: z\u2028a\x85b",
    "terminal": "\x1b[31m \x00 \u202egpj \ud800 \ufffe",
    "nothing": " ",
}


def verdict_on(make, name, outcome=Outcome.PASS, *expect, **fields):
    """A verdict on an item of that id."""
    known = {"because": "as measured", "flags": frozenset()} | fields
    own = {
        key: known.pop(key) for key in ("severity", "text", "owner", "changed_from", "changed_reason") if key in known
    }
    item = make.item(*(expect or ("up == 1",)), id=name, **own)
    return Verdict(item=item, outcome=outcome, **known)


def whole(make, report_of, text="plain", **facts):
    """A report in which that text stands in every place that is not probekit's own."""
    verdicts = (
        verdict_on(make, "pre.a.failed", Outcome.FAIL, because=f"no {text}", summary=text, text=text, owner=text),
        verdict_on(make, f"pre.a.{text}", Outcome.ERROR, because=text, severity=Severity.HIGH),
        verdict_on(make, "pre.b.passed", because=text, text=f"Run {text}", observed=1.0, limit=parse_limit("up == 1")),
        verdict_on(make, "pre.b.waived", Outcome.WAIVED, because=text, text=text),
        verdict_on(make, "sign.off.lead", Outcome.ATTESTED, because=text),
    )
    report = report_of(*verdicts, **facts, run={"deployed_by": text, "reviewed_by": text, "notes": (text,)},
                       release=Release(answers={text: 1}))  # fmt: skip
    return replace(
        report,
        checklist=text,
        document=Document(
            phases={"pre": text, "sign": "Sign-Off"},
            sections={"pre.a": f"A {text}", "pre.b": text},
            lines={"pre.c.out": text, **{one.item.id: one.item.text for one in verdicts}},
            signers={"sign.off.lead": text, "sign.off.other": text},
        ),
        criteria=(SuccessCriterion(id="one", group=f"All {text}", text=text, items=("pre.a.failed",)),),
        baseline=(BaselineComparison(id="p95", text=f"{text}: `__ ms`", target=text, instance=text, unit=text,
                                     before=100.0, after=212.5, limit=text, because=text),),
    )  # fmt: skip


def task(text, start):
    """The lines of the report's document that begin with those words."""
    return [line for line in text.splitlines() if re.match(rf"- \[[ x]\] (~~)?{re.escape(start)}", line)]


def inlines(text):
    return [child for token in PARSER.parse(text) for child in token.children or ()]


# ---------------------------------------------------------------- what it holds


def test_the_decision_comes_first_then_the_failures_the_facts_the_checklist_and_the_signatures(make, report_of) -> None:
    text = render(whole(make, report_of, stage=Stage.BEFORE))

    titles = [line for line in text.splitlines() if re.match("#{1,2} ", line)]
    assert titles == [
        "# \N{LARGE RED CIRCLE} NO GO",
        "## Failed: 1",
        "## Not verified: 1",
        "## Run",
        "## Checklist: plain",
        "## Success criteria",
        "## Metrics baseline",
        "## Sign-off",
    ]
    places = [
        text.index(part) for part in ("**Reason:** prod: failed", "**Next:** do not deploy", "## Failed", "| Fact |")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.LOW])
@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_is_proved_is_ticked(make, report_of, outcome, severity, strict) -> None:
    verdict = verdict_on(make, "pre.a.one", outcome, severity=severity, text="The one line")
    report = report_of(verdict, strict=strict)

    text = render(report)

    (line,) = task(text, "The one line")
    assert line.startswith("- [x]") == (outcome in {Outcome.PASS, Outcome.ATTESTED})
    assert f"**{outcome.value.replace('_', ' ')}**" in line
    assert ("follow-up" in line) == (not outcome.is_settled and not report.bars_go(verdict))
    assert ("## Failed" in text) == (outcome is Outcome.FAIL and report.bars_go(verdict))


@pytest.mark.parametrize("action", Action)
def test_only_a_go_is_green_and_a_go_is_never_red(make, report_of, action) -> None:
    report = replace(
        report_of(verdict_on(make, "a.b.c")), decision=Decision(action=action, minutes=None, because=("x",))
    )

    first = render(report).splitlines()[0]

    assert ("\N{LARGE GREEN CIRCLE}" in first) == (action.exit_code == 0)
    interrupted = replace(report, run=replace(report.run, ended_by="SIGINT"))
    assert "\N{LARGE GREEN CIRCLE}" not in render(interrupted)


def test_each_line_has_its_value_its_limit_its_evidence_and_its_flags(make, report_of) -> None:
    limit = parse_limit("p95 < 800 ms")
    verdict = verdict_on(
        make, "pre.a.slow", Outcome.PASS, "p95 < 800 ms", text="Fast", observed=212.0, limit=limit,
        because="p95 212 ms; 3300 requests", flags=frozenset({Flag.FLAKY, Flag.CHANGED, Flag.REPORTED}),
        changed_from=(parse_limit("p95 < 500 ms"),), changed_reason="a slow disk",
    )  # fmt: skip

    (line,) = task(render(report_of(verdict)), "Fast")
    assert line == (
        "- [x] Fast: **pass** (changed limit, flaky, reported by a program): p95 212 ms, limit &lt; 800 ms; "
        "limit p95 &lt; 800 ms here, p95 &lt; 500 ms in the checklist; reason: a slow disk; `3300 requests`"
    )


def test_a_failure_states_what_to_do_and_who_does_it(make, report_of) -> None:
    failed = verdict_on(make, "pre.a.one", Outcome.FAIL, because="no answer", since=make.now, confirmed=False)

    text = render(report_of(failed))

    assert text.partition("## Failed: 1\n\n")[2].partition("\n\n")[0].splitlines() == [
        "- `pre.a.one` **fail** (critical): `no answer`",
        "  - since: 2026-11-23 10:30:00 UTC",
        "  - attempts: not every attempt failed yet: verify again",
        "  - do: fix it now; a rollback would not fix it",
        "  - owner: Backend Lead",
    ]


def test_the_head_has_the_maintenance_the_notes_and_whom_to_call_and_a_failure_too(make, report_of) -> None:
    paging = Paging(contacts=(Contact(role="dev", name="Ada", contact="+1 2"),), page=dict.fromkeys(Severity, ("dev",)))
    window = Maintenance(start=make.now, end=make.now + timedelta(hours=1), reason="new disks")
    failed = verdict_on(make, "pre.a.failed", Outcome.FAIL)
    notes = tuple(f"note {number}" for number in range(7))

    text = render(report_of(failed, maintenance=(window,), run={"paging": paging, "notes": notes}))

    lines = text.splitlines()
    assert "- **Maintenance:** from 2026-11-23 10:30 to 11:30 UTC (new disks)" in lines
    assert "- **Call:** Ada, +1 2" in lines
    assert [line for line in lines if "**Note:**" in line] == [
        *(f"- **Note:** note {number}" for number in range(5)),
        "- **Note:** 2 more, in the JSON report",
    ]
    assert "  - call: Ada, +1 2" in lines


def test_a_line_to_sign_is_in_the_last_part_alone(make, report_of) -> None:
    text = render(whole(make, report_of))

    assert "sign.off" not in text.partition("## Checklist")[2]
    assert "### Sign-Off" not in text


def test_what_can_wait_is_a_list_of_its_own(make, report_of) -> None:
    later = [
        verdict_on(make, f"pre.a.{outcome}", outcome, because="seen so", severity=Severity.LOW)
        for outcome in (Outcome.FAIL, Outcome.ERROR, Outcome.PENDING)
    ]

    for strict in (False, True):
        text = render(report_of(*later, strict=strict))

        assert ("## Follow-ups: 3" in text) is not strict
        assert all(f"- `pre.a.{one.outcome}` **{one.outcome}** (low" in text for one in later)
        assert ("## Failed: 1" in text, "## Not verified: 2" in text) == (strict, strict)


def test_many_items_without_a_measurement_are_one_entry_above_and_a_line_each_below(make, report_of) -> None:
    items = [verdict_on(make, f"pre.a.{n}", Outcome.NOT_CONFIGURED, text=f"Line {n} here") for n in range(30)]

    text = render(report_of(*items))

    assert "- 30 items **not configured**: `pre.a.0, pre.a.1, pre.a.2" in text
    assert "  - do: `probekit plan --env prod` shows what it needs" in text
    assert len(task(text, "Line ")) == 30


def test_what_is_out_of_scope_is_marked_and_a_whole_section_once(make, report_of) -> None:
    lines = {"pre.a.in": "In", "pre.a.out": "Out", "pre.b.one": "One", "pre.b.two": "Two"}
    report = replace(report_of(verdict_on(make, "pre.a.in", text="In")), document=Document(lines=lines))

    text = render(report)

    assert task(text, "Out") == ["- [ ] Out: out of scope"]
    assert "#### `pre.b`\n\nOut of scope:\n\n- [ ] One\n- [ ] Two\n" in text


def test_what_is_waived_or_does_not_apply_is_struck_with_its_reason(make, report_of) -> None:
    waived = verdict_on(make, "a.b.one", Outcome.WAIVED, because="until Monday", text="Run `main`")
    exempt = verdict_on(make, "a.b.two", Outcome.NOT_APPLICABLE, because="no migration", text="Migrate")

    text = render(report_of(waived, exempt))

    assert "- [ ] ~~Run `main`~~: **waived**: `until Monday`" in text
    assert "- [ ] ~~Migrate~~: **not applicable**: `no migration`" in text


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("Run health check: `GET /health`", "Run health check: `GET /health`"),
        ("Severity: **CRITICAL** (data loss)", "Severity: **CRITICAL** (data loss)"),
        ("CPU usage (target: < 60%) & more", "CPU usage (target: &lt; 60%) &amp; more"),
        ("Deployed: \N{CHECK MARK}", "Deployed: \N{CHECK MARK}"),
        ("`a`,`b` @x`c`", "`a` `` ,`b` @x`c` ``"),
        ("at 10:30:00, with 0 %, see :tada:", "at 10:30:00, with 0 %, see `:tada`:"),
    ],
)
def test_a_line_of_the_document_keeps_its_own_markup(line, written) -> None:
    assert marked(line) == written


def test_a_criterion_is_ticked_where_it_is_met_and_names_what_keeps_it_open(make, report_of) -> None:
    criteria = tuple(
        SuccessCriterion(id=name, group=group, text=name, items=(f"a.b.{name}",))
        for group, name in (("Health", "met"), ("Health", "missed"), ("Errors", "open"))
    )
    found = {"met": Outcome.PASS, "missed": Outcome.FAIL}
    verdicts = [verdict_on(make, f"a.b.{name}", outcome) for name, outcome in found.items()]

    text = render(replace(report_of(*verdicts), criteria=criteria))

    assert (
        "### Health\n\n- [x] met: **met**\n- [ ] missed: **missed**: missed failed\n\n"
        "### Errors\n\n- [ ] open: **open**: 1 item out of scope\n"
    ) in text


@pytest.mark.parametrize(
    ("before", "after", "cells"),
    [
        (80.0, 81.0, "80 ms | 81 ms | +1.2 %"),
        (200.0, 100.0, "200 ms | 100 ms | -50 %"),
        (None, 3.0, " | 3 ms | "),
        (0.0, 3.0, "0 ms | 3 ms | "),
        (float("inf"), float("nan"), "infinite ms | unknown ms | "),
    ],
)
def test_the_baseline_is_filled_in(report_of, before, after, cells) -> None:
    row = BaselineComparison(
        id="p95", text="API (p95): `____ ms`", target="x", before=before, after=after, unit="ms",
        limit="p95 at most 10 % over baseline", outcome=Outcome.FAIL, because="too slow",
    )  # fmt: skip

    text = render(replace(report_of(), baseline=(row,)))

    assert f"| API (p95) | {cells} | p95 at most 10 % over baseline | fail: `too slow` |" in text


def test_the_last_lines_are_filled_in_and_blank_where_nothing_is_known(make, report_of) -> None:
    began = make.now - timedelta(hours=11)
    history = History(deployment=Deployment(release="2", started=began, finished=make.now))
    report = report_of(history=history, run={"deployed_by": "Ada L.", "reviewed_by": "@bob"})

    assert render(report).splitlines()[-4:] == [
        "- **Deployment date:** 2026-11-22",
        "- **Deployment time:** 23:30 - 2026-11-23 10:30 UTC",
        "- **Deployed by:** Ada L.",
        "- **Reviewed by:** `@bob`",
    ]
    for unknown in (report_of(), report_of(history=history, stage=Stage.BEFORE)):
        assert render(unknown).count("`__________`") == 5


def test_a_deployment_that_was_rolled_back_ended_with_its_finish_or_else_then(make, report_of) -> None:
    began, back = make.now - timedelta(hours=2), make.now - timedelta(minutes=5)
    for finished, end in ((None, "10:25"), (make.now - timedelta(hours=1), "09:30")):
        deployment = Deployment(release="2", started=began, finished=finished, rolled_back=back)

        text = render(report_of(history=History(deployment=deployment)))

        assert f"- **Deployment time:** 08:30 - {end} UTC" in text


@pytest.mark.parametrize("outcome", [*Outcome, None])
def test_a_signature_has_its_blanks_unless_it_is_attested(make, report_of, outcome) -> None:
    found = [] if outcome is None else [verdict_on(make, "sign.off.lead", outcome, because="signed by Ada")]
    document = Document(lines={"sign.off.lead": "x"}, signers={"sign.off.lead": "Team Lead"})

    (line,) = task(render(replace(report_of(*found), document=document)), "Team Lead approval")

    if outcome is Outcome.ATTESTED:
        assert line == "- [x] Team Lead approval: **attested**: `signed by Ada`"
    else:
        assert line.startswith("- [ ] Team Lead approval: `__________` Date: `__________` (")


# ---------------------------------------------------------------- texts of others


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_is_more_than_its_characters(make, report_of, text) -> None:
    """Neither a block, nor a link, nor HTML, nor what sites add to Markdown: the same tokens as for a plain word."""
    written, plain = render(whole(make, report_of, text)), render(whole(make, report_of))

    assert [token.type for token in PARSER.parse(written)] == [token.type for token in PARSER.parse(plain)]
    kinds = {token.type for token in inlines(written)}
    assert kinds <= {"text", "code_inline", "strong_open", "strong_close", "s_open", "s_close", "softbreak"}
    texts = [token.content for token in inlines(written) if token.type == "text"]
    assert [found for one in texts if (found := REFERENCES.search(one.removeprefix("[x] ").removeprefix("[ ] ")))] == []
    assert "<" not in re.sub("<[^A-Za-z/!?]", "", written)
    rows = [line for line in written.splitlines() if line.startswith("| ")]
    assert {line.count("|") for line in rows} == {3, 7}  # the table of facts, and the baseline's


@pytest.mark.parametrize(
    "word",
    ["//evil", "WWW.1", "evil.test", "%v1", "GH-1", "ops-12", "deadbeef", ":a:b", "--env", "@x", "#1", "a_b", "$x"],
)
def test_a_word_that_a_site_could_read_is_code(word) -> None:
    assert prose(f"see {word}, then") == f"see `{word}`, then"


@pytest.mark.parametrize(
    "word", ["10:30:00", "2.4.0", "80%", "0 %", "(p95:", "user-facing", "I/O", '"x"', "v2", "\xe9"]
)
def test_a_word_of_plain_language_is_plain(word) -> None:
    assert prose(f"see {word}, then") == f"see {word}, then"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("render_text", [code, prose])
def test_every_character_of_a_text_is_shown(render_text, text) -> None:
    shown = "".join(token.content for token in inlines(f"x {render_text(text, 2_000)}"))

    expected = re.sub("`{21,}", f"{20 * '`'}...", escape(text))
    assert re.sub(" +", "", shown) == re.sub(" +", "", f"x{expected}")


@pytest.mark.parametrize("render_text", [code, prose, marked])
@pytest.mark.parametrize("character", ["|", "<", "`", "&", "@ a ", "a|", "\x00", "\U0001f525", "\ud800", "x"])
def test_a_text_is_as_long_as_it_may_be_at_most(render_text, character) -> None:
    for most in (20, 80, 200, 1_000):
        assert 0 < len(render_text(character * 100_000, most)) <= most


# ---------------------------------------------------------------- long reports


def long_report(make, report_of, number, outcome=Outcome.PASS, *, text="as measured", sections=20):
    """A report with that many lines in scope, and as many out of scope."""
    names = [f"s{n % sections}.i{n}" for n in range(number)]
    verdicts = [verdict_on(make, f"pre.{name}", outcome, because=text, text=f"Line {name}") for name in names]
    report = report_of(verdict_on(make, "pre.s0.bad", Outcome.FAIL, because="it broke", text="The bad one"), *verdicts)
    lines = {one.item.id: one.item.text for one in report.verdicts}
    lines |= {f"post.{name}": f"Out {name}" for name in names}
    return replace(report, document=Document(lines=lines, signers={"sign.off.lead": "Team Lead"}), items=len(lines))


@pytest.mark.parametrize(
    ("number", "outcome", "text", "sections"),
    [
        (10_000, Outcome.PASS, "as measured", 20),
        (10_000, Outcome.FAIL, "x" * 1_000, 20),
        (10_000, Outcome.ERROR, "@" * 1_000, 10_000),
        (5_000, Outcome.WAIVED, "|" * 1_000, 1),
        (200, Outcome.FAIL, "<a" * 50_000, 20),
        (20, Outcome.PASS, "`\n" * 50_000, 1),
    ],
)
def test_a_report_fits_whatever_it_holds(make, report_of, number, outcome, text, sections) -> None:
    written = render(long_report(make, report_of, number, outcome, text=text, sections=sections))

    assert len(written) <= MOST
    assert len(written) > 10_000 or len(left_out(written)) == 2 * sections
    assert "INVESTIGATE" in written.splitlines()[0]
    assert "- `pre.s0.bad` **fail** (critical)" in written
    assert "- [ ] Team Lead approval: `__________` Date: `__________`" in written
    assert "The JSON report of the run has every measurement" in written


def test_everything_hostile_at_once_fits(make, report_of) -> None:
    text = "|@`" * 30_000
    report = whole(make, report_of, text)
    document = replace(
        report.document,
        sections={f"pre.s{n}": text for n in range(500)},
        lines={f"pre.s{n}.i": text for n in range(500)},
        signers={f"sign.off.{n}": text for n in range(500)},
    )
    sorts = list(product((one for one in Outcome if not one.is_settled), Severity, range(60)))
    found = [
        verdict_on(make, f"{n}{severity}{text}", outcome, because=text, text=text, owner=text, severity=severity)
        for outcome, severity, n in sorts
    ]
    window = Maintenance(start=make.now, end=make.now + timedelta(hours=1), reason=text)
    contact = Contact(role="dev", name=text, contact=text)
    report = replace(
        report,
        run=replace(report.run, environment=text, base_url=text, notes=(text,) * 30, config_file=text,
                    paging=Paging(contacts=(contact,) * 30, page=dict.fromkeys(Severity, ("dev",) * 30))),
        situation=replace(report.situation, maintenance=(window,) * 30, contradictions=(text,) * 30),
        decision=replace(report.decision, because=(text, *(f"{n}{text}" for n in range(30)))),
    )  # fmt: skip

    report = replace(report, verdicts=(*report.verdicts, *found), document=document,
                     criteria=report.criteria * 500, baseline=report.baseline * 500)  # fmt: skip

    assert MOST / 2 < len(render(report)) <= MOST


def test_first_the_evidence_is_shortened_then_left_out_then_lines_are_counted(make, report_of) -> None:
    """Each step only where the one before is not enough."""
    shown = [render(long_report(make, report_of, 100, text="e" * size)) for size in (100, 1_000)]
    assert ["Shortened, so that" in text for text in shown] == [False, True]
    assert [len(re.findall(f"e{{{size}}}", text)) for text, size in zip(shown, (100, 1_000), strict=True)] == [100, 0]
    assert [len(re.findall("e{250}", text)) for text in shown] == [0, 100]
    assert all(len(task(text, "Line ")) == len(task(text, "Out ")) == 100 for text in shown)

    without = render(long_report(make, report_of, 600, text="e" * 100))
    assert "eee" not in without
    assert len(task(without, "Line ")) == 600

    folded = render(long_report(make, report_of, 2_000))
    left, lines, out = left_out(folded), len(task(folded, "Line ")), len(task(folded, "Out "))
    assert sum(number for number, _, _ in left) + lines + out == 4_000
    assert sum(settled for _, settled, _ in left) + lines == 2_000
    assert task(folded, "The bad one")
    assert 0 < len(left) < 40


def left_out(text):
    """For each section: how many lines were left out, and how many of them were settled or out of scope."""
    found = re.findall(r"- ([\d,]+) lines left out: (\d+) settled, (\d+) out of scope", text)
    return [tuple(int(one.replace(",", "")) for one in numbers) for numbers in found]


def test_a_report_on_record_without_its_document_has_the_lines_of_its_verdicts(make, report_of) -> None:
    document = json.loads(write.render(whole(make, report_of)))
    for part in ("document", "lines", "places", "baseline", "success"):
        del document[part]

    text = render(report_from(document))

    assert "### pre\n\n#### `pre.a`\n\n- [ ] The health endpoint answers: **fail**" in text


def test_an_empty_report_has_no_checklist(report_of) -> None:
    text = render(report_of())

    assert "## Checklist" not in text
    assert text.count("\n\n\n") == 0


# ---------------------------------------------------------------- a real linter (make test-services)


@pytest.mark.services
def test_markdownlint_finds_nothing(make, report_of, tmp_path) -> None:
    reports = {
        "plain": whole(make, report_of),
        "hostile": whole(make, report_of, HOSTILE["lines"]),
        "long": long_report(make, report_of, 2_000),
        "empty": report_of(),
    }
    for name, report in reports.items():
        (tmp_path / f"{name}.md").write_text(render(report), "utf-8")
    off = {
        "MD013": False,  # a line of the checklist with its evidence is one line
        "MD024": {"siblings_only": True},  # two phases of the document have a section of the same name
    }
    (tmp_path / ".markdownlint.json").write_text(json.dumps(off), "utf-8")

    found = subprocess.run([LINT, "*.md"], cwd=tmp_path, capture_output=True, text=True, check=False)  # npm's

    assert found.returncode == 0, found.stderr
    assert "Linting: 4 file(s)" in found.stdout


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("then: probekit verify --env prod.", "then: `probekit verify --env prod`."),
        (
            "mark it: probekit deployment rolled-back --env prod; probekit verify --env prod",
            "mark it: `probekit deployment rolled-back --env prod`; `probekit verify --env prod`",
        ),
        ("probekit init https://a.test writes a file", "`probekit init https://a.test` writes a file"),
        ("probekit was killed", "probekit was killed"),
        ("probekit plan shows it", "`probekit plan` shows it"),
    ],
)
def test_a_command_is_one_piece_of_code(text, written) -> None:
    assert prose(text) == written
