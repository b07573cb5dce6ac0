"""Decide what to measure again before an item can be judged: another attempt, rechecks, or one more window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from probekit.judging.assess import Assessor, Traits
from probekit.judging.assessed import AssessedAttempt, State
from probekit.model.checklist import Item
from probekit.model.measurement import Attempt
from probekit.model.plan import RECHECKS, RECHECKS_THERE, Retry, Step


def needed_retry(
    assessor: Assessor, items: Sequence[Item], step: Step[object], attempts: Sequence[Attempt]
) -> Retry | None:
    """Return what to measure again before the items of this step can be judged; None for nothing."""
    if not attempts:
        return None
    of_step = [item for item in items if item.probe == step.probe]
    if step.window:
        return _further_window(assessor, of_step, step, attempts[-1])
    tried = {item: [assessor.attempt(item, one, Traits.of([step])) for one in attempts] for item in of_step}
    needed = [retry for item, some in tried.items() if (retry := _needed_by(item, some, step))]
    retries = [retry for retry in needed if not (retry.rechecks and attempts[-1].rechecks)]  # once in an attempt
    rechecks = [retry for retry in retries if retry.rechecks]
    if not rechecks:
        return next(iter(retries), None)
    strays = tuple(dict.fromkeys(address for retry in rechecks for address in retry.at))
    return replace(max(rechecks, key=lambda retry: retry.each), at=strays)


def _further_window(assessor: Assessor, items: Sequence[Item], step: Step[object], attempt: Attempt) -> Retry | None:
    """Return one more window at every address, where the remaining windows could decide an item and no item failed."""
    addresses = len(attempt.measurements)
    left = step.windows - 1 - len(attempt.rechecks) // addresses
    if left < 1:
        return None
    traits = Traits.of([step])
    tried = [assessor.attempt(item, attempt, traits).measurements for item in items]
    if any(one.state is State.BAD for some in tried for one in some):
        return None
    undecided = ([one for one in some if one.state is State.UNDETERMINED] for some in tried)
    could = any(some and all(one.could_be_decided_by(left) for one in some) for some in undecided)
    return Retry(rechecks=addresses) if could else None


def _needed_by(item: Item, tried: Sequence[AssessedAttempt], step: Step[object]) -> Retry | None:
    if any(before.state is not State.BAD for before in tried[:-1]):
        return None
    if len(tried) == 1 and tried[0].recheck is not None:
        return tried[0].recheck
    if tried[-1].state is State.GOOD and _is_one_timeout(tried[:-1]) and step.repeat > 1:
        stray = tried[0].measurements[0].measurement.address
        return Retry(rechecks=RECHECKS, at=(stray,), each=RECHECKS_THERE)
    return Retry() if tried[-1].state is State.BAD and len(tried) < item.confirm else None


def _is_one_timeout(bad: Sequence[AssessedAttempt]) -> bool:
    """Return whether the only failure is one measurement without an answer: a time-out ends an attempt."""
    return len(bad) == 1 and len(bad[0].measurements) == 1 and bad[0].measurements[0].measurement.is_silent


def outweighs(tried: AssessedAttempt, bad: Sequence[AssessedAttempt]) -> bool:
    """Return whether a good attempt has enough measurements to clear a stray one."""
    return tried.state is State.GOOD and _is_one_timeout(bad) and len(tried.measurements) > RECHECKS
