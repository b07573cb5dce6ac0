"""`probekit runs prune`: remove old runs at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import click

from probekit.cli.errors import exit_on_error
from probekit.cli.moments import Seconds
from probekit.cli.output import write_stdout
from probekit.cli.runs.targets import Choice, chosen, target_options
from probekit.cli.state import required_file, state_option
from probekit.history.store import Store
from probekit.model.numbers import count
from probekit.text import moment

_LONGEST: Final = 3650 * 86_400.0  # seconds, ten years


@click.command(name="prune")
@click.option(
    "--keep",
    required=True,
    type=Seconds(most=_LONGEST),
    metavar="DURATION",
    help="How long a run is kept, such as 90d.",
)
@target_options
@click.option("--dry-run", is_flag=True, help="Count the runs and remove none.")
@state_option
@exit_on_error
def command(
    *,
    keep: float,
    dry_run: bool,
    choice: Choice,
    state: str | None,
) -> int:
    """Remove runs that are older than a duration; marks and baselines stay.

    The last 20 runs of each target stay, however old. Age counts from the earliest start of the last 20 runs on record,
    so that a clock that is wrong once removes nothing.

    \b
    Examples:
      probekit runs prune --keep 90d
      probekit runs prune --keep 30d --env prod --dry-run
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    with Store(required_file(state)) as store:
        target = chosen(store, choice)
        found = store.prune_runs(datetime.now(UTC), timedelta(seconds=keep), target, dry_run=dry_run)
        verb = "would be removed" if dry_run else "removed"
        begun = moment(found.counted_from - timedelta(seconds=keep))
        runs = count(found.total, "run")
        write_stdout(f"{found.count} of {runs} {verb}: begun before {begun}; each target keeps its last 20\n")
        if found.count and not dry_run:
            store.compact()
    return 0
