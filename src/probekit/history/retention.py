"""Removal of runs and baseline windows by their age.

Two rules prevent a wrong clock from removing recent runs. Age counts from the earliest start of the last 20 runs on
record, or from now if that is earlier: a clock that is ahead removes nothing until 20 runs in a row have used it. And
the last 20 runs of each target stay, however old, because later runs read them.

`execute` is the method of a connection within a transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from probekit.model.history import TargetKey

Execute = Callable[..., Any]

LAST: Final = 20  # runs that agree on the time, and runs of a target that stay
GO: Final = timedelta(days=30)  # how long a go is kept by default
OTHERS: Final = timedelta(days=180)  # and any other decision
LONGEST: Final = timedelta(days=400)  # runs of any target, and baseline windows: the same season a year ago

_OLD: Final = (
    "FROM run WHERE environment = ? AND base_url = ? AND started < ? AND rowid NOT IN"
    " (SELECT rowid FROM run WHERE environment = ? AND base_url = ? ORDER BY rowid DESC LIMIT ?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunedRuns:
    """How many of all runs on record were too old, and the moment from which age counted."""

    count: int
    total: int
    counted_from: datetime


def prune(execute: Execute, now: datetime, target: TargetKey, keep: timedelta | None) -> None:
    """Remove the target's runs that are older than `keep`, and of all targets what is older than `LONGEST`.

    Without `keep` a go is removed after `GO`, any other decision after `OTHERS`.
    """
    moment = _reference(execute, now)
    for age, decision in _rules(keep):
        _remove(execute, target, moment - age, decision=decision)
    for one in _targets(execute):
        _remove(execute, one, moment - LONGEST)
    execute("DELETE FROM window WHERE taken < ?", (text_of(moment - LONGEST),))


def prune_runs(
    execute: Execute, now: datetime, target: TargetKey | None, keep: timedelta | None, *, dry_run: bool
) -> PrunedRuns:
    """Remove the runs, of one target or of all, that are older than `keep`; with `dry_run` only count them.

    Without `keep` the limits are `GO` for a go and `OTHERS` for any other decision.
    """
    moment = _reference(execute, now)
    ((total,),) = execute("SELECT count(*) FROM run")
    count = 0
    for one in (target,) if target else _targets(execute):
        for age, decision in _rules(keep):
            ((found,),) = execute(f"SELECT count(*) {_OLD}{decision}", _values(one, moment - age))
            count += found
            if not dry_run:
                _remove(execute, one, moment - age, decision=decision)
    return PrunedRuns(count=count, total=total, counted_from=moment)


def _rules(keep: timedelta | None) -> list[tuple[timedelta, str]]:
    """Return each age with the condition of the runs that it holds for."""
    if keep is not None:
        return [(keep, "")]
    return [(GO, " AND action = 'go'"), (OTHERS, " AND action != 'go'")]


def _reference(execute: Execute, now: datetime) -> datetime:
    """Return the moment from which age counts."""
    ((earliest,),) = execute("SELECT min(started) FROM (SELECT started FROM run ORDER BY rowid DESC LIMIT ?)", (LAST,))
    return min(now, datetime.fromisoformat(earliest)) if earliest else now


def _targets(execute: Execute) -> tuple[TargetKey, ...]:
    """Return every target with a run on record."""
    found = execute("SELECT DISTINCT environment, base_url FROM run").fetchall()
    return tuple(TargetKey(environment=environment, base_url=base_url) for environment, base_url in found)


def _remove(execute: Execute, target: TargetKey, before: datetime, *, decision: str = "") -> None:
    execute(f"DELETE {_OLD}{decision}", _values(target, before))


def _values(target: TargetKey, before: datetime) -> tuple[object, ...]:
    key = target.environment, target.base_url
    return (*key, text_of(before), *key, LAST)


def text_of(moment: datetime) -> str:
    """Return the moment in UTC and in a fixed width, so that texts sort like moments."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
