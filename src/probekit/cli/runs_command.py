"""`probekit runs`: list, show, compare, judge again or remove earlier runs, and record tickets."""

from __future__ import annotations

import click

from probekit.cli.runs import compare, judge, list_runs, prune, show, ticket


@click.group(name="runs")
def command() -> None:
    """List, show, compare, judge again or remove earlier runs, and record tickets.

    \b
    Examples:
      probekit runs list --env prod
      probekit runs list --env prod --item deploy.performance.p95-latency
      probekit runs show 3f2a
      probekit runs show last --env prod --json
      probekit runs compare previous last --env prod
      probekit runs judge 3f2a --limits stricter.toml
      probekit runs ticket deploy.smoke.smoke-suite https://tracker.test/OPS-7
      probekit runs prune --keep 90d --dry-run
    """  # noqa: D301  # \b is click's mark for lines it must not wrap


for _module in (list_runs, show, compare, judge, ticket, prune):
    command.add_command(_module.command)
