"""The nouns: what the checklist asks, what a probe saw, what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from math import isfinite
from operator import eq, ge, gt, le, lt
from statistics import fmean
from typing import Final, Literal


class Severity(StrEnum):
    """How grave a failure is, gravest first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def gravity(self) -> int:
        """0 for low to 3 for critical."""
        return 3 - list(Severity).index(self)

    @property
    def is_grave(self) -> bool:
        """Whether it stops a release: critical or high."""
        return self in (Severity.CRITICAL, Severity.HIGH)


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


class Reason(StrEnum):
    """Why there is no reading; scripts match on these words."""

    TIMEOUT = "timeout"
    BAD_RESPONSE = "bad_response"
    NOT_PERMITTED = "not_permitted"
    BUDGET_SPENT = "budget_spent"
    UNREACHABLE = "unreachable"
    UNRESOLVED = "unresolved"
    NO_NETWORK = "no_network"
    UNTRUSTED = "untrusted"
    TURNED_AWAY = "turned_away"
    REFUSED_CREDENTIALS = "refused_credentials"
    MISSING_SECRET = "missing_secret"  # noqa: S105  # a word of the report, no password
    MISSING_FILE = "missing_file"
    MISSING_SETTING = "missing_setting"
    CUT_OFF = "cut_off"
    OVERLOADED = "overloaded"
    BUG = "bug"

    @property
    def outcome(self) -> Outcome:
        """`inconclusive` where an answer proves nothing; `error` where we are at fault or nothing is in reach."""
        unclear = (Reason.TIMEOUT, Reason.BAD_RESPONSE, Reason.NOT_PERMITTED, Reason.BUDGET_SPENT)
        return Outcome.INCONCLUSIVE if self in unclear else Outcome.ERROR


class Flag(StrEnum):
    """What a reader of a verdict must know beside its outcome."""

    FLAKY = "flaky"
    CHANGED = "changed"
    PRE_EXISTING = "pre_existing"
    OTHER_RELEASE = "other_release"


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


