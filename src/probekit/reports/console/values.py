"""Write values, limits and names alike in every part of the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from probekit.model.numbers import number
from probekit.model.phrases import plain_failure, plain_value
from probekit.model.verdict import Verdict
from probekit.text import words

_NAMED: Final = 6  # items of one cause that are named


def measured(verdict: Verdict, *, with_limit: bool = False) -> str:
    """Return the metric with its value and, if requested, its limit; empty without a value."""
    limit, value = verdict.limit, verdict.observed
    if limit is None or value is None:
        return ""
    if word := plain_value(limit, value):
        return word
    written = number(value, limit.metric_unit or "", apart_from=limit.value if limit.of == "value" else None)
    return f"{words(limit.metric)} {written}" + (f", limit {held_to(verdict)}" if with_limit else "")


def held_to(verdict: Verdict) -> str:
    """Return the limit without its metric's name."""
    limit, value = verdict.limit, verdict.observed
    if limit is None:
        return ""
    is_plain = value is not None and bool(plain_value(limit, value))
    return plain_value(limit, limit.value) if is_plain else str(limit).removeprefix(limit.metric).strip()


def phrased(verdict: Verdict) -> str:
    """Return what happened, where the value and the limit alone do not say it; else empty."""
    return plain_failure(verdict.limit, verdict.observed, verdict.summary) if verdict.limit else ""


def short_id(verdict: Verdict) -> str:
    """Return the last word of the item's id."""
    return verdict.item.id.rpartition(".")[2]


def names(verdicts: Sequence[Verdict]) -> str:
    """Return the ids of the first few, and how many more there are."""
    more = f" and {len(verdicts) - _NAMED} more" if len(verdicts) > _NAMED else ""
    return ", ".join(verdict.item.id for verdict in verdicts[:_NAMED]) + more
