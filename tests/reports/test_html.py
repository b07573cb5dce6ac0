"""The page that is read, signed and kept: whole without a script, without a request, and safe with any text."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from html.parser import HTMLParser
from itertools import product
from math import log10
from pathlib import Path

import pytest
from full_report import everything
from hostile import HOSTILE

from probekit import reports
from probekit.model.checklist import Severity
from probekit.model.document import BaselineComparison, BaselinePoint, Document
from probekit.model.limit import parse_limit
from probekit.model.measurement import InstanceKey
from probekit.model.people import Contact, Paging
from probekit.model.percentile import Percentile
from probekit.model.readings import LatencySample, Quantile
from probekit.model.success import SuccessCriterion
from probekit.model.trend import PastResult
from probekit.model.verdict import Action, Decision, Flag, Outcome, Release, Verdict
from probekit.reports import View

HTML = reports.load_format("html")
VOID = {"meta", "input", "line", "rect", "circle", "path", "use", "polyline", "br"}


class Page(HTMLParser):
    """The elements of a page with their attributes and texts; it fails where one is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(part) for tag, part in self.texts.items() if tag not in {"script", "style"})


def page_of(report, **view):
    return Page(HTML.text(report, View(**view)))


@pytest.fixture
def sampled(make, report_of):
    """A report with a sample of latencies and a percentile with its interval."""
    sample = LatencySample(((1000, 2000, 3000), (4000, 600_000)), ((0, 0, 0), (0, 0)), (1, 0), (0, 0))
    one = make.measurement(up=1.0)
    one = replace(one, probe="api", values={"p95": Quantile(sample, 0.95)}, seconds=30.0)
    item = make.item("p95 < 500 ms", id="deploy.performance.p95-latency", probe="api", severity=Severity.HIGH)
    verdict = Verdict(item=item, outcome=Outcome.FAIL, because="p95 600 ms", observed=600.0, limit=item.expect[0])
    report = report_of(verdict, measurements=(one,))
    percentile = Percentile(probe="api", instance="", metric="p95", q=0.95, value=600.0, low=None, high=None)
    return replace(report, attempts={InstanceKey("api", ""): (make.attempt(one),)}, percentiles=(percentile,))


def test_the_decision_its_reason_and_the_next_step_come_first(make, report_of) -> None:
    page = page_of(everything(make, report_of))

    assert [text.strip() for text in page.texts["h1"] if text.strip()] == ["INVESTIGATE NOW"]
    assert [one["id"] for one in page.of("section") if not one["id"].startswith("list-")] == [
        "criteria", "charts", "checklist", "baseline", "run", "signoff"]  # fmt: skip
    assert page.of("section")[0]["id"] == "list-1"


def test_the_head_names_the_release_the_target_the_time_and_the_end_of_the_deadline(make, report_of) -> None:
    report = report_of(release=Release(answers={"2.3.1": 2}))
    investigate = replace(report, decision=Decision(action=Action.INVESTIGATE, minutes=45.0, because=("so",)))
    text = page_of(investigate).text

    assert "release 2.3.1 at https://app.example.com, run of 2026-11-23 10:30:00 UTC" in text
    assert " ".join(text.split()).count("Until:") == 1
    assert "2026-11-23 11:15:00 UTC" in text
    for action, minutes in ((Action.INVESTIGATE, 0.0), (Action.INVESTIGATE, None), (Action.ROLLBACK, 45.0)):
        other = replace(report, decision=Decision(action=action, minutes=minutes, because=("so",)))
        assert "Until:" not in page_of(other).text


def test_a_rollback_names_the_contacts_to_call_or_else_the_owners_of_what_failed(make, report_of) -> None:
    failure = Verdict(item=make.item("up == 1"), outcome=Outcome.FAIL, because="no response")
    waits = replace(failure, item=make.item("up == 1", id="a.b.c", severity=Severity.LOW, owner="QA Engineer"))
    rollback = Decision(action=Action.ROLLBACK, minutes=0.0, because=("so",))
    paging = Paging(contacts=(Contact(role="on_call", name="Kim", contact="+1"),),
                    page={Severity.CRITICAL: ("on_call",)})  # fmt: skip
    alone, called = (
        page_of(replace(report_of(failure, waits, run=run), decision=rollback)) for run in ({}, {"paging": paging})
    )

    assert "Backend Lead (no contact to call is configured)" in alone.text
    assert "Call:" not in alone.texts["strong"]
    assert "Call:" in called.texts["strong"]
    assert "no contact to call" not in called.text


