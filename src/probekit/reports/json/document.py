"""Write the lines of the checklist's document, its baseline table and the places of the probes as JSON."""

from __future__ import annotations

from typing import Any

from probekit.model.document import BaselineComparison, Document, Place
from probekit.model.percentile import Percentile
from probekit.reports.json.time import time_text


def document_facts(document: Document) -> dict[str, Any]:
    """Return the headings and the signatures of a document."""
    return {
        "phases": dict(document.phases),
        "sections": dict(document.sections),
        "signers": dict(document.signers),
    }


def line_document(item: str, text: str) -> dict[str, str]:
    """Return one line of a document."""
    return {"item": item, "text": text}


def comparison_document(row: BaselineComparison) -> dict[str, Any]:
    """Return one row of the baseline table."""
    return {
        "id": row.id,
        "text": row.text,
        "target": row.target,
        "instance": row.instance,
        "before": row.before,
        "windows": row.windows,
        "points": [{"taken": time_text(one.taken), "value": one.value} for one in row.points],
        "after": row.after,
        "unit": row.unit,
        "limit": row.limit,
        "outcome": row.outcome.value,
        "because": row.because,
    }


def percentile_document(one: Percentile) -> dict[str, Any]:
    """Return one percentile with its interval."""
    return {
        "probe": one.probe,
        "instance": one.instance,
        "metric": one.metric,
        "q": one.q,
        "value": one.value,
        "low": one.low,
        "high": one.high,
    }


def place_document(probe: str, place: Place) -> dict[str, Any]:
    """Return the place of a probe's table."""
    return {"probe": probe, "file": place.file, "keys": list(place.keys)}
