"""The earlier runs of a deployment: reports, tickets, and whether and how fast a rollback was decided."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from probekit.archive import Archive
from probekit.model.ledger import PastFailure, PastRun
from probekit.model.numbers import count
from probekit.probe import Context, Exact
from probekit.probes.ledger.fact import MINUTE, Fact, deployment_of, lacking, ledger_of, runs_of, unknown
from probekit.text import moment

_NAMED = 3  # items or files that one note names; the others are counted


def rollback_due(context: Context) -> Fact:
    """Return 1 if a run of the deployment ordered a rollback or found a failure that requires one, else 0.

    Raises:
        ProbeFailedError: no deployment, or no run of it before its rollback, is on record.
    """
    runs = tuple(_before_rollback(context))
    if not runs:
        raise unknown("no run of this deployment is on record: run 'probekit verify' after it")
    start = deployment_of(context).started
    why = next(filter(None, (_why_due(run, start) for run in runs)), "")
    none = f"{count(len(runs), 'run')} of this deployment found no reason for a rollback"
    return Fact(value=Exact(int(bool(why))), note=why or none)


def decision_time(context: Context) -> Fact:
    """Return the minutes from the first critical failure of the deployment to the decision to roll back.

    Raises:
        ProbeFailedError: no deployment, no critical failure or no decision is on record.
    """
    rolled_back = deployment_of(context).rolled_back
    first = min(_critical_failures(context), default=None)
    if first is None:
        raise unknown("no critical failure of this deployment is on record, so there was nothing to decide")
    ordered = (run.ended for run in runs_of(context) if run.action == "rollback" and not run.partial)
    decisions = [at for at in (*ordered, *([rolled_back] if rolled_back else ())) if at >= first]
    if not decisions:
        raise lacking(
            f"the first critical failure was at {moment(first)}, and no decision is on record: "
            "mark the rollback with 'probekit deployment rolled-back'"
        )
    note = f"the first critical failure was at {moment(first)}, the decision at {moment(min(decisions))}"
    return Fact(value=Exact((min(decisions) - first) / MINUTE), note=note)


def reports(context: Context) -> Fact:
    """Return the number of earlier whole runs of the deployment, without those of phase pre.

    Raises:
        ProbeFailedError: no deployment is on record.
    """
    number = sum(not run.partial and run.phase != "pre" for run in runs_of(context))
    none = "no report of a whole run of this deployment is on record: run 'probekit verify', then verify again"
    return Fact(value=Exact(number), note="" if number else none)


def unticketed_items(context: Context) -> Fact:
    """Return the number of items without a ticket that failed in the latest whole run that covered them.

    Raises:
        ProbeFailedError: no deployment, or no whole run of it, is on record.
    """
    whole = [run for run in runs_of(context) if not run.partial]
    if not whole:
        raise unknown("no whole run of this deployment is on record: run 'probekit verify', then verify again")
    open_ = [item for item in _failed(whole) if item not in ledger_of(context).tickets]
    hint = f"no ticket for {_listed(open_)}: probekit runs ticket ITEM URL" if open_ else ""
    return Fact(value=Exact(len(open_)), note=hint)


def _failed(whole: Iterable[PastRun]) -> tuple[str, ...]:
    """Return the items that failed last; a run of one phase says nothing about items of another one."""
    failed: list[str] = []
    for run in sorted(whole, key=lambda run: run.ended):
        covered = (f"{run.phase}.", "own.") if run.phase else ("",)
        failed = [item for item in failed if not item.startswith(covered)]
        failed += (one.item for one in run.failures)
    return tuple(failed)


async def missing_archives(context: Context) -> Fact:
    """Return how many files of the deployment are missing from its archive, or differ from their checksums.

    Raises:
        ProbeFailedError: no deployment, no archive or no earlier run is on record.
    """
    deployment, runs = deployment_of(context), runs_of(context)
    if context.history.ledger.archive is None:
        raise lacking('no archive is configured: set archive = "DIR"')
    runs = tuple(run for run in runs if deployment.covers(run.ended))
    if not runs:
        raise unknown(
            "no earlier run of this deployment was to be archived: run 'probekit verify' within two hours of its end"
        )
    root = Path(context.history.ledger.archive)
    archive = Archive(root=root, release=deployment.release, started=deployment.started)
    names = [run.id for run in runs]
    found = await asyncio.to_thread(lambda: list(archive.missing(names, has_log=deployment.log is not None)))
    hint = f"missing or different in {archive.folder}: {_listed(found)}" if found else ""
    if found and deployment.log is None:
        hint += "; no log is noted: probekit deployment log FILE"
    return Fact(value=Exact(len(found)), note=hint)


def _before_rollback(context: Context) -> Iterator[PastRun]:
    """Yield the runs of the deployment that ended before it was rolled back."""
    rolled_back = deployment_of(context).rolled_back
    yield from (run for run in runs_of(context) if rolled_back is None or run.ended <= rolled_back)


def _why_due(run: PastRun, start: datetime) -> str:
    """Return why a rollback was due at the end of a run; empty if it was not, as for failures before the start."""
    if run.action == "rollback":
        return f"run {run.id} ordered a rollback at {moment(run.ended)}"
    for one in (one for one in run.failures if one.since is None or one.since >= start):
        if one.is_critical:
            return f"run {run.id} confirmed the critical failure of {one.item}"
        if one.is_overdue(run.ended):
            return f"run {run.id} found the failure of {one.item} past its deadline"
    return ""


def _critical_failures(context: Context) -> Iterator[datetime]:
    """Yield when each confirmed critical failure began that is of this deployment and not older."""
    deployment = deployment_of(context)
    for run in runs_of(context):
        for one in run.failures:
            at = _began(one, run)
            is_late = deployment.rolled_back is not None and at > deployment.rolled_back
            if one.is_critical and at >= deployment.started and not is_late:
                yield at


def _began(failure: PastFailure, run: PastRun) -> datetime:
    return failure.since or run.ended


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
