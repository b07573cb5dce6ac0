"""The columns of the store that hold a document: the details of a deployment, and what the ledger reads of a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from probekit.model.checklist import Severity
from probekit.model.history import Deployment
from probekit.model.ledger import DeploymentLog, PastFailure, PastRun


def details_of(deployment: Deployment) -> dict[str, Any]:
    """Return the facts of a deployment that have no column."""
    log = deployment.log
    return {
        "commit": deployment.commit,
        "images": dict(deployment.images),
        "previous": deployment.previous,
        "failed": deployment.failed,
        "rolled_back": _written(deployment.rolled_back),
        "log": log and {"path": log.path, "written": _written(log.written)},
    }


def details_in(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return these facts by the names of the deployment's fields.

    Raises:
        KeyError, TypeError, ValueError: the document is damaged.
    """
    log = document["log"]
    return {
        "commit": _text(document["commit"]),
        "images": {str(name): str(digest) for name, digest in document["images"].items()},
        "previous": _text(document["previous"]),
        "failed": bool(document["failed"]),
        "rolled_back": _moment(document["rolled_back"]),
        "log": log and DeploymentLog(path=str(log["path"]), written=_moment(log["written"])),
    }


def past_run_document(run: PastRun) -> dict[str, Any]:
    """Return what the ledger reads of a run."""
    return {
        "id": run.id,
        "ended": _written(run.ended),
        "subject": run.subject,
        "commit": run.commit,
        "stage": run.stage,
        "phase": run.phase,
        "action": run.action,
        "partial": run.partial,
        "failures": [
            [one.item, one.severity.value, one.confirmed, _written(one.since), _written(one.due)]
            for one in run.failures
        ],
    }


def past_run_in(document: Mapping[str, Any]) -> PastRun:
    """Return the run of such a document.

    Raises:
        KeyError, TypeError, ValueError: the document is damaged.
    """
    return PastRun(
        id=str(document["id"]),
        ended=datetime.fromisoformat(document["ended"]),
        subject=_text(document["subject"]),
        commit=_text(document["commit"]),
        stage=str(document["stage"]),
        phase=_text(document["phase"]),
        action=str(document["action"]),
        partial=bool(document["partial"]),
        failures=tuple(
            PastFailure(
                item=str(item),
                severity=Severity(severity),
                confirmed=bool(confirmed),
                since=_moment(since),
                due=_moment(due),
            )
            for item, severity, confirmed, since, due in document["failures"]
        ),
    )


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
