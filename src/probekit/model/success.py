"""The success criteria of a checklist's document, each met, missed or open by the verdicts on its items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from probekit.model.verdict import Outcome, Verdict


class CriterionState(StrEnum):
    """The state of a success criterion."""

    MET = "met"
    MISSED = "missed"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessCriterion:
    """One line of the document's success criteria, and its items."""

    id: str
    group: str  # the document's heading
    text: str
    items: tuple[str, ...]  # ids, in scope or not


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """The state of one criterion, with the ids of the items that decide it."""

    criterion: SuccessCriterion
    state: CriterionState
    failed: tuple[str, ...] = ()
    open: tuple[str, ...] = ()  # without an answer, waived, or out of scope


_ANSWERED = (Outcome.PASS, Outcome.ATTESTED)


def results(criteria: Sequence[SuccessCriterion], verdicts: Sequence[Verdict]) -> tuple[CriterionResult, ...]:
    """Return the state of each criterion.

    It is missed where one of its items fails. It is met where all of its items that apply, and at least one, are
    verified: an item that is out of scope, waived or not verified leaves it open.
    """
    outcomes = {verdict.item.id: verdict.outcome for verdict in verdicts}
    return tuple(_result(criterion, [outcomes.get(name) for name in criterion.items]) for criterion in criteria)


def _result(criterion: SuccessCriterion, outcomes: Sequence[Outcome | None]) -> CriterionResult:
    found = list(zip(criterion.items, outcomes, strict=True))
    failed = tuple(name for name, outcome in found if outcome is Outcome.FAIL)
    settled = (*_ANSWERED, Outcome.NOT_APPLICABLE, Outcome.FAIL)
    left = tuple(name for name, outcome in found if outcome not in settled)
    is_met = not left and any(outcome in _ANSWERED for outcome in outcomes)
    state = CriterionState.MISSED if failed else CriterionState.MET if is_met else CriterionState.OPEN
    return CriterionResult(criterion=criterion, state=state, failed=failed, open=left)
