"""One number of probekit's own record: the reading, what it rests on in words, and the record that it is of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from probekit.model.history import Deployment
from probekit.model.ledger import Ledger, PastRun
from probekit.model.record import Record
from probekit.probe import Context, Exact, Failure, ProbeFailedError, Reason

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
_BEFORE: Final = "before"  # the stage of runs that are about the next deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One metric of kind `ledger`."""

    value: Exact | Failure
    note: str = ""  # what the number rests on
    record: Record | None = None


def lacking(detail: str) -> ProbeFailedError:
    """Return the error that a command of the user has to provide something first."""
    return ProbeFailedError(Reason.MISSING_SETTING, detail)


def unknown(detail: str) -> ProbeFailedError:
    """Return the error that the record gives no reading."""
    return ProbeFailedError(Reason.BAD_RESPONSE, detail)


def deployment_of(context: Context, *, first: str = "") -> Deployment:
    """Return the deployment on record.

    `first`: what has to be done before a deployment is marked, as the beginning of a sentence.

    Raises:
        ProbeFailedError: there is none.
    """
    if context.history.deployment is None:
        then = f"{first}, then" if first else "run"
        raise lacking(f"no deployment is on record: {then} 'probekit deployment start', or use --deployed")
    return context.history.deployment


def is_to_come(context: Context) -> bool:
    """Return whether the run is about the next deployment, and the one on record is over."""
    return context.stage == _BEFORE and not deployment_of(context).is_under_way


def ledger_of(context: Context) -> Ledger:
    """Return the record of the deployment.

    Raises:
        ProbeFailedError: there is no deployment, or the record of earlier runs could not be read.
    """
    deployment_of(context)
    if context.history.ledger.lacking:
        raise unknown(context.history.ledger.lacking)
    return context.history.ledger


def runs_of(context: Context) -> tuple[PastRun, ...]:
    """Return the earlier runs that verified the deployment, the oldest first.

    Raises:
        ProbeFailedError: see `ledger_of`.
    """
    return ledger_of(context).runs_since(deployment_of(context).started)
