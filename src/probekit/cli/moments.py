"""What options say of time: durations, and moments with their zones."""

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
    """A duration such as 5m, of a day at most where no other bound is given (seconds)."""

    name = "duration"

    def __init__(self, most: float = _DAY) -> None:
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  # click's interface
        """Seconds."""
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
    """A moment with its zone, now, or how long ago it was."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401  # click's interface
        """The moment in UTC."""
        if isinstance(value, datetime):
            return value
        now = datetime.now(UTC)
        if is_relative(value):
            return now - timedelta(seconds=0.0 if value == _NOW else Seconds(_LONGEST_AGO).convert(value, param, ctx))
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is no time: write 2026-11-23T10:00Z, now, or 10m for ten minutes ago", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"'{value}' has no zone: write {value}Z for UTC", param, ctx)
        if is_ahead(moment, now):
            self.fail(f"'{value}' lies in the future of this clock ({now:%Y-%m-%dT%H:%MZ})", param, ctx)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            self.fail(f"'{value}' is no time of this calendar", param, ctx)


def is_relative(moment: str) -> bool:
    """Whether a text names a moment that moves with the clock: `now`, or a duration ago."""
    try:
        return moment == _NOW or quantity.duration(moment) >= 0
    except ValueError:
        return False


class Deployed(click.ParamType[tuple[datetime, bool]]):
    """When a release was put in place, and whether that was written as a moment that moves with the clock."""

    name = "time"

    def convert(
        self,
        value: Any,  # noqa: ANN401  # click's interface
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[datetime, bool]:
        """The moment in UTC, and whether it is relative."""
        return value if isinstance(value, tuple) else (Moment().convert(value, param, ctx), is_relative(value))
