"""`probekit runs judge`: judge one recorded run again with the current limits."""

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
from probekit.workflows.rejudge import is_of_url, rejudge, rejudge_url


@click.command(name="judge")
@click.argument("run")
@click.option(
    "--limits",
    "config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Configuration file with the limits. [default: $PROBEKIT_CONFIG or ./probes.toml]",
)
@click.option(
    "--report",
    "form",
    type=click.Choice(reports.format_names()),
    default="console",
    show_default=True,
    help="Format of the report on stdout.",
)
@target_names
@state_option
@exit_on_error
def command(*, run: str, form: str, choice: Choice, state: str | None) -> int:
    """Judge one run again with the current limits.

    Nothing is sent to the target. RUN is the beginning of the run's id, or last or previous: the run of the target that
    --env or --url names. A run of verify --url is judged by the built-in limits; give its whole URL with --url.

    The exit code is that of the decision.

    \b
    Examples:
      probekit runs judge 3f2a
      probekit runs judge last --env prod --limits stricter.toml
      probekit runs judge last --url https://app.example.com/health
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    with Store(required_file(state)) as store:
        document = report_of(store, run, chosen(store, choice))
    if choice.config is None and is_of_url(document):
        report = rejudge_url(document, choice.url)
    else:
        report = rejudge(document, default_config(choice.config))
    write_stdout(reports.load_format(form).text(report, view()))
    return report.exit_code
