"""Read what is on record from JSON: since when items fail, measurements, and windows of a baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Final, Literal, ParamSpec, TypeVar

from pydantic import BaseModel, ValidationError

from probekit.model.checklist import Severity
from probekit.model.history import BaselineWindow, Deployment, FailureKey, History, PooledEvidence, TargetKey, is_ahead
from probekit.model.measurement import Attempt, InstanceKey, Measurement
from probekit.model.readings import (
    Counted,
)
from probekit.model.verdict import Situation
from probekit.reports.json.noun import Moment, noun as _read
from probekit.reports.json.people import RecordedPeople, people_facts, period_facts
from probekit.reports.json.readings import readings_of

_P = ParamSpec("_P")
_T = TypeVar("_T")


class ReportError(Exception):
    """The report cannot be used; the message says why."""


class AheadError(ReportError):
    """The run of the report began or ended in the future: its clock was ahead, or this clock is behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """The parts of an earlier run that judging needs."""

    situation: Situation
    attempts: Mapping[InstanceKey, tuple[Attempt, ...]]  # by probe and instance
    people: RecordedPeople


class _Since(BaseModel, defer_build=True):
    item: str
    severity: Severity
    since: Moment
    claim: str = ""  # older reports have none: their failures give no age


class _History(BaseModel, defer_build=True):
    since: tuple[_Since, ...]
    evidence: tuple[dict[str, Any], ...]
    answered: frozenset[str] = frozenset()  # older reports have none


class _Run(BaseModel, defer_build=True):
    environment: str
    base_url: str
    started: Moment


class _Situation(BaseModel, defer_build=True):
    now: Moment


class _Head(BaseModel, defer_build=True):
    """The parts of report.schema.json that the next run needs."""

    schema_: Literal["probekit.report/1"]
    run: _Run
    situation: _Situation
    history: _History


_FACTS: Final = (
    "now",
    "release",
    "control",
    "reached",
    "complete",
    "strict",
    "partial",
    "in_scope",
    "runner",
    "uncounted",
)


def _refused(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Turn every error of reading a report into a ReportError."""

    @wraps(function)
    def refusing(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except (ValidationError, ValueError, TypeError, AttributeError, LookupError, OverflowError):
            raise ReportError("it was not written by this version of probekit, or is damaged") from None

    return refusing


@_refused
def history_of(report: Any, target: TargetKey, now: datetime) -> History:  # noqa: ANN401  # any JSON
    """Return since when each item fails, and the evidence of its release, by a report on that target.

    What lies in the future of now is left out: a time there would count as now for ever, and hide later windows.

    Raises:
        AheadError: the run began or ended in the future.
        ReportError: not a report, or a report on another target.
    """
    found = _head(report)
    if found.run.environment != target.environment:
        raise ReportError(f"the report is on environment '{found.run.environment}', not on '{target.environment}'")
    if found.run.base_url != target.base_url:
        raise ReportError(f"the report is on {found.run.base_url}, not on {target.base_url}")
    if is_ahead(found.run.started, now) or is_ahead(found.situation.now, now):
        raise AheadError("the report is from the future of this clock; correct the clock")
    since = {key: moment for key, moment in _since(found).items() if not is_ahead(moment, now)}
    evidence = dict(map(_evidence, found.history.evidence))
    known = {source: one for source, one in evidence.items() if one.until is None or not is_ahead(one.until, now)}
    return History(since=since, evidence=known, answered=found.history.answered, known=True)


@_refused
def deployment_of(report: Any) -> tuple[Deployment | None, str | None]:  # noqa: ANN401  # any JSON
    """Return the deployment of a run, and its release: the recorded one, else the expected one.

    Raises:
        ReportError: not a report.
    """
    found = _read(History, {"deployment": report["situation"]["deployment"]}).deployment
    expected = report["situation"]["release"]["expected"]
    named = found.release if found else None
    return found, named or (str(expected[0]) if len(expected) == 1 else None)


@_refused
def read_run(report: Any) -> RecordedRun:  # noqa: ANN401  # any JSON
    """Return the measurements and the situation of a run.

    Raises:
        ReportError: not a report, or an incomplete one.
    """
    document = report["situation"]
    facts = {name: document[name] for name in _FACTS}
    facts |= {
        name: document[name] for name in ("identity", "contradictions") if name in document
    }  # an older report has none
    facts["maintenance"] = [period_facts(one) for one in document.get("maintenance", ())]  # an older report has none
    history = {"deployment": document["deployment"], "since": _since(_head(report))}
    measurements = [_measurement(one) for one in report["measurements"]]
    attempts: dict[InstanceKey, tuple[Attempt, ...]] = {}
    for one in report["attempts"]:
        key = InstanceKey(str(one["probe"]), str(one["instance"]))
        attempt = Attempt(
            measurements=_picked(measurements, one["measurements"]), rechecks=_picked(measurements, one["rechecks"])
        )
        attempts[key] = (*attempts.get(key, ()), attempt)
    run = report["run"]
    situation = _read(Situation, {**facts, "stage": run["stage"], "history": _read(History, history)})
    return RecordedRun(situation=situation, attempts=attempts, people=_read(RecordedPeople, people_facts(run)))


def window_document(window: BaselineWindow) -> dict[str, Any]:
    """Return a window of a baseline as the store keeps it."""
    values = [
        [*source, one.value, one.fingerprint, one.requests, one.addresses] for source, one in window.values.items()
    ]
    return {
        "taken": window.taken.isoformat(),
        "release": window.release,
        "vantage": window.vantage,
        "rows": window.rows,
        "values": values,
    }


@_refused
def window_of(document: Mapping[str, Any]) -> BaselineWindow:
    """Return the window that the store kept.

    Raises:
        ReportError: it is none.
    """
    values = {
        (str(probe), str(instance), str(metric)): {
            "value": value,
            "fingerprint": fingerprint,
            "requests": rest[0] if rest else None,
            "addresses": rest[1] if len(rest) > 1 else (),
        }
        for probe, instance, metric, value, fingerprint, *rest in document["values"]
    }
    return _read(BaselineWindow, {**document, "values": values})


def _head(report: Mapping[str, Any]) -> _Head:
    return _Head.model_validate({**report, "schema_": report["schema"]})


def _since(head: _Head) -> dict[FailureKey, datetime]:
    return {FailureKey(one.item, one.severity, one.claim): one.since for one in head.history.since}


def _evidence(document: Mapping[str, Any]) -> tuple[InstanceKey, PooledEvidence]:
    values = {name: value for name, value in readings_of(document).items() if isinstance(value, Counted)}
    facts = {name: document.get(name) for name in ("release", "deployment", "fingerprint", "until")}
    return InstanceKey(str(document["probe"]), str(document["instance"])), _read(
        PooledEvidence, {**facts, "values": values, "addresses": document.get("addresses", ())}
    )


def _picked(measurements: Sequence[Measurement], places: Sequence[int]) -> tuple[Measurement, ...]:
    if any(place < 0 for place in places):
        raise LookupError
    return tuple(measurements[place] for place in places)


def _measurement(document: Mapping[str, Any]) -> Measurement:
    facts = {name: value for name, value in document.items() if name != "samples"}
    return _read(Measurement, {**facts, "values": readings_of(document)})
