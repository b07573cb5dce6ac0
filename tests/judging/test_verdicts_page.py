"""docs/verdicts.md says what the code does: each of its tables is computed again."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from probekit.judging.assessed import outcome_of
from probekit.judging.baseline import FRESH
from probekit.judging.comparison import LEAST_WINDOWS, judge_against_baseline
from probekit.judging.decide import decide
from probekit.judging.statistics import (
    BLOCKS_TO_FAIL,
    BLOCKS_TO_PASS,
    SPENT,
    Risks,
    judge_share,
    still_needed,
)
from probekit.model.checklist import Deadline, Severity
from probekit.model.history import POST_DEPLOYMENT, Deployment, History
from probekit.model.measurement import Reason
from probekit.model.plan import MOST_SLOW, MOST_SLOW_AFTER, RECHECKS, RECHECKS_THERE
from probekit.model.readings import BaselineValues, Share
from probekit.model.verdict import Control, Outcome, Stage, Verdict

PAGE = (Path(__file__).parents[2] / "docs" / "verdicts.md").read_text("utf-8")


def rows(name: str) -> list[list[str]]:
    """The cells of a table between its marks, without its head."""
    (table,) = re.findall(rf"<!-- {name} -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    lines = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    assert len(lines) > 2
    return lines[2:]


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_each_reason_has_its_outcome() -> None:
    assert dict(rows("reasons")) == {reason.value: outcome_of(reason).value for reason in Reason}


@pytest.mark.parametrize("row", rows("shares"), ids=lambda row: row[1])
def test_each_window_of_the_worked_example_is_judged_as_it_says(row) -> None:
    each, errors, rate, outcome, needed, why = row
    events = tuple(map(int, errors.split()))
    share = Share(events, (int(each),) * len(events))

    judged = judge_share(share, 0.001, Risks())

    assert (f"{judged.value:.2%}".replace("%", " %"), judged.outcome.value, judged.needed) == (
        rate,
        outcome,
        number(needed),
    )
    for word, bound in {"at most": judged.high, "at least": judged.low}.items():
        for stated in re.findall(rf"{word} ([\d.]+) %", why):
            assert abs(100 * bound - float(stated)) < 0.0005
    for events_, stated in {0: r"of ([\d,]+) requests", 1: r"one error needs ([\d,]+) requests"}.items():
        assert [number(found) for found in re.findall(stated, why)] in ([], [still_needed(events_, 0.001, Risks())])


def test_so_many_requests_are_needed() -> None:
    for limit, *counts in rows("needed"):
        share = float(limit.split()[0]) / 100
        assert [number(found) for found in counts] == [
            still_needed(0, share, Risks()),
            still_needed(0, share, Risks(window=0)),
            still_needed(0, share, Risks(), "often"),
        ]


def test_each_window_is_held_against_the_baseline_as_it_says() -> None:
    (stated,) = re.findall(r"Eight windows of ([\d, and]+) ms, at most (\d+) %", PAGE)
    base = BaselineValues(tuple(map(float, re.findall(r"\d+", stated[0]))))
    assert len(base.values) == 8
    for new, change, outcome in rows("baseline"):
        judged = judge_against_baseline(BaselineValues((float(new.split()[0]),)), base, int(stated[1]) / 100, Risks())
        text = f"x{judged.value:.2f} ({judged.low:.2f} to {judged.high:.2f})"
        assert (text, judged.outcome.value) == (change, outcome)


def test_the_numbers_of_the_text_are_the_code_s() -> None:
    text = " ".join(PAGE.split())
    parts = [f"{100 * Risks().false_pass * part:g} %" for part in SPENT]
    assert (BLOCKS_TO_PASS, BLOCKS_TO_FAIL, LEAST_WINDOWS) == (6, 3, 3)
    assert (MOST_SLOW, MOST_SLOW_AFTER) == (0.25, 3 / 32)
    for sentence in (
        f"measured {RECHECKS} more times, at least {RECHECKS_THERE} of them at that address",
        f"share the risk: {parts[0]}, {parts[1]} and {parts[2]}",
        f"at most {POST_DEPLOYMENT // timedelta(minutes=1)} minutes old",
        f"at most {FRESH // timedelta(hours=1)} h old",
        f"one broken replica of two in {1 - 0.5**8:.1%}".replace("one broken", "a broken").replace("%", " %"),
        f"one of three in {1 - (2 / 3) ** 8:.1%}".replace("%", " %"),
    ):
        assert sentence in text
    assert math.isclose(sum(SPENT), 1)


def test_each_verdict_calls_for_the_decision_that_it_names(make) -> None:
    marked = Deployment(
        release="2.3.1", started=make.now - timedelta(minutes=30), finished=make.now - timedelta(minutes=30)
    )
    after = make.situation(control=Control.ANSWERS, history=History(deployment=marked))

    def verdict(severity: Severity, outcome: Outcome = Outcome.FAIL, **fields) -> Verdict:
        item = make.item("up == 1", severity=severity, **fields.pop("item", {}))
        return Verdict(item=item, outcome=outcome, because="as it is", layer="application", **fields)

    passed = replace(verdict(Severity.HIGH, Outcome.PASS), item=make.item("up == 1", id="deploy.services.other"))
    row = {"item": {"matrix_row": make.rollback_row}}
    old = {"item": {"escalate_after": Deadline(minutes=5)}, "since": make.now - timedelta(minutes=3)}
    over = {"item": {"escalate_after": Deadline(minutes=5, then="rollback")}, "since": make.now - timedelta(minutes=6)}
    pending = verdict(Severity.HIGH, Outcome.PENDING, item={"probe": None, "holds_if_pending": True})
    cases = [
        ([], after),
        ([verdict(Severity.MEDIUM)], after),
        ([verdict(Severity.MEDIUM, item={"criteria": ("errors.error-rate",)})], after),
        ([verdict(Severity.CRITICAL, Outcome.INCONCLUSIVE)], after),
        ([verdict(Severity.HIGH, Outcome.ERROR)], after),
        ([verdict(Severity.HIGH, **old)], after),
        ([verdict(Severity.HIGH, **over)], after),
        ([verdict(Severity.CRITICAL, **row)], after),
        ([verdict(Severity.CRITICAL)], after),
        ([verdict(Severity.CRITICAL, **row)], replace(after, stage=Stage.BEFORE)),
        ([pending], after),
        ([], replace(after, complete=False)),
    ]
    stated = rows("decisions")
    assert len(stated) == len(cases)
    for (_, words, minutes), (verdicts, situation) in zip(stated, cases, strict=True):
        decision = decide([passed, *verdicts], situation)
        named = decision.action.word.replace("_", " ")
        shown = "" if decision.minutes is None else f"{decision.minutes:g}"
        assert (named, shown) == (words.split(",")[0], minutes), words
    assert decide([], after).action.word == "undecided"
