"""Messages on records that lie in the future: their clock was ahead, or this machine's clock is behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from probekit.history.store import Store
from probekit.model.history import Deployment, TargetKey, is_ahead
from probekit.text import escape, moment


def deployments_ahead(store: Store, target: TargetKey, now: datetime) -> tuple[Deployment, ...]:
    """Return the deployments on record that start in the future, the latest first."""
    return tuple(one for one in store.deployments(target) if is_ahead(one.started, now))


def mark_ahead(deployment: Deployment, part: str, at: datetime) -> str:
    """Return a sentence on a mark in the future; `part`: start or finish."""
    release = escape(deployment.release or "a release")
    return f"the {part} of the deployment of {release} is marked at {moment(at)}, in the future by this machine's clock"


def ignored_marks(store: Store, target: TargetKey, now: datetime) -> Iterator[str]:
    """Yield a sentence for each ignored mark: of a start, or of the finish of the latest started deployment."""
    for one in store.deployments(target):
        if is_ahead(one.started, now):
            yield _ignored(one, "start", one.started, target)
            continue
        if is_ahead(one.mark, now):
            yield _ignored(one, "finish", one.mark, target)
        return


def _ignored(deployment: Deployment, part: str, at: datetime, target: TargetKey) -> str:
    command = f"probekit deployment {part} --env {escape(target.environment)} --at TIME"
    return f"{mark_ahead(deployment, part, at)}, and is ignored; correct the clock, or mark it again: {command}"


def ignored(count: int, what: str) -> str:
    """Return a sentence that so many runs or windows on record are ignored."""
    is_one = count == 1
    some = f"{count} {what} on record lies" if is_one else f"{count} {what}s on record lie"
    return f"{some} in the future by this machine's clock, and {'is' if is_one else 'are'} ignored; correct the clock"
