"""Write the report for a person: the decision and its reason, then what is not green, then the items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from probekit.drawing import Block, Line, draw
from probekit.model.report import Report
from probekit.model.verdict import Outcome, Verdict
from probekit.reports import PLAIN, Format, View
from probekit.reports._support.facts import account_text
from probekit.reports._support.next_step import next_step
from probekit.reports.console.failures import failures
from probekit.reports.console.footnotes import footnotes
from probekit.reports.console.headline import STYLES, head
from probekit.reports.console.items import counts, own_checks, table
from probekit.reports.console.success import criteria
from probekit.reports.console.unverified import unverified

_NOT_VERIFIED: Final = (Outcome.ERROR, Outcome.INCONCLUSIVE)


def render(report: Report, view: View = PLAIN) -> str:
    """Return text of at most `view.width` columns, unless one word is longer; an empty line separates blocks."""
    shows_all = view.show == "all"
    blocks: Iterable[Iterable[Block]] = (
        head(report),
        *_not_green(report),
        [table(report)] if shows_all else counts(report),
        own_checks(report),
        criteria(report, in_full=shows_all),
        _account(report),
        footnotes(report),
        _last(report),
    )
    drawn = (draw(block, width=view.width, colour=view.colour) for block in blocks)
    return "\n".join(text for text in drawn if text)


def _not_green(report: Report) -> Iterator[Iterable[Line]]:
    """Yield what failed, is not verified, not configured or unsigned, then the follow-ups; the most severe first."""
    found = sorted(report.verdicts, key=lambda verdict: -verdict.severity.gravity)
    now = [verdict for verdict in found if not verdict.is_follow_up]
    later = [verdict for verdict in found if not verdict.outcome.is_settled and verdict.is_follow_up]
    yield _block("failed", [one for one in now if one.outcome is Outcome.FAIL], report)
    yield _block("not verified", [one for one in now if one.outcome in _NOT_VERIFIED], report)
    yield _block("not configured", [one for one in now if one.outcome is Outcome.NOT_CONFIGURED], report)
    yield _block("unsigned (holds the release)", [one for one in now if one.outcome is Outcome.PENDING], report)
    yield _block(
        "not green (--strict allows no follow-ups)" if report.situation.strict else "follow-ups", later, report
    )


def _block(title: str, verdicts: list[Verdict], report: Report) -> Iterator[Line]:
    if not verdicts:
        return
    yield Line(f"{title}: {len(verdicts)}", style="strong")
    yield from failures([one for one in verdicts if one.outcome is Outcome.FAIL], report)
    yield from unverified([one for one in verdicts if one.outcome is not Outcome.FAIL], report)


def _account(report: Report) -> Iterator[Line]:
    if report.items:
        yield Line(account_text(report))


def _last(report: Report) -> Iterator[Line]:
    action = report.decision.action
    yield Line(f"Next: {next_step(report)}", style="strong")
    part = f", phase {report.run.phase}" if report.run.phase else ""
    yield Line(f"{action.word}{part}, exit code {report.exit_code}", style=STYLES[action])


FORMAT = Format(name="console", help="a person at a terminal", render=render)
