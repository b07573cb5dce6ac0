"""Write the end of the document: its success criteria, the table of its baseline, and its signatures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from math import isfinite
from typing import Final

from probekit.model.document import BaselineComparison
from probekit.model.numbers import number
from probekit.model.report import Report
from probekit.model.success import CriterionResult, CriterionState
from probekit.model.verdict import Outcome, Verdict
from probekit.reports._support.criteria import why_not_met
from probekit.reports.markdown.bounds import limited
from probekit.reports.markdown.inline import NAME, code, joined, marked, prose
from probekit.reports.markdown.lines import evidence, outcome
from probekit.text import minute, words

_BLANK: Final = "`__________`"
_CRITERIA: Final = 5_000  # characters of each part
_BASELINE: Final = 3_000
_SIGNATURES: Final = 4_000
_COLUMNS: Final = ("Metric", "Before", "After", "Change", "Limit", "Outcome")


def closing(report: Report) -> Iterator[str]:
    """Yield the blocks of the end."""
    if lines := list(_criteria(report)):
        yield "## Success criteria"
        yield "\n".join(limited(lines, _CRITERIA, "line")).strip()
    if report.baseline:
        yield "## Metrics baseline"
        rows = [_row(row) for row in report.baseline]
        table = ["| " + " | ".join(_COLUMNS) + " |", "| " + " | ".join("---" for _ in _COLUMNS) + " |"]
        yield "\n".join((*table, *limited(rows, _BASELINE, "row")))
    yield "## Sign-off"
    if report.document.signers:
        yield "\n".join(limited(list(_signatures(report)), _SIGNATURES, "signature"))
    yield "\n".join(f"- **{label}:** {text}" for label, text in _deployment(report))


def _criteria(report: Report) -> Iterator[str]:
    for group, found in groupby(report.success, key=lambda one: one.criterion.group):
        yield from ("", f"### {prose(group, NAME)}", "")
        yield from (_criterion(one, report) for one in found)


def _criterion(result: CriterionResult, report: Report) -> str:
    box = "x" if result.state is CriterionState.MET else " "
    state = joined((f"**{result.state}**", prose(why_not_met(result, report), NAME)), ": ")
    return f"- [{box}] {marked(result.criterion.text, NAME)}: {state}"


def _row(row: BaselineComparison) -> str:
    """Return one row of the table; the line of the document ends with a blank, which the columns fill."""
    metric = joined((prose(row.text.partition("`")[0].strip(" :"), NAME), code(row.instance)), ", ")
    reason = "" if row.outcome is Outcome.PASS else code(row.because)
    cells = (
        metric,
        _value(row.before, row.unit),
        _value(row.after, row.unit),
        _change(row),
        prose(words(row.limit), NAME),
        joined((words(row.outcome), reason), ": "),
    )
    return "| " + " | ".join(cells) + " |"


def _value(value: float | None, unit: str) -> str:
    return "" if value is None else prose(number(value, unit), NAME)


def _change(row: BaselineComparison) -> str:
    """Return the change in percent of the value before, where there is one."""
    if row.before is None or row.after is None or not row.before:
        return ""
    change = 100 * (row.after - row.before) / row.before
    return f"{'+' if change > 0 else ''}{number(round(change, 1), '%')}" if isfinite(change) else ""


def _signatures(report: Report) -> Iterator[str]:
    verdicts = {verdict.item.id: verdict for verdict in report.verdicts}
    for item, role in report.document.signers.items():
        yield _signature(role, verdicts.get(item), report)


def _signature(role: str, verdict: Verdict | None, report: Report) -> str:
    line = f"{prose(role, NAME)} approval"
    if verdict is not None and verdict.outcome is Outcome.ATTESTED:
        return f"- [x] {line}: {joined((outcome(verdict, report), evidence(verdict, report, NAME)), ': ')}"
    state = "out of scope" if verdict is None else outcome(verdict, report)
    return f"- [ ] {line}: {_BLANK} Date: {_BLANK} ({state})"


def _deployment(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the facts of the deployment that the run is about, with blanks for what is not known."""
    deployment = report.situation.history.deployment if report.situation.deployed else None
    started = deployment.started.astimezone(UTC) if deployment else None
    ended = deployment.finished or deployment.rolled_back if deployment else None
    yield "Deployment date", f"{started:%Y-%m-%d}" if started else _BLANK
    yield "Deployment time", f"{_time(started, started)} - {_time(ended, started)} UTC"
    yield "Deployed by", prose(report.run.deployed_by or "", NAME) or _BLANK
    yield "Reviewed by", prose(report.run.reviewed_by or "", NAME) or _BLANK


def _time(moment: datetime | None, started: datetime | None) -> str:
    """Return a time in UTC, with its date where it is another day."""
    if moment is None or started is None:
        return _BLANK
    there = moment.astimezone(UTC)
    return f"{there:%H:%M}" if there.date() == started.date() else minute(there)
