"""What earlier runs leave to later ones: deployments, baseline windows, evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from probekit.model.checklist import Severity
from probekit.model.measurement import InstanceKey, MetricKey
from probekit.model.readings import Counted
from probekit.model.responsible import Responsible

CLOCK_SKEW: Final = timedelta(minutes=1)  # that clocks of two machines may differ: NTP keeps them closer; more is wrong


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Whether a moment lies in the future by more than clocks may differ: the clock that gave it was ahead."""
    return moment - now > CLOCK_SKEW


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetKey:
    """Whose past it is: the same name may stand for another target in another project."""

    environment: str
    base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment on record: when its release was put in place."""

    release: str | None
    started: datetime
    finished: datetime | None = None

    @property
    def mark(self) -> datetime:
        """The finish, else the start."""
        return self.finished or self.started


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkReadings:
    """What was read when a deployment was marked."""

    counters: Mapping[MetricKey, float] = field(default_factory=dict)  # what they had come to, at the latest mark
    answered: frozenset[str] = frozenset()  # questions that were answered as they should be, at its start
    declared: str | None = None  # the release that the configuration expected, where nobody named one
    responsible: Responsible = field(default_factory=Responsible)  # as its start names them


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One statistic of one window, in its metric's unit, and by which settings it was measured."""

    value: float
    fingerprint: str
    requests: float | None = None  # per block, where the target counted everybody's
    addresses: tuple[str, ...] = ()  # that were asked, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineWindow:
    """What was measured in one window before a deployment."""

    taken: datetime  # its end
    release: str | None  # that was served
    vantage: str
    values: Mapping[MetricKey, Recorded]
    rows: int  # of the checklist's baseline that it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEvidence:
    """What the windows of one release gave together, since one deployment, of one probe instance."""

    release: str  # that was served
    deployment: datetime  # its start
    fingerprint: str
    values: Mapping[str, Counted]
    until: datetime | None = None  # the end of its last window, where that is known
    addresses: tuple[str, ...] = ()  # that were asked, in order


class FailureKey(NamedTuple):
    """Which failure a time on record is of."""

    item: str
    severity: Severity
    claim: str = ""  # digest of what the item was held to and by what; empty in reports that were written without one


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a run knows of the past."""

    deployment: Deployment | None = None
    since: Mapping[FailureKey, datetime] = field(default_factory=dict)  # first failure on record
    baseline: tuple[BaselineWindow, ...] = ()  # oldest first
    evidence: Mapping[InstanceKey, PooledEvidence] = field(default_factory=dict)  # by probe and instance
    counters: Mapping[MetricKey, float] = field(default_factory=dict)  # at the deployment mark
    answered: frozenset[str] = frozenset()  # questions that were once answered as they should be
    known: bool = False  # whether there was an earlier run
    responsible: Responsible = field(default_factory=Responsible)  # for the deployment on record
    declared: str | None = None  # the release that the file expected at that mark, where no release was named
    previous_release: str | None = None  # of the latest deployment that was over before the one on record began
