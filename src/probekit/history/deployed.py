"""Which deployment does `--deployed` name: one that is on record, or a new one?

A line of cron says `--deployed now` in every run. If each of them counted, every failure would for ever be one soon
after a deployment, and a rollback could follow from it. So a release is deployed once, at the moment that is on record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from probekit.history.store import Store
from probekit.model.history import CLOCK_SKEW, Deployment, History, MarkReadings, TargetKey, is_ahead
from probekit.model.responsible import Responsible
from probekit.text import escape, moment

UNKNOWN: Final = (  # what the report says where a moment that moves with the clock cannot be held against the record
    "--deployed did not count: the record cannot be read, so this may be a deployment that it knows; "
    "name its time, such as --deployed 2026-11-23T10:00Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A deployment as a run's caller states it."""

    at: datetime
    release: str | None  # as the caller names it
    declared: str | None = None  # else as the release probe expects it
    is_relative: bool = False  # "now" or "10m", which moves from run to run
    responsible: Responsible = field(default_factory=Responsible)

    @property
    def name(self) -> str | None:
        """The release, by whichever of the two names it."""
        return self.release or self.declared

    @property
    def deployment(self) -> Deployment:
        """A deployment that was over at once."""
        return Deployment(release=self.release, started=self.at, finished=self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A deployment on record, and the release that it is of."""

    deployment: Deployment
    name: str | None


def marks(store: Store, target: TargetKey, now: datetime) -> Iterable[Mark]:
    """The deployments on record that began by now, the latest first."""
    for one in store.deployments(target):
        if not is_ahead(one.started, now):
            name = one.release or store.mark(target, one).declared
            is_over = one.finished is not None and not is_ahead(one.finished, now)
            yield Mark(deployment=one if is_over else replace(one, finished=None), name=name)


def on_record(stated: Stated, found: Iterable[Mark]) -> Deployment | None:
    """The deployment on record that the statement is about; None where it states a new one.

    A named release is the one on record by that name. Without a name, what lies within a minute of the latest mark is
    that one, and a moment that moves from run to run may repeat it: only a fixed one states another deployment.
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
    """What the report says where the moment on record counts and not the stated one; empty where they are the same."""
    if abs(kept.mark - stated.at) <= CLOCK_SKEW:
        return ""
    release = f" of {escape(stated.name)}" if stated.name else ""
    since = f"--deployed changed nothing: the deployment{release} is on record since {moment(kept.mark)}"
    again = f"probekit deployment start --env {escape(target.environment)}"
    if stated.name is None:
        return f"{since}, and no release is named that would tell another one from it; name it with --release"
    return f"{since}; where it was put in place again: {again}"


def repeated(stated: Stated, earlier: Mark | None, file: Path) -> tuple[Stated, str]:
    """The statement at the moment of the deployment that an earlier run's report knows, where it is about that one.

    Returns:
        The statement, and what the report says where that moment counts and not the stated one.
    """
    kept = on_record(stated, [earlier] if earlier else [])
    if kept is None or kept.finished is None:
        return stated, ""
    release = f" of {escape(stated.name)}" if stated.name else ""
    is_same = abs(kept.mark - stated.at) <= CLOCK_SKEW
    told = f"--deployed changed nothing: by {escape(str(file))} the deployment{release} was {moment(kept.mark)}"
    again = "where it was put in place again, leave --since out"
    return replace(stated, at=kept.mark, is_relative=False), "" if is_same else f"{told}; {again}"


def history_of_mark(store: Store, target: TargetKey, deployment: Deployment, history: History) -> History:
    """The history with a deployment on record and what was read at its mark."""
    read = store.mark(target, deployment)
    return replace(
        history,
        deployment=deployment,
        declared=read.declared,
        previous_release=store.previous_release(target, deployment),
        counters=read.counters,
        responsible=read.responsible,
        answered=history.answered | read.answered,
    )


def record(store: Store, target: TargetKey, stated: Stated, now: datetime) -> None:
    """Put a stated deployment on record; nothing was read at its mark.

    It replaces marks in the future of now: when that comes, each would be a deployment that never was.
    """
    store.drop_deployments_ahead(target, now)
    store.begin(target, stated.deployment)
    store.record_mark(target, stated.deployment, MarkReadings(declared=stated.declared, responsible=stated.responsible))
