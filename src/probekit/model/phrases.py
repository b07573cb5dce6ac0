"""Phrase the failures of metrics whose name, number and limit alone say too little to a reader."""

from __future__ import annotations

from probekit.model.limit import Limit
from probekit.model.numbers import number, span
from probekit.model.quantity import SECONDS


def plain_failure(limit: Limit, value: float | None, summary: str) -> str:
    """Return what happened, in place of "up 0, limit == 1"; empty where the number and its limit say it.

    `up` is 1 where the target was reached, as in Prometheus; the probe's summary names the obstacle. `settled` is the
    time since the deployment.
    """
    if limit.metric == "up" and value == 0:
        return summary or "no response"
    if limit.metric == "settled" and value is not None and limit.unit in SECONDS:
        passed = span(value * SECONDS[limit.unit])
        return f"only {passed} since the deployment (minimum {number(limit.value, limit.unit)})"
    return ""


def plain_value(limit: Limit, value: float) -> str:
    """Return the value of `up` as a word; empty for every other metric."""
    return {0.0: "down", 1.0: "up"}.get(value, "") if limit.metric == "up" else ""
