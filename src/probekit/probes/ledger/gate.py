"""The gate of a deployment: the run that decided whether its release may be deployed."""

from __future__ import annotations

from typing import Final

from probekit.model.ledger import PastRun
from probekit.model.record import Record
from probekit.probe import Context, Exact, ProbeFailedError
from probekit.probes.ledger.fact import HOUR, Fact, deployment_of, is_to_come, lacking, ledger_of, unknown
from probekit.text import moment

_COMMAND: Final = "probekit verify --phase pre --stage before --release"
_FIRST: Final = f"run the gate until it ends with go ({_COMMAND} VERSION)"  # one after the start would be too late


def gate_passed(context: Context) -> Fact:
    """Return 1 if the release's latest gate run before the start ended with go, else 0.

    Raises:
        ProbeFailedError: no deployment, or none with a release, is on record, or the runs on record are not known.
    """
    release, gate = _gate(context)
    if gate is None:
        return Fact(value=Exact(0), note=_none_of(release))
    note = f"gate run {gate.id} of release {release} ended with {gate.action} at {moment(gate.ended)}"
    return Fact(value=Exact(int(gate.action == "go")), note=note, record=_record(gate))


def gate_age_at_deployment(context: Context) -> Fact:
    """Return the hours from the end of the gate run to the start; 0 for one that ended later.

    Raises:
        ProbeFailedError: as for `gate_passed`, or there is no gate run.
    """
    release, gate = _gate(context)
    if gate is None:
        raise unknown(_none_of(release))
    started = deployment_of(context).started
    return Fact(value=Exact(max((started - gate.ended) / HOUR, 0.0)), record=_record(gate))


def _gate(context: Context) -> tuple[str, PastRun | None]:
    """Return the release and its latest gate run before the start, else its first one after it."""
    deployment = deployment_of(context, first=_FIRST)
    if is_to_come(context):
        raise lacking(f"the deployment has not begun: {_FIRST}, then 'probekit deployment start', then verify again")
    if deployment.release is None:
        raise _without_release()
    return deployment.release, ledger_of(context).gate_of(deployment.release, deployment.started)


def _without_release() -> ProbeFailedError:
    return lacking("the deployment on record names no release: probekit deployment start --release VERSION")


def _none_of(release: str) -> str:
    return f"no gate run of release {release} is on record ({_COMMAND} {release})"


def _record(gate: PastRun) -> Record:
    return Record(release=gate.subject, commit=gate.commit, made=gate.ended, by="probekit", place=f"run {gate.id}")
