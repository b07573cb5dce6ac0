"""Write the JSON report (report.schema.json)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from probekit.model.checklist import Item
from probekit.model.history import FailureKey, PooledEvidence
from probekit.model.measurement import InstanceKey, Measurement
from probekit.model.report import Report, Run
from probekit.model.success import CriterionResult
from probekit.model.verdict import Outcome, Runner, Situation, Verdict
from probekit.reports import PLAIN, View
from probekit.reports.json.document import (
    comparison_document,
    document_facts,
    line_document,
    percentile_document,
    place_document,
)
from probekit.reports.json.people import contact_document, people_document, period_document
from probekit.reports.json.readings import number_or_none, readings_document
from probekit.reports.json.releases import deployment_document, identity_document, record_document
from probekit.reports.json.time import time_text as _time

SCHEMA: Final = "probekit.report/1"
_OUTSIDE: Final = re.compile(r"[^\x00-\x7e]")  # not printable ASCII


def render(report: Report, _view: View = PLAIN) -> str:
    """Return one JSON document (RFC 8259) in ASCII with a final newline; each verdict and measurement is a line."""
    document = {
        "schema": SCHEMA,
        "run": {**_run(report.run), "checklist": report.checklist},
        "situation": _situation(report.situation),
        "decision": {
            "action": report.decision.action.word,
            "exit_code": report.exit_code,
            "minutes": report.decision.minutes,
            "because": list(report.decision.because),
            "to_call": [contact_document(one) for one in report.to_call],
        },
        "account": report.account,
        "success": [_criterion(one) for one in report.success],
        "verdicts": [_verdict(verdict) for verdict in report.verdicts],
        "baseline": [comparison_document(row) for row in report.baseline],
        "percentiles": [percentile_document(one) for one in report.percentiles],
        "document": document_facts(report.document),
        "lines": [line_document(*line) for line in report.document.lines.items()],
        "places": [place_document(*place) for place in report.places.items()],
        "history": {
            "since": [_since(*one) for one in report.since.items()],
            "evidence": [_evidence(*one) for one in report.evidence.items()],
            "answered": list(report.answered_ever),
        },
        "measurements": [_measurement(measurement) for measurement in report.measurements],
        "attempts": _attempts(report),
    }
    return _OUTSIDE.sub(_escaped, _written(document))


def _written(document: Mapping[str, object]) -> str:
    """Write JSON without the indent of the json module, which takes twice as long."""
    members = (f"{_line(name)}: {_lines(value)}" for name, value in document.items())
    return "{\n" + ",\n".join(members) + "\n}\n"


def _lines(value: object) -> str:
    return "[\n" + ",\n".join(map(_line, value)) + "\n]" if isinstance(value, list) else _line(value)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _escaped(match: re.Match[str]) -> str:
    """Return a character as a JSON escape; half a surrogate pair, which strict readers refuse, as its code."""
    character = match[0]
    is_half = "\ud800" <= character <= "\udfff"
    return f"\\\\u{ord(character):04x}" if is_half else json.dumps(character)[1:-1]


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "environment": run.environment,
        "base_url": run.base_url,
        "stage": run.stage.value,
        "phase": run.phase,
        "facts": dict(sorted(run.facts.items())),
        "subject": run.subject,
        "started": _time(run.started),
        "seconds": round(run.seconds, 3),
        "version": run.version,
        "config_file": run.config_file,
        "config_hash": run.config_hash,
        "vantage": run.vantage,
        "ended_by": run.ended_by,
        **people_document(run),
        "notes": list(run.notes),
    }


def _situation(situation: Situation) -> dict[str, Any]:
    deployment, release = situation.history.deployment, situation.release
    return {
        "now": _time(situation.now),
        "control": situation.control.value,
        "reached": situation.reached,
        "complete": situation.complete,
        "strict": situation.strict,
        "partial": situation.partial,
        "in_scope": situation.in_scope,
        "runner": _runner(situation.runner),
        "maintenance": [period_document(window) for window in situation.maintenance],
        "uncounted": dict(sorted(situation.uncounted.items())),
        "identity": identity_document(situation.identity),
        "contradictions": list(situation.contradictions),
        "release": {
            "expected": list(release.expected),
            "allowed": list(release.allowed),
            "answers": dict(sorted(release.answers.items())),
            "served": release.served.value,
            "because": release.because,
        },
        "deployment": deployment and deployment_document(deployment),
        "previous": identity_document(situation.history.previous),
    }


def _runner(runner: Runner | None) -> dict[str, Any] | None:
    if runner is None:
        return None
    load = None if runner.load is None else round(runner.load, 3)
    return {"lag": round(runner.lag, 6), "cpu": round(runner.cpu, 3), "load": load}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    item, limit = verdict.item, verdict.limit
    return {
        "item": item.id,
        "title": item.title,
        "outcome": verdict.outcome.value,
        "passed": verdict.outcome is Outcome.PASS,
        "severity": verdict.severity.value,
        "own": item.is_own,
        "probe": item.probe,
        "layer": verdict.layer,
        "claim": verdict.claim,
        "because": verdict.because,
        "summary": verdict.summary,
        "follow_up": verdict.is_follow_up,
        "may_roll_back": item.may_roll_back(verdict.band),
        "reason": verdict.reason and verdict.reason.value,
        "observed": None if verdict.observed is None else number_or_none(verdict.observed),
        "unit": limit and limit.metric_unit,
        "limit": limit and str(limit),
        "flags": sorted(flag.value for flag in verdict.flags),
        "confirmed": verdict.confirmed,
        "since": verdict.since and _time(verdict.since),
        "due": verdict.due and _time(verdict.due),
        "owner": item.owner,
        "row": item.matrix_row and item.matrix_row.id,
        "changed": _changed(item),
        "bound_to": item.bound_to,
        "records": [record_document(record) for record in verdict.records],
    }


def _criterion(result: CriterionResult) -> dict[str, Any]:
    one = result.criterion
    named = {"items": list(one.items), "failed": list(result.failed), "open": list(result.open)}
    return {"id": one.id, "group": one.group, "text": one.text, "state": result.state.value, **named}


def _changed(item: Item) -> dict[str, Any] | None:
    """Return both limits, where the environment changes the limit of the checklist."""
    if not item.changed_from:
        return None
    before, now = ([str(limit) for limit in limits] for limits in (item.changed_from, item.expect))
    return {"from": before, "to": now, "reason": item.changed_reason}


def _since(key: FailureKey, moment: datetime) -> dict[str, str]:
    return {"item": key.item, "severity": key.severity.value, "since": _time(moment), "claim": key.claim}


def _measurement(measurement: Measurement) -> dict[str, Any]:
    return {
        "probe": measurement.probe,
        "instance": measurement.instance,
        "address": measurement.address,
        "taken_at": _time(measurement.taken_at),
        "seconds": round(measurement.seconds, 6),
        "waited": round(measurement.waited, 6),
        "lag": round(measurement.lag, 6),
        "asked": sorted(measurement.asked),
        **readings_document(measurement.values),
        "reached": measurement.reached,
        "summary": measurement.summary,
        "version": measurement.version,
        "notes": {name: measurement.notes[name] for name in sorted(measurement.notes)},
        "records": [record_document(record) for record in measurement.records],
    }


def _evidence(source: InstanceKey, evidence: PooledEvidence) -> dict[str, Any]:
    probe, instance = source
    return {
        "probe": probe,
        "instance": instance,
        "release": evidence.release,
        "deployment": _time(evidence.deployment),
        "fingerprint": evidence.fingerprint,
        "until": _time(evidence.until) if evidence.until else None,
        "addresses": evidence.addresses,
        **readings_document(evidence.values),
    }


def _attempts(report: Report) -> list[dict[str, Any]]:
    """Return the measurements of an attempt by their index in `measurements`."""
    places = {id(measurement): number for number, measurement in enumerate(report.measurements)}
    return [
        {
            "probe": probe,
            "instance": instance,
            "measurements": [places[id(measurement)] for measurement in attempt.measurements],
            "rechecks": [places[id(measurement)] for measurement in attempt.rechecks],
        }
        for (probe, instance), attempts in report.attempts.items()
        for attempt in attempts
    ]
