"""Options for who deployed and reviewed a release, and for planned maintenance."""

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
        """Return the text unchanged."""
        text = str(value)
        if problem := one_line_problem(text):
            self.fail(f"it {problem}", param, ctx)
        return text


class MaintenanceWindow(click.ParamType[Maintenance]):
    """Two moments with their zones, FROM/TO."""

    name = "FROM/TO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Maintenance:  # noqa: ANN401  # click's interface
        """Return the window in UTC."""
        if isinstance(value, Maintenance):
            return value
        from probekit.config.people import period_problem  # noqa: PLC0415  # --help needs none

        try:
            start, end = (_moment(part) for part in value.split("/"))
        except (ValueError, OverflowError):
            example = "2026-12-01T22:00Z/2026-12-01T23:30Z"
            self.fail(f"'{value}' is not FROM/TO, two times with time zones: write {example}", param, ctx)
        if problem := period_problem(start, end):
            self.fail(
                f"'{value}' is not a valid FROM/TO: {problem}".replace("'to'", "TO").replace("'from'", "FROM"),
                param,
                ctx,
            )
        return Maintenance(start=start, end=end)


def _moment(text: str) -> datetime:
    """Return a moment in UTC.

    Raises:
        ValueError: the text is not a time, or has no time zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


deployed_by_option = click.option(
    "--deployed-by", metavar="TEXT", type=OneLine(), help="Who deploys this release. Recorded with the deployment."
)
reviewed_by_option = click.option(
    "--reviewed-by", metavar="TEXT", type=OneLine(), help="Who reviewed this release. Recorded with the deployment."
)
maintenance_option = click.option(
    "--maintenance",
    "maintenance",
    multiple=True,
    metavar="FROM/TO",
    type=MaintenanceWindow(),
    help="Planned maintenance: no rollback is ordered in it, unless a deployment is marked in it. Repeatable.",
)
