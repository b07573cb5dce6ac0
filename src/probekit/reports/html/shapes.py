"""Shapes of a drawing: numbers in its units, and texts; nothing is escaped here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

from probekit.model.numbers import number

WIDTH: Final = 360.0  # units of a drawing; about pixels on a telephone
LEFT: Final = 8.0
RIGHT: Final = 352.0
TOP: Final = 22.0  # above it are the labels of marks
PLOT: Final = 96.0  # height
_TICKS: Final = 6  # at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    kind: str = ""  # class of its style


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A vertical line with a label above it, or a label below the axis."""

    x: float
    label: str
    kind: str = ""
    anchor: str = "middle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A dot."""

    x: float
    y: float
    kind: str = ""


class LogScale:
    """Positions of durations on a logarithmic axis."""

    def __init__(self, values: Sequence[float]) -> None:
        self.low = log10(max(min(values), 0.001) / 1.15)
        self.high = max(log10(max(*values, 0.001) * 1.15), self.low + 0.3)

    def x(self, value: float) -> float:
        """Return the position of a duration in milliseconds."""
        part = (log10(max(value, 0.001)) - self.low) / (self.high - self.low)
        return round(LEFT + min(max(part, 0.0), 1.0) * (RIGHT - LEFT), 1)

    def ticks(self) -> Iterator[Mark]:
        """Yield a mark for each of a few round durations."""
        steps = [base * 10.0**power for power in range(floor(self.low), ceil(self.high) + 1) for base in (1, 2, 5)]
        inside = [step for step in steps if self.low <= log10(step) <= self.high]
        inside = (
            inside if len(inside) <= _TICKS else [step for step in inside if f"{step:e}".startswith("1")] or inside[::3]
        )
        for step in inside:
            x = self.x(step)
            anchor = "start" if x < LEFT + 20 else "end" if x > RIGHT - 20 else "middle"
            yield Mark(x=x, label=number(step, "ms"), anchor=anchor)
