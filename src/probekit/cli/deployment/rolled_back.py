"""`probekit deployment rolled-back`: mark that the previous release is in place again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from probekit.cli.config_file import default_config
from probekit.cli.deployment.log import with_log_read
from probekit.cli.deployment.marking import at_option, latest, named, none_is, not_before_start
from probekit.cli.errors import exit_on_error
from probekit.cli.options import config_option, environment_option
from probekit.cli.output import write_stdout
from probekit.cli.state import required_file, state_option, target_key
from probekit.history.store import Store
from probekit.text import escape, moment
from probekit.workflows.assembly import with_config
from probekit.workflows.options import RequestError, RunOptions


@click.command(name="rolled-back")
@environment_option
@at_option
@config_option
@state_option
@exit_on_error
def command(environment: str | None, *, at: datetime, config: Path | None, state: str | None) -> int:
    """Mark the deployment as rolled back.

    From here on verify expects the previous release, and asks for the items of the rollback phase.

    \b
    Examples:
      probekit deployment rolled-back --env prod
      probekit verify --env prod --phase rollback
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    options = with_config(RunOptions(environment=environment, config=default_config(config)))
    target = target_key(options)
    with Store(required_file(state)) as store:
        found = latest(store, target)
        if found is None:
            raise none_is("on record", target)
        if found.rolled_back is not None:
            raise RequestError(
                f"the deployment of {named(found)} was rolled back at {moment(found.rolled_back)} already"
            )
        at = not_before_start(found, at)
        ended = with_log_read(found) if found.is_under_way else found
        store.change(target, replace(ended, rolled_back=at))
        previous = store.previous(target, found).release
    expected = f"{escape(previous)} is expected again" if previous else "name the restored release with --release"
    write_stdout(f"{target.environment}: the deployment of {named(found)} is rolled back; {expected}\n")
    return 0
