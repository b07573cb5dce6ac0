"""`probekit probe`: measure one probe once and show all that it reads."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from probekit.cli import complete
from probekit.cli.config_file import default_config
from probekit.cli.errors import exit_on_error
from probekit.cli.moments import Seconds
from probekit.cli.options import config_option, environment_option, log_format_option
from probekit.cli.output import write_stdout

_NOT_GOOD = 10
_LONGEST = 600.0  # seconds of a sampling


@click.command(name="probe")
@click.argument("name", metavar="PROBE[.INSTANCE]", shell_complete=complete.probes)
@environment_option
@config_option
@click.option("--release", metavar="VERSION", help="Version that must be served.")
@click.option(
    "--window",
    type=Seconds(_LONGEST),
    default="5s",
    show_default=True,
    metavar="DURATION",
    help="Sampling time of a kind that needs a window (latency, scrape, ...).",
)
@log_format_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document (probekit.probe/1).")
@exit_on_error
def command(  # noqa: PLR0913, PLR0917  # click's options
    name: str,
    environment: str,
    config: Path | None,
    release: str | None,
    window: float,
    as_json: bool,  # noqa: FBT001  # click's interface
) -> int:
    """Measure one probe once and show every metric, note and limit.

    Use it while you write a configuration. Each instance is measured once; a kind that measures addresses separately is
    measured at each address. There is no settling, no repetition, no record and no decision. The environment's allow,
    throttle, connect and secrets apply as in a run. Limits are compared with what was observed, but a sample this short
    is inconclusive: only verify takes enough measurements to judge them.

    \b
    Exit codes:
      0   every metric with a limit was read and keeps it (without limits: all
          metrics were read)
      10  a metric was not read, or misses its limit
      64  the command line is wrong, or the probe is unknown
      78  probes.toml is wrong

    \b
    Examples:
      probekit probe health --env prod
      probekit probe database.replica --env prod --json
      probekit probe api --env prod --window 30s
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    if window <= 0:
        raise click.BadParameter("it must be longer than 0 s", param_hint="--window")
    return _measured(name, environment, default_config(config), release, window, as_json=as_json)


def _measured(  # noqa: PLR0913  # as the command has them
    name: str, environment: str, config: Path, release: str | None, window: float, *, as_json: bool
) -> int:
    """Measure, print and return the exit code."""
    from probekit import log  # noqa: PLC0415  # --help needs none
    from probekit.cli import probe_report  # noqa: PLC0415  # as above
    from probekit.config.settings import Variables  # noqa: PLC0415  # as above
    from probekit.workflows.assembly import load_config  # noqa: PLC0415  # as above
    from probekit.workflows.options import RunOptions  # noqa: PLC0415  # as above
    from probekit.workflows.probe_once import probe_once  # noqa: PLC0415  # as above

    log.configure()
    found = load_config(config)
    known = release or Variables().completed(found.dotenv.values).release
    request = RunOptions(environment=environment, config=config, config_loaded=found, release=known)
    report = asyncio.run(probe_once(request, name, window=window))
    write_stdout(probe_report.document(report) if as_json else probe_report.text(report))
    return 0 if report.is_good else _NOT_GOOD
