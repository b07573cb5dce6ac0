"""The deployment phase ended with go if its other items of the same run say so; an earlier run does not count."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from probekit.judging.judge import judge
from probekit.model.checklist import Severity
from probekit.model.history import Deployment, History
from probekit.model.measurement import InstanceKey, Reason
from probekit.model.verdict import Control, Outcome, Release, Served, Stage

CRITICAL, HIGH, _, LOW = Severity


@pytest.fixture
def go(make):
    """A function that judges `go` with other items: each id with its severity and the value of `missing`, due 0."""

    def one(others, *, partial=False, release=Release(), not_applicable=(), uncovered=(), row=None, **facts):  # noqa: B008  # frozen
        derived = replace(make.item("go == 1"), id="deploy.rollout.verdict", severity=HIGH, is_go_of_phase=True)
        items, attempts, steps = [derived], {}, []
        for number, (name, (severity, value)) in enumerate(others.items()):
            probe = f"probe{number}"
            items.append(replace(make.item("missing == 0"), id=name, severity=severity, probe=probe, matrix_row=row))
            steps.append(replace(make.step(wanted=frozenset({"missing"})), probe=probe))
            measurement = replace(make.measurement(missing=value), probe=probe)
            attempts[InstanceKey(probe, "")] = (make.attempt(measurement),)
        plan = replace(
            make.plan(*items, steps=tuple(steps)),
            layers={f"probe{number}": "application" for number in range(len(others))},
            not_applicable=dict.fromkeys(not_applicable, "it has none"),
            uncovered=dict.fromkeys(uncovered, "no probe"),
        )
        situation = replace(make.situation(release=release), partial=partial, in_scope=len(items), **facts)
        return judge(plan, attempts, situation)[0]

    return one


GOOD, BAD, UNREAD = (HIGH, 0), (HIGH, 1), (HIGH, Reason.TIMEOUT)


@pytest.mark.parametrize(
    ("others", "outcome", "because"),
    [
        ({"deploy.a.b": GOOD}, Outcome.PASS, "the 1 other item of phase deploy allow a go"),
        ({"deploy.a.b": GOOD, "deploy.a.c": (LOW, 1)}, Outcome.PASS, "the 2 other items"),  # a follow-up
        ({"deploy.a.b": GOOD, "post.a.b": BAD}, Outcome.PASS, "the 1 other item"),  # another phase
        (
            {"deploy.a.b": GOOD, "deploy.a.c": BAD},
            Outcome.FAIL,
            "phase deploy decides investigate: deploy.a.c failed",
        ),
        ({"deploy.a.b": BAD, "deploy.a.c": (CRITICAL, 1)}, Outcome.FAIL, ": deploy.a.c, deploy.a.b failed"),
        (
            {f"deploy.a.{name}": BAD for name in "bcdef"},
            Outcome.FAIL,
            ": deploy.a.b, deploy.a.c, deploy.a.d and 2 more failed",
        ),
        ({"deploy.a.b": GOOD, "deploy.a.c": UNREAD}, Outcome.INCONCLUSIVE, "not verified (inconclusive)"),
        ({"deploy.a.b": UNREAD, "deploy.a.c": (LOW, 1)}, Outcome.INCONCLUSIVE, "not verified (inconclusive)"),
        ({"deploy.a.b": (LOW, 1)}, Outcome.INCONCLUSIVE, "nothing of the target was measured"),
        ({"post.a.b": GOOD}, Outcome.INCONCLUSIVE, "no other item of phase deploy is in scope"),
        ({}, Outcome.INCONCLUSIVE, "no other item of phase deploy is in scope"),
    ],
)
def test_go_follows_from_the_other_items_of_its_phase(go, others, outcome, because) -> None:
    verdict = go(others)

    assert verdict.outcome is outcome, verdict.because
    assert because in verdict.because
    assert verdict.observed == {Outcome.PASS: 1.0, Outcome.FAIL: 0.0}.get(outcome)


def test_a_partial_run_says_nothing_of_the_phase(go) -> None:
    verdict = go({"deploy.a.b": GOOD}, partial=True)

    assert (verdict.outcome, verdict.because) == (
        Outcome.INCONCLUSIVE,
        "the run is partial, so its decision is not known",
    )


def test_another_version_than_expected_is_no_go_of_the_phase(go) -> None:
    other = Release(expected=("2",), answers={"1": 8}, served=Served.OTHER, because="1 is served, 2 expected")

    assert go({"deploy.a.b": GOOD}, release=other).outcome is Outcome.INCONCLUSIVE


def test_an_environment_may_exempt_it_like_any_item(go) -> None:
    name = "deploy.rollout.verdict"

    assert go({"deploy.a.b": BAD}, not_applicable=(name,)).outcome is Outcome.NOT_APPLICABLE
    assert go({"deploy.a.b": GOOD}, uncovered=(name,)).outcome is Outcome.NOT_CONFIGURED


def test_a_no_go_before_the_deployment_is_none_of_the_phase(go) -> None:
    found = go({"deploy.a.b": BAD}, stage=Stage.BEFORE)

    assert (found.outcome, "decides no go" in found.because.replace("_", " ")) == (Outcome.FAIL, True)


def test_a_failure_without_a_network_says_nothing_of_the_phase(go) -> None:
    assert go({"deploy.a.b": BAD}, control=Control.SILENT).outcome is Outcome.INCONCLUSIVE


def test_a_rollback_fails_the_phase(go, make) -> None:
    started = make.now - timedelta(minutes=5)
    history = History(deployment=Deployment(release="2", started=started, finished=started))

    found = go({"deploy.a.b": (CRITICAL, 1)}, row=make.rollback_row, history=history, control=Control.ANSWERS)

    assert (found.outcome, "phase deploy decides rollback" in found.because) == (Outcome.FAIL, True), found.because
