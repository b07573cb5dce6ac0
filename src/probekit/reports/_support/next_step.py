"""State the next step: what to do now, and who does it."""

from __future__ import annotations

from typing import Final

from probekit.model.report import Report
from probekit.model.verdict import Action, Outcome, Served, Verdict

_ROLL_BACK_URL: Final = (  # a run of a URL has no marks
    "roll back to the previous release now, then verify it: "
    "probekit verify {target} --stage rolled-back --release {previous}"
)
_NEXT: Final = {
    Action.GO: "go on.",
    Action.PARTIAL: "go on; to approve the release, verify the whole scope.",
    Action.HOLD: "get the signature of {owners}, then verify again.",
    Action.NO_GO: "do not deploy; {owners} must fix what failed; then verify again.",
    Action.ROLLBACK: "roll back to the previous release now, then mark and verify it: "
    "probekit deployment rolled-back {target}; probekit verify {target}",
    Action.UNDECIDED: "this is neither a go nor a rollback: do what the first line says.",
}

_NEXT_IN_PHASE: Final = {
    Action.GO: "go on: phase {phase} allows it; a run of each other phase verifies the items of that phase.",
    Action.PARTIAL: "go on; to decide on phase {phase}, verify all of it.",
}


def next_step(report: Report) -> str:
    """Return the next step by the decision, and who takes it."""
    action, minutes = report.decision.action, report.decision.minutes or 0
    owners = _owners(report, Outcome.PENDING if action is Action.HOLD else Outcome.FAIL)
    called = " and ".join(contact.name for contact in report.to_call) or owners
    if action is not Action.INVESTIGATE:
        waiting = action is Action.GO and any(not verdict.outcome.is_settled for verdict in report.verdicts)
        run, previous = report.run, report.situation.history.previous_release or "VERSION"
        target = f"--url {run.base_url}" if run.is_of_url else f"--env {run.environment}"
        is_url = run.is_of_url and action is Action.ROLLBACK
        known = _NEXT | _NEXT_IN_PHASE if run.phase else _NEXT
        text = _ROLL_BACK_URL if is_url else known[action]
        text = text.format(owners=owners, target=target, previous=previous, phase=run.phase)
        return text + (" The follow-ups can wait." if waiting else "")
    if report.situation.release.served is Served.OTHER:
        return "find out first why another version is served; then verify again."
    if not owners and all(verdict.outcome.is_settled for verdict in report.verdicts):
        return f"verify all of phase {report.run.phase} again." if report.run.phase else "verify the whole scope again."
    if not owners:
        return (
            f"no failure stops the release, but not every item is verified: fix that within {minutes:.0f} min; "
            "then verify again."
        )
    if minutes < 1:
        failed = [one for one in report.verdicts if one.outcome is Outcome.FAIL and one.severity.is_grave]
        choice = ", or decide by hand whether to roll back" if any(map(_may_roll_back, failed)) else ""
        return f"call {called} now: fix it{choice}; then verify again."
    return f"call {called}: find out why within {minutes:.0f} min; then verify again."


def _may_roll_back(verdict: Verdict) -> bool:
    return verdict.item.may_roll_back(verdict.band)


def _owners(report: Report, outcome: Outcome) -> str:
    """Return whose the items are that stop the release."""
    found = [one.item.owner for one in report.verdicts if one.outcome is outcome and not one.is_follow_up]
    return " and ".join(dict.fromkeys(found))
