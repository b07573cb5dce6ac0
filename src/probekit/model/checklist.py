"""The items of a checklist, and how grave a failure of each is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from probekit.model.limit import Limit


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
    applies_if: str | None = None
    criteria: tuple[str, ...] = ()
    matrix_row: Row | None = None
    signoff_rule: Literal["required", "fallback"] | None = None
    holds_if_pending: bool = False
    not_in_document: bool = False
    sources: tuple[str, ...] = ()
    escalate_after: Deadline = Deadline(minutes=10)  # for a high failure whose band or row names no deadline
    compares_baseline: bool = False  # it passes where every row of the baseline does
    changed_from: tuple[Limit, ...] = ()  # the checklist's limits where the environment has others
    changed_reason: str = ""
    is_own: bool = False  # of a probe of the user's own, and no item of the document

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
        if self.matrix_row and self.matrix_row.deadline and self.matrix_row.severity is self.severity_of(band):
            return self.matrix_row.deadline
        return self.escalate_after

    def may_roll_back(self, band: Band | None) -> bool:
        """Whether a failure in that band could itself order a rollback, now or at its deadline."""
        severity = self.severity_of(band)
        if severity is Severity.CRITICAL:
            return self.matrix_row is not None and self.matrix_row.action == "rollback"
        return severity is Severity.HIGH and self.deadline_of(band).then != "escalate"
