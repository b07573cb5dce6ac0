"""The deployment that `--deployed` names: one on record, or a new one.

A cron job may use `--deployed now` in every run. If each run counted as a deployment, every failure would always be
"soon after a deployment" and could lead to a rollback. So a release is deployed once, at its moment on record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from probekit.history.store import Store
from probekit.model.history import CLOCK_SKEW, Deployment, History, MarkReadings, TargetKey, is_ahead
from probekit.model.record import Identity
from probekit.model.responsible import Responsible
from probekit.text import escape, moment

UNKNOWN: Final = (  # the note of a report if a relative moment cannot be compared with the record
    "--deployed did not count: the state file cannot be read, so the deployment may already be on record; "
    "give its exact time, such as --deployed 2026-11-23T10:00Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A deployment as the caller of a run states it."""

    at: datetime
    release: str | None  # named by the caller
    declared: str | None = None  # otherwise expected by the release probe
    is_relative: bool = False  # "now" or "10m", which differs from run to run
    responsible: Responsible = field(default_factory=Responsible)
    identity: Identity = field(default_factory=Identity)  # further facts of the release

    @property
    def name(self) -> str | None:
        """The release that the caller names, else the declared one."""
        return self.release or self.declared

    @property
    def deployment(self) -> Deployment:
        """A deployment that started and finished at the stated moment."""
        facts = self.identity
        return Deployment(
            release=self.release,
            started=self.at,
            finished=self.at,
            commit=facts.commit,
            images=facts.images,
            previous=facts.previous,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A deployment on record, and its release."""

    deployment: Deployment
    name: str | None


def marks(store: Store, target: TargetKey, now: datetime) -> Iterable[Mark]:
    """Yield the deployments on record that have started, the latest first."""
    for one in store.deployments(target):
        if not is_ahead(one.started, now):
            name = one.release or store.mark(target, one).declared
            is_over = one.finished is not None and not is_ahead(one.finished, now)
            yield Mark(deployment=one if is_over else replace(one, finished=None), name=name)


def on_record(stated: Stated, found: Iterable[Mark]) -> Deployment | None:
    """Return the deployment on record that is stated again; None for a new one.

    A named release is matched by its name. Without a name, a moment within a minute of the latest mark is that
    deployment, and so is any relative moment: only an exact time states a new deployment.
    """
    known = tuple(found)
    if named := next((mark for mark in known if stated.name and mark.name == stated.name), None):
        return named.deployment
    latest = next(iter(known), None)
    if latest is None or (stated.name and latest.name):
        return None
    is_under_way = latest.deployment.finished is None
    is_near = abs(latest.deployment.mark - stated.at) <= CLOCK_SKEW
    is_repeated = stated.name is None and stated.is_relative
    return latest.deployment if is_under_way or is_near or is_repeated else None


def note(stated: Stated, kept: Deployment, target: TargetKey) -> str:
    """Return the note that the moment on record counts instead of the stated one; empty if they are the same."""
    if abs(kept.mark - stated.at) <= CLOCK_SKEW:
        return ""
    release = f" of {escape(stated.name)}" if stated.name else ""
    since = f"--deployed was ignored: the deployment{release} is already on record at {moment(kept.mark)}"
    again = f"probekit deployment start --env {escape(target.environment)}"
    if stated.name is None:
        return f"{since}; if this is another deployment, name its release with --release"
    return f"{since}; if it was deployed again, run {again}"


def repeated(stated: Stated, earlier: Mark | None, file: Path) -> tuple[Stated, str]:
    """Return the statement with the moment of the earlier report's deployment, if it states the same one.

    Returns:
        The statement, and the note that the earlier moment counts instead of the stated one.
    """
    kept = on_record(stated, [earlier] if earlier else [])
    if kept is None or kept.finished is None:
        return stated, ""
    release = f" of {escape(stated.name)}" if stated.name else ""
    is_same = abs(kept.mark - stated.at) <= CLOCK_SKEW
    ignored = (
        f"--deployed was ignored: according to {escape(str(file))}, the deployment{release} was at {moment(kept.mark)}"
    )
    again = "if it was deployed again, remove --since"
    return replace(stated, at=kept.mark, is_relative=False), "" if is_same else f"{ignored}; {again}"


def history_of_mark(store: Store, target: TargetKey, deployment: Deployment, history: History) -> History:
    """Return the history with a deployment on record and the readings at its mark."""
    read = store.mark(target, deployment)
    return replace(
        history,
        deployment=deployment,
        declared=read.declared,
        previous=store.previous(target, deployment),
        counters=read.counters,
        responsible=read.responsible,
        answered=history.answered | read.answered,
    )


def record(store: Store, target: TargetKey, stated: Stated, now: datetime) -> None:
    """Record a stated deployment, without readings at its mark.

    It replaces marks in the future, which would later count as deployments that never took place.
    """
    store.drop_deployments_ahead(target, now)
    store.begin(target, stated.deployment)
    store.record_mark(target, stated.deployment, MarkReadings(declared=stated.declared, responsible=stated.responsible))
