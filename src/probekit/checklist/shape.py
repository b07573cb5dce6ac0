"""The models of the tables of a checklist, each on its own; `rules` checks that they fit together."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator

from probekit.checklist.values import (
    ID_PATTERN,
    LONGEST,
    AnAmount,
    AnyLimit,
    AtDeadline,
    MetricName,
    Minutes,
    Percent,
    PlainLimit,
    Seconds,
    SectionName,
    Text,
    Unit,
    Word,
)
from probekit.model.checklist import Band, Binding, Deadline, Row, Severity
from probekit.model.layer import Layer
from probekit.model.limit import Limit


class Table(BaseModel):
    """A table of a checklist: frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class ProbeRequirement(Table):
    """What a checklist requires of a probe, for every kind that can fill it."""

    help: Text
    layer: Layer
    metrics: dict[MetricName, Unit] = Field(min_length=1)
    samples: tuple[MetricName, ...] = ()  # shares and percentiles, which need the size of their sample
    unbounded: tuple[MetricName, ...] = ()  # may be negative, and as a percentage more than 100
    claims_reachability: StrictBool = False
    background: StrictBool = False
    parts: StrictBool = False
    default_kind: Text | None = None
    release_guard: StrictBool = False
    compares_baseline: MetricName | None = None
    max_age: Seconds | None = None
    go_of_phase: MetricName | None = None

    @model_validator(mode="after")
    def _speaks_of_its_metrics(self) -> Self:
        derived = tuple(filter(None, (self.compares_baseline, self.go_of_phase)))
        if unknown := [name for name in (*self.samples, *self.unbounded, *derived) if name not in self.metrics]:
            message = f"'{unknown[0]}' is not one of its metrics: {', '.join(self.metrics)}"
            raise ValueError(message)
        return self


class Criterion(Table):
    """One success criterion of a deployment."""

    id: Text
    group: StrictInt = Field(ge=1)
    text: Text


class Success(Table):
    """The introduction and the groups of the success criteria."""

    text: Text
    groups: tuple[Text, ...] = Field(min_length=1)


class BaselineRow(Table):
    """One metric that is compared with its value before the deployment, or with a number."""

    id: Text
    text: Text
    target: Text
    probe: str
    metric: str
    statistic: Literal["p50", "p95", "mean", "share", "last"]
    tolerance: Percent | None = None
    floor: AnAmount | None = None  # a smaller difference is noise at any percentage
    limit: PlainLimit | None = None

    @model_validator(mode="after")
    def _compares(self) -> Self:
        if self.tolerance is None and self.limit is None:
            raise ValueError("nothing to compare with, expected a 'tolerance' with a 'floor', or a 'limit'")
        if (self.tolerance is None) != (self.floor is None):
            raise ValueError("'tolerance' needs 'floor' and the reverse: a percentage of a baseline of 0 is 0")
        return self


class Role(Table):
    """A role and its responsibility."""

    name: Text
    text: Text


class SignOff(Table):
    """A signature at the end of the document."""

    item: str
    signer: Text
    asks: tuple[Text, ...] = Field(min_length=1)


class Blank(Table):
    """A blank of the document and the person who fills it."""

    id: Text
    filled_by: Text
    item: str | None = None
    text: Text | None = None
    unit: Unit | None = None


class WrittenRow(Table):
    """A row of the resolution matrix."""

    id: Text
    text: Text
    severity: Severity
    response: Text
    asks: Text
    action: Literal["rollback", "investigate", "hotfix", "document"]
    minutes: float | None = Field(None, strict=True, gt=0, le=LONGEST, allow_inf_nan=False)
    at_deadline: AtDeadline | None = None

    @model_validator(mode="after")
    def _has_time(self) -> Self:
        if self.at_deadline and self.minutes is None:
            raise ValueError("'at_deadline' without 'minutes', expected both")
        return self

    def row(self) -> Row:
        """The row for the decision."""
        deadline = _deadline(self.minutes, self.at_deadline)
        return Row(id=self.id, text=self.text, severity=self.severity, action=self.action, deadline=deadline)


class WrittenBand(Table):
    """The severity of a failure whose value lies in a range."""

    when: PlainLimit
    severity: Severity
    deadline: Minutes | None = None
    at_deadline: AtDeadline | None = None

    @model_validator(mode="after")
    def _has_time(self) -> Self:
        if self.at_deadline and self.deadline is None:
            raise ValueError("'at_deadline' without a 'deadline', expected both")
        return self

    def band(self) -> Band:
        """The band for the judge."""
        return Band(when=self.when, severity=self.severity, deadline=_deadline(self.deadline, self.at_deadline))


def _deadline(minutes: float | None, then: Literal["rollback"] | Limit | None) -> Deadline | None:
    return None if minutes is None else Deadline(minutes=minutes, then=then or "escalate")


class WrittenItem(Table):
    """One line of the checklist, with references by name."""

    id: str = Field(pattern=ID_PATTERN, description="Id of three words such as deploy.smoke.login.")
    text: Text
    title: Text
    severity: Severity
    owner: str
    probe: str | None = None
    expect: tuple[AnyLimit, ...] = ()
    bands: tuple[WrittenBand, ...] = ()
    confirm: StrictInt = Field(1, ge=1, le=5)
    applies_if: str | None = None
    criteria: tuple[str, ...] = ()
    matrix_row: str | None = None
    signoff_rule: Literal["required", "fallback"] | None = None
    holds_if_pending: StrictBool = False
    not_in_document: StrictBool = False
    bound_to: Binding | None = None
    before: Literal["deployment"] | None = None
    sources: tuple[Text, ...] = ()


class Document(Table):
    """A whole checklist; its items are validated one by one."""

    schema_: Literal[1] = Field(alias="schema")
    name: Text
    title: Text
    version: Text
    updated: date | None = Field(None, strict=True)
    estimated_time: Text | None = None
    count: StrictInt = Field(ge=1)
    escalate_after: Minutes = 10.0
    phases: dict[Word, Text] = Field(min_length=1)
    sections: dict[SectionName, Text] = Field(min_length=1)
    facts: dict[Word, Text] = Field({})
    probes: dict[Word, ProbeRequirement] = Field({})
    success: Success | None = None
    criterion: tuple[Criterion, ...] = ()
    row: tuple[WrittenRow, ...] = ()
    baseline: tuple[BaselineRow, ...] = ()
    role: tuple[Role, ...] = Field(min_length=1)
    signoff: tuple[SignOff, ...] = ()
    field: tuple[Blank, ...] = ()
    item: list[Any] = Field(min_length=1, description="The items, one [[item]] each.")
