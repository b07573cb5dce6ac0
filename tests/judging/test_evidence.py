"""Evidence that grows from run to run: of one release, one deployment and one setting, and never to a failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from probekit.judging.addresses import notes_of_moves
from probekit.judging.evaluate import evaluate
from probekit.judging.evidence import added, collected
from probekit.judging.judge import judge_item
from probekit.judging.reference import Reference
from probekit.judging.statistics import Risks
from probekit.model.checklist import Severity
from probekit.model.history import Deployment, History, PooledEvidence
from probekit.model.limit import parse_limit
from probekit.model.measurement import InstanceKey
from probekit.model.readings import Complement, ErrorRate, Exact, Histogram, LatencySample, Quantile, Share
from probekit.model.verdict import Outcome, Release, Served

PRINT = "0123456789abcdef"
SOURCE = InstanceKey("api", "")
PASS, FAIL, INCONCLUSIVE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE


def clean(requests, *, failures=0, blocks=6):
    """Blocks of so many requests of 1 ms each, with so many failures in each."""
    return LatencySample(
        ((1000,) * requests,) * blocks, ((0,) * requests,) * blocks, (failures,) * blocks, (0,) * blocks
    )


def after(earlier, now, limit="error_rate < 0.1 %"):
    reference = Reference(earlier=earlier and ErrorRate(earlier))
    return evaluate(ErrorRate(now), parse_limit(limit), Risks(), reference)


@pytest.mark.parametrize(
    ("earlier", "now", "outcome"),
    [
        (None, clean(500), PASS),  # one measurement: 2,995 would do
        (clean(500), clean(50), INCONCLUSIVE),  # 3,300 in all, but looked at often: 3,441 are needed
        (clean(500), clean(100), PASS),
        (
            clean(5000),
            replace(clean(50), failures=(1, 0, 0, 0, 0, 0)),
            INCONCLUSIVE,
        ),  # this window alone is over the limit
        (clean(5000), clean(50, failures=5), FAIL),
        (clean(50, failures=5), clean(500), INCONCLUSIVE),  # failures of earlier windows fail nothing now
    ],
)
def test_earlier_windows_add_to_a_pass_and_never_to_a_failure(earlier, now, outcome) -> None:
    weighed = after(earlier, now)

    assert weighed.outcome is outcome
    if earlier and outcome is PASS:
        assert weighed.detail.endswith("with the earlier windows of this release")


def test_a_percentile_s_window_must_keep_the_limit_itself() -> None:
    slow = LatencySample(((700_000,) * 10,) * 6, ((0,) * 10,) * 6, (0,) * 6, (0,) * 6)
    limit, reference = parse_limit("p95 < 0.5 s"), Reference(earlier=Quantile(clean(5000), 0.95))

    assert evaluate(Quantile(clean(5), 0.95), limit, Risks(), reference).outcome is PASS
    assert evaluate(Quantile(slow, 0.95), limit, Risks(), reference).outcome is not PASS


@pytest.fixture
def step(make):
    wanted = frozenset({"error_rate"})
    return make.step(probe="api", kind="latency", repeat=1, attempts=1, turn="exclusive", window=60.0, wanted=wanted)


@pytest.fixture
def situated(make):
    """A function from what is known to the situation of a run at which 2.3.1 is served, as it should be."""

    def situated(evidence=None, *, versions=("2.3.1",), served=Served.EXPECTED, deployed=True):
        deployment = Deployment(release="2.3.1", started=make.now - timedelta(minutes=30)) if deployed else None
        release = Release(expected=("2.3.1",), answers=dict.fromkeys(versions, 4), served=served)
        return make.situation(release=release, history=History(deployment=deployment, evidence=evidence or {}))

    return situated


@pytest.fixture
def plan(make, step):
    item = make.item("error_rate < 0.1 %", probe="api", severity=Severity.MEDIUM)
    return make.plan(item, steps=(step,), fingerprints={SOURCE: PRINT}, layers={"api": "application"})


@pytest.fixture
def window(make):
    """One window's attempt."""

    def window(sample, doubt=""):
        measurement = replace(make.measurement(), values={"error_rate": ErrorRate(sample, doubt), "other": Exact(1)})
        return {SOURCE: (make.attempt(replace(measurement, asked=frozenset({"error_rate"}))),)}

    return window


def test_windows_of_one_release_prove_together_what_none_does_alone(plan, window, situated) -> None:
    evidence, outcomes = {}, []
    for _ in range(4):
        seen, situation = window(clean(150)), situated(evidence)
        outcomes.append(judge_item(plan.items[0], plan, seen, situation).outcome)
        evidence = collected(plan, seen, situation)

    assert outcomes == [INCONCLUSIVE, INCONCLUSIVE, INCONCLUSIVE, PASS]
    assert set(evidence[SOURCE].values) == {"error_rate"}


