"""One metric: its name, its help and its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from probekit.model.report import Report
from probekit.model.verdict import Verdict

Row = tuple[tuple[str, ...], float]  # values of the labels as they are written, and the number
Named = list[tuple[str, Verdict]]  # each verdict of a report with the label of its item
Rows = Callable[[Report, Named], Iterable[Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric, and the rows that a report gives it."""

    name: str
    help: str  # the same for every report: readers refuse a name with two texts
    labels: tuple[str, ...] = ()  # in addition to those of every sample
    rows: Rows
