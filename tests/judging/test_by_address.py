"""Failures at some addresses of a name, and addresses that do not count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probekit.judging.decide import decide
from probekit.judging.judge import judge
from probekit.model.checklist import Band, Deadline, Row, Severity
from probekit.model.history import Deployment, History
from probekit.model.limit import parse_limit
from probekit.model.measurement import InstanceKey, Reason
from probekit.model.verdict import Action, Control, Flag, Outcome, Situation

ONE, TWO, SIX = "192.0.2.1:443", "192.0.2.2:443", "[2001:db8::1]:443"


@pytest.fixture
def judged(make):
    """The health item's verdict and the decision, by what each address answered in each of three attempts."""
    row = Row(id="api-down", text="", severity=Severity.CRITICAL, action="rollback")
    band = Band(when=parse_limit("up < 1"), severity=Severity.CRITICAL, deadline=Deadline(minutes=5, then="rollback"))
    item = replace(make.item("up == 1", confirm=3, matrix_row=row), bands=(band,))
    deployment = Deployment(release="2", started=make.now, finished=make.now)

    def one(ups, *, uncounted=None, each_address=True, declared=("",)):
        steps = [make.step(reach=frozenset({"up"}), each_address=each_address, instance=name) for name in declared]
        attempts = {
            InstanceKey("health", address): tuple(
                make.attempt(*[make.measurement(address, up=value)] * (8 if number == 0 else 1))
                for number, value in enumerate(values)
            )
            for address, values in ups.items()
        }
        situation = Situation(
            now=make.now,
            history=History(deployment=deployment, known=True),
            control=Control.ANSWERS,
            uncounted=uncounted or {},
            in_scope=1,
        )
        plan = replace(make.plan(items=(item,), steps=tuple(steps)), layers={"health": "application"})
        (verdict,) = judge(plan, attempts, situation)
        return verdict, decide([verdict], situation)

    return one


DOWN, WELL = (0, 0, 0), (1,)


@pytest.mark.parametrize(
    ("ups", "outcome", "severity", "action"),
    [
        ({ONE: WELL, TWO: WELL}, Outcome.PASS, Severity.CRITICAL, Action.GO),
        ({ONE: DOWN, TWO: DOWN}, Outcome.FAIL, Severity.CRITICAL, Action.ROLLBACK),
        ({ONE: WELL, TWO: DOWN}, Outcome.FAIL, Severity.HIGH, Action.INVESTIGATE),
        ({ONE: DOWN, TWO: (0, 1)}, Outcome.FAIL, Severity.HIGH, Action.INVESTIGATE),  # the other comes and goes
        ({ONE: WELL, TWO: (0, 1)}, Outcome.INCONCLUSIVE, Severity.CRITICAL, Action.INVESTIGATE),
        ({ONE: DOWN}, Outcome.FAIL, Severity.CRITICAL, Action.ROLLBACK),
    ],
)
def test_only_all_addresses_together_are_an_outage(judged, ups, outcome, severity, action) -> None:
    verdict, decision = judged(ups)

    assert (verdict.outcome, verdict.severity, decision.action) == (outcome, severity, action)
    assert (Flag.SOME_ADDRESSES in verdict.flags) is (severity is Severity.HIGH)


def test_a_failure_at_some_addresses_names_them_and_never_rolls_back_by_time(judged, make) -> None:
    verdict, _ = judged({ONE: WELL, TWO: DOWN})

    assert verdict.because.startswith(f"{TWO}: no response")
    assert verdict.because.endswith("; it fails at 1 of 2 addresses")
    assert verdict.deadline.then == "escalate"


def test_instances_that_are_no_addresses_are_judged_as_before(judged) -> None:
    verdict, decision = judged({"eu": WELL, "us": DOWN}, each_address=False)

    assert (verdict.severity, decision.action) == (Severity.CRITICAL, Action.ROLLBACK)


@pytest.mark.parametrize(
    ("ups", "severity", "action"),
    [
        ({"eu": WELL, "us": DOWN}, Severity.CRITICAL, Action.ROLLBACK),
        ({"eu": WELL, f"us {ONE}": DOWN, f"us {TWO}": DOWN}, Severity.CRITICAL, Action.ROLLBACK),
        ({"eu": DOWN, f"us {ONE}": WELL, f"us {TWO}": DOWN}, Severity.CRITICAL, Action.ROLLBACK),
        ({"eu": WELL, f"us {ONE}": WELL, f"us {TWO}": DOWN}, Severity.HIGH, Action.INVESTIGATE),
    ],
)
def test_a_declared_instance_is_a_service_of_its_own_and_no_address_of_another(judged, ups, severity, action) -> None:
    verdict, decision = judged(ups, declared=("eu", "us"))

    assert (verdict.outcome, verdict.severity, decision.action) == (Outcome.FAIL, severity, action)


WHY = "IPv6 not tested from here"


@pytest.mark.parametrize(
    ("ups", "outcome", "told"),
    [
        ({ONE: WELL, SIX: DOWN}, Outcome.PASS, WHY),
        ({ONE: DOWN, SIX: DOWN}, Outcome.FAIL, WHY),
        ({SIX: DOWN}, Outcome.ERROR, f"no_network: {WHY}"),
        ({ONE: WELL, SIX: (0, 1)}, Outcome.INCONCLUSIVE, "measurements disagree"),  # it was reached, so it counts
    ],
)
def test_an_address_that_this_machine_cannot_test_does_not_count(judged, ups, outcome, told) -> None:
    verdict, _ = judged(ups, uncounted={SIX: WHY})

    assert verdict.outcome is outcome
    assert told in verdict.because
    assert verdict.severity is Severity.CRITICAL


UNREACHABLE, NO_NETWORK, TIMEOUT = Reason.UNREACHABLE, Reason.NO_NETWORK, Reason.TIMEOUT


@pytest.mark.parametrize(
    ("values", "is_silent"),
    [
        ({"up": 0}, True),
        ({"up": 1}, False),
        ({"up": 1, "days_left": UNREACHABLE}, False),
        ({"days_left": UNREACHABLE, "trusted": NO_NETWORK}, True),
        ({"days_left": 5, "trusted": UNREACHABLE}, False),  # its kind says nothing of reach, and read something
        ({"days_left": TIMEOUT}, False),
        ({}, False),
    ],
)
def test_silent_is_only_what_gave_nothing(make, values, is_silent) -> None:
    assert make.measurement(**values).is_silent is is_silent


def test_a_reading_counts_although_the_name_leads_elsewhere_now(make) -> None:
    item, step = (
        make.item("days_left > 30", probe="health"),
        make.step(each_address=True, wanted=frozenset({"days_left"})),
    )
    attempts = {
        InstanceKey("health", address): (make.attempt(make.measurement(address, days_left=days)),)
        for address, days in ((ONE, 90), (TWO, 5))
    }
    situation = Situation(now=make.now, uncounted={TWO: f"the name no longer leads to {TWO}"})

    (verdict,) = judge(make.plan(items=(item,), steps=(step,)), attempts, situation)

    assert verdict.outcome is Outcome.FAIL
