"""Write people and planned periods to the JSON report, and read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probekit.model.checklist import Severity
from probekit.model.maintenance import Maintenance, Period
from probekit.model.people import Contact
from probekit.model.report import Run
from probekit.reports.json.time import time_text


def people_document(run: Run) -> dict[str, Any]:
    """Return the people of a run for the document."""
    return {
        "deployed_by": run.deployed_by,
        "reviewed_by": run.reviewed_by,
        "deployment_window": run.deployment_window and period_document(run.deployment_window),
        "contacts": [contact_document(one) for one in run.paging.contacts],
        "page": {severity.value: list(run.paging.page.get(severity, ())) for severity in Severity},
    }


def contact_document(contact: Contact) -> dict[str, str]:
    """Return one contact for the document."""
    return {"role": contact.role, "name": contact.name, "contact": contact.contact}


def period_document(period: Period) -> dict[str, str]:
    """Return a planned period for the document; maintenance with its reason."""
    document = {"from": time_text(period.start), "to": time_text(period.end)}
    return document | ({"reason": period.reason} if isinstance(period, Maintenance) else {})


def period_facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a planned period of a document, by the names of the model."""
    names = {"from": "start", "to": "end"}
    return {names.get(name, name): value for name, value in document.items()}


def people_facts(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the people of a document, by the names of the model; an older document has none."""
    window = run.get("deployment_window")
    return {
        "deployed_by": run.get("deployed_by"),
        "reviewed_by": run.get("reviewed_by"),
        "deployment_window": window and period_facts(window),
        "paging": {"contacts": run.get("contacts", ()), "page": run.get("page", {})},
    }
