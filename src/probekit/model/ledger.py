"""probekit's own record of one deployment: the gate, the runs since, tickets, the log and the archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from probekit.model.checklist import Severity
from probekit.model.maintenance import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFailure:
    """A failed item of an earlier run."""

    item: str
    severity: Severity
    confirmed: bool
    since: datetime | None  # its first failure on record
    due: datetime | None  # the end of a high failure's time limit

    @property
    def is_critical(self) -> bool:
        """Whether it is a confirmed critical failure."""
        return self.confirmed and self.severity is Severity.CRITICAL

    def is_overdue(self, moment: datetime) -> bool:
        """Whether it is a high failure whose time limit had passed at that time."""
        return self.severity is Severity.HIGH and self.due is not None and self.due <= moment


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """An earlier run, as the ledger needs it."""

    id: str
    ended: datetime
    subject: str | None  # the release that it verified
    stage: str
    phase: str | None  # the phase of the checklist that it was limited to
    action: str
    partial: bool
    failures: tuple[PastFailure, ...] = ()
    commit: str | None = None  # of the release that it verified

    def is_gate_of(self, release: str) -> bool:
        """Whether it is the whole run that decided whether the release may be deployed."""
        return self.stage == "before" and self.phase == "pre" and not self.partial and self.subject == release


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentLog:
    """The file that a deployment writes its log to."""

    path: str
    written: datetime | None = None  # its last change, as read when the deployment was finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The record of one deployment in addition to its marks."""

    gates: tuple[PastRun, ...] = ()  # whole runs of phase pre before a deployment, the oldest first
    runs: tuple[PastRun, ...] = ()  # runs since the deployment began, the oldest first
    tickets: Mapping[str, str] = field(default_factory=dict)  # item -> URL
    window: Period | None = None  # planned for the deployment
    archive: str | None = None  # the folder of the archive
    lacking: str = ""  # why the runs and tickets on record are not known

    def gate_of(self, release: str, started: datetime) -> PastRun | None:
        """Return the latest gate of a release before its deployment started, else the first one after that."""
        gates = [run for run in self.gates if run.is_gate_of(release)]
        before = [run for run in gates if run.ended <= started]
        after = [run for run in gates if run.ended > started]
        return max(before, key=_ended, default=None) or min(after, key=_ended, default=None)

    def runs_since(self, started: datetime) -> tuple[PastRun, ...]:
        """Return the runs that verified the deployment which started then, the oldest first."""
        return tuple(run for run in self.runs if run.stage != "before" and run.ended > started)


def _ended(run: PastRun) -> datetime:
    return run.ended
