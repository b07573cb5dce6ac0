"""Whom a decision calls: by what failed, in the order of the configuration, each once."""

from __future__ import annotations

import pytest

from probekit.model.checklist import Severity
from probekit.model.people import Contact, Paging
from probekit.model.verdict import Action, Decision, Outcome, Verdict

LEAD, ON_CALL, ESCALATION = (Contact(role=role, name=role) for role in ("deployment_lead", "on_call", "escalation"))
CRITICAL, HIGH, MEDIUM, LOW = Severity
PAGING = Paging(
    contacts=(LEAD, ON_CALL, ESCALATION),
    page={
        CRITICAL: ("on_call", "escalation"),
        HIGH: ("on_call",),
        MEDIUM: ("deployment_lead",),
        LOW: (),
    },
)
NOT_VERIFIED = Outcome.INCONCLUSIVE


def called(paging, make, action, *found, strict=False):
    """The roles that are called; `found`: severity, outcome, and `criterion` of what stops a release though mild."""
    verdicts = [
        Verdict(
            item=make.item(severity=severity, criteria=("c",) if "criterion" in more else ()),
            outcome=outcome,
            because="",
        )
        for severity, outcome, *more in found
    ]
    decision = Decision(action=action, minutes=None, because=("why",))
    return [contact.role for contact in paging.to_call(decision, verdicts, strict=strict)]


@pytest.mark.parametrize(
    ("action", "found", "roles"),
    [
        (Action.GO, [(CRITICAL, Outcome.PASS)], []),
        (Action.GO, [(LOW, Outcome.FAIL)], []),
        (Action.PARTIAL, [(CRITICAL, Outcome.PASS)], []),
        (Action.HOLD, [(CRITICAL, Outcome.PENDING)], ["deployment_lead"]),
        (Action.ROLLBACK, [(CRITICAL, Outcome.FAIL)], ["on_call", "escalation"]),
        (Action.ROLLBACK, [(HIGH, Outcome.FAIL)], ["on_call", "escalation"]),  # of which the time is over
        (Action.INVESTIGATE, [(CRITICAL, Outcome.FAIL)], ["on_call", "escalation"]),
        (Action.INVESTIGATE, [(HIGH, Outcome.FAIL)], ["on_call"]),
        (Action.INVESTIGATE, [(LOW, Outcome.FAIL), (HIGH, Outcome.FAIL)], ["on_call"]),
        (Action.INVESTIGATE, [(HIGH, Outcome.FAIL), (CRITICAL, NOT_VERIFIED)], ["on_call"]),
        (Action.INVESTIGATE, [(MEDIUM, Outcome.FAIL, "criterion")], ["deployment_lead"]),
        (Action.INVESTIGATE, [(LOW, Outcome.FAIL, "criterion")], []),
        (Action.INVESTIGATE, [(CRITICAL, NOT_VERIFIED)], ["deployment_lead"]),  # nothing failed
        (Action.INVESTIGATE, [(CRITICAL, NOT_VERIFIED), (LOW, Outcome.FAIL)], ["deployment_lead"]),  # that can wait
        (Action.INVESTIGATE, [(CRITICAL, Outcome.PASS)], ["deployment_lead"]),  # of another version
        (Action.NO_GO, [(CRITICAL, Outcome.FAIL)], ["deployment_lead", "on_call", "escalation"]),
        (Action.NO_GO, [(HIGH, Outcome.FAIL)], ["deployment_lead", "on_call"]),
        (Action.UNDECIDED, [(CRITICAL, Outcome.FAIL)], ["on_call", "escalation"]),
        (Action.UNDECIDED, [], ["deployment_lead"]),
    ],
)
def test_a_decision_calls_by_what_failed(make, action, found, roles) -> None:
    assert called(PAGING, make, action, *found) == roles


def test_strict_lets_no_failure_wait(make) -> None:
    found = [(MEDIUM, Outcome.FAIL), (LOW, Outcome.FAIL)]
    paging = Paging(contacts=PAGING.contacts, page={MEDIUM: ("escalation",)})

    assert called(paging, make, Action.INVESTIGATE, *found, strict=True) == ["escalation"]
    assert called(paging, make, Action.INVESTIGATE, *found) == ["deployment_lead"]


def test_each_is_called_once_and_who_is_not_given_is_not() -> None:
    decision = Decision(action=Action.ROLLBACK, minutes=0, because=("why",))
    paging = Paging(contacts=(ESCALATION, ON_CALL), page={CRITICAL: ("on_call", "gone", "escalation", "on_call")})

    assert paging.to_call(decision, [], strict=False) == (ON_CALL, ESCALATION)


@pytest.mark.parametrize("action", Action)
def test_without_contacts_nobody_is_called(make, action) -> None:
    assert called(Paging(), make, action, (CRITICAL, Outcome.FAIL)) == []


def test_a_report_calls_by_its_decision(make, report_of) -> None:
    failed = Verdict(item=make.item(severity=HIGH), outcome=Outcome.FAIL, because="", since=make.now)

    report = report_of(failed, run={"paging": PAGING})

    assert (report.decision.action, report.to_call) == (Action.INVESTIGATE, (ON_CALL,))
    assert report_of(failed).to_call == ()
