"""List the success criteria of the checklist: each met, missed or open, in their groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from probekit.drawing import Block, Cell, Column, Line, Style, Table
from probekit.model.report import Report
from probekit.model.success import CriterionResult, CriterionState
from probekit.reports._support.criteria import why_not_met

_STYLES: Final[dict[CriterionState, Style]] = {
    CriterionState.MET: "good",
    CriterionState.MISSED: "bad",
    CriterionState.OPEN: "warn",
}
_COLUMNS: Final = (Column(title=""), Column(title=""), Column(title="", is_wrapped=True))


def criteria(report: Report, *, in_full: bool) -> Iterator[Block]:
    """Yield their count by state, then the missed ones, or all of them by group."""
    found = report.success
    if not found:
        return
    states = Counter(one.state for one in found)
    yield Line("success criteria: " + ", ".join(f"{states[state]} {state}" for state in CriterionState))
    if in_full:
        yield Table(columns=_COLUMNS, rows=list(_rows(found, report)), indent=2, has_titles=False)
    else:
        missed = (one for one in found if one.state is CriterionState.MISSED)
        yield from (Line(f"missed: {one.criterion.text}: {why_not_met(one, report)}", 2) for one in missed)


def _rows(found: Sequence[CriterionResult], report: Report) -> Iterator[Sequence[Cell | str]]:
    group = ""
    for one in found:
        if one.criterion.group != group:
            group = one.criterion.group
            yield (Cell(group, "strong"), "", "")
        yield (f"  {one.criterion.text}", Cell(one.state.value, _STYLES[one.state]), why_not_met(one, report))
