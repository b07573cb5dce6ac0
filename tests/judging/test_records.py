"""A record counts only for the release, the time and the fact that the item binds it to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from probekit.judging.judge import judge_item
from probekit.model.checklist import Severity
from probekit.model.history import Deployment, FailureKey, History
from probekit.model.measurement import InstanceKey, Reason
from probekit.model.record import Identity, Record
from probekit.model.verdict import Outcome, Stage

COMMIT, OTHER_COMMIT = "3f2a9c1" + "0" * 33, "9999999" + "0" * 33
DIGEST, OTHER_DIGEST = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
THIS = Identity(release="2.3.1", commit=COMMIT, images={"app": DIGEST}, previous="2.3.0")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def verdict(make):
    """A function that judges one number of a report with its records."""

    def one(*records, value=0, identity=THIS, deployed=HOUR, stage=Stage.AFTER, finished=True, **binding):
        item = make.item("critical == 0", **binding)
        now = make.situation().now
        started = None if deployed is None else now - deployed
        deployment = started and Deployment(release="2.3.1", started=started, finished=started if finished else None)
        situation = replace(make.situation(history=History(deployment=deployment)), identity=identity, stage=stage)
        measurement = replace(make.measurement(critical=value), records=records)
        step = make.step(wanted=item.metrics)
        key = InstanceKey("health", "")
        return judge_item(item, make.plan(item, steps=(step,)), {key: (make.attempt(measurement),)}, situation)

    return one


@pytest.fixture
def ago(make):
    return lambda age: make.situation().now - age


@pytest.mark.parametrize(
    ("record", "identity", "outcome", "because"),
    [
        (Record(release="2.3.1"), THIS, Outcome.PASS, "record of 2.3.1"),
        (Record(commit=COMMIT), THIS, Outcome.PASS, "record of commit 3f2a9c100000"),
        (Record(commit=COMMIT[:7]), THIS, Outcome.PASS, "record of commit 3f2a9c1"),
        (Record(digest=DIGEST), THIS, Outcome.PASS, "record of digest sha256:aaaaaaaaaaaa"),
        (Record(release="2.3.1", commit=COMMIT, digest=DIGEST), THIS, Outcome.PASS, "record of 2.3.1, commit"),
        (Record(release="2.3.0"), THIS, Outcome.INCONCLUSIVE, "of another release: the record is of 2.3.0"),
        (Record(release="2.3.1 "), THIS, Outcome.INCONCLUSIVE, "of another release"),
        (Record(commit=OTHER_COMMIT), THIS, Outcome.INCONCLUSIVE, "this release is commit 3f2a9c100000"),
        (Record(digest=OTHER_DIGEST), THIS, Outcome.INCONCLUSIVE, "this release is image app sha256:aaaaaaaaaaaa"),
        (Record(release="2.3.1", commit=OTHER_COMMIT), THIS, Outcome.INCONCLUSIVE, "of another release"),
        (Record(release="2.3.0", commit=COMMIT), THIS, Outcome.INCONCLUSIVE, "of another release"),
        (Record(), THIS, Outcome.INCONCLUSIVE, "unbound: the record does not say which release it is of"),
        (Record(unreadable="release is 1"), THIS, Outcome.INCONCLUSIVE, "unbound: release is 1"),
        (None, THIS, Outcome.INCONCLUSIVE, "unbound: the reading does not say which release it is of"),
        (Record(commit=COMMIT), Identity(release="2.3.1"), Outcome.INCONCLUSIVE, "deployment start --commit"),
        (Record(digest=DIGEST), Identity(release="2.3.1"), Outcome.INCONCLUSIVE, "deployment start --image"),
        (Record(release="2.3.1"), Identity(commit=COMMIT), Outcome.INCONCLUSIVE, "deployment start --release"),
        (Record(release="2.3.1"), Identity(), Outcome.INCONCLUSIVE, "the release of this release is not known"),
        (Record(release="2.3.1", commit=COMMIT), Identity(release="2.3.1"), Outcome.PASS, "record of 2.3.1"),
    ],
)
@pytest.mark.parametrize("value", [0, 1], ids=["good", "bad"])
def test_a_record_bound_to_a_release_counts_for_that_release_only(
    verdict, record, identity, outcome, because, value
) -> None:
    found = verdict(*([record] if record else []), value=value, identity=identity, bound_to="release")

    assert found.outcome is (Outcome.FAIL if value and outcome is Outcome.PASS else outcome)
    assert because in found.because
    assert found.records == ((record,) if record else ())


def test_a_late_record_of_another_release_is_not_one_of_this_release(verdict, ago) -> None:
    """A scan of the next release says nothing about this one, whenever it was made."""
    binding = {"bound_to": "release", "before": "deployment"}

    assert verdict(Record(release="2.4.0", made=ago(HOUR / 2)), **binding).outcome is Outcome.INCONCLUSIVE
    assert verdict(Record(made=ago(HOUR / 2)), **binding).outcome is Outcome.INCONCLUSIVE
    assert verdict(Record(release="2.3.1", made=ago(HOUR / 2)), **binding).outcome is Outcome.FAIL


def test_the_digest_may_be_of_any_image_of_the_release(verdict) -> None:
    identity = replace(THIS, images={"app": DIGEST, "web": OTHER_DIGEST})

    found = [verdict(Record(digest=one), identity=identity, bound_to="release") for one in (DIGEST, OTHER_DIGEST)]

    assert [one.outcome for one in found] == [Outcome.PASS] * 2


def test_the_record_of_a_recheck_counts_too(make) -> None:
    item = make.item("critical == 0", bound_to="release")
    first, again = (
        replace(make.measurement(critical=0), records=(Record(release=release),)) for release in ("2.3.1", "2.3.0")
    )
    attempt = replace(make.attempt(first), rechecks=(again,))
    situation = replace(make.situation(), identity=THIS)
    plan = make.plan(item, steps=(make.step(wanted=item.metrics),))

    found = judge_item(item, plan, {InstanceKey("health", ""): (attempt,)}, situation)

    assert (found.outcome, "of another release" in found.because) == (Outcome.INCONCLUSIVE, True)


def test_one_record_of_another_release_is_enough(verdict) -> None:
    found = verdict(Record(release="2.3.1"), Record(release="2.3.0"), bound_to="release")

    assert (found.outcome, "of another release" in found.because) == (Outcome.INCONCLUSIVE, True)


@pytest.mark.parametrize("bound_to", ["moment", "nothing"])
def test_a_record_that_is_not_bound_to_a_release_may_be_of_any(verdict, ago, bound_to) -> None:
    assert verdict(Record(release="1.0", made=ago(HOUR)), bound_to=bound_to).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("binding", "outcome"),
    [
        ({"bound_to": "moment"}, Outcome.INCONCLUSIVE),
        ({"bound_to": "nothing"}, Outcome.PASS),
        ({"bound_to": "nothing", "max_age": 3600.0}, Outcome.INCONCLUSIVE),
        ({"bound_to": "nothing", "before": "deployment"}, Outcome.INCONCLUSIVE),
        ({"bound_to": "release", "max_age": 3600.0}, Outcome.INCONCLUSIVE),
        ({"bound_to": "release"}, Outcome.PASS),
        ({}, Outcome.PASS),
    ],
)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_record_needs_its_time_where_the_item_has_an_age(verdict, binding, outcome, is_named) -> None:
    found = verdict(*([Record(release="2.3.1")] if is_named or binding.get("bound_to") == "release" else []), **binding)

    assert found.outcome is outcome
    assert ("unbound" in found.because) is (outcome is Outcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("made", "deployed", "outcome"),
    [
        (25 * HOUR, HOUR, Outcome.PASS),  # exactly a day old at the deployment
        (25 * HOUR + timedelta(seconds=1), HOUR, Outcome.INCONCLUSIVE),
        (10 * DAY, 9 * DAY + HOUR, Outcome.PASS),  # a healthy release stays healthy, however long ago it was deployed
        (DAY, None, Outcome.PASS),  # before a first deployment, by now
        (DAY + timedelta(seconds=1), None, Outcome.INCONCLUSIVE),
        (-HOUR, HOUR, Outcome.INCONCLUSIVE),  # in the future
        (timedelta(seconds=-30), HOUR, Outcome.PASS),  # clocks differ
    ],
)
def test_the_age_of_a_record_counts_at_the_deployment(verdict, ago, made, deployed, outcome) -> None:
    record = Record(release="2.3.1", made=ago(made))

    found = verdict(record, deployed=deployed, bound_to="release", max_age=86_400.0)

    assert found.outcome is outcome, found.because


def test_before_a_deployment_the_one_on_record_is_not_the_one_that_counts(verdict, ago) -> None:
    record = Record(made=ago(3 * DAY))
    binding = {"bound_to": "nothing", "max_age": 86_400.0, "deployed": 3 * DAY}

    assert verdict(record, stage=Stage.BEFORE, **binding).outcome is Outcome.INCONCLUSIVE
    assert verdict(record, stage=Stage.BEFORE, finished=False, **binding).outcome is Outcome.PASS
    assert verdict(record, stage=Stage.AFTER, **binding).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("made", "deployed", "stage", "outcome"),
    [
        (2 * HOUR, HOUR, Stage.AFTER, Outcome.PASS),
        (HOUR - timedelta(seconds=59), HOUR, Stage.AFTER, Outcome.PASS),  # clocks differ
        (HOUR - timedelta(seconds=61), HOUR, Stage.AFTER, Outcome.FAIL),
        (HOUR / 2, HOUR, Stage.AFTER, Outcome.FAIL),
        (-HOUR, HOUR, Stage.AFTER, Outcome.INCONCLUSIVE),  # a time in the future proves nothing
        (HOUR, None, Stage.AFTER, Outcome.INCONCLUSIVE),  # before what?
        (HOUR, None, Stage.ROLLED_BACK, Outcome.INCONCLUSIVE),
        (HOUR, None, Stage.BEFORE, Outcome.PASS),  # the deployment is still to come
        (HOUR / 2, HOUR, Stage.BEFORE, Outcome.PASS),  # the one on record is an earlier one
    ],
)
@pytest.mark.parametrize("value", [0, 1], ids=["good", "bad"])
def test_a_record_that_was_made_too_late_fails(verdict, ago, made, deployed, stage, outcome, value) -> None:
    binding = {"bound_to": "nothing", "before": "deployment"}

    found = verdict(Record(made=ago(made)), value=value, deployed=deployed, stage=stage, **binding)

    assert found.outcome is (Outcome.FAIL if value and outcome is Outcome.PASS else outcome), found.because
    if made == HOUR / 2 and stage is Stage.AFTER:
        assert found.because.startswith("made 30 min after the deployment began")


def test_a_record_that_does_not_count_ends_no_failure_on_record(make, ago) -> None:
    item = make.item("rate < 1 %", bands={"rate > 5 %": Severity.CRITICAL}, severity=Severity.LOW, bound_to="release")
    key = FailureKey(item.id, Severity.CRITICAL, "")
    situation = make.situation(history=History(since={key: ago(HOUR)}))
    measurement = replace(make.measurement(rate=2), records=(Record(release="2.3.0"),))
    attempts = {InstanceKey("health", ""): (make.attempt(measurement),)}
    plan = make.plan(item, steps=(make.step(wanted=item.metrics),))

    ours = judge_item(item, plan, attempts, replace(situation, identity=Identity(release="2.3.0")))
    other = judge_item(item, plan, attempts, replace(situation, identity=THIS))

    assert (ours.outcome, ours.refuted) == (Outcome.FAIL, frozenset({Severity.CRITICAL}))
    assert (other.outcome, other.refuted) == (Outcome.INCONCLUSIVE, frozenset())


def test_a_missing_reading_stays_a_missing_reading(verdict) -> None:
    found = verdict(Record(release="2.3.0"), value=Reason.TIMEOUT, bound_to="release")

    assert (found.outcome, found.reason) == (Outcome.INCONCLUSIVE, Reason.TIMEOUT)


def test_a_verdict_says_what_its_record_is_of_when_it_was_made_by_what_and_where_it_lies(verdict, ago) -> None:
    record = Record(release="2.3.1", made=ago(HOUR), by="trivy", place="reports/trivy.json")

    found = verdict(record, bound_to="release")

    made = f"{record.made:%Y-%m-%d %H:%M:%S} UTC"
    assert found.because.endswith(f"; record of 2.3.1, made {made}, by trivy, at reports/trivy.json")


# probekit's own record: one measurement reads the numbers of many items, and a missing record is a fact.
GATE = Record(release="2.3.1", by="probekit", place="run g1")


@pytest.fixture
def own(make):
    """A function that judges gate_passed, or another number of the same measurement."""

    def one(*records, gate=1, expected="gate_passed == 1", notes=None, age=1.0, **binding):
        item = make.item(expected, **binding)
        values = {"gate_passed": gate, "gate_age_at_deployment": age, "reports": 2}
        measured = replace(make.measurement(**values), records=records, notes=notes or {})
        step = make.step(wanted=frozenset(values), of_record=True)
        deployment = Deployment(release="2.3.1", started=make.now - HOUR, finished=make.now - HOUR)
        situation = replace(make.situation(history=History(deployment=deployment)), identity=THIS)
        key = InstanceKey("health", "")
        return judge_item(item, make.plan(item, steps=(step,)), {key: (make.attempt(measured),)}, situation)

    return one


BOUND = {"bound_to": "release", "before": "deployment"}


def test_a_gate_before_the_start_passes_with_its_record(own, ago) -> None:
    found = own(replace(GATE, made=ago(2 * HOUR)), notes={"gate_passed": "gate run g1 ended"}, **BOUND)

    assert found.outcome is Outcome.PASS
    assert "gate run g1 ended; record of 2.3.1, made " in found.because
    assert len(found.records) == 1


def test_a_gate_after_the_start_fails(own, ago) -> None:
    found = own(replace(GATE, made=ago(HOUR / 2)), **BOUND)

    assert (found.outcome, found.because.startswith("made 30 min after the deployment began")) == (
        Outcome.FAIL,
        True,
    )


def test_a_gate_that_never_ran_fails_instead_of_being_unbound(own) -> None:
    told = "no gate run of release 2.3.1 is on record"
    found = own(gate=0, age=Reason.BAD_RESPONSE, notes={"gate_passed": told}, **BOUND)

    assert (found.outcome, found.summary) == (Outcome.FAIL, told)
    assert told in found.because
    assert "unbound" not in found.because


def test_a_pass_without_a_record_stays_unbound(own) -> None:
    assert own(**BOUND).outcome is Outcome.INCONCLUSIVE


def test_a_gate_of_another_release_does_not_count(own, ago) -> None:
    other = replace(GATE, release="2.3.0", made=ago(2 * HOUR))

    assert own(other, **BOUND).outcome is Outcome.INCONCLUSIVE


def test_the_gate_s_record_does_not_disturb_other_items(own, ago) -> None:
    late = replace(GATE, release="2.3.0", made=ago(HOUR / 2))
    found = own(late, expected="reports >= 1", notes={"gate_passed": "the gate"}, bound_to="nothing")

    assert (found.outcome, found.records) == (Outcome.PASS, ())
    assert "record" not in found.because
    assert "gate" not in found.because


@pytest.mark.parametrize("binding", [{"before": "deployment"}, {"max_age": 3600.0}])
def test_an_item_that_is_bound_to_a_time_rests_on_the_gate_s_record(own, ago, binding) -> None:
    binding = {"bound_to": "nothing", **binding}

    assert own(replace(GATE, made=ago(1.5 * HOUR)), **binding).outcome is Outcome.PASS
    assert own(GATE, **binding).outcome is Outcome.INCONCLUSIVE
    assert own(replace(GATE, made=ago(HOUR / 2 if "before" in binding else 3 * HOUR)), **binding).outcome in (
        Outcome.FAIL,
        Outcome.INCONCLUSIVE,
    )


def test_a_number_of_the_own_record_says_so(own, ago, verdict) -> None:
    assert own(replace(GATE, made=ago(2 * HOUR)), gate=0, **BOUND).of_record
    assert not verdict(Record(release="2.3.1"), bound_to="release").of_record
