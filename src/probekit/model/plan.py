"""The plan: what will run, what will not and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final, Generic, Literal, TypeVar

from probekit.model.checklist import Item
from probekit.model.layer import Layer
from probekit.model.measurement import InstanceKey
from probekit.model.numbers import number

RECHECKS: Final = (
    24  # measurements that must all be good after a stray one: 0.1 % of stray errors leave 0.03 % inconclusive
)
RECHECKS_THERE: Final = 8  # of them at the address of the stray measurement
MOST_SLOW: Final = 0.25  # of the first measurements may break a duration's limit, and rechecks decide
MOST_SLOW_AFTER: Final = 3 / 32  # of all: one slow replica of two passes in 0.4 % of runs, 1 % slow answers in 99.98 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What a step needs beside what it has: another attempt, or more measurements in the last one.

    Of a sampling each measurement is a window, and those that come after the first are the attempt's rechecks.
    """

    rechecks: int = 0  # 0: another attempt
    at: tuple[str, ...] = ()  # addresses that must be among them
    each: int = 0  # how often each of those at least


Turn = Literal["background", "concurrent", "exclusive", "final"]  # when a step runs
SourceT = TypeVar("SourceT", covariant=True)  # noqa: PLC0105  # what measures: judging needs to know nothing of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a metric's number can be at all."""

    low: float
    high: float
    is_claim: bool = False  # 0 or 1

    def admit(self, value: float) -> bool:
        """Whether a number is possible."""
        return value in (0, 1) if self.is_claim else self.low <= value <= self.high

    def __str__(self) -> str:
        if self.is_claim:
            return "0 or 1"
        low = number(self.low)
        return f"{low} or more" if self.high == inf else f"{low} to {number(self.high)}"


def longest_window(seconds: float, timeout: float) -> float:
    """Seconds in the worst case: its last request times out, and so does what is asked after it."""
    return seconds + 2 * timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Which versions may be served: those that are expected, and those that are allowed with them for a while."""

    expected: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    rolled_back: tuple[str, ...] = ()  # that may not, whatever is expected: they were taken away

    def accept(self, version: str) -> bool:
        """Whether an answer may come from that version."""
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
    exchanges: int = 1  # of one measurement, one after another at most
    writes: bool = False  # a measurement changes the target: one is taken an attempt, at one address
    load_time: float = 0.0  # seconds in addition, of a measurement that makes load
    in_flight: int
    turn: Turn
    window: float  # seconds a sampling lasts at least; 0: it takes measurements
    further_windows: int = 0  # that an undecided sampling may take beside the first
    cost: int  # requests in the worst case, for one address, further windows included
    wanted: frozenset[str]
    reachability_metrics: frozenset[str]  # what is still wanted once a measurement has reached the target
    reach: frozenset[str] = frozenset()  # metrics that say whether the target was reached
    timed: frozenset[str] = frozenset()  # metrics that this process timed: the lag of its event loop is in them
    each_address: bool = False  # each address of its endpoint is an instance of its own
    passive: bool = False  # it reads what the target counts of everybody's requests
    reported: bool = False  # its numbers are what a program says, and nothing that was measured here
    bounds: Mapping[str, Bounds] = field(default_factory=dict)  # of what a program says, by metric
    budget: int | None = None  # requests that a sampling may send; None: as many as its settings say
    versions: Versions | None = None  # that this instance may serve; None: those of the run's release

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
        """Whether a limit holds a duration that this process times."""
        return bool(self.timed & self.wanted)

    @property
    def windows(self) -> int:
        """The windows that a sampling takes at most; 0: it takes measurements."""
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
class Plan(Generic[SourceT]):
    """What will run, and what will not and why."""

    items: tuple[Item, ...]  # in scope, with the environment's limits
    steps: tuple[Step[SourceT], ...]
    release_guards: tuple[Step[SourceT], ...]  # read the served release before and after
    versions: Versions  # that may be served
    uncovered: Mapping[str, str]  # item id -> why no probe can answer for it
    not_applicable: Mapping[str, str]  # item id -> the environment's reason
    layers: Mapping[str, Layer]  # probe -> what it reads
    claimed: Mapping[str, frozenset[str]] = field(default_factory=dict)  # probe -> probes of whose state it tells
    baseline_items: tuple[Item, ...] = ()  # the rows of the baseline, as items
    fingerprints: Mapping[InstanceKey, str] = field(default_factory=dict)  # probe and instance -> of its settings
    claims: Mapping[str, str] = field(default_factory=dict)  # item id -> digest of what it is held to and by what
    vantage: str = ""
    in_scope: int = 0  # items of the environment, of which a narrowed run looks at some
    partial: bool = False  # something that could be measured is left out
    unasked: tuple[str, ...] = ()  # configured probes of the checklist of which no item is in scope
    trusted: frozenset[str] = frozenset()  # probes by which a program's word counts for critical items
