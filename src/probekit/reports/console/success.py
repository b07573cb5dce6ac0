"""List the success criteria of the checklist: each met, missed or open, in their groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from probekit.drawing import Block, Cell, Column, Line, Style, Table
from probekit.model.numbers import count
from probekit.model.report import Report
from probekit.model.success import CriterionResult, CriterionState

_STYLES: Final[dict[CriterionState, Style]] = {
    CriterionState.MET: "good",
    CriterionState.MISSED: "bad",
    CriterionState.OPEN: "warn",
}
_NAMED: Final = 2  # items that keep a criterion open
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
        yield from (Line(f"missed: {one.criterion.text}: {_why(one, report)}", 2) for one in missed)


def _rows(found: Sequence[CriterionResult], report: Report) -> Iterator[Sequence[Cell | str]]:
    group = ""
    for one in found:
        if one.criterion.group != group:
            group = one.criterion.group
            yield (Cell(group, "strong"), "", "")
        yield (f"  {one.criterion.text}", Cell(one.state.value, _STYLES[one.state]), _why(one, report))


def _why(result: CriterionResult, report: Report) -> str:
    """Return the items that failed, else those that leave the criterion open."""
    if result.state is CriterionState.MET:
        return ""
    if result.failed:
        return f"{_names(result.failed)} failed"
    seen = {verdict.item.id for verdict in report.verdicts}
    unseen, unsettled = ([name for name in result.open if (name in seen) is is_seen] for is_seen in (False, True))
    parts = [f"{_names(unsettled)} not verified"] if unsettled else []
    parts += [f"{count(len(unseen), 'item')} out of scope"] if unseen else []
    return "; ".join(parts) or "none of its items applies"


def _names(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(name.rpartition(".")[2] for name in ids[:_NAMED]) + more
