"""`probekit runs judge`: one run again, by the limits of now."""

from __future__ import annotations

from pathlib import Path

import click

from probekit import reports
from probekit.cli.config_file import default_config
from probekit.cli.errors import exit_on_error
from probekit.cli.output import view, write_stdout
from probekit.cli.runs.found import report_of
from probekit.cli.runs.targets import Choice, chosen, target_names
from probekit.cli.state import required_file, state_option
from probekit.history.store import Store
from probekit.workflows.rejudge import rejudge


@click.command(name="judge")
@click.argument("run")
@click.option(
    "--limits",
    "config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The probes.toml whose limits hold; else PROBEKIT_CONFIG or ./probes.toml.",
)
@click.option("--report", "form", type=click.Choice(reports.format_names()), default="console", show_default=True)
@target_names
@state_option
@exit_on_error
def command(*, run: str, form: str, choice: Choice, state: str | None) -> int:
    """Judge one run again by the limits of now; nothing is sent.

    It is named by the beginning of its id, or as the last or previous one of a target. The exit code is that of the
    decision.

    \b
    Examples:
      probekit runs judge 3f2a
      probekit runs judge last --env prod --limits stricter.toml
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    with Store(required_file(state)) as store:
        document = report_of(store, run, chosen(store, choice))
    report = rejudge(document, default_config(choice.config))
    write_stdout(reports.load_format(form).text(report, view()))
    return report.exit_code
