"""Find what blocks a rollback: probekit orders only a rollback that would fix the failure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from probekit.model.history import POST_DEPLOYMENT, is_ahead
from probekit.model.verdict import Control, Flag, Served, Situation, Stage, Verdict


def rollback_blockers(verdict: Verdict, situation: Situation) -> Iterator[str]:
    """Yield each reason against a rollback, with what to do about it."""
    name, release, deployment = verdict.item.id, situation.release, situation.history.deployment
    if situation.stage is Stage.ROLLED_BACK or (deployment and deployment.rolled_back):
        yield "the release has been rolled back already; find the cause outside the release"
    else:
        yield from _of_the_deployment(situation)
    yield from _of_maintenance(situation)
    if not verdict.confirmed:
        yield f"{name} did not fail in every attempt that confirms a failure; verify again"
    if verdict.of_record:
        yield f"{name} reads probekit's own record, not the target; the previous release would not fix it"
    if Flag.UNTRUSTED in verdict.flags:
        yield f"a program reports the failure of {name}, and 'trust' does not name its probe; measure it another way"
    if Flag.PRE_EXISTING in verdict.flags:
        yield f"{name} failed before this deployment too, so the previous release would not fix it"
    if situation.control is Control.NONE:
        yield (
            "no control is configured, so a fault of the runner's network is not ruled out; "
            "set 'control', or verify from another machine"
        )
    if situation.control is Control.SILENT and situation.reached:
        yield "no control answers, although the target was reached; fix the control, or decide by hand"
    if release.served is Served.OTHER:
        yield f"another release is served ({release.because}); find out why"
    if release.served is Served.UNREADABLE:
        yield f"the served version cannot be read ({release.because}); read it and decide by hand"


def _of_the_deployment(situation: Situation) -> Iterator[str]:
    deployment = situation.history.deployment
    if deployment is None:
        yield "no deployment time known; if there was a deployment, verify again with --deployed TIME"
        return
    ago = situation.now - deployment.mark
    if is_ahead(deployment.mark, situation.now):  # in the report of an earlier version, or from Python
        yield "the deployment on record lies in the future; correct --deployed or the clock"
    if ago > POST_DEPLOYMENT:
        minutes = timedelta(minutes=1)
        yield f"the deployment is {ago // minutes} min old, more than {POST_DEPLOYMENT // minutes}; decide by hand"


def _of_maintenance(situation: Situation) -> Iterator[str]:
    """Yield each maintenance window in which no deployment is marked: the planned work may be what failed."""
    deployment = situation.history.deployment
    moments = (deployment.started, deployment.finished) if deployment else ()
    marks = [moment for moment in moments if moment and not is_ahead(moment, situation.now)]
    for window in situation.maintenance:
        if not any(window.covers(mark) for mark in marks):
            yield f"maintenance is under way ({window}), and no deployment is marked in it; decide by hand"
