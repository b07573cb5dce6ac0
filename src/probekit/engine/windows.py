"""Combine the blocks of a sampling into one reading for each metric."""

from __future__ import annotations

from collections.abc import Sequence

from probekit.model.measurement import Failure
from probekit.model.readings import Complement, CumulativeCount, Exact, Histogram, Mean, Reading, Share
from probekit.probe import Readings

_Value = Reading | CumulativeCount | Failure
_BY_BLOCK = (Share, Complement, Mean, Histogram)


def put_together(blocks: Sequence[Readings]) -> Readings:
    """Combine blocks: shares, means and histograms are joined, the largest count is kept, and any failure is kept."""
    values: dict[str, _Value] = {}
    notes: dict[str, str] = {}
    summary = ""
    for block in blocks:
        notes |= block.notes
        summary = block.summary or summary
        for name, value in block.values.items():
            values[name] = _joined(values[name], value) if name in values else value
    return Readings(summary, notes, **values)


def _joined(earlier: _Value, later: _Value) -> _Value:
    if isinstance(earlier, Failure) or isinstance(later, Failure):
        return earlier if isinstance(earlier, Failure) else later
    if isinstance(earlier, Exact) and isinstance(later, Exact):
        return Exact(max(earlier.value, later.value))
    if isinstance(earlier, CumulativeCount) and isinstance(later, CumulativeCount):
        return later
    if type(earlier) is type(later) and isinstance(earlier, _BY_BLOCK):
        return earlier + later  # type: ignore[operator]  # of one sort
    raise TypeError(f"a {type(later).__name__} cannot follow a {type(earlier).__name__}: a sample is given whole, once")
