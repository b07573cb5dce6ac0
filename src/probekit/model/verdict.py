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


class Outcome(StrEnum):
    """What is known of one item."""

    PASS = "pass"  # noqa: S105  # a word of the report, no password
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
        """Whether nobody has to do anything about it."""
        return self in (Outcome.PASS, Outcome.ATTESTED, Outcome.WAIVED, Outcome.NOT_APPLICABLE)


class Flag(StrEnum):
    """What a reader of a verdict must know beside its outcome."""

    FLAKY = "flaky"
    CHANGED = "changed"
    PRE_EXISTING = "pre_existing"
    OTHER_RELEASE = "other_release"
    REPORTED = "reported"  # by a program, not measured
    UNTRUSTED = "untrusted"  # by one that the environment does not trust
    SOME_ADDRESSES = "some_addresses"  # of its name fail, and others do not


class Stage(StrEnum):
    """Where the release stands; it selects no items."""

    BEFORE = "before"
    AFTER = "after"
    ROLLED_BACK = "rolled-back"


class Control(StrEnum):
    """Whether the runner's own network is known to work."""

    ANSWERS = "answers"
    SILENT = "silent"
    NONE = "none"


class Action(Enum):
    """What to do, with the exit code that says so; the order here is the order of gravity."""

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
        """0 for go, rising; not the order of the exit codes."""
        return list(Action).index(self)


class Served(StrEnum):
    """How the served version stands to the expected one."""

    UNASKED = "unasked"  # no version is expected, or nothing reads it
    EXPECTED = "expected"
    OTHER = "other"
    UNREADABLE = "unreadable"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The versions that may be served, and those that were seen."""

    expected: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()  # beside them, for a while
    answers: Mapping[str, int] = field(default_factory=dict)  # version -> how many answers told it
    served: Served = Served.UNASKED
    because: str = ""

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that were seen, in order."""
        return tuple(sorted(self.answers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """How the machine and the process did that measured: what is slow here may be us."""

    lag: float  # seconds of the longest standstill of our event loop
    cpu: float  # percent of one processor that we used
    load: float | None  # processes that wanted to run, for each processor, over the last minute

    def __str__(self) -> str:
        load = "" if self.load is None else f", load {self.load:.1f} a processor"
        return f"longest standstill {self.lag * 1000:.0f} ms, {self.cpu:.0f} % of a processor used{load}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The facts about the run that a decision rests on."""

    now: datetime
    stage: Stage = Stage.AFTER
    release: Release = Release()
    history: History = field(default_factory=History)
    control: Control = Control.NONE
    reached: bool = False  # the target answered a 5xx over TLS that nothing on the way can answer for
    complete: bool = True
    strict: bool = False  # what is otherwise a follow-up keeps it from a go
    partial: bool = False  # something that could be measured was left out
    in_scope: int = 0  # items of the environment, of which a narrowed run looked at some
    runner: Runner | None = None
    maintenance: tuple[Maintenance, ...] = ()  # in which some of the run's time lies
    uncounted: Mapping[str, str] = field(default_factory=dict)  # silent address -> why its silence tells nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known of one item, and the line of evidence for it."""

    item: Item
    outcome: Outcome
    because: str
    band: Band | None = None
    observed: float | None = None
    limit: Limit | None = None
    flags: frozenset[Flag] = frozenset()
    confirmed: bool = True
    since: datetime | None = None
    layer: Layer = "record"  # what its probe reads
    claim: str = ""  # digest of what the item is held to and by what
    worse: bool = False  # beyond the limit at which its deadline rolls back
    summary: str = ""  # what its probe says of the measurement that decided
    reason: Reason | None = None  # why there is no reading, where that is why it is not verified
    refuted: frozenset[Severity] = frozenset()  # severities of failures on record whose bands its readings refute

    @property
    def severity(self) -> Severity:
        """That of the band its value fell into, else the item's own; at some addresses only it is high at most."""
        severity = self.item.severity_of(self.band)
        is_milder = Flag.SOME_ADDRESSES in self.flags and severity is Severity.CRITICAL
        return Severity.HIGH if is_milder else severity

    def ends(self, severity: Severity) -> bool:
        """Whether the time of a failure on record at that severity ends: by a pass, or where its bands are refuted."""
        return self.outcome is Outcome.PASS or severity in self.refuted

    @property
    def is_follow_up(self) -> bool:
        """Whether it stops no release where it is not green: it can be followed up after a go."""
        if self.outcome is Outcome.PENDING:
            return not self.item.holds_if_pending
        return not (self.severity.is_grave or self.item.criteria)

    @property
    def deadline(self) -> Deadline:
        """The time a high failure has."""
        if Flag.SOME_ADDRESSES in self.flags:
            return self.item.escalate_after
        return self.item.deadline_of(self.band)

    @property
    def due(self) -> datetime | None:
        """When the time of a high failure ends, counted from the first one on record."""
        if self.outcome is not Outcome.FAIL or self.severity is not Severity.HIGH or self.since is None:
            return None
        return self.since + timedelta(minutes=self.deadline.minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, how long there is, and why."""

    action: Action
    minutes: float | None
    because: tuple[str, ...]
