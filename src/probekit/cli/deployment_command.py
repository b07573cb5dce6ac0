"""`probekit deployment`: record when a deployment starts and finishes, for all later runs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from probekit import log
from probekit.cli.config_file import default_config
from probekit.cli.errors import exit_on_error
from probekit.cli.moments import Moment
from probekit.cli.options import config_option, environment_option, log_format_option
from probekit.cli.output import warn, write_stdout
from probekit.cli.people_options import deployed_by_option, reviewed_by_option
from probekit.cli.state import required_file, state_option, target_key
from probekit.engine.context import Cancellation, Clock
from probekit.history.ahead import deployments_ahead, ignored_marks, mark_ahead
from probekit.history.store import Store
from probekit.model.history import Deployment, MarkReadings, TargetKey, is_ahead
from probekit.model.numbers import span
from probekit.model.responsible import Responsible
from probekit.text import escape, moment
from probekit.workflows.assembly import with_config
from probekit.workflows.marks import read_mark
from probekit.workflows.options import RequestError, RunOptions

_FRESH: Final = timedelta(minutes=1)  # a mark younger than this counts as made now
_AT: Final = click.option(
    "--at",
    metavar="TIME|now|AGO",
    type=Moment(),
    default="now",
    help="Time of the mark, such as 10m (ago). [default: now]",
)


@click.group(name="deployment")
def command() -> None:
    """Record when a deployment starts and finishes.

    \b
    Examples:
      probekit deployment start --env prod --release 2.3.1
      ./deploy.sh
      probekit deployment finish --env prod
      probekit verify --env prod
    """  # noqa: D301  # \b is click's mark for lines it must not wrap


@command.command(name="start")
@environment_option
@click.option("--release", metavar="VERSION", help="Version that is deployed.")
@deployed_by_option
@reviewed_by_option
@_AT
@config_option
@state_option
@log_format_option
@exit_on_error
def start(  # noqa: PLR0913  # click's interface
    environment: str | None,
    release: str | None,
    deployed_by: str | None,
    reviewed_by: str | None,
    *,
    at: datetime,
    config: Path | None,
    state: str | None,
) -> int:
    """Mark the deployment as started.

    Failures that were there before are not attributed to it. Counters are read now, so that later runs can tell how
    much they grew.
    """
    options = with_config(RunOptions(environment=environment, config=default_config(config)))
    target = target_key(options)
    deployment = Deployment(release=release, started=at)
    with Store(required_file(state)) as store:
        _replace_ahead(store, target)
        if begun := _begun(store, target, release):
            write_stdout(f"{_already(begun, target)}\n")
            return 0
        store.begin(target, deployment)
        read = _read(options, at, is_start=True)
        responsible = Responsible(deployed_by=deployed_by, reviewed_by=reviewed_by)
        store.record_mark(target, deployment, replace(read, responsible=responsible))
    write_stdout(f"{target.environment}: the deployment of {escape(release or 'a release')} started at {moment(at)}\n")
    return 0


@command.command(name="finish")
@environment_option
@_AT
@config_option
@state_option
@log_format_option
@exit_on_error
def finish(environment: str | None, at: datetime, config: Path | None, state: str | None) -> int:
    """Mark the deployment as finished.

    The settle time, and the two hours in which a rollback may be ordered, count from here.
    """
    options = with_config(RunOptions(environment=environment, config=default_config(config)))
    target = target_key(options)
    with Store(required_file(state)) as store:
        under_way = _under_way(store, target)
        if is_ahead(under_way.started, at):
            started = moment(under_way.started)
            raise RequestError(f"--at {moment(at)} is before the deployment's start ({started}); give a later time")
        begun = store.mark(target, under_way)
        read = _read(options, at, is_start=False)
        read = replace(read, answered=begun.answered, responsible=begun.responsible)
        at = max(at, under_way.started)  # another machine's clock may be slightly ahead
        store.finish(target, under_way, at)
        store.record_mark(target, under_way, read)
    minutes, release = round((at - under_way.started).total_seconds() / 60), escape(under_way.release or "a release")
    took = span(60 * minutes) if minutes else "less than a minute"
    write_stdout(f"{target.environment}: the deployment of {release} is finished; it took {took}\n")
    return 0


def _replace_ahead(store: Store, target: TargetKey) -> None:
    """Drop marks that lie in the future, which would count as the latest ones later."""
    now = datetime.now(UTC)
    for one in deployments_ahead(store, target, now):
        warn(f"warning: {mark_ahead(one, 'start', one.started)}, and is replaced by the new mark")
    store.drop_deployments_ahead(target, now)


def _begun(store: Store, target: TargetKey, release: str | None) -> Deployment | None:
    """Return the deployment of that release that is under way; a second start must not change its time."""
    found = store.deployment(target, datetime.now(UTC))
    return found if found and found.finished is None and found.release == release else None


def _already(begun: Deployment, target: TargetKey) -> str:
    release, finish = escape(begun.release or "a release"), f"probekit deployment finish --env {target.environment}"
    started = f"{target.environment}: the deployment of {release} already started at {moment(begun.started)}"
    return f"{started}, which is unchanged; when it is finished, run: {finish}"


def _under_way(store: Store, target: TargetKey) -> Deployment:
    """Return the deployment to finish, which is the one that was marked last.

    Raises:
        RequestError: none is under way, or its mark lies in the future.
    """
    now = datetime.now(UTC)
    marks = tuple(ignored_marks(store, target, now))
    if deployments_ahead(store, target, now):  # do not finish an earlier deployment instead
        raise RequestError(marks[0])
    for mark in marks:
        warn(f"warning: {mark}")
    found = store.deployment(target, now)
    if found is None or found.finished:
        hint = "see: probekit deployment start --help"
        raise RequestError(f"no deployment of '{target.environment}' is under way; {hint}")
    return found


def _read(options: RunOptions, at: datetime, *, is_start: bool) -> MarkReadings:
    """Return what is read at this mark for later runs: nothing at a mark in the past. A failure is only a warning."""
    if not _is_now(at):
        return MarkReadings()
    log.configure()
    read, lacking = asyncio.run(read_mark(options, is_start=is_start, clock=Clock(), cancellation=Cancellation()))
    for lack in lacking:
        warn(f"warning: counter not read: {lack}")
    return read


def _is_now(at: datetime) -> bool:
    return datetime.now(UTC) - at < _FRESH
