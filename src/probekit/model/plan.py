"""The plan: what will run, what will not and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from probekit.model.checklist import Item

ENOUGH: Final = 8  # looks of which a single stray one is asked again
AGAIN: Final = 24  # looks that must then all be good: 0.1 % of stray errors leave 0.03 % unproven


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
