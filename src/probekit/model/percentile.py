"""A percentile of a run's durations with its interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile:
    """A percentile that was measured; all durations are milliseconds."""

    probe: str
    instance: str
    metric: str
    q: float  # 0.95 for p95
    value: float | None  # None: more requests failed than it leaves out
    low: float | None  # it is above this, at the risk of a false fail; None: no bound
    high: float | None  # it is below this, at the risk of a false pass; None: no bound
