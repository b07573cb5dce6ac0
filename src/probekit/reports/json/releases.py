"""Write the facts of a release, its deployment and the records of a verdict as JSON."""

from __future__ import annotations

from typing import Any

from probekit.model.history import Deployment
from probekit.model.record import Identity, Record
from probekit.reports.json.time import time_text as _time


def identity_document(identity: Identity) -> dict[str, Any]:
    """Return what is known of a release."""
    return {
        "release": identity.release,
        "commit": identity.commit,
        "images": dict(sorted(identity.images.items())),
        "previous": identity.previous,
    }


def deployment_document(deployment: Deployment) -> dict[str, Any]:
    """Return a deployment with its marks."""
    return {
        **identity_document(deployment.identity),
        "started": _time(deployment.started),
        "finished": deployment.finished and _time(deployment.finished),
        "failed": deployment.failed,
        "rolled_back": deployment.rolled_back and _time(deployment.rolled_back),
    }


def record_document(record: Record) -> dict[str, Any]:
    """Return what a record is of, when it was made, by what and where it lies."""
    return {
        "release": record.release,
        "commit": record.commit,
        "digest": record.digest,
        "made": record.made and _time(record.made),
        "by": record.by,
        "place": record.place,
        "unreadable": record.unreadable,
    }
