"""What the marks of a deployment share: the option of their time, the deployment, and the readings."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from probekit import log
from probekit.cli.moments import Moment
from probekit.cli.output import warn
from probekit.engine.context import Cancellation, Clock
from probekit.history.ahead import deployments_ahead, ignored_marks
from probekit.history.store import Store
from probekit.model.history import Deployment, MarkReadings, TargetKey, is_ahead
from probekit.model.numbers import span
from probekit.text import escape, moment
from probekit.workflows.marks import read_mark
from probekit.workflows.options import RequestError, RunOptions

_FRESH: Final = timedelta(minutes=1)  # a mark younger than this counts as made now
at_option = click.option(
    "--at",
    metavar="TIME|now|AGO",
    type=Moment(),
    default="now",
    help="Time of the mark, such as 10m (ago). [default: now]",
)


def named(deployment: Deployment) -> str:
    """Return the release of a deployment for a message."""
    return escape(deployment.release or "a release")


def latest(store: Store, target: TargetKey) -> Deployment | None:
    """Return the deployment that was marked last; warn about marks in the future.

    Raises:
        RequestError: its mark lies in the future, so an earlier deployment would be marked instead.
    """
    now = datetime.now(UTC)
    marks = tuple(ignored_marks(store, target, now))
    if deployments_ahead(store, target, now):
        raise RequestError(marks[0])
    for mark in marks:
        warn(f"warning: {mark}")
    return store.deployment(target, now)


def none_is(state: str, target: TargetKey, last: Deployment | None = None) -> RequestError:
    """Return the error that there is no deployment in that state; it names the last one, which is over."""
    text = f"no deployment of '{target.environment}' is {state}"
    if last is not None and (end := last.rolled_back or last.finished):
        how = "rolled back" if last.rolled_back else "failed" if last.failed else "finished"
        text += f"; that of {named(last)} was marked as {how} at {moment(end)} already"
    return RequestError(f"{text}; see: probekit deployment start --help")


def not_before_start(deployment: Deployment, at: datetime) -> datetime:
    """Return the time of a later mark; the start, where another machine's clock is slightly ahead.

    Raises:
        RequestError: it is before the deployment's start.
    """
    if is_ahead(deployment.started, at):
        started = moment(deployment.started)
        raise RequestError(f"--at {moment(at)} is before the deployment's start ({started}); give a later time")
    return max(at, deployment.started)


def took(deployment: Deployment, at: datetime) -> str:
    """Return how long a deployment took until that time."""
    minutes = round((at - deployment.started).total_seconds() / 60)
    return span(60 * minutes) if minutes else "less than a minute"


def read(options: RunOptions, at: datetime, *, is_start: bool) -> MarkReadings:
    """Return what is read at this mark for later runs: nothing at a mark in the past. A failure is only a warning."""
    if datetime.now(UTC) - at >= _FRESH:
        return MarkReadings()
    log.configure()
    reading = read_mark(options, is_start=is_start, clock=Clock(), cancellation=Cancellation())
    try:
        found, lacking = asyncio.run(reading)
    except RequestError as error:  # such as a wrong file of [env.NAME.release]: the mark itself must not be lost
        warn(f"warning: nothing was read at this mark: {error}")
        return MarkReadings()
    for lack in lacking:
        warn(f"warning: counter not read: {lack}")
    return found
