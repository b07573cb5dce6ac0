"""Read what is on record from JSON: since when items fail, measurements, and windows of a baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

from pydantic import BaseModel, ValidationError

from probekit.model.checklist import Severity
from probekit.model.history import BaselineWindow, Deployment, FailureKey, History, PooledEvidence, TargetKey, is_ahead
from probekit.model.measurement import InstanceKey, Measurement
from probekit.model.readings import (
    Counted,
)
from probekit.reports.json.noun import Moment, noun as _read
from probekit.reports.json.readings import readings_of

_P = ParamSpec("_P")
_T = TypeVar("_T")


class ReportError(Exception):
    """The report cannot be used; the message says why."""


class AheadError(ReportError):
    """The run of the report began or ended in the future: its clock was ahead, or this clock is behind."""


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


def refused(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Turn every error of reading a report into a ReportError."""

    @wraps(function)
    def refusing(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except (ValidationError, ValueError, TypeError, AttributeError, LookupError, OverflowError):
            raise ReportError("it was not written by this version of probekit, or is damaged") from None

    return refusing


@refused
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
    since = {key: moment for key, moment in _since_of_head(found).items() if not is_ahead(moment, now)}
    evidence = dict(map(evidence_of, found.history.evidence))
    known = {source: one for source, one in evidence.items() if one.until is None or not is_ahead(one.until, now)}
    return History(since=since, evidence=known, answered=found.history.answered, known=True)


@refused
def deployment_of(report: Any) -> tuple[Deployment | None, str | None]:  # noqa: ANN401  # any JSON
    """Return the deployment of a run, and its release: the recorded one, else the expected one.

    Raises:
        ReportError: not a report.
    """
    found = _read(History, {"deployment": report["situation"]["deployment"]}).deployment
    expected = report["situation"]["release"]["expected"]
    named = found.release if found else None
    return found, named or (str(expected[0]) if len(expected) == 1 else None)


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


@refused
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


def since_of(report: Mapping[str, Any]) -> dict[FailureKey, datetime]:
    """Return since when each item of a report fails."""
    return _since_of_head(_head(report))


def _since_of_head(head: _Head) -> dict[FailureKey, datetime]:
    return {FailureKey(one.item, one.severity, one.claim): one.since for one in head.history.since}


def evidence_of(document: Mapping[str, Any]) -> tuple[InstanceKey, PooledEvidence]:
    """Return the pooled values of one probe instance, and their key."""
    values = {name: value for name, value in readings_of(document).items() if isinstance(value, Counted)}
    facts = {name: document.get(name) for name in ("release", "deployment", "fingerprint", "until")}
    return InstanceKey(str(document["probe"]), str(document["instance"])), _read(
        PooledEvidence, {**facts, "values": values, "addresses": document.get("addresses", ())}
    )


def picked(measurements: Sequence[Measurement], places: Sequence[int]) -> tuple[Measurement, ...]:
    """Return the measurements at these places.

    Raises:
        LookupError: there is none at one of them.
    """
    if any(place < 0 for place in places):
        raise LookupError
    return tuple(measurements[place] for place in places)


def measurement_of(document: Mapping[str, Any]) -> Measurement:
    """Return one measurement."""
    facts = {name: value for name, value in document.items() if name != "samples"}
    return _read(Measurement, {**facts, "values": readings_of(document)})
