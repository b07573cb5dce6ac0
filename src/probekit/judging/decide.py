"""Make one decision from the verdicts and the situation of a run: pure, no clock, no input or output."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import inf
from typing import Final

from probekit.judging.basis import EXEMPT, basis, nothing_read
from probekit.judging.rollback import rollback_blockers
from probekit.model.checklist import Severity
from probekit.model.limit import Limit
from probekit.model.numbers import count
from probekit.model.verdict import Action, Control, Decision, Outcome, Served, Situation, Stage, Verdict

_LONGEST: Final = 60.0  # minutes: the longest deadline of an investigation
_UNREPEATED: Final = 1.0  # minutes while attempts are outstanding
_MINUTES_TO_VERIFY: Final = {Severity.CRITICAL: 5.0}
_MINUTES_ELSE: Final = 10.0
_TO_READ_VERSION: Final = 5.0
_GOOD_NEWS: Final = (Action.GO, Action.PARTIAL)
_BAD_NEWS: Final = (Action.INVESTIGATE, Action.NO_GO, Action.ROLLBACK)
_NAMED: Final = 3  # items that one sentence names; the others are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """What one verdict calls for, why, and what blocked a rollback."""

    verdict: Verdict
    action: Action = Action.GO
    minutes: float | None = None
    why: str = ""
    blockers: tuple[str, ...] = ()


def decide(verdicts: Sequence[Verdict], situation: Situation) -> Decision:
    """Return the most severe action that any verdict calls for, its earliest deadline, and the reasons."""
    decision = _with_release(_most_severe([_call(verdict, situation) for verdict in verdicts]), situation)
    decision = _with_contradictions(decision, situation)
    if decision.action is Action.GO:
        decision = _of_part(decision, len(verdicts), situation)
    if doubt := _doubt(verdicts, decision.action, situation):
        return Decision(action=Action.UNDECIDED, minutes=0.0, because=(doubt, *decision.because))
    return replace(decision, because=decision.because or (basis(verdicts, situation),))


def _most_severe(calls: Sequence[_Call]) -> Decision:
    """Return the most severe action of the calls, with the reasons of the calls that ask for it."""
    action = max((call.action for call in calls), key=lambda action: action.gravity, default=Action.GO)
    decisive = [call for call in calls if call.action is action]
    minutes = min((call.minutes for call in decisive if call.minutes is not None), default=None)
    return Decision(action=action, minutes=minutes, because=tuple(dict.fromkeys(_sentences(decisive))))


def _with_release(decision: Decision, situation: Situation) -> Decision:
    """Put a wrong version before every other reason; a version that was not read rules out a go."""
    release = situation.release
    if release.served is Served.OTHER:
        reasons, minutes = (f"WRONG VERSION: {release.because}", *decision.because), 0.0
    elif release.served in (Served.UNREADABLE, Served.DOWN):
        reasons, minutes = (*decision.because, f"version unknown: {release.because}"), _TO_READ_VERSION
    else:
        return decision
    if decision.action.gravity > Action.INVESTIGATE.gravity:
        return replace(decision, because=reasons)
    left = minutes if decision.minutes is None else min(minutes, decision.minutes)
    return Decision(action=Action.INVESTIGATE, minutes=left, because=reasons)


def _with_contradictions(decision: Decision, situation: Situation) -> Decision:
    """Put facts of the release that contradict each other before every other reason; they rule out a go."""
    if not situation.contradictions:
        return decision
    reasons = (*(f"CONTRADICTION: {one}" for one in situation.contradictions), *decision.because)
    if decision.action.gravity > Action.INVESTIGATE.gravity:
        return replace(decision, because=reasons)
    left = _TO_READ_VERSION if decision.minutes is None else min(_TO_READ_VERSION, decision.minutes)
    return Decision(action=Action.INVESTIGATE, minutes=left, because=reasons)


def _of_part(go: Decision, judged: int, situation: Situation) -> Decision:
    """Turn the go of a partial run into `partial`: it cannot approve the release."""
    if not situation.partial and judged >= situation.in_scope:
        return go
    because = f"no failure in {judged} of the {count(situation.in_scope, 'item')} in scope"
    if situation.strict:
        because += "; --strict requires a run of the whole scope"
        return Decision(action=Action.INVESTIGATE, minutes=_LONGEST, because=(because,))
    return Decision(action=Action.PARTIAL, minutes=None, because=(because,))


def _doubt(verdicts: Sequence[Verdict], action: Action, situation: Situation) -> str | None:
    """Return why this run decides nothing, independent of its verdicts; None where it decides."""
    if not situation.complete:
        return "the run was interrupted before every item was measured: verify again and let it finish"
    if all(verdict.outcome in EXEMPT for verdict in verdicts):
        return "nothing was measured: every item in scope is waived or not applicable"
    if situation.control is Control.SILENT and not situation.reached and action in _BAD_NEWS:
        return (
            "no control answers, so the network of the runner may be at fault instead of the target: "
            "fix the network, or verify again from another machine"
        )
    return nothing_read(verdicts) if action in _GOOD_NEWS else None


def _call(verdict: Verdict, situation: Situation) -> _Call:
    """Return what this verdict alone calls for."""
    if verdict.outcome.is_settled:
        return _Call(verdict=verdict)
    if verdict.is_follow_up:
        return _later(verdict, situation)
    if verdict.outcome is Outcome.PENDING:
        return _Call(verdict=verdict, action=Action.HOLD, why="unsigned, which holds the release")
    if verdict.outcome is Outcome.FAIL:
        return _failed(verdict, situation)
    minutes = _MINUTES_TO_VERIFY.get(verdict.severity, _MINUTES_ELSE)
    return _investigate(verdict, minutes, f"{_unknown(verdict.outcome)}, deadline in {minutes:g} min")


def _investigate(verdict: Verdict, minutes: float, why: str, blockers: tuple[str, ...] = ()) -> _Call:
    return _Call(verdict=verdict, action=Action.INVESTIGATE, minutes=minutes, why=why, blockers=blockers)


def _later(verdict: Verdict, situation: Situation) -> _Call:
    """Return a go that leaves the item to be followed up; with --strict an investigation."""
    if situation.strict:
        return _investigate(verdict, _LONGEST, f"{_open(verdict.outcome)}, and --strict allows no follow-ups")
    return _Call(verdict=verdict)


def _failed(verdict: Verdict, situation: Situation) -> _Call:
    """Return what a failure calls for that stops a release."""
    is_before = situation.stage is Stage.BEFORE
    if not verdict.severity.is_grave:
        return _investigate(verdict, _LONGEST, "failed, and it is a success criterion")
    if not verdict.confirmed and (is_before or verdict.severity is Severity.CRITICAL):
        return _investigate(
            verdict, _UNREPEATED, "failed, but not in every attempt that confirms a failure: verify again"
        )
    if is_before:
        return _ordered(verdict, situation, Action.NO_GO, "failed before the deployment")
    return _at_once(verdict, situation) if verdict.severity is Severity.CRITICAL else _in_time(verdict, situation)


def _at_once(verdict: Verdict, situation: Situation) -> _Call:
    """Return a rollback for a critical failure to which a rollback rule applies, else an immediate investigation."""
    row, is_own = verdict.item.matrix_row, verdict.item.is_own
    if row is None or row.action != "rollback":
        why = "no rollback rule applies (rollback = false)" if is_own else "a rollback would not fix it"
        return _investigate(verdict, 0.0, f"failed, and {why}")
    why = "its own rollback rule applies (rollback = true)" if is_own else f"rollback rule '{row.text}' applies"
    return _roll_back(verdict, situation, f"failed, and {why}")


def _in_time(verdict: Verdict, situation: Situation) -> _Call:
    """Return what a high failure calls for: its deadline counts from the first failure on record."""
    deadline = verdict.deadline
    age = max(situation.now - verdict.since, timedelta()) if verdict.since else timedelta()
    left = deadline.minutes - age / timedelta(minutes=1)
    if left > 0:
        return _investigate(
            verdict,
            min(_LONGEST, left),
            f"failed, deadline in {_spoken(left)} ({deadline.minutes:g} min after the first failure)",
        )
    over = f"failed, and its deadline of {deadline.minutes:g} min has passed"
    if isinstance(deadline.then, Limit) and not verdict.worse:
        return _investigate(verdict, 0.0, f"{over}, but its rollback condition {deadline.then} does not hold")
    if deadline.then == "escalate":
        return _investigate(verdict, 0.0, over)
    return _roll_back(verdict, situation, f"{over}, so a rollback is due")


def _roll_back(verdict: Verdict, situation: Situation, why: str) -> _Call:
    """Return a rollback, or an investigation where something blocks the rollback."""
    if blockers := tuple(f"no rollback is ordered: {blocker}" for blocker in rollback_blockers(verdict, situation)):
        return _investigate(verdict, 0.0, why, blockers)
    return _ordered(verdict, situation, Action.ROLLBACK, why)


def _ordered(verdict: Verdict, situation: Situation, action: Action, why: str) -> _Call:
    """Return the action, or an investigation where the run was partial and so orders nothing."""
    if situation.partial:
        return _investigate(
            verdict, 0.0, why, ("a partial run orders nothing: verify the whole scope, or decide by hand",)
        )
    return _Call(verdict=verdict, action=action, minutes=0.0, why=why)


def _sentences(calls: Sequence[_Call]) -> Iterator[str]:
    """Yield what calls for the action, the most urgent failure first; calls of one cause share a sentence."""
    unmeasured = [call for call in calls if call.verdict.outcome is Outcome.NOT_CONFIGURED]
    is_many = len(unmeasured) > _NAMED
    causes: dict[tuple[str, ...], list[_Call]] = defaultdict(list)
    for call in sorted(calls, key=_urgency):
        if call.why and not (is_many and call.verdict.outcome is Outcome.NOT_CONFIGURED):
            causes[call.why, call.verdict.severity, call.verdict.because].append(call)
    for alike in causes.values():
        yield _named(alike)
        yield from (blocker for call in alike for blocker in call.blockers)
    if is_many:
        yield _counted(unmeasured)


def _urgency(call: _Call) -> tuple[bool, float, int, str]:
    verdict = call.verdict
    left = inf if call.minutes is None else call.minutes
    return verdict.outcome is not Outcome.FAIL, left, -verdict.severity.gravity, verdict.item.id


def _named(alike: Sequence[_Call]) -> str:
    verdict, more = alike[0].verdict, len(alike) - _NAMED
    names = ", ".join(call.verdict.item.id for call in alike[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{names} ({verdict.severity}) {alike[0].why}: {verdict.because}"


def _counted(unmeasured: Sequence[_Call]) -> str:
    """Return one sentence for all items without a probe: there may be dozens, of one cause."""
    counts = Counter(call.verdict.severity for call in unmeasured)
    graded = ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
    return f"{len(unmeasured)} items are not configured ({graded}); probekit plan shows what each needs"


def _open(outcome: Outcome) -> str:
    """Return why an item is to be followed up."""
    return "failed" if outcome is Outcome.FAIL else "unsigned" if outcome is Outcome.PENDING else _unknown(outcome)


def _unknown(outcome: Outcome) -> str:
    """Return why an item has no answer: it is not configured, or its measurement gave none."""
    return "not configured" if outcome is Outcome.NOT_CONFIGURED else f"not verified ({outcome})"


def _spoken(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes >= 1 else "less than a minute"