def test_headings_count_what_is_under_them(make, report_of) -> None:
    item = make.item("up == 1")
    alike = [
        Verdict(item=replace(item, id=f"deploy.services.{name}"), outcome=Outcome.FAIL, because="so") for name in "abc"
    ]
    waits = Verdict(item=replace(item, id="deploy.smoke.d", severity=Severity.LOW), outcome=Outcome.FAIL, because="so")
    report = report_of(*alike, waits)
    criteria = tuple(
        SuccessCriterion(id=name, group="All", text=name, items=(f"deploy.services.{name}",)) for name in "ax"
    )
    document = Document(lines={"deploy.services.a": "a", "deploy.services.z": "z"})
    page = page_of(replace(report, criteria=criteria, document=document))

    assert page.texts["small"][:3] == ["3", "1", "1 missed, 1 open"]
    assert "4 fail, 1 out of scope" in page.texts["small"]
    assert "Success criteria: 1 missed, 1 open" in page.text
    assert "199 of 203 items are out of scope" in page.text
    assert page.text.count("These did not pass, and do not rule out a go.") == 1
    assert "These did not pass" not in page_of(report_of(*alike)).text


def test_a_row_of_the_baseline_states_why_it_did_not_pass(make, report_of) -> None:
    row = BaselineComparison(id="a", text="A: `__`", target="", outcome=Outcome.ERROR, because="no windows on record")
    page = page_of(replace(report_of(), baseline=(row, replace(row, outcome=Outcome.PASS, because="all is well"))))

    assert "no windows on record" in page.texts["small"]
    assert "all is well" not in page.text


def test_the_line_of_an_item_names_its_limit(make, report_of) -> None:
    item = make.item("p95 < 500 ms")
    verdict = Verdict(item=item, outcome=Outcome.PASS, because="so", observed=7.0, limit=item.expect[0])
    page = page_of(report_of(verdict, Verdict(item=make.item(id="a.b.c"), outcome=Outcome.PASS, because="so")))

    assert page.texts["span"].count("limit < 500 ms") == 1
    assert not any(text.strip() == "limit" for text in page.texts["span"])


def test_the_sign_off_states_the_decision_the_release_and_the_run(make, report_of) -> None:
    text = HTML.text(report_of(release=Release(answers={"2.3.1": 2})))
    signed = " ".join(re.sub("<[^>]*>", "", text.partition('id="signoff-title"')[2]).split())

    assert (
        "for release 2.3.1 in prod; run 0123456789ab of 2026-11-23 10:30:00 UTC; 203 items = 203 out of scope" in signed
    )


