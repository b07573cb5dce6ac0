"""`probekit runs prune`: remove old runs."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from probekit.cli.config_file import default_config
from probekit.cli.errors import exit_on_error
from probekit.cli.moments import Seconds
from probekit.cli.output import write_stdout
from probekit.cli.runs.targets import Choice, chosen, target_options
from probekit.cli.state import environment_of, required_file, state_option
from probekit.files import is_there
from probekit.history.retention import GO, OTHERS, PrunedRuns
from probekit.history.store import Store
from probekit.model.numbers import count
from probekit.text import moment
from probekit.workflows.options import RequestError, RunOptions

_LONGEST: Final = 3650 * 86_400.0  # seconds, ten years


@click.command(name="prune")
@click.option(
    "--keep",
    type=Seconds(most=_LONGEST),
    metavar="DURATION",
    help="Remove runs older than this, such as 90d. Required without --dry-run.",
)
@target_options
@click.option("--dry-run", is_flag=True, help="Count the runs that would be removed, and remove none.")
@state_option
@exit_on_error
def command(
    *,
    keep: float | None,
    dry_run: bool,
    choice: Choice,
    state: str | None,
) -> int:
    """Remove runs that are older than a duration.

    Deployments, baselines and the last 20 runs of each target stay, however old. Age counts from the earliest start of
    the last 20 runs on record, so a clock that is wrong once removes nothing.

    verify itself removes old runs by the environment's setting keep, or by default a go after 30 days and any other
    decision after 180 days. --dry-run without --keep counts by the same rules.

    \b
    Examples:
      probekit runs prune --keep 90d
      probekit runs prune --keep 30d --env prod --dry-run
      probekit runs prune --dry-run
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    if keep is None and not dry_run:
        raise click.UsageError("--keep is missing: give a duration such as --keep 90d, or only count with --dry-run")
    with Store(required_file(state)) as store:
        target = chosen(store, choice)
        keep = _setting(choice) if keep is None else keep
        age = None if keep is None else timedelta(seconds=keep)
        found = store.prune_runs(datetime.now(UTC), age, target, dry_run=dry_run)
        verb = "would be removed" if dry_run else "removed"
        runs = count(found.total, "run")
        write_stdout(f"{found.count} of {runs} {verb}: {_rule(found, age)}; the last 20 of each target stay\n")
        if found.count and not dry_run:
            store.compact()
    return 0


def _setting(choice: Choice) -> float | None:
    """Return the setting `keep` of the named environment (seconds); None without one, or if no file has it.

    Raises:
        ConfigError: the file is wrong: the setting is not known, and the default would be another rule.
    """
    config = default_config(choice.config)
    if choice.environment is not None and choice.url is None and is_there(config):
        with suppress(RequestError):
            return environment_of(RunOptions(environment=choice.environment, config=config)).keep
    return None


def _rule(found: PrunedRuns, age: timedelta | None) -> str:
    """Return which runs are too old."""
    if age is not None:
        return f"started before {moment(found.counted_from - age)}"
    go, others = (moment(found.counted_from - one) for one in (GO, OTHERS))
    return f"each go started before {go}, any other decision before {others}"
