"""List the items in scope: as a table with value and limit, or as a count for each section."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from probekit.drawing import Cell, Column, Line, Style, Table
from probekit.model.report import Report
from probekit.model.verdict import Outcome, Verdict
from probekit.reports._support.values import held_to, measured, short_id
from probekit.text import words

_STYLES: Final[dict[Outcome, Style]] = {
    Outcome.PASS: "good",
    Outcome.ATTESTED: "good",
    Outcome.FAIL: "bad",
    Outcome.NOT_APPLICABLE: "faint",
    Outcome.WAIVED: "faint",
}
_COLUMNS: Final = (
    Column(title="item"),
    Column(title="result"),
    Column(title="measured", is_wrapped=True),
    Column(title="limit", is_wrapped=True),
)


def table(report: Report) -> Table:
    """Return every item in scope below its section, with its value and its limit."""
    sections: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in report.verdicts:
        sections[verdict.item.section].append(verdict)
    rows: list[Sequence[Cell | str]] = []
    for section, verdicts in sections.items():
        rows.append((Cell(section, "strong"), "", "", ""))
        rows += (_row(verdict) for verdict in verdicts)
    return Table(columns=_COLUMNS, rows=rows)


def _row(verdict: Verdict) -> Sequence[Cell | str]:
    result = Cell(words(verdict.outcome), _STYLES.get(verdict.outcome, "warn"))
    return (f"  {short_id(verdict)}", result, measured(verdict), held_to(verdict))


def counts(report: Report) -> Iterator[Line]:
    """Yield the number of items with each outcome, by section."""
    found: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for verdict in report.verdicts:
        if not verdict.item.is_own:
            found[verdict.item.section][verdict.outcome] += 1
    column = max((len(section) for section in found), default=0)
    for section, outcomes in found.items():
        summary = ", ".join(f"{outcomes[outcome]} {words(outcome)}" for outcome in Outcome if outcomes[outcome])
        yield Line(f"{section:<{column}}  {summary}")


def own_checks(report: Report) -> Iterator[Line]:
    """Yield each own check with its reading; the lists above have the reason of one that is not green."""
    if report.own_checks:
        yield Line(f"own checks: {len(report.own_checks)}")
    for verdict in report.own_checks:
        read = f": {verdict.because}" if verdict.outcome.is_settled else ""
        yield Line(f"{verdict.item.probe}  {words(verdict.outcome)}{read}", 2)
