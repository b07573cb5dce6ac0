"""Types of options for times: durations, and moments with time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from probekit.model import quantity
from probekit.model.history import is_ahead

_DAY: Final = 86400.0
_LONGEST_AGO: Final = 3650 * _DAY
_NOW: Final = "now"


class Seconds(click.ParamType[float]):
    """A duration such as 5m, in seconds; at most a day, or `most` seconds."""

    name = "duration"

    def __init__(self, most: float = _DAY) -> None:
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  # click's interface
        """Return the seconds."""
        if isinstance(value, float):
            return value
        try:
            seconds = quantity.duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds > self._most:
            longest = "a day" if self._most == _DAY else quantity.duration_text(self._most)
            self.fail(f"'{value}' is longer than {longest}", param, ctx)
        return seconds


class Moment(click.ParamType[datetime]):
    """A moment with its time zone, `now`, or a duration ago."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401  # click's interface
        """Return the moment in UTC."""
        if isinstance(value, datetime):
            return value
        now = datetime.now(UTC)
        if is_relative(value):
            return now - timedelta(seconds=0.0 if value == _NOW else Seconds(_LONGEST_AGO).convert(value, param, ctx))
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is not a time: write 2026-11-23T10:00Z, now, or 10m for ten minutes ago", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"'{value}' has no time zone: write {value}Z for UTC", param, ctx)
        if is_ahead(moment, now):
            self.fail(f"'{value}' lies in the future; this machine's clock says {now:%Y-%m-%dT%H:%MZ}", param, ctx)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            self.fail(f"'{value}' lies outside the calendar (years 1 to 9999)", param, ctx)


def is_relative(moment: str) -> bool:
    """Return whether a text names a moment relative to now: `now`, or a duration ago."""
    try:
        return moment == _NOW or quantity.duration(moment) >= 0
    except ValueError:
        return False


class Deployed(click.ParamType[tuple[datetime, bool]]):
    """When a release was deployed, and whether that was written relative to now."""

    name = "time"

    def convert(
        self,
        value: Any,  # noqa: ANN401  # click's interface
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[datetime, bool]:
        """Return the moment in UTC, and whether it is relative."""
        return value if isinstance(value, tuple) else (Moment().convert(value, param, ctx), is_relative(value))
