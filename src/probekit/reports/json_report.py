"""The report for other programs, by report.schema.json."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

from probekit.model import Exact, Failure, Measurement, Outcome, Reading, Reason, Report, Run, Situation, Verdict

SCHEMA: Final = "probekit.report/1"


def render(report: Report) -> str:
    """One JSON document (RFC 8259) in ASCII, which ends with a newline."""
    document = {
        "schema": SCHEMA,
        "run": _run(report.run),
        "situation": _situation(report.situation),
        "decision": {
            "action": report.decision.action.word,
            "exit_code": report.exit_code,
            "minutes": report.decision.minutes,
            "because": list(report.decision.because),
        },
        "account": report.account,
        "verdicts": [_verdict(verdict) for verdict in report.verdicts],
        "measurements": [_measurement(look) for look in report.measurements],
    }
    return json.dumps(document, ensure_ascii=True, allow_nan=False, indent=1) + "\n"


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "environment": run.environment,
        "stage": run.stage.value,
        "started": _time(run.started),
        "seconds": round(run.seconds, 3),
        "version": run.version,
        "config_file": run.config_file,
        "config_hash": run.config_hash,
        "vantage": run.vantage,
        "narrowed": run.narrowed,
        "ended_by": run.ended_by,
        "notes": list(run.notes),
    }


def _situation(situation: Situation) -> dict[str, Any]:
    deployment, release = situation.memory.deployment, situation.release
    return {
        "now": _time(situation.now),
        "control": situation.control.value,
        "complete": situation.complete,
        "strict": situation.strict,
        "release": {
            "expected": release.expected,
            "versions": list(release.versions),
            "served": release.served.value,
            "because": release.because,
        },
        "deployment": deployment
        and {
            "release": deployment.release,
            "started": _time(deployment.started),
            "finished": deployment.finished and _time(deployment.finished),
        },
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    limit = verdict.limit
    return {
        "item": verdict.item.id,
        "title": verdict.item.title,
        "outcome": verdict.outcome.value,
        "passed": verdict.outcome is Outcome.PASS,
        "severity": verdict.severity.value,
        "because": verdict.because,
        "observed": verdict.observed,
        "unit": limit and limit.unit,
        "limit": limit and str(limit),
        "flags": sorted(flag.value for flag in verdict.flags),
        "confirmed": verdict.confirmed,
        "since": verdict.since and _time(verdict.since),
    }


def _measurement(look: Measurement) -> dict[str, Any]:
    return {
        "probe": look.probe,
        "instance": look.instance,
        "address": look.address,
        "taken_at": _time(look.taken_at),
        "seconds": round(look.seconds, 6),
        "waited": round(look.waited, 6),
        "values": {name: _value(value) for name, value in look.values.items()},
        "notes": dict(look.notes),
    }


def _value(value: Reading | Failure) -> dict[str, Any]:
    """A number, or why there is none; JSON knows no NaN."""
    if isinstance(value, Exact) and isfinite(value.value):
        return {"value": value.value}
    if isinstance(value, Failure):
        return {"reason": value.reason.value, "detail": value.detail}
    return {"reason": Reason.BAD_RESPONSE.value, "detail": f"{value.value} is no number to judge"}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
