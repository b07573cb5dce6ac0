"""`probekit deployment finish`: mark that a deployment is over, also one that failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from probekit.cli.config_file import default_config
from probekit.cli.deployment.log import with_log_read
from probekit.cli.deployment.marking import at_option, latest, named, none_is, not_before_start, read, took
from probekit.cli.errors import exit_on_error
from probekit.cli.options import config_option, environment_option, log_format_option
from probekit.cli.output import write_stdout
from probekit.cli.state import required_file, state_option, target_key
from probekit.history.store import Store
from probekit.workflows.assembly import with_config
from probekit.workflows.options import RunOptions


@click.command(name="finish")
@environment_option
@click.option("--failed", is_flag=True, help="The deployment failed: its release does not count as the previous one.")
@at_option
@config_option
@state_option
@log_format_option
@exit_on_error
def command(environment: str | None, *, failed: bool, at: datetime, config: Path | None, state: str | None) -> int:
    """Mark the deployment as finished.

    The settle time, and the two hours in which a rollback may be ordered, count from here.

    \b
    Examples:
      probekit deployment finish --env prod
      probekit deployment finish --env prod --failed
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    options = with_config(RunOptions(environment=environment, config=default_config(config)))
    target = target_key(options)
    with Store(required_file(state)) as store:
        under_way = latest(store, target)
        if under_way is None or not under_way.is_under_way:
            raise none_is("under way", target, under_way)
        at = not_before_start(under_way, at)
        begun = store.mark(target, under_way)
        found = read(options, at, is_start=False)
        found = replace(found, answered=begun.answered, responsible=begun.responsible)
        store.change(target, replace(with_log_read(under_way), finished=at, failed=failed))
        store.record_mark(target, under_way, found)
    done = "failed" if failed else "is finished"
    write_stdout(f"{target.environment}: the deployment of {named(under_way)} {done}; it took {took(under_way, at)}\n")
    return 0
