"""Verdicts on items, the situation of a run, and the decision that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from probekit.model.checklist import Band, Deadline, Item, Severity
from probekit.model.history import History
from probekit.model.layer import Layer
from probekit.model.limit import Limit
from probekit.model.maintenance import Maintenance
from probekit.model.measurement import Reason
from probekit.model.record import Identity, Record


class Outcome(StrEnum):
    """The outcome of one item."""

    PASS = "pass"  # noqa: S105  # a word of the report, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    NOT_CONFIGURED = "not_configured"
    PENDING = "pending"
    ATTESTED = "attested"
    WAIVED = "waived"
    NOT_APPLICABLE = "not_applicable"

    @property
    def is_settled(self) -> bool:
        """Whether it needs no action."""
        return self in (Outcome.PASS, Outcome.ATTESTED, Outcome.WAIVED, Outcome.NOT_APPLICABLE)


class Flag(StrEnum):
    """Properties of a verdict in addition to its outcome."""

    FLAKY = "flaky"
    CHANGED = "changed"
    PRE_EXISTING = "pre_existing"
    OTHER_RELEASE = "other_release"
    REPORTED = "reported"  # by a program, not measured
    UNTRUSTED = "untrusted"  # by a program that the environment does not trust
    SOME_ADDRESSES = "some_addresses"  # some addresses of its name fail, and others do not


class Stage(StrEnum):
    """The stage of the deployment; it selects no items."""

    BEFORE = "before"
    AFTER = "after"
    ROLLED_BACK = "rolled-back"


class Control(StrEnum):
    """Whether the runner's own network is known to work."""

    ANSWERS = "answers"
    SILENT = "silent"
    NONE = "none"


class Action(Enum):
    """The action to take and its exit code, in ascending order of severity."""

    GO = ("go", 0)
    PARTIAL = ("partial", 0)
    HOLD = ("hold", 11)
    INVESTIGATE = ("investigate", 10)
    NO_GO = ("no_go", 21)
    ROLLBACK = ("rollback", 20)
    UNDECIDED = ("undecided", 30)

    def __init__(self, word: str, exit_code: int) -> None:
        self.word = word
        self.exit_code = exit_code

    @property
    def gravity(self) -> int:
        """The position in the order of severity, 0 for go; not the order of the exit codes."""
        return list(Action).index(self)


class Served(StrEnum):
    """The served version compared with the expected one."""

    UNASKED = "unasked"  # no version is expected, or no probe reads it
    EXPECTED = "expected"
    OTHER = "other"
    UNREADABLE = "unreadable"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The versions that may be served, and those that were observed."""

    expected: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()  # in addition to them, temporarily
    answers: Mapping[str, int] = field(default_factory=dict)  # version -> number of answers with it
    served: Served = Served.UNASKED
    because: str = ""

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that were observed, in order."""
        return tuple(sorted(self.answers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """The load of the runner, which can make measurements slow."""

    lag: float  # seconds of the longest stall of this process's event loop
    cpu: float  # percent of one processor that this process used
    load: float | None  # load average of the last minute per processor

    def __str__(self) -> str:
        load = "" if self.load is None else f", load {self.load:.1f} per processor"
        return f"longest stall {self.lag * 1000:.0f} ms, {self.cpu:.0f} % of one processor used{load}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The facts about the run that a decision is based on."""

    now: datetime
    stage: Stage = Stage.AFTER
    release: Release = Release()
    history: History = field(default_factory=History)
    control: Control = Control.NONE
    reached: bool = False  # the target itself answered 5xx, over TLS that no intermediary can answer
    complete: bool = True
    strict: bool = False  # follow-ups prevent a go
    partial: bool = False  # measurable items were left out
    in_scope: int = 0  # items of the environment; a partial run verified some of them
    runner: Runner | None = None
    maintenance: tuple[Maintenance, ...] = ()  # windows that overlap the run
    identity: Identity = field(default_factory=Identity)  # the release that the run is about
    contradictions: tuple[str, ...] = ()  # what configuration, command line and deployment mark say differently
    uncounted: Mapping[str, str] = field(default_factory=dict)  # address without a response -> why that does not count

    @property
    def deployed(self) -> datetime | None:
        """The start of the deployment that the run is about; None before it, or if none is on record."""
        deployment = self.history.deployment
        is_to_come = self.stage is Stage.BEFORE and deployment is not None and not deployment.is_under_way
        return None if deployment is None or is_to_come else deployment.started


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on one item with its evidence."""

    item: Item
    outcome: Outcome
    because: str
    band: Band | None = None
    observed: float | None = None
    limit: Limit | None = None
    flags: frozenset[Flag] = frozenset()
    confirmed: bool = True
    since: datetime | None = None
    layer: Layer = "record"  # that its probe reads
    claim: str = ""  # digest of the item's limits and sources
    worse: bool = False  # beyond the limit for a rollback at its deadline
    summary: str = ""  # the probe's summary of the deciding measurement
    reason: Reason | None = None  # why there is no reading, where it is not verified for that reason
    records: tuple[Record, ...] = ()  # that it rests on
    of_record: bool = False  # it reads only probekit's own record
    refuted: frozenset[Severity] = frozenset()  # severities of recorded failures whose bands its readings refute

    @property
    def severity(self) -> Severity:
        """The severity of its band, else of the item; at most high where only some addresses fail."""
        severity = self.item.severity_of(self.band)
        is_milder = Flag.SOME_ADDRESSES in self.flags and severity is Severity.CRITICAL
        return Severity.HIGH if is_milder else severity

    def ends(self, severity: Severity) -> bool:
        """Whether a recorded failure at that severity ends, by a pass or because its bands are refuted."""
        return self.outcome is Outcome.PASS or severity in self.refuted

    @property
    def is_follow_up(self) -> bool:
        """Whether it does not stop a release where it is not passed, and can be handled after a go."""
        if self.outcome is Outcome.PENDING:
            return not self.item.holds_if_pending
        return not (self.severity.is_grave or self.item.criteria)

    @property
    def deadline(self) -> Deadline:
        """The time limit of a high failure."""
        if Flag.SOME_ADDRESSES in self.flags:
            return self.item.escalate_after
        return self.item.deadline_of(self.band)

    @property
    def due(self) -> datetime | None:
        """The end of a high failure's time limit, counted from the first recorded failure."""
        if self.outcome is not Outcome.FAIL or self.severity is not Severity.HIGH or self.since is None:
            return None
        return self.since + timedelta(minutes=self.deadline.minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The action to take, the minutes left for it, and the reasons."""

    action: Action
    minutes: float | None
    because: tuple[str, ...]
