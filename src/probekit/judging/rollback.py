"""What bars a rollback, and what to do about it: only a rollback that would mend the failure is ordered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from probekit.model.history import is_ahead
from probekit.model.verdict import Control, Flag, Served, Situation, Stage, Verdict

WINDOW: Final = timedelta(minutes=120)  # in which a rollback still makes sense: the checklist's post-deployment span


def rollback_blockers(verdict: Verdict, situation: Situation) -> Iterator[str]:
    """What bars a rollback, and what to do about it; a silent control bars the whole decision."""
    name, release = verdict.item.id, situation.release
    if situation.stage is Stage.ROLLED_BACK:
        yield "the release has been rolled back already, so look for a cause outside of it"
    else:
        yield from _of_the_deployment(situation)
    yield from _of_maintenance(situation)
    if not verdict.confirmed:
        yield f"{name} did not fail in every attempt that it asks for; verify again"
    if Flag.UNTRUSTED in verdict.flags:
        yield f"a program reports that {name} failed, and 'trust' does not name its probe; measure it"
    if Flag.PRE_EXISTING in verdict.flags:
        yield f"{name} failed before this deployment too, so the previous release would not mend it"
    if situation.control is Control.NONE:
        yield "no control is configured, so our own network is not ruled out; set 'control', or look from elsewhere"
    if situation.control is Control.SILENT and situation.reached:
        yield "no control answers, although the target was reached; mend the control, or decide by hand"
    if release.served is Served.OTHER:
        yield f"another release is served ({release.because}); find out why the new one is not"
    if release.served is Served.UNREADABLE:
        yield f"what is served cannot be read ({release.because}); read it by hand and decide by hand"


def _of_the_deployment(situation: Situation) -> Iterator[str]:
    deployment = situation.history.deployment
    if deployment is None:
        yield "no deployment is on record; if there was one, verify again with --deployed TIME"
        return
    ago = situation.now - deployment.mark
    if is_ahead(deployment.mark, situation.now):  # in a report of an earlier version, or by a caller
        yield "the deployment on record lies in the future; correct --deployed or the clock"
    if ago > WINDOW:
        minutes = timedelta(minutes=1)
        yield f"the deployment is {ago // minutes} min old, more than {WINDOW // minutes}; decide by hand"


def _of_maintenance(situation: Situation) -> Iterator[str]:
    """Planned work may be what failed, unless this deployment is part of it: then a mark of it lies in the window."""
    deployment = situation.history.deployment
    moments = (deployment.started, deployment.finished) if deployment else ()
    marks = [moment for moment in moments if moment and not is_ahead(moment, situation.now)]
    for window in situation.maintenance:
        if not any(window.covers(mark) for mark in marks):
            yield f"maintenance lasts {window}, and no deployment is marked in it; decide by hand"
