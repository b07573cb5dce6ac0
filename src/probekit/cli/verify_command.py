"""`probekit verify`: what it is told on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from probekit.cli import complete
from probekit.cli.options import Seconds, config_option, verify_options
from probekit.cli.state import state_option
from probekit.cli.trouble import exit_on_error


@click.command(name="verify")
@click.option(
    "--env", "environment", metavar="NAME", help="The environment of probes.toml.", shell_complete=complete.environments
)
@click.option("--url", metavar="URL", help="Verify this URL without a file: health, certificate, headers, latency.")
@config_option
@verify_options
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    metavar="REPORT.json",
    help="The JSON report of the run before this one, where no state is kept.",
)
@click.option(
    "--wait",
    type=Seconds(),
    default=0.0,
    metavar="DURATION",
    help="Wait so long for another run of this environment to end, such as 5m.",
)
@click.option(
    "--on-change",
    is_flag=True,
    help="Print nothing while decision, failures and release stay what they were (for cron).",
)
@click.option("--machine-only", is_flag=True, help="Leave out what only a person's signature answers (for cron).")
@state_option
@exit_on_error
def command(environment: str | None, url: str | None, config: Path | None, **options: Any) -> int:  # noqa: ANN401  # click hands over what the options parsed
    """Measure a deployment, hold it against the checklist, and decide.

    \b
    Examples:
      probekit verify --env prod
      probekit verify --env prod --deployed now --release 2.3.1 --wait-release 5m
      probekit verify --env prod --report json=report.json --quiet
      probekit verify --env staging --stage before --section deploy.services
      probekit verify --url https://app.example.com --quick
      */5 * * * * probekit verify --env prod --no-settle --machine-only --on-change

    \b
    The exit code is the decision's, whatever the format:
      0 go, 10 investigate, 11 hold, 20 rollback, 21 no go, 30 undecided
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    if (environment is None) == (url is None):
        raise click.UsageError("Missing option '--env' (or '--url'); one of them.")
    from probekit.cli.verifying import verify  # noqa: PLC0415  # --help and the shell's completion need none of it

    return verify(environment or "url", config, options | {"url": url})
