"""Write values, limits and names alike in every part of the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from probekit.model.limit import Limit
from probekit.model.numbers import number
from probekit.model.phrases import plain_failure, plain_value
from probekit.model.verdict import Flag, Verdict
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


def evidence(verdict: Verdict) -> str:
    """Return the reason, with the value and the limit before it where it does not state them."""
    return "; ".join(filter(None, (unstated_value(verdict), reason_in_words(verdict))))


def reason_in_words(verdict: Verdict) -> str:
    """Return why the verdict is what it is, with the name of a missing reading's reason as words: `not measured`."""
    return verdict.because.replace(verdict.reason, words(verdict.reason), 1) if verdict.reason else verdict.because


def unstated_value(verdict: Verdict) -> str:
    """Return the metric with its value and its limit where the reason does not state them; else empty."""
    is_stated = bool(phrased(verdict)) or f"limit {held_to(verdict)}" in verdict.because
    return "" if is_stated else measured(verdict, with_limit=True)


def changed_limit(verdict: Verdict) -> str:
    """Return the limits of the environment and of the checklist, and the reason of the change; else empty."""
    item = verdict.item
    if Flag.CHANGED not in verdict.flags:
        return ""
    limits = f"{_all(item.expect)} here, {_all(item.changed_from)} in the checklist"
    given_up = {limit.metric for limit in item.changed_from} - {limit.metric for limit in item.expect}
    dropped = f"; without a limit here: {', '.join(sorted(given_up))}" if given_up else ""
    return f"{limits}{dropped}; reason: {item.changed_reason}"


def _all(limits: Sequence[Limit]) -> str:
    return " and ".join(str(limit) for limit in limits)


def short_id(verdict: Verdict) -> str:
    """Return the last word of the item's id."""
    return verdict.item.id.rpartition(".")[2]


def names(verdicts: Sequence[Verdict]) -> str:
    """Return the ids of the first few, and how many more there are."""
    more = f" and {len(verdicts) - _NAMED} more" if len(verdicts) > _NAMED else ""
    return ", ".join(verdict.item.id for verdict in verdicts[:_NAMED]) + more
