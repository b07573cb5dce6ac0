"""Exit codes as a monitoring plugin has them, with --exit nagios.

The codes of probekit's own become 3 (UNKNOWN) in `probekit.__main__`, where crashes and failed imports end as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

import click

from probekit.cli.codes import INTERNAL

if TYPE_CHECKING:  # --help needs none
    from probekit.model.report import Report

ExitCodes = Literal["probekit", "nagios"]

exit_option = click.option(
    "--exit",
    "exit_codes",
    type=click.Choice(get_args(ExitCodes)),
    default="probekit",
    show_default=True,
    help="Exit codes: probekit's own, or 0 to 3 as a monitoring plugin has them, with its line on stdout.",
)


class Problem:
    """Why a command ended without an answer: the first line of its message, for the line of a plugin."""

    def __init__(self) -> None:
        self.text = ""


PROBLEM: Final = Problem()


def exit_code(report: Report, codes: ExitCodes, *, is_written: bool = True) -> int:
    """Return the exit code of a report, for a plugin a `NagiosStatus`; a go that is not written is an error."""
    if codes == "probekit":
        return report.exit_code if is_written else report.exit_code or INTERNAL
    from probekit.reports._support.nagios_status import nagios_status  # noqa: PLC0415  # --help needs none

    return nagios_status(report) if is_written else nagios_status(report) or INTERNAL


def console_or_line(codes: ExitCodes) -> str:
    """Return the format of the report on stdout where none is named."""
    return "nagios" if codes == "nagios" else "console"
