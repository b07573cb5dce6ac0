"""List what else a reader must know: changed limits, items that do not apply, what the run rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from probekit.drawing import Line
from probekit.model.history import Deployment
from probekit.model.measurement import Reason
from probekit.model.numbers import ago, span
from probekit.model.report import Report
from probekit.model.verdict import Control, Flag, Outcome, Verdict
from probekit.reports._support.values import changed_limit, names
from probekit.text import moment

_HASH: Final = 12  # characters of the configuration's hash


def footnotes(report: Report) -> Iterator[Line]:
    """Yield the notes on items that are not plainly green, and what the run rests on."""
    for verdict in report.verdicts:
        yield from _of_one(verdict)
    if report.reported:
        ids = ", ".join(one.item.id for one in report.reported)
        yield Line(f"reported by a program, not measured: {ids}")
    exempt: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in report.verdicts:
        if verdict.outcome is Outcome.NOT_APPLICABLE:
            exempt[verdict.because].append(verdict)
    for because, verdicts in exempt.items():
        yield Line(f"not applicable: {names(verdicts)}: {because}")
    yield from _situation(report)
    run = report.run
    yield from (Line(f"note: {note}") for note in run.notes)
    took = f"{span(run.seconds)} from {moment(run.started)}"
    by = f"configuration {run.config_hash[:_HASH]}, probekit {run.version}"
    yield Line(f"run {run.id}: {took}, {report.checklist}, {by}", style="faint")


def _of_one(verdict: Verdict) -> Iterator[Line]:
    item = verdict.item
    if changed := changed_limit(verdict):
        yield Line(f"changed limit: {item.id}: {changed}")
    if verdict.outcome is Outcome.PASS:
        yield from (Line(f"record: {item.id}: {record}") for record in verdict.records if record.is_known)
    if Flag.FLAKY in verdict.flags and verdict.outcome is Outcome.PASS:
        yield Line(f"flaky pass: {item.id}: {verdict.because}")
    if verdict.outcome is Outcome.WAIVED:
        yield Line(f"waived: {item.id}: {verdict.because}")


def _situation(report: Report) -> Iterator[Line]:
    situation = report.situation
    if situation.release.because:
        yield Line(f"release: {situation.release.because}")
    yield Line(f"control: {'none configured' if situation.control is Control.NONE else situation.control}")
    if situation.runner and any(verdict.reason is Reason.OVERLOADED for verdict in report.verdicts):
        yield Line(f"this machine was too busy for the measurements marked as overloaded: {situation.runner}")
    yield from _people(report)
    deployment = situation.history.deployment
    if deployment is None:
        yield Line("deployment on record: none")
        return
    release = f"{deployment.release}, " if deployment.release else ""
    since = ago((situation.now - deployment.mark).total_seconds())
    yield Line(f"deployment on record: {release}{_state(deployment)} {moment(deployment.mark)}, {since}")


def _state(deployment: Deployment) -> str:
    """Return the state that a deployment has reached at its mark."""
    if deployment.rolled_back:
        return "rolled back"
    if deployment.finished:
        return "failed" if deployment.failed else "finished"
    return "not finished, started"


def _people(report: Report) -> Iterator[Line]:
    """Yield who deployed, who reviewed, and the planned deployment window."""
    run = report.run
    named = (("deployed by", run.deployed_by), ("reviewed by", run.reviewed_by))
    yield from (Line(f"{what}: {who}") for what, who in named if who)
    if run.deployment_window:
        yield Line(f"deployment window: {run.deployment_window}")
