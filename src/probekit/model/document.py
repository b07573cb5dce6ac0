"""What a report repeats of the checklist's document and of the configuration, beyond the verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from probekit.model.verdict import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The headings and lines of a checklist's document, and its signatures."""

    phases: Mapping[str, str] = field(default_factory=dict)  # id -> heading, in the document's order
    sections: Mapping[str, str] = field(default_factory=dict)  # id -> heading, in the document's order
    lines: Mapping[str, str] = field(default_factory=dict)  # item id -> its line, in the document's order
    signers: Mapping[str, str] = field(default_factory=dict)  # item id -> the role that signs there


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinePoint:
    """The value of one window of the baseline."""

    taken: datetime
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineComparison:
    """One metric of the document's baseline: before the deployment and in this run."""

    id: str  # of the row
    text: str  # the document's line, with a blank for the value
    target: str  # the document's line for the value after the deployment
    instance: str = ""  # of the probe that measured it
    before: float | None = None  # mean of the windows on record, in `unit`
    windows: int = 0  # that the mean is of
    points: tuple[BaselinePoint, ...] = ()  # the newest of them, oldest first
    after: float | None = None  # in `unit`
    unit: str = ""
    limit: str = ""  # the tolerance over the baseline, or the limit of the value
    outcome: Outcome = Outcome.NOT_CONFIGURED
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A table of the configuration."""

    file: str
    keys: tuple[str | int, ...] = ()  # empty: the whole file
