"""The results of earlier runs, for a trend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PastResult:
    """The decision and the values of an earlier run."""

    id: str
    started: datetime
    action: str
    failed: int = 0  # items
    values: Mapping[str, float] = field(default_factory=dict)  # item -> observed value, in the unit of its limit
