"""Planned periods: a deployment window, and maintenance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A period from one time to another, both included."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse a time without a zone, and an end that is not after the start."""
        if self.end <= self.start or self.start.tzinfo is None:
            raise ValueError(
                f"the end of the period {self.start} to {self.end} is not after its start, or a time zone is missing"
            )

    def covers(self, moment: datetime) -> bool:
        """Whether a time is in it."""
        return self.start <= moment <= self.end

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether it overlaps the time between two moments."""
        return self.start <= end and start <= self.end

    def __str__(self) -> str:
        start, end = self.start.astimezone(UTC), self.end.astimezone(UTC)
        day = "" if start.date() == end.date() else f"{end:%Y-%m-%d} "
        return f"from {start:%Y-%m-%d %H:%M} to {day}{end:%H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance(Period):
    """A period of planned work, in which a failure may be caused by that work."""

    reason: str = ""

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{Period.__str__(self)}{reason}"


def in_force(windows: Iterable[Maintenance], began: datetime, now: datetime) -> tuple[Maintenance, ...]:
    """The maintenance windows that overlap a run, in order."""
    found = {window for window in windows if window.overlaps(began, now)}
    return tuple(sorted(found, key=lambda window: (window.start, window.end, window.reason)))
