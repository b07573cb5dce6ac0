"""`probekit deployment`: record when a deployment starts and ends, and what its release is, for all later runs."""

from __future__ import annotations

import click

from probekit.cli.deployment import finish, log, rolled_back, start


@click.group(name="deployment")
def command() -> None:
    """Record when a deployment starts and ends, and what its release is.

    \b
    Examples:
      probekit deployment start --env prod --release 2.3.1 --commit 3f2a9c1
      probekit deployment log deploy.log --env prod
      ./deploy.sh
      probekit deployment finish --env prod
      probekit verify --env prod
      probekit deployment rolled-back --env prod
    """  # noqa: D301  # \b is click's mark for lines it must not wrap


for _module in (start, log, finish, rolled_back):
    command.add_command(_module.command)
