"""Draw the decisions of the last runs, and the values of a few items in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from probekit.model.limit import Limit
from probekit.model.numbers import count, number
from probekit.model.report import Report
from probekit.model.trend import PastResult
from probekit.model.verdict import Action, Outcome, Verdict
from probekit.reports.html.shapes import LEFT, RIGHT, Point
from probekit.reports.html.styles import OF_ACTION
from probekit.text import moment, words

_ITEMS: Final = 3  # whose values are drawn
_HEIGHT: Final = 34.0  # units of one line of values
_WORDS: Final = {action.word: action for action in Action}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The decision of one run."""

    x: float
    width: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The values of one item, run by run."""

    title: str
    caption: str
    points: tuple[Point, ...]
    limit: float | None  # y


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The last runs, oldest first; the last one is this run."""

    caption: str
    runs: tuple[Decided, ...]
    values: tuple[Values, ...]


def trend(report: Report, past: Sequence[PastResult]) -> Trend | None:
    """Return the trend of the runs before, which are in order of time, and this run; None without an earlier one."""
    if not past:
        return None
    step = (RIGHT - LEFT) / (len(past) + 1)
    marks = [(one.action, f"{moment(one.started)}: {_text(one)}") for one in past]
    marks.append((report.decision.action.word, f"{moment(report.run.started)}: this run"))
    runs = tuple(
        Decided(x=_at(place, step), width=round(max(step - 2, 2.0), 1), kind=_kind(word), text=text)
        for place, (word, text) in enumerate(marks)
    )
    chosen = [one for one in _candidates(report) if sum(one.item.id in run.values for run in past) > 1]
    bad = sum(one.action not in (Action.GO.word, Action.PARTIAL.word) for one in past)
    caption = (
        f"{count(len(past), 'earlier run')} since {moment(past[0].started)}, {bad} of them without a go; this run last"
    )
    return Trend(caption=caption, runs=runs, values=tuple(_values(one, past, step) for one in chosen[:_ITEMS]))


def _text(one: PastResult) -> str:
    return words(one.action) + (f", {count(one.failed, 'item')} failed" if one.failed else "")


def _at(place: int, step: float) -> float:
    return round(LEFT + place * step, 1)


def _kind(word: str) -> str:
    return OF_ACTION[_WORDS[word]] if word in _WORDS else "none"


def _candidates(report: Report) -> list[Verdict]:
    """Return a verdict for each number against a limit with a unit: failed without a go, failed, then durations."""
    measured = [one for one in report.verdicts if _has_number(one) and one.limit and one.limit.unit]
    ordered = sorted(
        measured,
        key=lambda one: (not report.bars_go(one), one.outcome is not Outcome.FAIL, not _is_duration(one.limit)),
    )
    distinct = {(one.item.probe, one.limit and one.limit.metric): one for one in reversed(ordered)}
    return list(reversed(distinct.values()))


def _has_number(verdict: Verdict) -> bool:
    return verdict.observed is not None and isfinite(verdict.observed)


def _is_duration(limit: Limit | None) -> bool:
    return limit is not None and limit.unit == "ms"


def _values(verdict: Verdict, past: Sequence[PastResult], step: float) -> Values:
    limit, now = verdict.limit, verdict.observed or 0.0
    known = [(place, run.values[verdict.item.id]) for place, run in enumerate(past) if verdict.item.id in run.values]
    known.append((len(past), now))
    bound = limit.value if limit and limit.of == "value" else None
    numbers = [value for _, value in known]
    high = max(*numbers, bound or 0.0) if max(numbers) * 4 > (bound or 0.0) else max(numbers)
    unit = (limit.metric_unit or "") if limit else ""

    def y(value: float) -> float:
        return round(_HEIGHT - 4 - (_HEIGHT - 8) * max(value, 0.0) / (high or 1.0), 1)

    shown = f"{number(numbers[0], unit)} in the oldest run, {number(now, unit)} now"
    return Values(
        title=verdict.item.title,
        caption=shown + (f", limit {number(bound, unit)}" if bound is not None else ""),
        points=tuple(Point(x=round(_at(place, step) + step / 2, 1), y=y(value)) for place, value in known),
        limit=y(bound) if bound is not None and bound <= high else None,
    )
