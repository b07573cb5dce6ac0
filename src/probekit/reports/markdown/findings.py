"""List what failed and what is not verified, each with its evidence and what to do; the most severe first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from probekit.model.numbers import count
from probekit.model.report import Report
from probekit.model.verdict import Outcome, Verdict
from probekit.reports._support.remedies import remedy
from probekit.reports._support.values import names
from probekit.reports.markdown.bounds import limited, whole
from probekit.reports.markdown.inline import NAME, code, joined, prose
from probekit.reports.markdown.lines import evidence, outcome
from probekit.text import moment, words

_FAILED: Final = 18_000  # characters of each list
_NOT_VERIFIED: Final = 6_000
_LATER: Final = 4_000
_EVIDENCE: Final = 1_000  # characters of one reason
_SHORT: Final = 100
_UNMEASURED: Final = (Outcome.NOT_CONFIGURED, Outcome.PENDING)
_LISTED: Final = 10  # items without a measurement or a signature; of more only the first are named


def findings(report: Report) -> Iterator[str]:
    """Yield a list of the failures that rule out a go, one of what is not verified, and one of what can wait."""
    found = sorted(
        (one for one in report.verdicts if not one.outcome.is_settled), key=lambda one: -one.severity.gravity
    )
    now = [one for one in found if report.bars_go(one)]
    failed = [one for one in now if one.outcome is Outcome.FAIL]
    yield from _list("Failed", failed, report, _FAILED)
    yield from _list("Not verified", [one for one in now if one.outcome is not Outcome.FAIL], report, _NOT_VERIFIED)
    yield from _list("Follow-ups", [one for one in found if not report.bars_go(one)], report, _LATER)


def _list(title: str, verdicts: Sequence[Verdict], report: Report, most: int) -> Iterator[str]:
    if not verdicts:
        return
    yield f"## {title}: {len(verdicts)}"
    alike = {outcome: [one for one in verdicts if one.outcome is outcome] for outcome in _UNMEASURED}
    counted = {outcome: some for outcome, some in alike.items() if len(some) > _LISTED}
    listed = [one for one in verdicts if one.outcome not in counted]
    last = [_counted(some, report) for some in counted.values()]
    forms: tuple[Callable[[Verdict, Report], str], ...] = (_in_full, _in_short, _named)
    fitting = (whole((form(one, report) for one in listed), most) for form in forms)
    lines = next((some for some in fitting if some is not None), None)
    if lines is None:
        lines = limited([_named(one, report) for one in listed], most, "item")
    yield "\n".join((*lines, *last))


def _counted(verdicts: Sequence[Verdict], report: Report) -> str:
    """Return one entry for many items of one outcome; the lines of the checklist state each."""
    return (
        f"- {count(len(verdicts), 'item')} **{words(verdicts[0].outcome)}**: {prose(names(verdicts), NAME * 2)}\n"
        f"  - do: {prose(remedy(verdicts[0], report), NAME * 2)}"
    )


def _in_full(verdict: Verdict, report: Report) -> str:
    if verdict.outcome in _UNMEASURED:
        return _in_short(verdict, report)
    called = "; ".join(map(str, report.run.paging.of(verdict.severity))) if verdict.outcome is Outcome.FAIL else ""
    parts = (
        ("since", moment(verdict.since) if verdict.since else ""),
        ("attempts", "" if verdict.confirmed else "not every attempt failed yet: verify again"),
        ("do", remedy(verdict, report)),
        ("owner", verdict.item.owner),
        ("call", called),
    )
    facts = [f"  - {label}: {prose(text, NAME * 2)}" for label, text in parts if text]
    return "\n".join((_stated(verdict, report, _EVIDENCE), *facts))


def _in_short(verdict: Verdict, report: Report) -> str:
    return _stated(verdict, report, _SHORT)


def _stated(verdict: Verdict, report: Report, most: int) -> str:
    return joined((_named(verdict, report), evidence(verdict, report, most)), ": ")


def _named(verdict: Verdict, report: Report) -> str:
    return f"- {code(verdict.item.id)} {outcome(verdict, report)}"