def test_a_window_in_doubt_is_no_evidence_and_keeps_no_later_one_from_a_pass(plan, window, situated) -> None:
    doubted = window(clean(150, failures=1), doubt="it answers anything")
    evidence = collected(plan, doubted, situated())

    assert evidence == {}
    assert judge_item(plan.items[0], plan, window(clean(5000)), situated(evidence)).outcome is PASS


@pytest.mark.parametrize("change", [{"release": "2.3.0"}, {"fingerprint": "0" * 16}, {"deployment": None}])
def test_what_is_of_another_release_deployment_or_setting_is_left_out(plan, window, situated, make, change) -> None:
    begun = situated().history.deployment.started
    known = PooledEvidence(
        release="2.3.1", deployment=begun, fingerprint=PRINT, values={"error_rate": ErrorRate(clean(5000))}
    )
    assert judge_item(plan.items[0], plan, window(clean(50)), situated({SOURCE: known})).outcome is PASS

    change = change if change.get("deployment", 1) else {"deployment": begun - timedelta(days=1)}
    other = {SOURCE: replace(known, **change)}

    assert judge_item(plan.items[0], plan, window(clean(50)), situated(other)).outcome is INCONCLUSIVE
    assert collected(plan, window(clean(50)), situated(other))[SOURCE].values == {"error_rate": ErrorRate(clean(50))}


@pytest.mark.parametrize(
    "wishes",
    [{"versions": ()}, {"versions": ("2.3.0", "2.3.1")}, {"served": Served.OTHER}, {"deployed": False}],
)
def test_nothing_is_collected_of_what_is_not_surely_this_release(plan, window, situated, wishes) -> None:
    assert collected(plan, window(clean(50)), situated(**wishes)) == {}


def test_a_window_that_began_before_the_last_one_ended_is_not_added(plan, window, situated, make) -> None:
    first = collected(plan, window(clean(5000)), situated())
    assert judge_item(plan.items[0], plan, window(clean(50)), situated(first)).outcome is PASS
    ends_later = {SOURCE: replace(first[SOURCE], until=make.now + timedelta(seconds=1))}

    assert judge_item(plan.items[0], plan, window(clean(50)), situated(ends_later)).outcome is INCONCLUSIVE
    assert collected(plan, window(clean(50)), situated(ends_later)) == ends_later


def test_a_partial_run_leaves_it_as_it_was(plan, window, situated) -> None:
    known = collected(plan, window(clean(50)), situated())
    part = replace(plan, partial=True)

    assert collected(part, window(clean(50)), situated(known)) == known
    assert collected(part, {}, situated(known, deployed=False)) == known
    assert collected(part, {}, situated(known, versions=())) == known


def test_what_was_not_measured_this_time_is_kept(plan, situated) -> None:
    begun = situated().history.deployment.started
    known = PooledEvidence(
        release="2.3.1", deployment=begun, fingerprint=PRINT, values={"error_rate": ErrorRate(clean(50))}
    )

    assert collected(plan, {}, situated({SOURCE: known})) == {SOURCE: known}


def test_the_addresses_are_kept_and_a_target_that_moved_is_noted(plan, window, situated) -> None:
    (attempt,) = window(clean(50))[SOURCE]
    at = {
        address: {SOURCE: (replace(attempt, measurements=(replace(attempt.measurements[0], address=address),)),)}
        for address in ("192.0.2.1:443", "192.0.2.2:443", "192.0.2.3:443")
    }
    here, there, elsewhere = at.values()

    evidence = collected(plan, there, situated(collected(plan, here, situated())))

    assert evidence[SOURCE].addresses == ("192.0.2.1:443", "192.0.2.2:443")
    assert list(notes_of_moves(plan, there, situated(evidence))) == []
    (note,) = notes_of_moves(plan, elsewhere, situated(evidence))
    assert note.startswith("api was measured at 192.0.2.3:443; the earlier windows of this release were measured at ")
    assert note.endswith("192.0.2.1:443, 192.0.2.2:443, which are other addresses")
    assert list(notes_of_moves(plan, elsewhere, situated({SOURCE: replace(evidence[SOURCE], addresses=())}))) == []


def test_only_the_latest_blocks_are_kept(plan, window, situated) -> None:
    evidence = {}
    for _ in range(3):
        evidence = collected(plan, window(clean(1, blocks=300)), situated(evidence))

    assert len(evidence[SOURCE].values["error_rate"].sample.failures) == 600


def test_readings_of_two_sorts_are_not_added() -> None:
    share = Share((0,), (1,))

    assert added(Complement(share), Complement(share)) == Complement(share + share)
    before, now = Histogram((100.0,), ((1,),), (1,), 0.95), Histogram((200.0,), ((1,),), (1,), 0.95)
    assert added(before, now) == now  # other buckets: nothing to add to
    assert added(now, now).trials == (1, 1)
    with pytest.raises(TypeError, match="cannot be added"):
        added(share, Complement(share))
