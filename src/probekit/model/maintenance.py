"""Periods that people planned: a deployment window, and maintenance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From one moment to another, both included."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse a moment without a zone, and an end that is not after the start."""
        if self.end <= self.start or self.start.tzinfo is None:
            raise ValueError(f"from {self.start} to {self.end} is no period")

    def covers(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.start <= moment <= self.end

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether some of the time between two moments lies in it."""
        return self.start <= end and start <= self.end

    def __str__(self) -> str:
        start, end = self.start.astimezone(UTC), self.end.astimezone(UTC)
        day = "" if start.date() == end.date() else f"{end:%Y-%m-%d} "
        return f"from {start:%Y-%m-%d %H:%M} to {day}{end:%H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance(Period):
    """A period of planned work, in which a failure may be part of that work."""

    reason: str = ""

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{Period.__str__(self)}{reason}"


def in_force(windows: Iterable[Maintenance], began: datetime, now: datetime) -> tuple[Maintenance, ...]:
    """The windows in which some of a run's time lies, in order: what it measured then may be that work's."""
    found = {window for window in windows if window.overlaps(began, now)}
    return tuple(sorted(found, key=lambda window: (window.start, window.end, window.reason)))
