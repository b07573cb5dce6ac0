"""Draw the windows of a baseline and the value of this run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from probekit.model.document import BaselineComparison
from probekit.model.numbers import count, number
from probekit.reports.html.shapes import LEFT, PLOT, RIGHT, TOP, Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """The windows of a baseline, and the value of this run."""

    title: str
    caption: str
    points: tuple[Point, ...]
    now: Point | None
    limit: float | None  # y
    before: float | None  # y of the mean


def baselines(rows: Iterable[BaselineComparison]) -> tuple[Dots, ...]:
    """Return a drawing for each row with at least one window before."""
    return tuple(_dots(row) for row in rows if row.points)


def _dots(row: BaselineComparison) -> Dots:
    values = [one.value for one in row.points]
    tolerance = _tolerance(row)
    limit = None if tolerance is None or row.before is None else row.before * tolerance
    known = [*values, *([row.after] if row.after is not None else []), *([limit] if limit is not None else [])]
    low, high = min(known), max(known)
    low, high = min(0.0, low) if low > 0 and low < 0.5 * high else low - 0.1 * abs(low), high + 0.1 * abs(high) or 1.0
    step = (RIGHT - LEFT - 40) / max(len(values), 1)

    def y(value: float) -> float:
        return round(TOP + PLOT * (1 - (value - low) / ((high - low) or 1.0)), 1)

    points = tuple(Point(x=round(LEFT + step * (at + 0.5), 1), y=y(value)) for at, value in enumerate(values))
    after = "not measured now" if row.after is None else f"now {number(row.after, row.unit)}"
    before = (
        ""
        if row.before is None
        else f"before {number(row.before, row.unit)}, the mean of {count(row.windows, 'window')}"
    )
    return Dots(
        title=title_of(row),
        caption=f"{before}; {after}; {row.limit}",
        points=points,
        now=None if row.after is None else Point(x=RIGHT - 16, y=y(row.after), kind=row.outcome.value),
        limit=None if limit is None else y(limit),
        before=None if row.before is None else y(row.before),
    )


def _tolerance(row: BaselineComparison) -> float | None:
    """Return the factor on the baseline that the row's limit allows; None for a limit of the value."""
    words = row.limit.replace("within", "at most").split(" at most ")
    share = words[1].partition(" ")[0] if len(words) == 2 else ""  # noqa: PLR2004  # a metric and its tolerance
    try:
        return 1 + float(share) / 100
    except ValueError:
        return None


def title_of(row: BaselineComparison) -> str:
    """Return the name of a row's metric: its line without the blank, and its instance."""
    name = row.text.partition(": `")[0]
    return f"{name} ({row.instance})" if row.instance else name
