"""The baseline rows of a checklist as items, which are judged like any other."""

from __future__ import annotations

from probekit.checklist import BaselineRow, Checklist
from probekit.model.checklist import Item, Severity
from probekit.model.document import BaselineComparison
from probekit.model.limit import Limit


def baseline_items(checklist: Checklist) -> tuple[Item, ...]:
    """Return each row as an item with its limit: a tolerance over the baseline, or a number."""
    return tuple(
        Item(
            id=f"baseline.rows.{row.id}",
            text=row.text,
            title=row.id,
            severity=Severity.HIGH,
            owner="",
            probe=row.probe,
            expect=(row.limit or _over(row, checklist.probes[row.probe].metrics[row.metric]),),
        )
        for row in checklist.baseline
    )


def empty_comparisons(checklist: Checklist) -> dict[str, BaselineComparison]:
    """Return the lines of each row without values, by the id of its item."""
    return {
        item.id: BaselineComparison(
            id=row.id,
            text=row.text,
            target=row.target,
            unit=checklist.probes[row.probe].metrics[row.metric],
            limit=str(item.expect[0]),
        )
        for row, item in zip(checklist.baseline, baseline_items(checklist), strict=True)
    }


def _over(row: BaselineRow, unit: str) -> Limit:
    value, floor = row.tolerance or 0.0, row.floor.value if row.floor else 0.0
    return Limit(metric=row.metric, op="<=", value=value, unit=unit, of="baseline", floor=floor)
