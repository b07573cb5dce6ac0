"""List items without an answer: not verified and how to get them verified, not configured, unsigned."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from probekit.drawing import Line
from probekit.model.checklist import Severity
from probekit.model.report import Report
from probekit.model.verdict import Outcome, Verdict
from probekit.reports._support.remedies import of_unverified, why
from probekit.reports._support.values import names
from probekit.reports.console.failures import fact
from probekit.text import words

_COUNTED: Final = 10  # probes or owners that a count names
_LISTED: Final = 3  # items without a measurement that are listed; of more only the counts


def unverified(verdicts: Sequence[Verdict], report: Report) -> Iterator[Line]:
    """Yield each cause once with its items; counts where many have no measurement or no signature."""
    counted, environment = _counted(verdicts), report.run.environment
    causes: dict[tuple[object, ...], list[Verdict]] = defaultdict(list)
    for one in verdicts:
        if one.outcome not in counted:
            causes[one.outcome, one.severity, one.flags, why(one, report)].append(one)
    for alike in causes.values():
        yield from _block(alike, report)
    if unmeasured := counted.get(Outcome.NOT_CONFIGURED):
        yield from _by_probe(unmeasured, environment)
    if unsigned := counted.get(Outcome.PENDING):
        yield Line(f"{len(unsigned)} unsigned: {_counts(Counter(one.item.owner for one in unsigned))}", 2)


def _block(alike: Sequence[Verdict], report: Report) -> Iterator[Line]:
    first = alike[0]
    grade = ", ".join((first.severity.value, words(first.outcome), *(words(flag) for flag in sorted(first.flags))))
    yield Line(f"{names(alike)} ({grade})", 2)
    yield fact("why", why(first, report))
    if first.outcome is not Outcome.PENDING:
        yield fact("do", of_unverified(first, report.run))


def _counted(verdicts: Sequence[Verdict]) -> dict[Outcome, list[Verdict]]:
    """Return the items to be counted instead of listed: many without a measurement or a signature."""
    without = {
        Outcome.NOT_CONFIGURED: [one for one in verdicts if one.outcome is Outcome.NOT_CONFIGURED],
        Outcome.PENDING: [one for one in verdicts if one.outcome is Outcome.PENDING and one.is_follow_up],
    }
    return {outcome: some for outcome, some in without.items() if len(some) > _LISTED}


def _by_probe(unmeasured: Sequence[Verdict], environment: str) -> Iterator[Line]:
    grades = {severity: [one for one in unmeasured if one.severity is severity] for severity in Severity}
    graded = ", ".join(f"{len(some)} {severity}" for severity, some in grades.items() if some)
    yield Line(f"{len(unmeasured)} not configured ({graded})", 2)
    for severity, some in grades.items():
        if some and not some[0].is_follow_up:
            yield fact(severity.value, f"by probe: {_counts(Counter(one.item.probe or 'none' for one in some))}")
    yield fact("do", f"probekit plan --env {environment} shows what each needs")


def _counts(counts: Counter[str]) -> str:
    more = f" and {len(counts) - _COUNTED} more" if len(counts) > _COUNTED else ""
    shown = counts.most_common(_COUNTED)
    return ", ".join(f"{name} {number}" if number > 1 else name for name, number in shown) + more