def test_it_asks_for_nothing_and_allows_only_its_own_style_and_script(make, report_of) -> None:
    text = HTML.text(everything(make, report_of))
    page = Page(text)

    assert not {"link", "img", "iframe", "object", "embed", "base", "video", "audio"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        assert not {"src", "style", "srcset", "action", "formaction", "xlink:href"} & attributes.keys(), tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert (attributes.get("href") or "#").startswith("#"), tag
    (policy,) = [one["content"] for one in page.of("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r"url\(|@import|https?:", re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL)[0])


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_adds_no_element_and_no_attribute(make, report_of, hostile) -> None:
    plain, page = page_of(everything(make, report_of)), page_of(everything(make, report_of, hostile))

    shape = [(tag, sorted(attributes)) for tag, attributes in plain.tags if tag != "code"]
    assert [(tag, sorted(attributes)) for tag, attributes in page.tags if tag != "code"] == shape


def test_each_line_of_the_document_has_its_verdict_in_words(make, report_of) -> None:
    report = everything(make, report_of)
    page = page_of(report)

    lines = [one for tag, one in page.tags if tag == "li" and one.get("class") in {
        "good", "bad", "warn", "odd", "open", "none", "none out"}]  # fmt: skip
    assert len(lines) == len(report.document.lines) + len(report.own_checks)
    for word in ("pass", "fail", "error", "pending", "waived", "not applicable", "out of scope"):
        assert word in page.text


@pytest.mark.parametrize(
    ("outcome", "severity", "style"),
    [
        (Outcome.PASS, Severity.CRITICAL, "good"),
        (Outcome.FAIL, Severity.CRITICAL, "bad"),
        (Outcome.FAIL, Severity.LOW, "warn"),
        (Outcome.ERROR, Severity.CRITICAL, "odd"),
        (Outcome.NOT_CONFIGURED, Severity.CRITICAL, "odd"),
        (Outcome.PENDING, Severity.CRITICAL, "open"),
        (Outcome.WAIVED, Severity.CRITICAL, "none"),
    ],
)
def test_a_verdict_has_a_colour_and_a_shape_by_its_effect(make, report_of, outcome, severity, style) -> None:
    item = make.item("up == 1", severity=severity)
    page = page_of(report_of(Verdict(item=item, outcome=outcome, because="so")))

    (line,) = [one["class"] for tag, one in page.tags if tag == "li" and one.get("class")]
    assert line == style
    assert {"href": f"#{style}"} in page.of("use")
    assert {one["id"] for one in page.of("symbol")} == {"good", "bad", "warn", "odd", "open", "none"}


def test_no_go_is_never_green(make, report_of) -> None:
    passed = Verdict(item=make.item("up == 1"), outcome=Outcome.PASS, because="up 1", layer="application")

    assert page_of(report_of(passed)).of("header")[0]["class"] == "good"
    assert page_of(report_of(passed, contradictions=("two versions",))).of("header")[0]["class"] == "warn"
    assert page_of(report_of(passed, complete=False)).of("header")[0]["class"] == "odd"


def test_ids_are_distinct_and_references_lead_to_them(make, report_of, sampled) -> None:
    page = page_of(replace(everything(make, report_of), attempts=sampled.attempts, percentiles=sampled.percentiles))

    ids = Counter(one["id"] for _, one in page.tags if "id" in one)
    assert max(ids.values()) == 1
    for _, one in page.tags:
        for name in ("aria-labelledby", "for"):
            assert (one.get(name) or next(iter(ids))) in ids
        assert (one.get("href") or "#" + next(iter(ids))).removeprefix("#") in ids


def test_controls_are_hidden_until_the_script_runs(make, report_of) -> None:
    (form,) = page_of(everything(make, report_of)).of("form")

    assert "hidden" in form


def test_the_latency_chart_has_the_limit_the_percentile_and_the_bars(sampled) -> None:
    page = page_of(sampled)

    assert "p95 600 ms, limit 500 ms; 5 answered requests, and 1 without an answer, which count as slow" in page.text
    kinds = Counter(one.get("class") for _, one in page.tags)
    assert kinds["limit"] >= 1
    assert kinds["value"] == 1
    bars = [one for one in page.of("rect") if one.get("class") == "bar" and float(one["height"]) <= 96]
    assert len(bars) >= 4
    assert {float(one["y"]) + float(one["height"]) for one in bars if "rx" not in one} == {118.0}


def test_a_limit_in_seconds_is_drawn_in_milliseconds(make, sampled) -> None:
    (verdict,) = sampled.verdicts
    limit = parse_limit("p95 < 2 s")
    page = page_of(
        replace(sampled, verdicts=(replace(verdict, limit=limit, item=replace(verdict.item, expect=(limit,))),))
    )

    assert "p95 600 ms, limit 2,000 ms; 5 answered requests" in page.text


@pytest.mark.parametrize(
    ("low", "high", "shown"), [(1.0, 700.0, "above 1 ms and below 700 ms"), (None, 7.0, "below 7 ms")]
)
def test_the_latency_chart_shows_the_interval(sampled, low, high, shown) -> None:
    (one,) = sampled.percentiles
    page = page_of(replace(sampled, percentiles=(replace(one, low=low, high=high),)))

    assert f"p95 600 ms ({shown})" in page.text
    assert [one for one in page.of("rect") if one.get("class") == "interval"]


@pytest.mark.parametrize(("low", "high"), [(2.0, 650.0), (None, 650.0), (2.0, None)])
def test_every_mark_of_the_latency_chart_is_where_the_axis_puts_its_duration(sampled, low, high) -> None:
    (one,) = sampled.percentiles
    svg = page_of(replace(sampled, measurements=(), percentiles=(replace(one, low=low, high=high),)))
    first, second, *_ = (float(mark["x1"]) for mark in svg.of("line") if mark.get("class") == "tick")

    def x(milliseconds: float) -> float:
        return first + (second - first) * log10(milliseconds)

    assert [text.strip() for text in svg.texts["text"] if text.strip()][1:3] == ["1 ms", "10 ms"]
    for kind, duration in (("limit", 500.0), ("value", 600.0)):
        (mark,) = [line for line in svg.of("line") if line.get("class") == kind]
        assert float(mark["x1"]) == float(mark["x2"]) == pytest.approx(x(duration), abs=0.3)
    (band,) = [rect for rect in svg.of("rect") if rect.get("class") == "interval"]
    assert float(band["x"]) == pytest.approx(8 if low is None else x(low), abs=0.3)
    assert float(band["x"]) + float(band["width"]) == pytest.approx(352 if high is None else x(high), abs=0.3)
    bars = [rect for rect in svg.of("rect") if rect.get("class") == "bar"]
    for bar, duration in zip(bars, (1.0, 2.0, 3.0, 4.0, 600.0), strict=True):
        assert float(bar["x"]) - 0.5 <= x(duration) <= float(bar["x"]) + float(bar["width"]) + 1.5


def test_the_labels_of_two_limits_are_inside_the_latency_chart(make, sampled) -> None:
    (slow,) = sampled.verdicts
    item = make.item("p95 < 2000 ms", id="deploy.performance.very-slow", probe="api")
    other = replace(slow, item=item, limit=item.expect[0])
    one, two = page_of(sampled), page_of(replace(sampled, verdicts=(slow, other)))

    for page, labels in ((one, 1), (two, 2)):
        marks = [float(mark["y"]) for mark in page.of("text") if mark.get("class") == "label"]
        (drawn,) = [svg for svg in page.of("svg") if svg.get("aria-labelledby") == "latency-1"]
        top, height = (float(number) for number in drawn["viewbox"].split()[1::2])
        assert len(marks) == labels
        assert all(top + 10 <= mark <= top + height for mark in marks)
        assert top + height == 140


def test_the_timeline_has_a_lane_for_each_probe_and_counts_those_it_leaves_out(make, report_of) -> None:
    many = [replace(make.measurement(up=1.0), probe=f"probe-{number}") for number in range(40)]

    assert "40 measurements of 40 probes" in (text := page_of(report_of(measurements=tuple(many))).text)
    assert "10 more probes not drawn" in text


def test_the_baseline_chart_and_table_have_before_after_and_change(make, report_of) -> None:
    points = tuple(BaselinePoint(taken=make.now - timedelta(hours=hour), value=100.0 + hour) for hour in range(5))
    row = BaselineComparison(
        id="api-p95", text="API response time (p95): `____ ms`", target="", before=100.0, windows=5, points=points,
        after=150.0, unit="ms", limit="p95 at most 10 % over baseline", outcome=Outcome.FAIL,
    )  # fmt: skip
    page = page_of(replace(report_of(), baseline=(row, replace(row, id="x", points=(), before=None, after=None))))

    assert "+50.0 %" in page.text
    assert "before 100 ms, the mean of 5 windows; now 150 ms; p95 at most 10 % over baseline" in page.text
    assert sum(one.get("class") == "dot" for one in page.of("circle")) == 5


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE])
def test_a_higher_value_is_higher_in_the_baseline_chart(make, report_of, outcome) -> None:
    points = tuple(BaselinePoint(taken=make.now, value=value) for value in (100.0, 120.0, 80.0))
    row = BaselineComparison(
        id="a", text="A: `__`", target="", before=100.0, windows=3, points=points, after=150.0, unit="ms",
        limit="p95 at most 10 % over baseline", outcome=outcome,
    )  # fmt: skip
    page = page_of(replace(report_of(), baseline=(row,)))

    lines = {one["class"]: float(one["y1"]) for one in page.of("line")}
    mean, limit = lines["mean"], lines["limit"]
    average, above, below = (float(one["cy"]) for one in page.of("circle") if one.get("class") == "dot")
    (now,) = [one for one in page.of("path") if (one.get("class") or "").startswith("now")]
    assert now["class"] == f"now {outcome.value}"
    assert average == mean
    assert (mean - limit) * 2 == pytest.approx(mean - above, abs=0.3)  # 10 % and 20 % of the mean
    assert mean - above == pytest.approx(below - mean, abs=0.3)
    assert float(now["d"].split()[1].partition("l")[0]) + 6 == pytest.approx(mean - (mean - limit) * 5, abs=0.5)


def test_a_bar_of_the_timeline_is_as_long_as_its_measurement(make, report_of) -> None:
    one = make.measurement(up=1.0)
    half = replace(one, taken_at=make.now + timedelta(seconds=5), seconds=5.0)
    page = page_of(report_of(measurements=(half, replace(one, probe="all", seconds=10.0)), run={"seconds": 20.0}))

    bars = [(float(bar["x"]), float(bar["width"])) for bar in page.of("rect") if bar.get("class") == "bar"]
    assert bars == [(118.0, 117.0), (176.5, 58.5)]


def test_the_trend_has_the_earlier_runs_and_the_values_of_what_failed(make, sampled) -> None:
    past = tuple(
        PastResult(id=str(number), started=make.now - timedelta(hours=9 - number), action=action, failed=number,
                   values={"deploy.performance.p95-latency": 100.0 * number})
        for number, action in enumerate(("go", "rollback", "<b>never</b>"))
    )  # fmt: skip
    page = page_of(sampled, past=lambda: past)

    assert "3 earlier runs since 2026-11-23 01:30:00 UTC, 2 of them without a go; this run last" in page.text
    assert "0 ms in the oldest run, 600 ms now, limit 500 ms" in page.text
    assert [one["class"] for one in page.of("g") if "run" in (one.get("class") or "")] == [
        "run good", "run bad", "run none", "run warn"]  # fmt: skip


def test_the_limit_of_a_value_in_the_trend_is_between_the_values_it_separates(make, sampled) -> None:
    past = [PastResult(id="1", started=make.now, action="go", values={"deploy.performance.p95-latency": 400.0})] * 2
    page = page_of(replace(sampled, attempts={}, measurements=()), past=lambda: past)

    (limit,) = [float(one["y1"]) for one in page.of("line") if one.get("class") == "limit"]
    before, _, now = (float(one["cy"]) for one in page.of("circle") if (one.get("class") or "").startswith("dot"))
    assert limit == pytest.approx((before + now) / 2, abs=0.1)  # 400, 500 and 600 ms


def test_the_trend_draws_first_what_rules_out_a_go(make, report_of) -> None:
    names = ("waits", "stops", "passed")
    items = [make.item("p95 < 500 ms", id=f"a.b.{name}", title=name, probe=name) for name in names]
    items[0] = replace(items[0], severity=Severity.LOW)
    verdicts = [
        Verdict(item=item, outcome=Outcome.PASS if item.title == "passed" else Outcome.FAIL, because="so",
                observed=600.0, limit=item.expect[0])
        for item in items
    ]  # fmt: skip
    past = [PastResult(id="1", started=make.now, action="go", values={item.id: 500.0 for item in items})] * 2
    page = page_of(report_of(*verdicts), past=lambda: past)

    drawn = [one["aria-label"].partition(":")[0] for one in page.of("svg") if "aria-label" in one]
    assert drawn == ["stops", "waits", "passed"]


def test_what_failed_is_one_card_for_each_cause_with_all_that_somebody_must_do(make, report_of) -> None:
    item = make.item("up == 1", matrix_row=make.rollback_row)
    failure = Verdict(item=item, outcome=Outcome.FAIL, because="no response", since=make.now - timedelta(minutes=7),
                      flags=frozenset({Flag.REPORTED}))  # fmt: skip
    page = page_of(report_of(failure, replace(failure, item=replace(item, id="post.immediate.health"))))

    assert len(page.of("article")) == 1
    for word in ("and 1 more of the same cause", "no response", "7 min ago", "fix it now", "Backend Lead", "reported"):
        assert word in page.text


def test_cards_have_the_style_of_their_effect_and_the_most_severe_comes_first(make, report_of) -> None:
    item = make.item("up == 1")
    failed = Verdict(item=item, outcome=Outcome.FAIL, because="so")
    high, low = (
        replace(failed, item=replace(item, id=f"a.b.{one}", severity=one)) for one in (Severity.HIGH, Severity.LOW)
    )
    unsure = replace(failed, item=replace(item, id="a.b.unsure"), outcome=Outcome.ERROR)
    page = page_of(report_of(low, unsure, high, failed))

    assert [one["class"] for one in page.of("article")] == ["card bad", "card bad", "card odd", "card warn"]
    grades = [text for text in page.texts["span"] if ", fail" in text or ", error" in text]
    assert grades == ["critical, fail", "high, fail", "critical, error", "low, fail"]


@pytest.mark.parametrize(("outcome", "style", "word"), [
    (Outcome.PASS, "good", "met"), (Outcome.FAIL, "bad", "missed"), (Outcome.ERROR, "none", "open")])  # fmt: skip
def test_a_success_criterion_has_the_style_of_its_state(make, report_of, outcome, style, word) -> None:
    item = make.item("up == 1")
    criterion = SuccessCriterion(id="one", group="All", text="one", items=(item.id,))
    page = page_of(replace(report_of(Verdict(item=item, outcome=outcome, because="so")), criteria=(criterion,)))

    assert [one["class"] for one in page.of("em")] == [style]
    assert page.texts["em"] == [word]


def test_control_and_bidirectional_characters_are_made_visible(make, report_of) -> None:
    text = HTML.text(everything(make, report_of, "\x1b[31m \u202e \x00 \ud800"))

    assert not {"\x1b", "\u202e", "\x00", "\ud800"} & set(text)


def test_a_signature_on_record_is_in_the_table_to_sign(make, report_of) -> None:
    item = make.item(id="signoff.approvals.lead", probe=None)
    signed = Verdict(item=item, outcome=Outcome.ATTESTED, because="signed by Kim")
    report = replace(report_of(signed), document=Document(signers={item.id: "Team Lead", "x.y.z": "DBA"}))
    page = page_of(report)

    assert page.texts["td"].count("signed by Kim") == 1
    assert [text for text in page.texts["th"] if text in {"Team Lead", "DBA"}] == ["Team Lead", "DBA"]


def test_long_lists_and_long_texts_are_cut_at_the_top_but_not_in_the_checklist(make, report_of) -> None:
    item = make.item("up == 1")
    many = [
        Verdict(
            item=replace(item, id=f"deploy.services.item-{number}"), outcome=Outcome.FAIL, because=f"{number} " * 3000
        )
        for number in range(200)
    ]
    text = HTML.text(report_of(*many))

    assert "And 140 more; the checklist below has all of them." in text
    assert "(shortened)" in text
    assert "deploy.services.item-199" in text


def test_the_lines_to_sign_are_those_of_the_document(make, report_of) -> None:
    page = page_of(everything(make, report_of, "Deployment Lead"))

    assert {"Approval", "Name", "Signature", "Date"} <= {text.strip() for text in page.texts["th"]}
    assert "Deployment Lead" in page.text


# ---------------------------------------------------------------- in a real browser, and by a real validator

NPM = Path(__file__).parents[2] / "build" / "npm" / "node_modules"
AXE = NPM / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser():
    """Chromium of Debian, driven by playwright; a page of it has any width and colour scheme."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only make test-services installs it

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def pages(make, report_of, sampled, tmp_path):
    """The files of a report with something of everything, one full of markup, one with charts, and an empty one."""
    points = tuple(BaselinePoint(taken=make.now - timedelta(hours=hour), value=100.0 + hour) for hour in range(9))
    full = everything(make, report_of)
    charts = replace(
        full, attempts=sampled.attempts, measurements=sampled.measurements,
        percentiles=tuple(replace(one, low=300.0, high=700.0) for one in sampled.percentiles),
        verdicts=(*full.verdicts, *sampled.verdicts),
        baseline=tuple(replace(row, points=points) for row in full.baseline),
    )  # fmt: skip
    past = tuple(
        PastResult(id=str(number), started=make.now - timedelta(hours=30 - number), action=action.word, failed=number,
                   values={"deploy.performance.p95-latency": 100.0 * number})
        for number, action in enumerate((*Action, *Action))
    )  # fmt: skip
    texts = {
        "full": HTML.text(full),
        "markup": HTML.text(everything(make, report_of, HOSTILE["markup"])),
        "charts": HTML.text(charts, View(past=lambda: past)),
        "empty": HTML.text(report_of()),
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.html").write_text(text, "utf-8")
    return {name: tmp_path / f"{name}.html" for name in texts}


@pytest.mark.services
def test_vnu_finds_no_error_in_the_page(pages) -> None:
    """It does not compare the hashes of the policy, and warns; the browser's test shows that they are right."""
    jar = NPM / "vnu-jar" / "build" / "dist" / "vnu.jar"
    command = ["java", "-jar", str(jar), "--format", "json", *map(str, pages.values())]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    found = [
        one for one in json.loads(done.stderr)["messages"] if "violates Content Security Policy" not in one["message"]
    ]
    assert found == []
    broken = pages["full"].with_name("broken.html")
    broken.write_text(pages["full"].read_text("utf-8").replace("</main>", "<p id=run></main>"), "utf-8")
    assert subprocess.run([*command[:5], str(broken)], capture_output=True, timeout=120, check=False).returncode


@pytest.mark.services
def test_axe_finds_no_violation_and_nothing_sticks_out(browser, pages) -> None:
    for width, scheme in product((390, 768, 1280), ("light", "dark")):
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)
        for name, path in pages.items():
            page = context.new_page()
            page.goto(path.as_uri())
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            page.evaluate(AXE.read_text("utf-8"))
            result = page.evaluate("(rules) => axe.run(document, {runOnly: rules})", RULES)

            assert [(name, one["id"], one["nodes"][0]["html"]) for one in result["violations"]] == []
            assert len(result["passes"]) > 20
            assert page.evaluate("document.documentElement.scrollWidth") == width, name
            page.close()
        context.close()


@pytest.mark.services
def test_the_page_asks_for_nothing_and_writes_no_message(browser, pages) -> None:
    for name, path in pages.items():
        page = browser.new_page()
        messages, requests = [], []
        page.on("console", lambda message, found=messages: found.append(message.text))
        page.on("pageerror", lambda error, found=messages: found.append(str(error)))
        page.on("request", lambda request, found=requests: found.append(request.url))
        page.goto(path.as_uri())

        assert (name, messages, requests) == (name, [], [path.as_uri()])
        assert page.is_visible("#filter")  # the policy lets the script run
        page.close()


@pytest.mark.services
def test_the_checklist_is_searched_and_filtered_by_keyboard(browser, pages) -> None:
    page = browser.new_page()
    page.goto(pages["full"].as_uri())
    lines = page.locator(".lines > li:visible")
    everyone = lines.count()

    page.focus("#search")
    page.keyboard.type("tls-days")
    page.wait_for_timeout(400)
    assert lines.count() == 1
    assert page.inner_text("#shown") == f"1 of {everyone} lines"
    page.keyboard.press("Escape")
    page.fill("#search", "nothing has this")
    page.wait_for_timeout(400)
    assert (lines.count(), page.is_visible("#nothing")) == (0, True)
    page.fill("#search", "")
    page.focus("input[name=show]")
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(100)
    assert 0 < lines.count() < everyone
    first = page.locator("summary:visible").first
    first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open] dl:visible").count() == 1


