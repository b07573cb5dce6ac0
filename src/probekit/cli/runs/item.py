"""The history of one item of one target: its outcome, value and limit in each run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from probekit.cli.runs.targets import name_of
from probekit.drawing import Block, Cell, Column, Line, Style, Table
from probekit.history.store import RunSummary, Store
from probekit.model.history import TargetKey
from probekit.model.numbers import number
from probekit.model.verdict import Outcome
from probekit.reports.json.read import ReportError
from probekit.reports.json.recorded import RecordedVerdict, read_report
from probekit.text import minute, words
from probekit.toml_file import nearest
from probekit.workflows.options import RequestError

_BARS: Final = "▁▂▃▄▅▆▇█"
_LONGEST: Final = 30  # bars in a line
Judged = tuple[RunSummary, RecordedVerdict]


def outcome_style(outcome: Outcome) -> Style:
    """Return the style of an outcome."""
    if outcome is Outcome.FAIL:
        return "bad"
    return "good" if outcome.is_settled else "warn"


def verdicts_of(store: Store, target: TargetKey, item: str, most: int) -> list[Judged]:
    """Return each of the last runs that judged the item, the newest first; unreadable reports are skipped.

    Raises:
        RequestError: none of them judged the item.
    """
    found: list[Judged] = []
    known: dict[str, None] = {}
    for run in store.runs(target, most=most):
        try:
            verdicts = read_report(store.report(run.id)).verdicts
        except ReportError:
            continue
        known |= dict.fromkeys(verdict.item for verdict in verdicts)
        found += [(run, verdict) for verdict in verdicts if verdict.item == item]
    if not found:
        hint = nearest(item, known) or "; see: probekit list items"
        raise RequestError(f"none of the last {most} runs of {name_of(target)} judged '{item}'{hint}")
    return found


def table_of(judged: Sequence[Judged], *, is_drawn: bool) -> Iterator[Block]:
    """Yield the table of an item, and its values as a line of bars if it is drawn."""
    columns = [Column(title=title) for title in ("run", "started (UTC)", "outcome")]
    columns += [Column(title="measured", is_number=True), Column(title="limit", is_wrapped=True)]
    yield Table(columns=columns, rows=[_row(*one) for one in judged])
    if is_drawn and (trend := _trend(judged)):
        yield Line(trend)


def _trend(judged: Sequence[Judged]) -> str:
    """Return the values of the newest run's metric as bars; empty if there are none."""
    newest = next((verdict for _, verdict in judged if verdict.observed is not None), None)
    if newest is None:
        return ""
    numbers = [verdict.observed if verdict.metric == newest.metric else None for _, verdict in judged[:_LONGEST]]
    known = [one for one in numbers if one is not None]
    unit = newest.unit or ""
    span = f"{number(min(known), unit)} to {number(max(known), unit)}" if known else ""
    return f"older {bars(numbers[::-1])} newer, {newest.metric} {span}" if known else ""


def _row(run: RunSummary, verdict: RecordedVerdict) -> list[Cell | str]:
    outcome = Cell(words(verdict.outcome), outcome_style(verdict.outcome))
    return [run.id, minute(run.started), outcome, verdict.measured or "-", verdict.limit or "-"]


def bars(numbers: Sequence[float | None]) -> str:
    """Return a bar for each number between the least and the greatest, and a gap for None."""
    known = [number for number in numbers if number is not None]
    least, most = min(known), max(known)
    extent = most / 2 - least / 2  # halves, for the difference of two floats may be infinite
    heights = (None if one is None else (one / 2 - least / 2) / extent if extent else 0.0 for one in numbers)
    return "".join(" " if height is None else _BARS[round(height * (len(_BARS) - 1))] for height in heights)


def document_of(target: TargetKey, item: str, judged: Sequence[Judged]) -> dict[str, Any]:
    """Return the history of an item as a JSON document."""
    runs = [
        {
            "id": run.id,
            "started": run.started.isoformat(),
            "outcome": verdict.outcome.value,
            "observed": verdict.observed,
            "unit": verdict.unit,
            "limit": verdict.limit,
        }
        for run, verdict in judged
    ]
    return {"item": item, "environment": target.environment, "base_url": target.base_url, "runs": runs}
