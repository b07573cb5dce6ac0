"""`probekit verify`: its command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from probekit.cli.errors import exit_on_error
from probekit.cli.moments import Seconds
from probekit.cli.options import config_option, environment_option, header_option, verify_options
from probekit.cli.people_options import deployed_by_option, maintenance_option, reviewed_by_option
from probekit.cli.state import state_option


@click.command(name="verify")
@environment_option
@click.option(
    "--url", metavar="URL", help="Verify this URL without a configuration file: health, certificate, headers, latency."
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="CA certificates (PEM) that --url trusts in addition to the system's.",
)
@header_option
@config_option
@verify_options
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    metavar="REPORT.json",
    help="JSON report of the previous run. Replaces the state file where none is kept.",
)
@click.option(
    "--wait",
    type=Seconds(),
    default=0.0,
    metavar="DURATION",
    help="Wait up to this long for another run on this environment to end, such as 5m.",
)
@click.option(
    "--on-change",
    is_flag=True,
    help="Print nothing unless the decision, the failures or the release changed (for cron).",
)
@deployed_by_option
@reviewed_by_option
@maintenance_option
@click.option("--machine-only", is_flag=True, help="Skip items that only a person's signature answers (for cron).")
@state_option
@exit_on_error
def command(environment: str | None, url: str | None, config: Path | None, **options: Any) -> int:  # noqa: ANN401  # click hands over what the options parsed
    """Measure a deployment, judge it by the checklist, and decide.

    \b
    Examples:
      probekit verify --env prod
      probekit verify --env prod --deployed now --release 2.3.1 --wait-release 5m
      probekit verify --env prod --report json=report.json --quiet
      probekit verify --env prod --phase pre --stage before --release 2.3.1
      probekit verify --url https://app.example.com/health --quick
      probekit verify --url http://127.0.0.1:8080/health --header X-Key=HEALTH_KEY
      probekit verify --env prod --no-settle --machine-only --exit nagios
      */5 * * * * probekit verify --env prod --no-settle --on-change

    \b
    The exit code states the decision, whatever the format:
      0 go, 10 investigate, 11 hold, 20 rollback, 21 no go, 30 undecided

    \b
    With --exit nagios:
      0 go, partial; 1 hold, investigate; 2 rollback, no go, investigate now, and
      investigate after a critical or high failure; 3 undecided, and every error
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    _check(environment, url, options)
    from probekit.cli.verifying import verify  # noqa: PLC0415  # --help and the shell's completion need none of it

    return verify(environment, config, options | {"url": url})


def _check(environment: str | None, url: str | None, options: Mapping[str, Any]) -> None:
    """Refuse options of a URL together with options of a file.

    Raises:
        UsageError: there are such options.
    """
    if url is not None and environment is not None:
        raise click.UsageError("--env names an environment of a file, --url a target without a file: give one of them")
    if url is not None:
        return
    for option, given, setting in (("--ca", "ca", "connect.ca"), ("--header", "headers", "connect.headers")):
        if options[given]:
            raise click.UsageError(f"{option} works with --url only; with a file, write {setting} in its environment")
