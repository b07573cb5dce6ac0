"""From verdicts and the run's situation to one decision: pure, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from probekit.model import (
    Action,
    Control,
    Decision,
    Flag,
    Limit,
    Outcome,
    Served,
    Severity,
    Situation,
    Stage,
    Verdict,
)

WINDOW: Final = timedelta(minutes=120)  # in which a rollback still makes sense: the checklist's post-deployment span
_LONGEST: Final = 60.0  # minutes that anything may be investigated
_UNREPEATED: Final = 1.0  # minutes while attempts are outstanding
_UNPROVEN: Final = {Severity.CRITICAL: 5.0}
_SETTLED: Final = (Outcome.PASS, Outcome.ATTESTED, Outcome.WAIVED, Outcome.NOT_APPLICABLE)
_PROOFS: Final = (Outcome.PASS, Outcome.ATTESTED)
_BAD_NEWS: Final = (Action.INVESTIGATE, Action.NO_GO, Action.ROLLBACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """What one verdict calls for."""

    action: Action
    minutes: float | None = None
    because: str = ""


def decide(verdicts: Sequence[Verdict], situation: Situation) -> Decision:
    """The gravest action any verdict calls for, the shortest time that is left, and the verdicts that call for it."""
    calls = [_call(verdict, situation) for verdict in verdicts]
    gravest = max((call.action for call in calls), key=lambda action: action.gravity, default=Action.UNDECIDED)
    because = tuple(dict.fromkeys(call.because for call in calls if call.action is gravest and call.because))
    if not situation.complete:
        return _undecided("the run was cut off: what was not measured may be the worst", *because)
    if all(verdict.outcome in (Outcome.WAIVED, Outcome.NOT_APPLICABLE) for verdict in verdicts):
        return _undecided("nothing was looked at")
    if situation.control is Control.SILENT and gravest in _BAD_NEWS:
        return _undecided("no control answers: our own network may be at fault, not the target", *because)
    if gravest is Action.GO and not any(verdict.outcome in _PROOFS for verdict in verdicts):
        return _undecided("nothing was proved")
    minutes = [call.minutes for call in calls if call.action is gravest and call.minutes is not None]
    return Decision(action=gravest, minutes=min(minutes, default=None), because=because or _calm(verdicts))


def _undecided(*because: str) -> Decision:
    return Decision(action=Action.UNDECIDED, minutes=0, because=because)


def _calm(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    proved = sum(verdict.outcome in _PROOFS for verdict in verdicts)
    later = sum(verdict.outcome not in _SETTLED for verdict in verdicts)
    return (f"{proved} of {len(verdicts)} items proved" + (f", {later} to follow up" if later else ""),)


def _call(verdict: Verdict, situation: Situation) -> _Call:
    """What this verdict alone calls for."""
    if verdict.outcome in _SETTLED:
        return _Call(action=Action.GO)
    if verdict.outcome is Outcome.PENDING:
        return _pending(verdict, situation)
    return _failed(verdict, situation) if verdict.outcome is Outcome.FAIL else _unproven(verdict, situation)


def _pending(verdict: Verdict, situation: Situation) -> _Call:
    if verdict.item.holds:
        return _Call(action=Action.HOLD, because=f"{verdict.item.id} waits for a signature: {verdict.because}")
    return _follow_up(verdict, situation)


def _unproven(verdict: Verdict, situation: Situation) -> _Call:
    """Never a go for what counts, and never a rollback: nothing is known."""
    if not (verdict.severity.is_grave or verdict.item.criteria):
        return _follow_up(verdict, situation)
    minutes = _UNPROVEN.get(verdict.severity, 10.0)
    return _Call(action=Action.INVESTIGATE, minutes=minutes, because=_told(verdict, "unproven"))


def _follow_up(verdict: Verdict, situation: Situation) -> _Call:
    """Go and mend it later, unless everything was to be green."""
    if situation.strict:
        return _Call(action=Action.INVESTIGATE, minutes=_LONGEST, because=_told(verdict, "not green, and --strict"))
    return _Call(action=Action.GO)


def _failed(verdict: Verdict, situation: Situation) -> _Call:
    if verdict.severity.is_grave and situation.stage is Stage.BEFORE and verdict.confirmed:
        return _Call(action=Action.NO_GO, minutes=0, because=_told(verdict, "failed before the deployment"))
    if (
        verdict.severity.is_grave
        and not verdict.confirmed
        and (verdict.severity is Severity.CRITICAL or situation.stage is Stage.BEFORE)
    ):
        return _Call(
            action=Action.INVESTIGATE, minutes=_UNREPEATED, because=_told(verdict, "failed, not every attempt yet")
        )
    if verdict.severity is Severity.CRITICAL:
        return _at_once(verdict, situation)
    if verdict.severity is Severity.HIGH:
        return _in_time(verdict, situation)
    if verdict.item.criteria:
        return _Call(action=Action.INVESTIGATE, minutes=_LONGEST, because=_told(verdict, "missed a success criterion"))
    return _follow_up(verdict, situation)


def _at_once(verdict: Verdict, situation: Situation) -> _Call:
    """A critical failure rolls back where its row says so, else somebody is paged."""
    row = verdict.item.row
    if row is None or row.action != "rollback":
        return _Call(
            action=Action.INVESTIGATE, minutes=0, because=_told(verdict, "failed; rolling back would not mend it")
        )
    return _rollback(verdict, situation, f"failed, and row '{row.id}' says roll back")


def _in_time(verdict: Verdict, situation: Situation) -> _Call:
    """A high failure has until its deadline, counted from the first one on record."""
    deadline = verdict.deadline
    age = (situation.now - verdict.since).total_seconds() / 60 if verdict.since else 0.0
    left = deadline.minutes - max(0.0, age)
    if left > 0:
        return _Call(
            action=Action.INVESTIGATE,
            minutes=min(_LONGEST, left),
            because=_told(verdict, f"failed, {left:.0f} min left"),
        )
    due = deadline.then == "rollback" or (isinstance(deadline.then, Limit) and verdict.worse)
    if due:
        return _rollback(verdict, situation, "failed, and its deadline, which says roll back, is over")
    return _Call(action=Action.INVESTIGATE, minutes=0, because=_told(verdict, "failed, and its deadline is over"))


def _rollback(verdict: Verdict, situation: Situation, why: str) -> _Call:
    """A rollback, unless something says that it would not mend this, or that we cannot be sure."""
    if bar := _bar(verdict, situation):
        return _Call(action=Action.INVESTIGATE, minutes=0, because=_told(verdict, f"{why}; none is ordered: {bar}"))
    return _Call(action=Action.ROLLBACK, minutes=0, because=_told(verdict, why))


def _bar(verdict: Verdict, situation: Situation) -> str | None:
    """What keeps a rollback from being ordered."""
    deployment = situation.memory.deployment
    ago = situation.now - deployment.mark if deployment else None
    release = situation.release
    bars = (
        (situation.stage is not Stage.AFTER, "the release has been rolled back already"),
        (ago is None, "no deployment is on record (--deployed TIME)"),
        (ago is not None and ago < timedelta(), "the deployment on record lies in the future"),
        (ago is not None and ago > WINDOW, f"the deployment is more than {WINDOW.seconds // 60} minutes old"),
        (not verdict.confirmed, "not every attempt was made"),
        (Flag.PRE_EXISTING in verdict.flags, "it failed before this deployment too"),
        (situation.control is Control.NONE, "no control is configured"),
        (situation.control is Control.SILENT, "no control answers"),
        (release.served is Served.OTHER, release.because),
        (release.served is Served.UNREADABLE, release.because),
    )
    return next((text for holds, text in bars if holds), None)


def _told(verdict: Verdict, why: str) -> str:
    return f"{verdict.item.id} ({verdict.severity}) {why}: {verdict.because}"
