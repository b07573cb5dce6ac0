"""The style of each decision and verdict: a colour and a shape, named by its class."""

from __future__ import annotations

from typing import Final

from probekit.model.success import CriterionState
from probekit.model.verdict import Action, Outcome, Verdict

OF_ACTION: Final = {
    Action.GO: "good",
    Action.PARTIAL: "good",
    Action.HOLD: "open",
    Action.INVESTIGATE: "warn",
    Action.NO_GO: "bad",
    Action.ROLLBACK: "bad",
    Action.UNDECIDED: "odd",
}
OF_OUTCOME: Final = {
    Outcome.PASS: "good",
    Outcome.ATTESTED: "good",
    Outcome.FAIL: "bad",
    Outcome.INCONCLUSIVE: "odd",
    Outcome.ERROR: "odd",
    Outcome.NOT_CONFIGURED: "odd",
    Outcome.PENDING: "open",
    Outcome.WAIVED: "none",
    Outcome.NOT_APPLICABLE: "none",
}
OF_CRITERION: Final = {CriterionState.MET: "good", CriterionState.MISSED: "bad", CriterionState.OPEN: "none"}
OUT_OF_SCOPE: Final = "none"


def style_of(verdict: Verdict | None, *, bars_go: bool) -> str:
    """Return the style of a verdict; a failure that does not rule out a go is a warning."""
    if verdict is None:
        return OUT_OF_SCOPE
    return "warn" if verdict.outcome is Outcome.FAIL and not bars_go else OF_OUTCOME[verdict.outcome]
