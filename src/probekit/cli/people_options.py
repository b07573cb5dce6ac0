"""Options that say who deployed and reviewed a release, and when maintenance is planned."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from probekit.model.maintenance import Maintenance
from probekit.text import one_line_problem


class OneLine(click.ParamType[str]):
    """A text of one line."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  # click's interface
        """The text as it is written."""
        text = str(value)
        if problem := one_line_problem(text):
            self.fail(f"it {problem}", param, ctx)
        return text


class MaintenanceWindow(click.ParamType[Maintenance]):
    """Two moments with their zones, FROM/TO."""

    name = "FROM/TO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Maintenance:  # noqa: ANN401  # click's interface
        """The window in UTC."""
        if isinstance(value, Maintenance):
            return value
        from probekit.config.people import period_problem  # noqa: PLC0415  # --help needs none

        try:
            start, end = (_moment(part) for part in value.split("/"))
        except (ValueError, OverflowError):
            example = "2026-12-01T22:00Z/2026-12-01T23:30Z"
            self.fail(f"'{value}' is no FROM/TO, two times with their zones: write {example}", param, ctx)
        if problem := period_problem(start, end):
            self.fail(f"'{value}' is no FROM/TO: {problem}".replace("'to'", "TO").replace("'from'", "FROM"), param, ctx)
        return Maintenance(start=start, end=end)


def _moment(text: str) -> datetime:
    """A moment in UTC.

    Raises:
        ValueError: it is none, or has no zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


deployed_by_option = click.option(
    "--deployed-by", metavar="TEXT", type=OneLine(), help="Who deploys this release; it is remembered with the mark."
)
reviewed_by_option = click.option(
    "--reviewed-by", metavar="TEXT", type=OneLine(), help="Who reviewed it; it is remembered with the mark."
)
maintenance_option = click.option(
    "--maintenance",
    "maintenance",
    multiple=True,
    metavar="FROM/TO",
    type=MaintenanceWindow(),
    help="Planned work: no rollback is ordered in it, unless a deployment is marked in it; repeatable.",
)
