"""What is not green, for a person: the gravest first, each cause once with its items."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from probekit.drawing import Line
from probekit.model.checklist import Severity
from probekit.model.report import Report
from probekit.model.verdict import Outcome, Verdict
from probekit.text import moment, words

_NOT_VERIFIED: Final = (Outcome.ERROR, Outcome.INCONCLUSIVE)
_NAMED: Final = 6  # items of one cause that are named, unless they failed
_COUNTED: Final = 10  # probes or owners of which the count is told
_LISTED: Final = 3  # items without a measurement that are listed; of more only the counts


def not_green(report: Report, summary: Sequence[str]) -> Iterator[Line]:
    """What failed, is not verified, not configured, unsigned or can wait; `summary`: the reasons shown above."""
    found = sorted(report.verdicts, key=lambda verdict: -verdict.severity.gravity)
    now = [verdict for verdict in found if not verdict.is_follow_up]
    later = [verdict for verdict in found if not verdict.outcome.is_settled and verdict.is_follow_up]
    blocks = (
        ("failed", [verdict for verdict in now if verdict.outcome is Outcome.FAIL]),
        ("not verified", [verdict for verdict in now if verdict.outcome in _NOT_VERIFIED]),
        ("not configured", [verdict for verdict in now if verdict.outcome is Outcome.NOT_CONFIGURED]),
        ("unsigned, which holds the release", [verdict for verdict in now if verdict.outcome is Outcome.PENDING]),
        ("not green, and --strict lets nothing wait" if report.situation.strict else "follow-ups", later),
    )
    for title, verdicts in blocks:
        if verdicts:
            yield Line(f"{title}: {len(verdicts)}")
            yield from _measured(verdicts, summary, report.situation.now)
            yield from _in_numbers(verdicts)


def names(verdicts: Sequence[Verdict]) -> str:
    """The ids of the first few, and how many more there are."""
    more = f" and {len(verdicts) - _NAMED} more" if len(verdicts) > _NAMED else ""
    return ", ".join(verdict.item.id for verdict in verdicts[:_NAMED]) + more


def _measured(verdicts: Sequence[Verdict], summary: Sequence[str], now: datetime) -> Iterator[Line]:
    """Each cause with its items and its evidence; failures come first, each with its own value and limit."""
    counted = _counted(verdicts)
    causes: dict[tuple[object, ...], list[Verdict]] = defaultdict(list)
    for verdict in sorted(verdicts, key=lambda one: one.outcome is not Outcome.FAIL):
        if verdict.outcome not in counted:
            alone = verdict.item.id if verdict.outcome is Outcome.FAIL else None
            causes[alone, verdict.outcome, verdict.severity, verdict.flags, verdict.because].append(verdict)
    for alike in causes.values():
        yield Line(f"{names(alike)} ({', '.join(_facts(alike[0], now))})", 2)
        if evidence := _evidence(alike[0], summary):
            yield Line(evidence, 4)


def _counted(verdicts: Sequence[Verdict]) -> dict[Outcome, list[Verdict]]:
    """What would be many lines and say little one by one: nothing was measured."""
    without = {
        Outcome.NOT_CONFIGURED: [one for one in verdicts if one.outcome is Outcome.NOT_CONFIGURED],
        Outcome.PENDING: [one for one in verdicts if one.outcome is Outcome.PENDING and one.is_follow_up],
    }
    return {outcome: some for outcome, some in without.items() if len(some) > _LISTED}


def _in_numbers(verdicts: Sequence[Verdict]) -> Iterator[Line]:
    counted = _counted(verdicts)
    if unmeasured := counted.get(Outcome.NOT_CONFIGURED):
        grades = {severity: [one for one in unmeasured if one.severity is severity] for severity in Severity}
        graded = ", ".join(f"{len(some)} {severity}" for severity, some in grades.items() if some)
        yield Line(f"{len(unmeasured)} not configured ({graded}); probekit plan says what each item needs", 2)
        for severity, some in grades.items():
            if some and not some[0].is_follow_up:
                yield Line(f"{severity}, by probe: {_counts(Counter(one.item.probe or 'none' for one in some))}", 4)
    if unsigned := counted.get(Outcome.PENDING):
        yield Line(f"{len(unsigned)} unsigned: {_counts(Counter(one.item.owner for one in unsigned))}", 2)


def _counts(counts: Counter[str]) -> str:
    more = f" and {len(counts) - _COUNTED} more" if len(counts) > _COUNTED else ""
    shown = counts.most_common(_COUNTED)
    return ", ".join(f"{name} {count}" if count > 1 else name for name, count in shown) + more


def _facts(verdict: Verdict, now: datetime) -> Iterator[str]:
    """What a reader must know of it beside its reason: of a failure also whose it is."""
    yield verdict.severity.value
    if verdict.outcome is not Outcome.FAIL:
        yield words(verdict.outcome)
    yield from (words(flag) for flag in sorted(verdict.flags))
    if verdict.outcome is Outcome.FAIL:
        yield verdict.item.owner
        if not verdict.confirmed:
            yield "not in every attempt yet"
        if verdict.since and verdict.since < now:
            yield f"since {moment(verdict.since)}"


def _evidence(verdict: Verdict, summary: Sequence[str]) -> str:
    """Its reason with value and limit; where the reason stands above, value and limit alone."""
    is_told = any(reason.endswith(f": {verdict.because}") for reason in summary) and not verdict.is_follow_up
    if verdict.observed is None or verdict.limit is None:
        return "" if is_told else verdict.because
    limit = f"limit {str(verdict.limit).removeprefix(verdict.limit.metric).strip()}"
    value = f"{verdict.observed:.0f}" if verdict.observed % 1 == 0 else f"{verdict.observed:.4g}"
    unit = verdict.limit.metric_unit or ""
    measured = f"{words(verdict.limit.metric)} {f'{value} {unit}'.strip()}, {limit}"
    if is_told:
        return measured
    return verdict.because if limit in verdict.because else f"{measured}; {verdict.because}"
