"""The plan of a run: the steps, and the items that cannot be measured with the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final, Generic, Literal, TypeVar

from probekit.model.checklist import Item
from probekit.model.layer import Layer
from probekit.model.measurement import InstanceKey
from probekit.model.numbers import number
from probekit.model.record import Identity

RECHECKS: Final = (
    24  # measurements that must all pass after a stray failure: 0.1 % of stray errors leave 0.03 % inconclusive
)
RECHECKS_THERE: Final = 8  # rechecks at the address of the stray failure
MOST_SLOW: Final = 0.25  # share of first measurements over a duration's limit up to which rechecks decide
MOST_SLOW_AFTER: Final = (
    3 / 32
)  # share of all: one slow replica of two passes in 0.4 % of runs, 1 % slow answers in 99.98 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The further measurements that a step needs: another attempt, or more measurements in the last one.

    Each measurement of a sampling is a window; the windows after the first are the attempt's rechecks.
    """

    rechecks: int = 0  # 0: another attempt
    at: tuple[str, ...] = ()  # addresses that they must include
    each: int = 0  # minimum number for each of those


Turn = Literal["background", "concurrent", "exclusive", "final"]  # when a step runs
SourceT = TypeVar("SourceT", covariant=True)  # noqa: PLC0105  # the source of measurements, which judging does not use


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The possible values of a metric."""

    low: float
    high: float
    is_claim: bool = False  # 0 or 1

    def admit(self, value: float) -> bool:
        """Whether a value is possible."""
        return value in (0, 1) if self.is_claim else self.low <= value <= self.high

    def __str__(self) -> str:
        if self.is_claim:
            return "0 or 1"
        low = number(self.low)
        return f"{low} or more" if self.high == inf else f"{low} to {number(self.high)}"


def longest_window(seconds: float, timeout: float) -> float:
    """Seconds in the worst case: its last request times out, and so does the request after it."""
    return seconds + 2 * timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The versions that may be served: the expected ones, and those temporarily allowed in addition."""

    expected: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    rolled_back: tuple[str, ...] = ()  # that must not be served

    def accept(self, version: str) -> bool:
        """Whether that version may be served."""
        return version in self.expected or version in self.allowed

    def __str__(self) -> str:
        return " or ".join(self.expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[SourceT]):
    """One probe instance that will run."""

    probe: str
    instance: str
    kind: str
    source: SourceT
    repeat: int
    attempts: int
    spread: float  # seconds over which the first attempt's measurements start
    attempt_interval: float  # seconds between attempts
    timeout: float  # seconds one exchange may take
    exchanges: int = 1  # maximum of sequential exchanges of one measurement
    writes: bool = False  # a measurement changes the target: one per attempt, at one address
    load_time: float = 0.0  # additional seconds of a measurement that makes load
    in_flight: int
    turn: Turn
    window: float  # minimum seconds of a sampling; 0: single measurements
    further_windows: int = 0  # windows that an undecided sampling may add to the first
    cost: int  # requests in the worst case, for one address, further windows included
    wanted: frozenset[str]
    reachability_metrics: frozenset[str]  # still needed once a measurement has reached the target
    reach: frozenset[str] = frozenset()  # metrics that state whether the target was reached
    timed: frozenset[str] = frozenset()  # metrics timed by this process, which include the lag of its event loop
    each_address: bool = False  # each address of its endpoint is a separate instance
    passive: bool = False  # it reads the target's counts of all clients' requests
    reported: bool = False  # a program reports its values; probekit does not measure them
    of_record: bool = False  # it reads only probekit's own record
    bounds: Mapping[str, Bounds] = field(default_factory=dict)  # of reported values, by metric
    budget: int | None = None  # requests that a sampling may send; None: as set
    versions: Versions | None = None  # allowed for this instance; None: those of the run's release

    @property
    def name(self) -> str:
        """The probe, with its instance where it has several."""
        return f"{self.probe}.{self.instance}" if self.instance else self.probe

    @property
    def key(self) -> InstanceKey:
        """Its probe and instance."""
        return InstanceKey(self.probe, self.instance)

    @property
    def is_timed(self) -> bool:
        """Whether a limit applies to a duration that this process measures."""
        return bool(self.timed & self.wanted)

    @property
    def windows(self) -> int:
        """The maximum number of windows of a sampling; 0: single measurements."""
        return 1 + self.further_windows if self.window else 0

    @property
    def longest(self) -> float:
        """Seconds in the worst case, further windows included."""
        return max(self.windows, 1) * self.longest_first

    @property
    def longest_first(self) -> float:
        """Seconds in the worst case: every measurement of every attempt times out, or one window runs to its end."""
        if self.window:
            return longest_window(self.window, self.timeout)
        at_once = 1 if self.is_timed else self.in_flight
        rounds = -(-self.repeat // at_once) + -(-RECHECKS // at_once) + self.attempts - 1
        load = self.attempts * self.load_time
        return self.spread + rounds * self.exchanges * self.timeout + (self.attempts - 1) * self.attempt_interval + load


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFact:
    """A fact of the checklist that is not stated, and the items in scope that depend on it."""

    name: str
    question: str
    items: tuple[str, ...]
    remedy: str  # how to state it


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Generic[SourceT]):
    """The steps of a run, and the items that cannot be measured with the reasons."""

    items: tuple[Item, ...]  # in scope, with the environment's limits
    steps: tuple[Step[SourceT], ...]
    release_guards: tuple[Step[SourceT], ...]  # read the served release before and after
    versions: Versions  # that may be served
    uncovered: Mapping[str, str]  # item id -> why no probe can verify it
    not_applicable: Mapping[str, str]  # item id -> the environment's reason
    layers: Mapping[str, Layer]  # probe -> what it reads
    claimed: Mapping[str, frozenset[str]] = field(default_factory=dict)  # probe -> probes whose state it reports
    baseline_items: tuple[Item, ...] = ()  # the rows of the baseline, as items
    fingerprints: Mapping[InstanceKey, str] = field(
        default_factory=dict
    )  # probe and instance -> digest of its settings
    claims: Mapping[str, str] = field(default_factory=dict)  # item id -> digest of its limits and sources
    identity: Identity = field(default_factory=Identity)  # of the release that records must be of
    release_notes: tuple[str, ...] = ()  # on facts of the release that are missing
    contradictions: tuple[str, ...] = ()  # facts of the release that are stated differently
    vantage: str = ""
    in_scope: int = 0  # items of the environment; a partial run verifies some of them
    partial: bool = False  # measurable items are left out
    phase: str | None = None  # that it is limited to
    unknown_facts: tuple[UnknownFact, ...] = ()  # whose items are in scope
    unasked: tuple[str, ...] = ()  # configured probes of the checklist without an item in scope
    trusted: frozenset[str] = frozenset()  # probes whose reported values count for critical items
