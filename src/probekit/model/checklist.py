"""The items of a checklist and the severity of their failures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from probekit.model.limit import Limit


class Severity(StrEnum):
    """The severity of a failure, most severe first."""

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
    """The time limit for investigating a high failure, and what happens after it."""

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
    """One row of the resolution matrix, the only source of a rollback."""

    id: str
    text: str
    severity: Severity
    action: Literal["rollback", "investigate", "hotfix", "document"]
    deadline: Deadline | None = None


Binding = Literal["release", "moment", "nothing"]  # what a record must be of


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the checklist: what must be true, and the severity of a failure."""

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
    compares_baseline: bool = False  # it passes where every row of the baseline passes
    is_go_of_phase: bool = False  # it passes where the other items of its phase allow a go
    bound_to: Binding | None = None  # what its records must be of; None: it is not answered by a record
    before: Literal["deployment"] | None = None  # the fact that its record must precede
    max_age: float | None = None  # seconds at the deployment, of its record
    changed_from: tuple[Limit, ...] = ()  # the checklist's limits where the environment changes them
    changed_reason: str = ""
    is_own: bool = False  # an own check of the user, which is not an item of the document

    @property
    def phase(self) -> str:
        """The first word of the id."""
        return self.id.partition(".")[0]

    @property
    def section(self) -> str:
        """The first two words of the id."""
        return ".".join(self.id.split(".")[:2])

    @property
    def metrics(self) -> frozenset[str]:
        """Every metric of its limits and bands."""
        return frozenset(limit.metric for limit in (*self.expect, *(band.when for band in self.bands)))

    def severity_of(self, band: Band | None) -> Severity:
        """The severity of the band that a failure is in, else that of the item."""
        return band.severity if band else self.severity

    def deadline_of(self, band: Band | None) -> Deadline:
        """The time limit of a high failure: that of its band, of its row, else of the checklist."""
        if band and band.deadline:
            return band.deadline
        if self.matrix_row and self.matrix_row.deadline and self.matrix_row.severity is self.severity_of(band):
            return self.matrix_row.deadline
        return self.escalate_after

    def may_roll_back(self, band: Band | None) -> bool:
        """Whether a failure in that band can order a rollback, now or at its deadline."""
        severity = self.severity_of(band)
        if severity is Severity.CRITICAL:
            return self.matrix_row is not None and self.matrix_row.action == "rollback"
        return severity is Severity.HIGH and self.deadline_of(band).then != "escalate"
