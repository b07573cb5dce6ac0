"""The result of `probekit probe` as text and as JSON; its texts were redacted when they were measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from probekit.cli.output import view
from probekit.drawing import Block, Cell, Column, Line, Style, Table, draw
from probekit.model.measurement import Failure
from probekit.model.numbers import number, span
from probekit.text import words
from probekit.workflows.probe_once import LimitResult, MetricResult, Probed, ProbeReport

SCHEMA: Final = "probekit.probe/1"
_STYLES: Final[dict[bool | None, Style]] = {True: "good", False: "bad", None: "warn"}
_COLUMNS: Final = (Column(title=""), Column(title=""), Column(title="", is_wrapped=True))
_STATES: Final = {True: "met", False: "MISSED", None: "not verified"}


def text(found: ProbeReport) -> str:
    """Return every measurement with its metrics, limits and notes, and the result, in stdout's width and colour."""
    here = view()
    blocks = [block for one in found.results for block in (*_measured(one), Line(""))]
    good = "every requested metric was read, and every limit is met"
    end = Line(good, 0, "good") if found.is_good else Line("; ".join(_wrong(found)), 0, "bad")
    return draw([*blocks, end], width=here.width, colour=here.colour)


def _measured(one: Probed) -> Iterator[Block]:
    step, measurement = one.step, one.measurement
    where = f" at {measurement.address}" if measurement.address else ""
    waited = f", after {span(measurement.waited)} of waiting" if measurement.waited >= 1 else ""
    yield Line(f"{step.name} ({step.kind}){where}, {span(measurement.seconds)}{waited}", style="strong")
    if step.window:
        yield Line(f"a sample of {span(step.window)} is too small to verify a limit; verify takes more", 2)
    if measurement.summary:
        yield Line(measurement.summary, 2)
    rows = [_metric(metric) for metric in one.metrics if metric.failure is None]
    yield Table(columns=_COLUMNS, rows=rows, indent=2, has_titles=False)
    yield from _unread(one.metrics)
    if measurement.version is not None:
        yield Line(f"version: {measurement.version}", 2)
    for name, note in measurement.notes.items():
        yield Line(f"{name}: {note}", 2)
    if items := dict.fromkeys(limit.item for metric in one.metrics for limit in metric.limits):
        yield Line(f"limits of: {', '.join(items)}", 2)


def _metric(metric: MetricResult) -> tuple[Cell, Cell, Cell]:
    """Return the row of a metric: its name, its value and its limits."""
    states = {limit.limit: limit.kept for limit in metric.limits}
    limits = "; ".join(f"{_STATES[kept]}: {limit}" for limit, kept in states.items())
    worst = next((kept for kept in (False, None, True) if kept in states.values()), True)
    style = _STYLES[worst] if states else ""
    return Cell(metric.name), Cell(_value(metric)), Cell(limits, style)


def _unread(metrics: Sequence[MetricResult]) -> Iterator[Line]:
    """Yield the metrics without a reading, by their reason."""
    names: dict[str, list[str]] = {}
    for metric in metrics:
        if metric.failure is not None:
            names.setdefault(_reason(metric.failure), []).append(metric.name)
    yield from (Line(f"not read: {', '.join(some)}; {reason}", 2, "warn") for reason, some in names.items())


def _reason(failure: Failure) -> str:
    return f"{words(failure.reason)}: {failure.detail}"


def _value(metric: MetricResult) -> str:
    """Return its number, with enough digits to differ from the nearest limit."""
    if metric.value is None:
        return "unknown"
    near = min((limit.limit.value for limit in metric.limits), key=partial(_distance, metric.value), default=None)
    return number(metric.value, metric.unit, apart_from=near)


def _distance(one: float, other: float) -> float:
    return abs(one - other)


def _wrong(found: ProbeReport) -> Iterator[str]:
    """Yield why the result is not good."""
    for one in found.results:
        at = f" at {one.measurement.address}" if len(found.results) > 1 and one.measurement.address else ""
        asked = [metric for metric in one.metrics if metric.limits] or one.metrics
        unread = [metric.name for metric in asked if metric.failure is not None]
        if unread:
            yield f"{', '.join(unread)} of {one.step.name}{at} {'was' if len(unread) == 1 else 'were'} not read"
        for metric in asked:
            yield from (f"{limit.limit} is missed{at}" for limit in metric.limits if limit.kept is False)
        if not one.metrics:
            yield f"{one.step.name}{at} has no readings"


def document(found: ProbeReport) -> str:
    """Return one JSON document in ASCII, which ends with a newline."""
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
