"""Write the decision, its reason and what to do, and the facts of the run as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from probekit.model.report import Report
from probekit.model.verdict import Action
from probekit.reports._support.decision import decision_words, further_reasons, main_reason
from probekit.reports._support.facts import facts
from probekit.reports._support.next_step import next_step
from probekit.reports.markdown.inline import NAME, prose

_SIGNS: Final = {  # of colours that every renderer of Markdown has
    Action.GO: "\N{LARGE GREEN CIRCLE}",
    Action.PARTIAL: "\N{LARGE GREEN CIRCLE}",
    Action.HOLD: "\N{LARGE YELLOW CIRCLE}",
    Action.INVESTIGATE: "\N{LARGE YELLOW CIRCLE}",
    Action.NO_GO: "\N{LARGE RED CIRCLE}",
    Action.ROLLBACK: "\N{LARGE RED CIRCLE}",
    Action.UNDECIDED: "\N{LARGE PURPLE CIRCLE}",
}
_FURTHER: Final = 5  # reasons, notes and maintenance windows of each sort
_STATED: Final = ("reason", "call")  # facts that stand above the table


def head(report: Report) -> Iterator[str]:
    """Yield the decision, its reasons and the next step."""
    action = Action.UNDECIDED if report.exit_code and not report.decision.action.exit_code else report.decision.action
    yield f"# {_SIGNS[action]} {prose(decision_words(report), NAME)}"
    yield f"**Reason:** {prose(main_reason(report))}"
    if lines := list(_further(report)):
        yield "\n".join(lines)
    yield f"**Next:** {prose(next_step(report))}"


def facts_table(report: Report) -> Iterator[str]:
    """Yield the facts of the run, and where to find all of it."""
    yield "## Run"
    rows = [f"| {label} | {prose(text, NAME)} |" for label, text in facts(report) if label not in _STATED]
    yield "\n".join(("| Fact | Value |", "| --- | --- |", *rows))
    yield "The JSON report of the run has every measurement, and each text in full: `--report json=report.json`."


def _further(report: Report) -> Iterator[str]:
    yield from _some("Also", list(further_reasons(report)))
    yield from _some("Maintenance", [str(window) for window in report.maintenance])
    yield from _some("Call", ["; ".join(map(str, report.to_call))] if report.to_call else [])
    yield from _some("Note", report.run.notes)


def _some(label: str, texts: Sequence[str]) -> Iterator[str]:
    yield from (f"- **{label}:** {prose(text, NAME * 2)}" for text in texts[:_FURTHER])
    if len(texts) > _FURTHER:
        yield f"- **{label}:** {len(texts) - _FURTHER} more, in the JSON report"
