"""Draw what ran when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from probekit.model.numbers import count, number
from probekit.model.report import Report
from probekit.reports.html.shapes import RIGHT, Bar, Mark

_LANES: Final = 30  # probes that are drawn
_LANE: Final = 16.0  # units
_PARTS: Final = 5  # of the axis, at most
_NAMES: Final = 118.0  # units of the names


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The measurements of one probe."""

    name: str
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What ran when, from the start of the run."""

    caption: str
    lanes: tuple[Lane, ...]
    ticks: tuple[Mark, ...]
    height: float


def timeline(report: Report) -> Timeline | None:
    """Return what ran when; None without measurements."""
    lanes: dict[str, list[tuple[float, float]]] = {}
    for one in report.measurements:
        name = f"{one.probe}.{one.instance}" if one.instance else one.probe
        begin = (one.taken_at - report.run.started).total_seconds()
        lanes.setdefault(name, []).append(
            (max(begin, 0.0), max(round(one.seconds, 6), 0.0))
        )  # as a report on record has it
    if not lanes:
        return None
    longest = max(report.run.seconds, *(begin + took for some in lanes.values() for begin, took in some), 0.001)

    def x(seconds: float) -> float:
        return round(_NAMES + min(seconds / longest, 1.0) * (RIGHT - _NAMES), 1)

    shown = sorted(lanes.items(), key=lambda lane: min(lane[1]))[:_LANES]
    drawn = tuple(
        Lane(name=name, y=at * _LANE, bars=tuple(_merged((x(begin), x(begin + took)) for begin, took in sorted(some))))
        for at, (name, some) in enumerate(shown)
    )
    more = f"; {count(len(lanes) - _LANES, 'more probe')} not drawn" if len(lanes) > _LANES else ""
    step = _round_step(longest)
    ticks = tuple(
        Mark(x=x(at * step), label=number(at * step, "s"), anchor="middle" if at else "start")
        for at in range(int(longest / step) + 1)
        if x(at * step) < RIGHT - 8
    )
    caption = (
        f"{count(len(report.measurements), 'measurement')} of {count(len(lanes), 'probe')} in {number(longest, 's')}"
    )
    return Timeline(caption=caption + more, lanes=drawn, ticks=ticks, height=len(drawn) * _LANE)


def _merged(spans: Iterable[tuple[float, float]]) -> Iterator[Bar]:
    """Yield a bar for each group of spans that touch."""
    start, end = -1.0, -1.0
    for begin, finish in spans:
        if begin <= end + 0.5:
            end = max(end, finish)
            continue
        if end >= 0:
            yield Bar(x=start, y=0.0, width=max(round(end - start, 1), 1.5), height=_LANE)
        start, end = begin, finish
    if end >= 0:
        yield Bar(x=start, y=0.0, width=max(round(end - start, 1), 1.5), height=_LANE)


def _round_step(longest: float) -> float:
    """Return a round number of seconds that divides the time into a few parts."""
    steps = [base * 10.0**power for power in range(-3, 6) for base in (1, 2, 5)]
    return next((step for step in steps if longest / step <= _PARTS), longest)
