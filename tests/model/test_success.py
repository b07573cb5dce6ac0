"""A success criterion is met only by what was verified: each combination of two items by a table."""

from __future__ import annotations

import pytest

from probekit import checklist
from probekit.model.success import CriterionState, SuccessCriterion, results
from probekit.model.verdict import Outcome, Verdict

CRITERION = SuccessCriterion(id="x.y", group="All well", text="It is well", items=("a.b.one", "a.b.two"))


@pytest.mark.parametrize(
    ("one", "two", "state"),
    [
        (Outcome.PASS, Outcome.PASS, CriterionState.MET),
        (Outcome.PASS, Outcome.ATTESTED, CriterionState.MET),
        (Outcome.PASS, Outcome.NOT_APPLICABLE, CriterionState.MET),
        (Outcome.NOT_APPLICABLE, Outcome.NOT_APPLICABLE, CriterionState.OPEN),
        (Outcome.PASS, None, CriterionState.OPEN),
        (None, None, CriterionState.OPEN),
        (Outcome.PASS, Outcome.WAIVED, CriterionState.OPEN),
        (Outcome.PASS, Outcome.INCONCLUSIVE, CriterionState.OPEN),
        (Outcome.PASS, Outcome.ERROR, CriterionState.OPEN),
        (Outcome.PASS, Outcome.NOT_CONFIGURED, CriterionState.OPEN),
        (Outcome.PASS, Outcome.PENDING, CriterionState.OPEN),
        (Outcome.PASS, Outcome.FAIL, CriterionState.MISSED),
        (Outcome.ERROR, Outcome.FAIL, CriterionState.MISSED),
        (None, Outcome.FAIL, CriterionState.MISSED),
    ],
)
@pytest.mark.parametrize("is_reversed", [False, True])
def test_it_is_met_by_verified_items_alone_and_missed_by_one_failure(make, one, two, state, is_reversed) -> None:
    outcomes = (two, one) if is_reversed else (one, two)
    verdicts = [
        Verdict(item=make.item(id=name), outcome=outcome, because="x")
        for name, outcome in zip(CRITERION.items, outcomes, strict=True)
        if outcome is not None
    ]

    (result,) = results([CRITERION], verdicts)

    assert result.state is state
    assert bool(result.failed) is (state is CriterionState.MISSED)


def test_the_document_has_18_criteria_in_6_groups_and_each_has_an_item() -> None:
    criteria = checklist.load("softfactory").success_criteria

    assert len(criteria) == 18
    assert len({criterion.group for criterion in criteria}) == 6
    assert all(criterion.items for criterion in criteria)
