"""Maintenance bars a rollback, unless the deployment is part of it; it hides no failure and turns nothing into a go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import NOW

from probekit.judging.decide import decide
from probekit.model.checklist import Severity
from probekit.model.history import Deployment, History
from probekit.model.maintenance import Maintenance, in_force
from probekit.model.verdict import Action, Control, Outcome, Situation, Stage, Verdict

MINUTE = timedelta(minutes=1)
WINDOW = Maintenance(start=NOW - 30 * MINUTE, end=NOW + 60 * MINUTE, reason="new storage")


@pytest.fixture
def failed(make) -> Verdict:
    """A confirmed failure whose row says roll back."""
    return Verdict(item=make.item(matrix_row=make.rollback_row), outcome=Outcome.FAIL, because="it is down", since=NOW)


def deployed(started: float, finished: float | None = None) -> Deployment:
    """A deployment that was marked so many minutes ago (negative: ahead of this clock)."""
    return Deployment(
        release="2",
        started=NOW - started * MINUTE,
        finished=None if finished is None else NOW - finished * MINUTE,
    )


def situation(deployment: Deployment | None, *windows: Maintenance, **facts) -> Situation:
    return Situation(
        **{
            "now": NOW,
            "control": Control.ANSWERS,
            "history": History(deployment=deployment),
            "maintenance": in_force(windows, NOW, NOW),
            **facts,
        }
    )


@pytest.mark.parametrize(
    ("starts", "ends", "deployment", "action"),
    [
        (1, 60, deployed(50, 45), Action.ROLLBACK),  # ahead
        (0, 60, deployed(50, 45), Action.INVESTIGATE),  # its first moment
        (-30, 60, deployed(50, 45), Action.INVESTIGATE),
        (-30, 0, deployed(50, 45), Action.INVESTIGATE),  # its last moment
        (-30, -1, deployed(50, 45), Action.ROLLBACK),  # over
        (-30, 60, deployed(20, 10), Action.ROLLBACK),  # both marks in it
        (-30, 60, deployed(50, 10), Action.ROLLBACK),  # the finish alone
        (-30, 60, deployed(50, 30), Action.ROLLBACK),  # the finish at its first moment
        (-30, 0, deployed(0, 0), Action.ROLLBACK),  # at its last
        (-60, -5, deployed(30, 3), Action.ROLLBACK),  # over, whatever is marked in it
        (-30, 60, deployed(20), Action.ROLLBACK),  # under way, started in it
        (-30, 60, deployed(50), Action.INVESTIGATE),  # under way, started before it
        (-30, 60, deployed(50, -0.5), Action.ROLLBACK),  # clocks differ so much
        (-30, 60, deployed(50, -2), Action.INVESTIGATE),  # a finish of a clock that is ahead
        (-30, 60, deployed(-2, -2), Action.INVESTIGATE),
        (-30, 60, None, Action.INVESTIGATE),
    ],
)
def test_a_rollback_is_ordered_outside_of_maintenance_or_for_its_own_deployment(
    failed, starts, ends, deployment, action
) -> None:
    window = Maintenance(start=NOW + starts * MINUTE, end=NOW + ends * MINUTE, reason="new storage")

    decision = decide([failed], situation(deployment, window))

    assert (decision.action, decision.minutes) == (action, 0)
    assert any("maintenance is under way" in because for because in decision.because) == (action is Action.INVESTIGATE)


def test_the_reason_names_the_window_and_its_end_and_the_failure_stays(failed) -> None:
    decision = decide([failed], situation(deployed(50, 45), WINDOW))

    assert decision.because == (
        "deploy.services.health-endpoint (critical) failed, and rollback rule 'API down' applies: it is down",
        (
            "no rollback is ordered: maintenance is under way (from 2026-11-23 10:00 to 11:30 UTC (new storage)), "
            "and no deployment is marked in it; decide by hand"
        ),
    )


def test_each_window_needs_a_mark_of_its_own(failed) -> None:
    other = Maintenance(start=NOW - 5 * MINUTE, end=NOW + MINUTE, reason="new certificates")

    assert decide([failed], situation(deployed(20, 10), WINDOW)).action is Action.ROLLBACK
    decision = decide([failed], situation(deployed(20, 10), WINDOW, other))
    assert decision.action is Action.INVESTIGATE
    assert [because for because in decision.because if "new storage" in because] == []


@pytest.mark.parametrize("stage", [Stage.BEFORE, Stage.ROLLED_BACK])
def test_before_a_deployment_a_failure_stays_a_no_go(failed, stage) -> None:
    action = {Stage.BEFORE: Action.NO_GO, Stage.ROLLED_BACK: Action.INVESTIGATE}[stage]

    for windows in ((), (WINDOW,)):
        assert decide([failed], situation(deployed(50, 45), *windows, stage=stage)).action is action


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("severity", Severity)
def test_a_window_changes_nothing_but_a_rollback(make, outcome, severity) -> None:
    item = make.item(severity=severity, matrix_row=make.rollback_row, holds_if_pending=True)
    verdict = Verdict(item=item, outcome=outcome, because="why", since=NOW, layer="application")

    without = decide([verdict], situation(deployed(50, 45)))
    within = decide([verdict], situation(deployed(50, 45), WINDOW))

    if without.action is Action.ROLLBACK:
        assert (within.action, within.minutes) == (Action.INVESTIGATE, 0)
    else:
        assert within == without


def test_a_failure_of_the_record_alone_orders_no_rollback(failed) -> None:
    """The record may lack what took place: a lost file, another machine, an older version."""
    decision = decide([replace(failed, of_record=True)], situation(deployed(10, 5)))

    assert decide([failed], situation(deployed(10, 5))).action is Action.ROLLBACK
    assert decision.action is Action.INVESTIGATE
    assert any("reads probekit's own record" in reason for reason in decision.because)
