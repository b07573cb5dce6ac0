"""The last word: what to do now, for a reader who was asleep a minute ago."""

from __future__ import annotations

from typing import Final

from probekit.model.report import Report
from probekit.model.verdict import Action, Outcome, Served

_NEXT: Final = {
    Action.GO: "go on.",
    Action.PARTIAL: "go on, but not with the release: that takes a run of the whole scope.",
    Action.HOLD: "get the signature of {owners}, then verify again.",
    Action.NO_GO: "do not deploy; {owners} must mend what failed; then verify again.",
    Action.ROLLBACK: "roll back to the previous release now, then verify it with --stage rolled-back.",
    Action.UNDECIDED: "take this for neither a go nor a rollback; do what the first line says.",
}


def next_step(report: Report) -> str:
    """Return the next step by the decision, and who takes it."""
    action, minutes = report.decision.action, report.decision.minutes or 0
    owners = _owners(report, Outcome.PENDING if action is Action.HOLD else Outcome.FAIL)
    called = " and ".join(contact.name for contact in report.to_call) or owners
    if action is not Action.INVESTIGATE:
        waiting = action is Action.GO and any(not verdict.outcome.is_settled for verdict in report.verdicts)
        return _NEXT[action].format(owners=owners) + (" The follow-ups above can wait." if waiting else "")
    if report.situation.release.served is Served.OTHER:
        return "find out why another version is served, before anything else; then verify again."
    if not owners and all(verdict.outcome.is_settled for verdict in report.verdicts):
        return "verify again, with the whole scope."
    if not owners:
        return (
            f"nothing grave failed, but not every item is verified: mend that within {minutes:.0f} min; "
            "then verify again."
        )
    if minutes < 1:
        return f"call {called} now: mend it, or decide by hand whether to roll back; then verify again."
    return f"call {called}: {minutes:.0f} min to find out why; then verify again."


def _owners(report: Report, outcome: Outcome) -> str:
    """Return whose the items are that stop the release."""
    found = [one.item.owner for one in report.verdicts if one.outcome is outcome and not one.is_follow_up]
    return " and ".join(dict.fromkeys(found))
