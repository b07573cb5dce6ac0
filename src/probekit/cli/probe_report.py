"""What one call of `probekit probe` read, as text and as a document; redaction was done where it was measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from probekit.model.measurement import Failure
from probekit.text import escape, paragraph
from probekit.workflows.probe_once import LimitResult, MetricResult, Probed, ProbeReport

SCHEMA: Final = "probekit.probe/1"
_WIDTH: Final = 80
_STATES: Final = {True: "kept", False: "MISSED", None: "not told"}


def text(found: ProbeReport) -> str:
    """Every measurement with its metrics, limits and notes, and how it ends."""
    lines = [line for one in found.results for line in (*_measured(one), "")]
    good = "every metric that is asked for was read, and every limit is kept"
    lines += paragraph(good if found.is_good else f"not good: {'; '.join(_wrong(found))}", width=_WIDTH)
    return "".join(f"{line}\n" for line in lines)


def _measured(one: Probed) -> Iterator[str]:
    step, measurement = one.step, one.measurement
    where = f" at {measurement.address}" if measurement.address else ""
    waited = f", after {measurement.waited:.1f} s of waiting" if measurement.waited >= 1 else ""
    yield from paragraph(f"{step.name} ({step.kind}){where}, {_seconds(measurement.seconds)}{waited}", width=_WIDTH)
    if step.window:
        yield from paragraph(
            f"a sample of {step.window:g} s, which proves no limit: verify takes more", width=_WIDTH, indent="  "
        )
    if measurement.summary:
        yield from paragraph(measurement.summary, width=_WIDTH, indent="  ", hanging="    ")
    names = max((len(metric.name) for metric in one.metrics), default=0)
    values = max((len(_value(metric)) for metric in one.metrics if metric.failure is None), default=0)
    for metric in one.metrics:
        if metric.failure is None:
            yield from _metric(metric, names, values)
    yield from _unread(one.metrics)
    if measurement.version is not None:
        yield from paragraph(f"version: {measurement.version}", width=_WIDTH, indent="  ", hanging="    ")
    for name, note in measurement.notes.items():
        yield from paragraph(f"{name}: {note}", width=_WIDTH, indent="  ", hanging="    ")
    if items := dict.fromkeys(limit.item for metric in one.metrics for limit in metric.limits):
        yield from paragraph(f"limits of: {', '.join(items)}", width=_WIDTH, indent="  ", hanging="    ")


def _metric(metric: MetricResult, names: int, values: int) -> Iterator[str]:
    """Its value, and each limit that it has."""
    name, states = escape(metric.name).ljust(names), {limit.limit: limit.kept for limit in metric.limits}
    limits = "; ".join(f"{_STATES[kept]}: {limit}" for limit, kept in states.items())
    yield f"  {name}  {_value(metric).ljust(values)}  {limits}".rstrip()


def _unread(metrics: Sequence[MetricResult]) -> Iterator[str]:
    """What has no reading, by the reason."""
    names: dict[str, list[str]] = {}
    for metric in metrics:
        if metric.failure is not None:
            names.setdefault(_reason(metric.failure), []).append(metric.name)
    for reason, some in names.items():
        line = f"not read: {', '.join(some)}; {reason}"
        yield from paragraph(line, width=_WIDTH, indent="  ", hanging="    ")


def _reason(failure: Failure) -> str:
    return f"{failure.reason}: {failure.detail}"


def _value(metric: MetricResult) -> str:
    if metric.value is None:
        return "unknown"
    is_whole = metric.value == int(metric.value)
    return f"{metric.value:.0f} {metric.unit}".rstrip() if is_whole else f"{metric.value:.4g} {metric.unit}".rstrip()


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _wrong(found: ProbeReport) -> Iterator[str]:
    """What keeps it from being good."""
    for one in found.results:
        at = f" at {one.measurement.address}" if len(found.results) > 1 and one.measurement.address else ""
        asked = [metric for metric in one.metrics if metric.limits] or one.metrics
        for metric in asked:
            if metric.failure is not None:
                yield f"{metric.name} of {one.step.name}{at} was not read"
            yield from (f"{limit.limit} is missed{at}" for limit in metric.limits if limit.kept is False)
        if not one.metrics:
            yield f"{one.step.name}{at} reads nothing"


def document(found: ProbeReport) -> str:
    """One JSON document in ASCII, which ends with a newline."""
    whole = {
        "schema": SCHEMA,
        "environment": found.target.name,
        "base_url": found.target.environment.base_url,
        "probe": found.name,
        "good": found.is_good,
        "measurements": [_as_json(one) for one in found.results],
    }
    return json.dumps(whole, indent=1) + "\n"


def _as_json(one: Probed) -> dict[str, Any]:
    step, measurement = one.step, one.measurement
    return {
        "probe": step.probe,
        "instance": step.instance,
        "kind": step.kind,
        "address": measurement.address,
        "taken_at": measurement.taken_at.isoformat(),
        "seconds": round(measurement.seconds, 6),
        "waited": round(measurement.waited, 6),
        "window": step.window or None,
        "reached": measurement.reached,
        "version": measurement.version,
        "summary": measurement.summary,
        "notes": dict(measurement.notes),
        "metrics": [_metric_as_json(metric) for metric in one.metrics],
    }


def _metric_as_json(metric: MetricResult) -> dict[str, Any]:
    failure = metric.failure
    return {
        "name": metric.name,
        "unit": metric.unit,
        "value": metric.value,
        "reason": failure and failure.reason.value,
        "detail": failure and failure.detail,
        "limits": [_limit_as_json(one) for one in metric.limits],
    }


def _limit_as_json(one: LimitResult) -> dict[str, Any]:
    return {"item": one.item, "limit": str(one.limit), "kept": one.kept}
