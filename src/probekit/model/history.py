"""The record of earlier runs for later ones: deployments, baseline windows, evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from probekit.model.checklist import Severity
from probekit.model.ledger import DeploymentLog, Ledger
from probekit.model.measurement import InstanceKey, MetricKey
from probekit.model.readings import Counted
from probekit.model.record import Identity
from probekit.model.responsible import Responsible

CLOCK_SKEW: Final = timedelta(minutes=1)  # difference between clocks that is tolerated; NTP keeps them closer
POST_DEPLOYMENT: Final = timedelta(minutes=120)  # after a deployment, as the checklist's post-deployment phase lasts


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Whether a time is in the future by more than the tolerated clock difference."""
    return moment - now > CLOCK_SKEW


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetKey:
    """The target of a record; another project may use the same name for another target."""

    environment: str
    base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment on record: when its release was put in place, and what that release is."""

    release: str | None
    started: datetime
    finished: datetime | None = None
    commit: str | None = None
    images: Mapping[str, str] = field(default_factory=dict)  # name -> digest
    previous: str | None = None  # the release before it, as stated
    failed: bool = False  # it was finished as failed
    rolled_back: datetime | None = None
    log: DeploymentLog | None = None

    @property
    def mark(self) -> datetime:
        """The rollback, else the end, else the start."""
        return self.rolled_back or self.finished or self.started

    def covers(self, moment: datetime) -> bool:
        """Whether a time belongs to the deployment: it is not over, or at most two hours after its end."""
        end = self.finished or self.rolled_back
        return end is None or moment <= end + POST_DEPLOYMENT

    @property
    def is_under_way(self) -> bool:
        """Whether it is neither finished nor rolled back."""
        return self.finished is None and self.rolled_back is None

    @property
    def identity(self) -> Identity:
        """What is known of its release."""
        return Identity(release=self.release, commit=self.commit, images=self.images, previous=self.previous)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkReadings:
    """The values that were read when a deployment was marked."""

    counters: Mapping[MetricKey, float] = field(default_factory=dict)  # their values at the latest mark
    answered: frozenset[str] = frozenset()  # questions with a correct answer at its start
    declared: str | None = None  # the release that the configuration expected, where none was named
    responsible: Responsible = field(default_factory=Responsible)  # as given at its start


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One statistic of one window in its metric's unit, with the fingerprint of its settings."""

    value: float
    fingerprint: str
    requests: float | None = None  # per block, where the target counts the requests of all clients
    addresses: tuple[str, ...] = ()  # that were measured, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineWindow:
    """The values measured in one window before a deployment."""

    taken: datetime  # its end
    release: str | None  # that was served
    vantage: str
    values: Mapping[MetricKey, Recorded]
    rows: int  # of the checklist's baseline that it contains


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEvidence:
    """The pooled values of one probe instance over the windows of one release since one deployment."""

    release: str  # that was served
    deployment: datetime  # its start
    fingerprint: str
    values: Mapping[str, Counted]
    until: datetime | None = None  # the end of its last window, where known
    addresses: tuple[str, ...] = ()  # that were measured, in order


class FailureKey(NamedTuple):
    """The failure that a recorded time belongs to."""

    item: str
    severity: Severity
    claim: str = ""  # digest of the limits and sources of the item; empty in reports without one


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The records of earlier runs that a run uses."""

    deployment: Deployment | None = None
    since: Mapping[FailureKey, datetime] = field(default_factory=dict)  # first recorded failure
    baseline: tuple[BaselineWindow, ...] = ()  # oldest first
    evidence: Mapping[InstanceKey, PooledEvidence] = field(default_factory=dict)  # by probe and instance
    counters: Mapping[MetricKey, float] = field(default_factory=dict)  # at the deployment mark
    answered: frozenset[str] = frozenset()  # questions that once had a correct answer
    known: bool = False  # whether there was an earlier run
    responsible: Responsible = field(default_factory=Responsible)  # for the recorded deployment
    declared: str | None = None  # the release that the file expected at that mark, where no release was named
    previous: Identity = field(default_factory=Identity)  # the release before that of the recorded deployment
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def previous_release(self) -> str | None:
        """The version before that of the recorded deployment."""
        return self.previous.release
