"""The marks of a deployment, its planned window, and its log."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from probekit.archive import last_change, problem_of
from probekit.model.history import Deployment, is_ahead
from probekit.probe import Context, Exact, Failure, Reason
from probekit.probes.ledger.fact import MINUTE, Fact, deployment_of, lacking, unknown
from probekit.text import escape, moment

_LATE: Final = "it was written after the finish; its age then is not known"


def settled(context: Context) -> Fact:
    """Return the seconds since the deployment.

    Raises:
        ProbeFailedError: its time is not known, or lies in the future.
    """
    if context.settling_since is None:
        raise lacking("no deployment time known: use --deployed")
    seconds = (context.now() - context.settling_since).total_seconds()
    if seconds < 0:
        raise unknown(f"the deployment on record is {-seconds:.0f} s in the future: check the clocks and --deployed")
    return Fact(value=Exact(seconds))


def started_in_window(context: Context) -> Fact:
    """Return 1 if the deployment began in its planned window, else 0.

    Raises:
        ProbeFailedError: no deployment is on record, or no window is configured.
    """
    started, window = deployment_of(context).started, context.history.ledger.window
    if window is None:
        raise lacking("no deployment window is configured: set deployment_window = { from = TIME, to = TIME }")
    note = f"the deployment started at {moment(started)}, its window is {window}"
    return Fact(value=Exact(int(window.covers(started))), note=note)


def duration(context: Context) -> Fact:
    """Return the minutes from the start to the finish, else to the rollback.

    Raises:
        ProbeFailedError: no deployment is on record, or it is under way.
    """
    deployment = deployment_of(context)
    end = deployment.finished or deployment.rolled_back
    if end is None:
        raise lacking("the deployment is under way: mark its end with 'probekit deployment finish'")
    return Fact(value=Exact(max((end - deployment.started) / MINUTE, 0.0)))


async def log_age_at_deployment(context: Context) -> Fact:
    """Return the seconds from the last change of the deployment's log to the finish; while under way, to now.

    Raises:
        ProbeFailedError: no deployment or no log is on record, or the age is not known.
    """
    deployment = deployment_of(context)
    if deployment.log is None:
        raise lacking("no log of the deployment is noted: probekit deployment log FILE")
    path = deployment.log.path
    found = await asyncio.to_thread(_written, path, deployment)
    if isinstance(found, Failure):
        return Fact(value=found)
    reference = deployment.finished or deployment.rolled_back or context.now()
    if is_ahead(found, reference):
        raise unknown(f"the log {escape(path)} does not count: {_why_late(deployment, found)}")
    if deployment.finished != deployment.started and is_ahead(deployment.started, found):
        raise unknown(f"the log {escape(path)} was last changed before the deployment began: it is not of it")
    note = f"the log {escape(path)} was last changed at {moment(found)}"
    return Fact(value=Exact(max((reference - found).total_seconds(), 0.0)), note=note)


def _written(path: str, deployment: Deployment) -> datetime | Failure:
    """Return when the log was last changed: as read at the finish, else as the file says now."""
    if deployment.log and deployment.log.written and not deployment.is_under_way:
        return deployment.log.written
    try:
        return last_change(path)
    except (OSError, ValueError) as error:
        detail = f"the log {escape(path)} gives no age: {problem_of(error)}; note another: probekit deployment log FILE"
        return Failure(reason=Reason.MISSING_FILE, detail=detail)


def _why_late(deployment: Deployment, written: datetime) -> str:
    if deployment.is_under_way:
        return f"it was last changed in the future ({moment(written)}): check the clocks"
    return _LATE