Operator = Literal["<", "<=", "==", ">=", ">"]
_COMPARE: Final = {"<": lt, "<=": le, "==": eq, ">=": ge, ">": gt}
_TIMES: Final = ("ms", "s", "min", "h", "d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One claim about one metric, such as `first_byte < 200 ms`."""

    metric: str
    op: Operator | Literal["within"]
    value: float
    unit: str = ""
    of: Literal["value", "baseline"] = "value"  # of a baseline: the value is a tolerance in percent
    floor: float = 0.0  # of a comparison, in the metric's unit: a smaller difference is noise
    before: Windows | None = None  # what it is compared with, once that is known
    traffic: Windows | None = None  # requests per block in those windows, where the target counted everybody's
    lacking: str = ""  # why there is nothing to compare with
    earlier: Counted | None = None  # what earlier windows of the same release gave, once that is known

    def holds(self, value: float) -> bool:
        """Whether a value in the limit's own unit keeps it; the comparison is exact."""
        if self.of == "baseline":
            message = f"'{self}' needs a baseline to compare with"
            raise ValueError(message)
        return bool(_COMPARE[self.op](value, self.value))

    @property
    def is_duration(self) -> bool:
        """Whether the metric is a time, which an attempt judges by the median of its looks."""
        return self.unit in _TIMES and self.of == "value"

    def __str__(self) -> str:
        value = int(self.value) if self.value == int(self.value) else self.value
        number = f"{value} {'%' if self.of == 'baseline' else self.unit}".rstrip()
        if self.of == "value":
            return f"{self.metric} {self.op} {number}"
        return (
            f"{self.metric} within {number} of baseline"
            if self.op == "within"
            else f"{self.metric} at most {number} over baseline"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """How long a high failure may be investigated, and what happens then."""

    minutes: float
    then: Literal["escalate", "rollback"] | Limit = "escalate"  # a limit: roll back if it holds at the deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The severity of a failure whose value lies in a range."""

    when: Limit
    severity: Severity
    deadline: Deadline | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the resolution matrix: the only place a rollback comes from."""

    id: str
    text: str
    severity: Severity
    action: Literal["rollback", "investigate", "hotfix", "document"]
    deadline: Deadline | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the checklist: what must be true, and how grave it is if it is not."""

    id: str
    text: str
    title: str
    severity: Severity
    owner: str
    probe: str | None = None
    expect: tuple[Limit, ...] = ()
    bands: tuple[Band, ...] = ()
    confirm: int = 1
    when: str | None = None
    criteria: tuple[str, ...] = ()
    row: Row | None = None
    sign: Literal["required", "fallback"] | None = None
    holds: bool = False
    ours: bool = False
    sources: tuple[str, ...] = ()
    escalate_after: Deadline = Deadline(minutes=10)  # for a high failure whose band or row names no deadline
    changed_from: tuple[Limit, ...] = ()  # the checklist's limits where the environment has others
    changed_why: str = ""

    @property
    def section(self) -> str:
        """The first two words of the id."""
        return ".".join(self.id.split(".")[:2])

    @property
    def metrics(self) -> frozenset[str]:
        """Every metric that its limits and bands name."""
        return frozenset(limit.metric for limit in (*self.expect, *(band.when for band in self.bands)))

    def severity_of(self, band: Band | None) -> Severity:
        """That of the band a failure falls into, else its own."""
        return band.severity if band else self.severity

    def deadline_of(self, band: Band | None) -> Deadline:
        """The time a high failure has: its band's, its row's, else the checklist's."""
        if band and band.deadline:
            return band.deadline
        if self.row and self.row.deadline and self.row.severity is self.severity_of(band):
            return self.row.deadline
        return self.escalate_after

    def may_roll_back(self, band: Band | None) -> bool:
        """Whether a failure in that band could itself order a rollback, now or at its deadline."""
        severity = self.severity_of(band)
        if severity is Severity.CRITICAL:
            return self.row is not None and self.row.action == "rollback"
        return severity is Severity.HIGH and self.deadline_of(band).then != "escalate"

    @property
    def claims_reachability(self) -> bool:
        """Whether one of its limits says that the target is there."""
        return any(limit.metric in REACHABILITY for limit in self.expect)


REACHABILITY: Final = frozenset({"up", "unexpected"})
ENOUGH: Final = 8  # looks of which a single stray one is asked again
AGAIN: Final = 24  # looks that must then all be good: 0.1 % of stray errors leave 0.03 % unproven


@dataclass(frozen=True, slots=True)
class Exact:
    """A count, a time, a 0/1 claim: a number known exactly, in the metric's unit."""

    value: float


@dataclass(frozen=True, slots=True)
class Share:
    """Events among trials, one entry per block of time, in order: blocks are the only trace of clustering.

    Of the trials, `ours` may be requests of our own (none: nobody counted them, or they are left out): nobody knows
    which of them were events.
    """

    events: tuple[int, ...]
    trials: tuple[int, ...]
    ours: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _amounts(*self.events, *self.trials, *self.ours)
        if any(events > trials for events, trials in zip(self.events, self.trials, strict=True)):
            message = "more events than trials"
            raise ValueError(message)
        if self.ours and len(self.ours) != len(self.trials):
            message = "our own requests of other blocks"
            raise ValueError(message)

    def __add__(self, later: Share) -> Share:
        ours = _strung(self.ours, len(self.trials), later.ours, len(later.trials))
        return Share(self.events + later.events, self.trials + later.trials, ours)

    def last(self, blocks: int) -> Share:
        """Its latest blocks."""
        return Share(self.events[-blocks:], self.trials[-blocks:], self.ours[-blocks:])

    def without_ours(self) -> tuple[Share, Share]:
        """As if all of ours had gone well, for a pass; as if all had gone wrong, for a fail."""
        blocks = list(zip(self.events, self.trials, self.ours, strict=True))
        theirs = tuple(max(trials - ours, events) for events, trials, ours in blocks)
        return Share(self.events, theirs), Share(
            tuple(max(0, events - ours) for events, _, ours in blocks), self.trials
        )


@dataclass(frozen=True, slots=True)
class Complement:
    """What is left of one: a hit rate, by its share of misses."""

    share: Share

    def __add__(self, later: Complement) -> Complement:
        return Complement(self.share + later.share)

    def last(self, blocks: int) -> Complement:
        """Its latest blocks."""
        return Complement(self.share.last(blocks))


@dataclass(frozen=True, slots=True)
class Mean:
    """A level (of a processor, of memory) in each of several blocks of time; its mean is what is judged."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        _amounts(*self.values)

    def __add__(self, later: Mean) -> Mean:
        return Mean(self.values + later.values)

    @property
    def value(self) -> float | None:
        """The observed mean; None of no blocks."""
        return fmean(self.values) if self.values else None


@dataclass(frozen=True, slots=True)
class Sample:
    """Requests of our own, one entry per block of time: how long each took, and how much of that was our own delay.

    Values and delays are microseconds from the intended start. Failures (timeouts, refused connections, 5xx) are slow
    and errors; unsent are starts that never left.
    """

    values: tuple[tuple[int, ...], ...]
    delays: tuple[tuple[int, ...], ...]
    failures: tuple[int, ...]
    unsent: tuple[int, ...]

    def __post_init__(self) -> None:
        _amounts(*self.failures, *self.unsent)
        for values, delays, _, _ in zip(self.values, self.delays, self.failures, self.unsent, strict=True):
            _amounts(*values, *delays, *(value - delay for value, delay in zip(values, delays, strict=True)))

    def __add__(self, later: Sample) -> Sample:
        return Sample(
            self.values + later.values,
            self.delays + later.delays,
            self.failures + later.failures,
            self.unsent + later.unsent,
        )

    def last(self, blocks: int) -> Sample:
        """Its latest blocks."""
        kept = slice(-blocks, None)
        return Sample(self.values[kept], self.delays[kept], self.failures[kept], self.unsent[kept])

    def failed(self) -> Share:
        """Failures among the requests that left."""
        return Share(self.failures, _plus([len(values) for values in self.values], self.failures))

    def slow(self, limit: float) -> tuple[Share, Share]:
        """What took `limit` microseconds or more: as a user felt it, unsent included, and without any delay of ours."""
        sent, lost = self.failed().trials, _plus(self.failures, self.unsent)
        felt = [sum(value >= limit for value in values) for values in self.values]
        blocks = zip(self.values, self.delays, strict=True)
        theirs = [sum(v - d >= limit for v, d in zip(*block, strict=True)) for block in blocks]
        return Share(_plus(felt, lost), _plus(sent, self.unsent)), Share(_plus(theirs, self.failures), sent)


@dataclass(frozen=True, slots=True)
class Windows:
    """One statistic (a percentile, a mean) of each of several windows of the same length and load."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        _amounts(*self.values)


@dataclass(frozen=True, slots=True)
class Quantile:
    """A percentile of a sample's durations."""

    sample: Sample
    q: float

    def __add__(self, later: Quantile) -> Quantile:
        return Quantile(self.sample + later.sample, self.q)

    def last(self, blocks: int) -> Quantile:
        """Of its latest blocks."""
        return Quantile(self.sample.last(blocks), self.q)

    @property
    def value(self) -> float | None:
        """The observed percentile in microseconds, as users felt it (nearest rank); None where it is a failure."""
        taken = sorted(value for values in self.sample.values for value in values)
        asked = len(taken) + sum(self.sample.failures) + sum(self.sample.unsent)
        rank = -(-asked * self.q // 1)  # rounded up
        return taken[int(rank) - 1] if 0 < rank <= len(taken) else None


@dataclass(frozen=True, slots=True)
class Failures:
    """The error rate of a sample's requests."""

    sample: Sample

    def __add__(self, later: Failures) -> Failures:
        return Failures(self.sample + later.sample)

    def last(self, blocks: int) -> Failures:
        """Of its latest blocks."""
        return Failures(self.sample.last(blocks))


@dataclass(frozen=True, slots=True)
class Histogram:
    """A percentile of durations that the target itself has counted into buckets, by block of time.

    Edges are milliseconds, ascending; counts are, for each block, the observations up to each edge.
    """

    edges: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]
    trials: tuple[int, ...]
    q: float
    ours: tuple[int, ...] = ()  # as in a Share

    def __post_init__(self) -> None:
        _amounts(*self.edges, *self.trials, *self.ours)
        for counts, trials in zip(self.counts, self.trials, strict=True):
            _amounts(*counts)
            if len(counts) != len(self.edges) or any(count > trials for count in counts):
                message = "counts that do not belong to the edges, or more than there are observations"
                raise ValueError(message)

    def __add__(self, later: Histogram) -> Histogram:
        if (self.edges, self.q) != (later.edges, later.q):
            message = "histograms of other edges or percentiles"
            raise ValueError(message)
        ours = _strung(self.ours, len(self.trials), later.ours, len(later.trials))
        return Histogram(self.edges, self.counts + later.counts, self.trials + later.trials, self.q, ours)

    def last(self, blocks: int) -> Histogram:
        """Of its latest blocks."""
        return Histogram(self.edges, self.counts[-blocks:], self.trials[-blocks:], self.q, self.ours[-blocks:])

    @property
    def requests(self) -> float:
        """Per block."""
        return fmean(self.trials) if self.trials else 0.0

    def slow(self, limit: float) -> Share | None:
        """What took longer than `limit` milliseconds; None where no bucket ends there."""
        if limit not in self.edges:
            return None
        place = self.edges.index(limit)
        slow = [trials - counts[place] for counts, trials in zip(self.counts, self.trials, strict=True)]
        return Share(tuple(slow), self.trials, self.ours)

    @property
    def value(self) -> float | None:
        """The first edge up to which the percentile is reached, in milliseconds; None beyond the last one."""
        asked = sum(self.trials) * self.q
        sums = (sum(counts) for counts in zip(*self.counts, strict=True)) if self.counts else ()
        return next((edge for edge, count in zip(self.edges, sums, strict=False) if 0 < asked <= count), None)


def _strung(one: tuple[int, ...], before: int, other: tuple[int, ...], after: int) -> tuple[int, ...]:
    """Both, one after the other; nothing where nothing was counted in either."""
    return (one or (0,) * before) + (other or (0,) * after) if one or other else ()


def _plus(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _amounts(*numbers: float) -> None:
    if not all(isfinite(number) and number >= 0 for number in numbers):
        message = "an amount is negative or no number"
        raise ValueError(message)


Counted = Share | Complement | Quantile | Failures | Histogram  # what more windows can add to
Reading = Exact | Mean | Counted


@dataclass(frozen=True, slots=True)
class Total:
    """A count that only grows from some beginning; what is judged is its growth since the deployment mark."""

    value: float

    def __post_init__(self) -> None:
        _amounts(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """There is no reading, and why."""

    reason: Reason
    detail: str  # for people; already redacted


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One look: one connection to one address, and what it gave."""

    probe: str
    instance: str
    address: str
    taken_at: datetime
    seconds: float
    waited: float  # seconds in our own throttle before the look, in no reading
    lag: float = 0.0  # seconds in which our own event loop stood still during the look
    asked: frozenset[str]
    values: Mapping[str, Reading | Failure]
    notes: Mapping[str, str] = field(default_factory=dict)  # "seen": what a verdict should quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A round of looks, and the looks that were asked again because one of them was not good."""

    looks: tuple[Measurement, ...]
    again: tuple[Measurement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a step needs beside what it has: another attempt, or more looks in the last one."""

    looks: int = 0  # 0: another attempt
    at: tuple[str, ...] = ()  # addresses that must be among them
    each: int = 0  # how often each of those at least


Turn = Literal["watch", "together", "alone", "last"]  # when a step runs: see run.py


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One probe instance that will run."""

    probe: str
    instance: str
    kind: str
    config: object  # the kind's own settings
    looks: int
    attempts: int
    spread: float  # seconds over which the first attempt's looks start
    spacing: float  # seconds between attempts
    timeout: float  # seconds one look may take
    in_flight: int
    turn: Turn
    window: float  # seconds a sampling lasts at least; 0: it takes looks
    cost: int  # requests in the worst case, for one address
    wanted: frozenset[str]
    claims: frozenset[str]  # what is still wanted once a look has reached the target
    passive: bool = False  # it reads what the target counts of everybody's requests
    budget: int | None = None  # requests that a sampling may send; None: as many as its settings say

    @property
    def name(self) -> str:
        """The probe, with its instance where it has several."""
        return f"{self.probe}.{self.instance}" if self.instance else self.probe

    @property
    def longest(self) -> float:
        """Seconds that it takes at the worst: every look of every attempt times out, or a window runs to its end."""
        if self.window:
            return self.window + self.timeout
        rounds = -(-self.looks // self.in_flight) + -(-AGAIN // self.in_flight) + self.attempts - 1
        return self.spread + rounds * self.timeout + (self.attempts - 1) * self.spacing


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will run, and what will not and why."""

    items: tuple[Item, ...]  # in scope, with the environment's limits
    steps: tuple[Step, ...]
    guard: Step | None  # reads the served release before and after
    release: str | None  # the expected one
    unserved: Mapping[str, str]  # item id -> why no probe can answer for it
    not_applicable: Mapping[str, str]  # item id -> the environment's reason
    targets: frozenset[str]  # probes that read the target, which another release makes worthless
    vouched: Mapping[str, frozenset[str]] = field(default_factory=dict)  # probe -> probes of whose state it tells
    compared: tuple[Item, ...] = ()  # the rows of the baseline, as items
    fingerprints: Mapping[tuple[str, str], str] = field(default_factory=dict)  # probe and instance -> of its settings
    vantage: str = ""
    narrowed: bool = False


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


Source = tuple[str, str, str]  # probe, instance, metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One statistic of one window, in its metric's unit, and by which settings it was measured."""

    value: float
    fingerprint: str
    requests: float | None = None  # per block, where the target counted everybody's


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineWindow:
    """What was measured in one window before a deployment."""

    taken: datetime  # its end
    release: str | None  # that was served
    vantage: str
    values: Mapping[Source, Recorded]
    rows: int  # of the checklist's baseline that it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the windows of one release gave together, since one deployment, of one probe instance."""

    release: str  # that was served
    deployment: datetime  # its start
    fingerprint: str
    values: Mapping[str, Counted]
    until: datetime | None = None  # the end of its last window, where that is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a run knows of the past."""

    deployment: Deployment | None = None
    since: Mapping[tuple[str, Severity], datetime] = field(default_factory=dict)  # first failure on record
    baseline: tuple[BaselineWindow, ...] = ()  # oldest first
    evidence: Mapping[tuple[str, str], Evidence] = field(default_factory=dict)  # by probe and instance
    totals: Mapping[Source, float] = field(default_factory=dict)  # at the deployment mark
    known: bool = False  # whether there was an earlier run


class Served(StrEnum):
    """How the served version stands to the expected one."""

    UNASKED = "unasked"
    EXPECTED = "expected"
    OTHER = "other"
    UNREADABLE = "unreadable"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The release that was expected and the versions that were seen."""

    expected: str | None = None
    versions: tuple[str, ...] = ()
    served: Served = Served.UNASKED
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """How the machine and the process did that measured: what is slow here may be us."""

    lag: float  # seconds of the longest standstill of our event loop
    cpu: float  # percent of one processor that we used
    load: float | None  # processes that wanted to run, for each processor, over the last minute

    @property
    def is_strained(self) -> bool:
        """Whether a reader should know, before he believes a duration."""
        return self.lag >= 0.25 or self.cpu >= 80 or (self.load or 0.0) >= 2  # noqa: PLR2004  # a fourth of a second, four fifths of a core, a queue

    def __str__(self) -> str:
        load = "" if self.load is None else f", load {self.load:.1f} a processor"
        return f"longest standstill {self.lag * 1000:.0f} ms, {self.cpu:.0f} % of a processor used{load}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The facts about the run that a decision rests on."""

    now: datetime
    stage: Stage = Stage.AFTER
    release: Release = Release()
    memory: Memory = Memory()
    control: Control = Control.NONE
    complete: bool = True
    strict: bool = False  # what is otherwise a follow-up keeps it from a go
    runner: Runner | None = None


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
    worse: bool = False  # beyond the limit at which its deadline rolls back

    @property
    def severity(self) -> Severity:
        """That of the band its value fell into, else the item's own."""
        return self.item.severity_of(self.band)

    @property
    def deadline(self) -> Deadline:
        """The time a high failure has."""
        return self.item.deadline_of(self.band)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, how long there is, and why."""

    action: Action
    minutes: float | None
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Which run this was."""

    id: str
    environment: str
    stage: Stage
    started: datetime
    seconds: float
    version: str
    config_file: str
    config_hash: str
    vantage: str
    narrowed: bool = False
    ended_by: str | None = None  # SIGHUP, SIGINT, SIGTERM, deadline
    notes: tuple[str, ...] = ()  # what a reader must know: the .env that was read, what is not remembered


_SIGNALS: Final = {"SIGHUP": 129, "SIGINT": 130, "SIGTERM": 143}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # it would be pages, and asyncio writes it twice
class Report:
    """The whole of one run; made once, rendered by every format."""

    run: Run
    situation: Situation
    checklist: str
    items: int
    measurements: tuple[Measurement, ...]
    verdicts: tuple[Verdict, ...]
    decision: Decision
    attempts: Mapping[tuple[str, str], tuple[Attempt, ...]] = field(default_factory=dict)  # by probe and instance
    evidence: Mapping[tuple[str, str], Evidence] = field(default_factory=dict)  # for the next run
    sections: Mapping[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """The process's own: the signal's where one ended the run, else the action's."""
        return _SIGNALS.get(self.run.ended_by or "", self.decision.action.exit_code)

    @property
    def since(self) -> dict[tuple[str, Severity], datetime]:
        """Since when each item fails at each severity, for the next run: a pass ends it, nothing else does."""
        passed = {verdict.item.id for verdict in self.verdicts if verdict.outcome is Outcome.PASS}
        known = {key: moment for key, moment in self.situation.memory.since.items() if key[0] not in passed}
        for verdict in self.verdicts:
            if verdict.outcome is Outcome.FAIL and verdict.since:
                known.setdefault((verdict.item.id, verdict.severity), verdict.since)
        return known

    @property
    def account(self) -> dict[str, int]:
        """Every outcome with its count and what is out of scope; they add up to `items`."""
        counts = Counter(verdict.outcome for verdict in self.verdicts)
        outcomes = {outcome.value: counts[outcome] for outcome in Outcome}
        return {"items": self.items, **outcomes, "out_of_scope": self.items - len(self.verdicts)}
