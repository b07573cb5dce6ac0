"""List failures: each cause once with its items, value and limit, since when, what to do and whom to call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from probekit.drawing import Line
from probekit.model.numbers import ago
from probekit.model.report import Report
from probekit.model.verdict import Outcome, Verdict
from probekit.reports._support.remedies import of_failure
from probekit.reports._support.values import evidence
from probekit.text import moment, words

_LABEL = 9  # columns of a label


def failures(verdicts: Sequence[Verdict], report: Report) -> Iterator[Line]:
    """Yield a block for each cause among failed items, the most severe first."""
    causes: dict[tuple[object, ...], list[Verdict]] = defaultdict(list)
    for one in verdicts:
        advice = of_failure(one, report)
        causes[one.severity, one.flags, one.confirmed, one.since, evidence(one), advice, one.item.owner].append(one)
    for alike in causes.values():
        yield from _block(alike, report)


def fact(label: str, text: str) -> Line:
    """Return one line of a block: a label and a text."""
    return Line(f"{label:<{_LABEL}}{text}", 4, hanging=_LABEL)


def _block(alike: Sequence[Verdict], report: Report) -> Iterator[Line]:
    first = alike[0]
    grade = ", ".join((first.severity.value, *(words(flag) for flag in sorted(first.flags))))
    for one in alike:
        yield Line(f"{one.item.id} ({grade})", 2, "bad" if first.severity.is_grave else "warn")
    yield fact("measured", evidence(first))
    if since := _since(first, report.situation.now):
        yield fact("since", since)
    if not first.confirmed:
        yield fact("attempts", "not every attempt failed yet: verify again")
    yield fact("do", of_failure(first, report))
    yield fact("owner", first.item.owner)
    if called := report.run.paging.of(first.severity):
        yield fact("call", "; ".join(map(str, called)))


def _since(verdict: Verdict, now: datetime) -> str:
    if verdict.outcome is not Outcome.FAIL or verdict.since is None or verdict.since >= now:
        return ""
    return f"{moment(verdict.since)}, {ago((now - verdict.since).total_seconds())}"
