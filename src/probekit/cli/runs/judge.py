"""`probekit runs judge`: judge one recorded run again with the current limits."""

from __future__ import annotations

from pathlib import Path

import click

from probekit.cli.config_file import default_config
from probekit.cli.errors import exit_on_error
from probekit.cli.options import report_option
from probekit.cli.plugin import ExitCodes, exit_code, exit_option
from probekit.cli.report_files import Output, Reports, check_files, with_stdout, written
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
@report_option
@exit_option
@target_names
@state_option
@exit_on_error
def command(*, run: str, reports: Reports, exit_codes: ExitCodes, choice: Choice, state: str | None) -> int:
    """Judge one run again with the current limits.

    Nothing is sent to the target. RUN is the beginning of the run's id, or last or previous: the run of the target that
    --env or --url names. A run of verify --url is judged by the built-in limits; give its whole URL with --url.

    The exit code is that of the decision.

    \b
    Examples:
      probekit runs judge 3f2a
      probekit runs judge last --env prod --limits stricter.toml
      probekit runs judge last --env prod --report markdown=judged.md
      probekit runs judge last --url https://app.example.com/health
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    output = Output(reports=with_stdout(reports, exit_codes), exit_codes=exit_codes, state=required_file(state))
    check_files(output)
    with Store(required_file(state)) as store:
        document = report_of(store, run, chosen(store, choice))
    if choice.config is None and is_of_url(document):
        report = rejudge_url(document, choice.url)
    else:
        report = rejudge(document, default_config(choice.config))
    return exit_code(report, exit_codes, is_written=written(report, output))