@pytest.mark.services
def test_each_choice_shows_the_lines_it_names(browser, pages) -> None:
    page = browser.new_page()
    page.goto(pages["full"].as_uri())

    shown = {}
    for choice in ("not passed", "passed", "in scope", "all"):
        page.get_by_label(choice, exact=True).check()
        results = page.locator(".lines > li:visible .result").all_inner_texts()
        shown[choice] = {text.removeprefix("· ") for text in results}
        assert page.inner_text("#shown").startswith(f"{len(results)} of ")
    page.close()

    assert shown["not passed"] == {"fail", "error", "pending"}
    assert shown["passed"] == {"pass"}
    assert shown["in scope"] == {"fail", "error", "pending", "pass", "waived", "not applicable"}
    assert shown["all"] == shown["in scope"] | {"out of scope"}


@pytest.mark.services
def test_without_a_script_the_page_is_whole(browser, pages) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["full"].as_uri())

    assert page.locator("#filter").is_hidden()
    assert page.locator(".lines > li").first.is_visible()
    page.locator("summary").first.click()
    assert page.locator("details[open] dl").first.is_visible()
    context.close()


@pytest.mark.services
def test_on_paper_every_line_shows_its_evidence(browser, pages) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["full"].as_uri())
    evidence = page.locator("details dl").first

    assert not evidence.is_visible()
    page.emulate_media(media="print")
    assert evidence.is_visible()
    assert page.locator("nav").is_hidden()
    context.close()


@pytest.mark.services
def test_a_screen_reader_is_not_read_the_marks_of_a_line_that_opens(browser, pages) -> None:
    page = browser.new_page()
    page.goto(pages["full"].as_uri())

    assert "▸" in page.evaluate("getComputedStyle(document.querySelector('summary .text'), '::after').content")
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    assert "▸" not in json.dumps(tree, ensure_ascii=False)
    page.close()
