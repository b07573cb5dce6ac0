"""Judge the item that a phase ended with go, by the other verdicts of its phase in the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from probekit.judging.decide import decide
from probekit.model.checklist import Item, Severity
from probekit.model.numbers import count
from probekit.model.verdict import Action, Outcome, Situation, Verdict

_STOPS = (Action.ROLLBACK, Action.NO_GO, Action.INVESTIGATE)
_LISTED = 3  # failures that the verdict names; the others are counted


def go_of_phase(item: Item, verdicts: Sequence[Verdict], situation: Situation) -> Verdict:
    """Return a pass where the other verdicts of the item's phase decide go, a fail where one of them failed.

    Where they decide no go without a failure, or the run covers a part of them only, the item is not verified. An
    earlier run does not count: the first run could then never decide go.
    """
    others = [one for one in verdicts if one.item.phase == item.phase and one.item.id != item.id]
    limit = item.expect[0]
    if situation.partial or not others:
        what = "the run is partial" if situation.partial else f"no other item of phase {item.phase} is in scope"
        return Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because=f"{what}, so its decision is not known")
    decision = decide(others, replace(situation, in_scope=len(others)))
    if decision.action is Action.GO:
        because = f"the {count(len(others), 'other item')} of phase {item.phase} allow a go"
        return Verdict(item=item, outcome=Outcome.PASS, because=because, observed=1.0, limit=limit)
    word = f"phase {item.phase} decides {decision.action.word}"
    failed = [one for one in others if one.outcome is Outcome.FAIL and not one.is_follow_up]
    if decision.action in _STOPS and failed:
        because = f"{word}: {_named(failed)} failed"
        return Verdict(item=item, outcome=Outcome.FAIL, because=because, observed=0.0, limit=limit)
    return Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because=f"{word}: {decision.because[0]}")


def _named(failed: Sequence[Verdict]) -> str:
    """Return the ids of the worst failures; why they failed stands in their own verdicts."""
    ids = [one.item.id for one in sorted(failed, key=lambda one: list(Severity).index(one.severity))]
    more = len(ids) - _LISTED
    return ", ".join(ids[:_LISTED]) + (f" and {more} more" if more > 0 else "")
