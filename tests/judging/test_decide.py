"""The decision rule: a rollback comes only from a row, a go only from a proof."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from probekit.judging.decide import decide
from probekit.model.checklist import Band, Deadline, Item, Row, Severity
from probekit.model.history import Deployment, History
from probekit.model.limit import Limit
from probekit.model.record import Identity
from probekit.model.verdict import Action, Control, Flag, Outcome, Release, Served, Situation, Stage, Verdict

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SETTLED = (Outcome.PASS, Outcome.ATTESTED, Outcome.WAIVED, Outcome.NOT_APPLICABLE)
UNPROVEN = (Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.NOT_CONFIGURED)
LIMIT = Limit(metric="p95", op=">", value=4000, unit="ms")
PAGES = Row(id="slow", text="Slow", severity=Severity.CRITICAL, action="investigate")
ROLLS_BACK = Row(id="api-down", text="API down", severity=Severity.CRITICAL, action="rollback")
CRITICAL, HIGH, MEDIUM, LOW = Severity


def verdict(
    outcome: Outcome = Outcome.FAIL,
    severity: Severity = CRITICAL,
    *,
    name: str = "a.b.c",
    because: str = "why",
    age: float | None = 0,
    deadline: Deadline | None = None,
    matrix_row: Row | None = None,
    criterion: bool = False,
    holds_if_pending: bool = False,
    pre_existing: bool = False,
    untrusted: bool = False,
    **fields,
) -> Verdict:
    item = Item(
        id=name,
        text="",
        title="",
        severity=severity,
        owner="",
        matrix_row=matrix_row,
        criteria=("c",) if criterion else (),
        holds_if_pending=holds_if_pending,
    )
    band = Band(when=LIMIT, severity=severity, deadline=deadline) if deadline else None
    flags = frozenset({Flag.PRE_EXISTING} if pre_existing else ()) | frozenset({Flag.UNTRUSTED} if untrusted else ())
    since = None if age is None else NOW - timedelta(minutes=age)
    fields = {"layer": "application", **fields}
    return Verdict(item=item, outcome=outcome, because=because, band=band, flags=flags, since=since, **fields)


def situation(
    *,
    stage: Stage = Stage.AFTER,
    deployed_ago: float | None = 30,
    control: Control = Control.ANSWERS,
    complete: bool = True,
    served: Served = Served.EXPECTED,
    strict: bool = False,
    partial: bool = False,
    in_scope: int = 0,
    reached: bool = False,
) -> Situation:
    moment = None if deployed_ago is None else NOW - timedelta(minutes=deployed_ago)
    deployment = Deployment(release="2", started=moment, finished=moment) if moment else None
    return Situation(
        now=NOW,
        stage=stage,
        control=control,
        reached=reached,
        complete=complete,
        strict=strict,
        partial=partial,
        in_scope=in_scope,
        release=Release(served=served, because="the version"),
        history=History(deployment=deployment),
    )


def told(verdicts: Sequence[Verdict], facts: Situation | None = None) -> tuple[Action, float | None]:
    decision = decide(verdicts, facts or situation())
    return decision.action, decision.minutes


DOWN = verdict(matrix_row=ROLLS_BACK)
TO_ROLLBACK = Deadline(minutes=5, then="rollback")
IF_WORSE = Deadline(minutes=10, then=LIMIT)
TO_SOMEBODY = Deadline(minutes=10)


@pytest.mark.parametrize(
    ("verdicts", "facts", "expected"),
    [
        ([], {}, (Action.UNDECIDED, 0)),
        ([verdict(Outcome.WAIVED), verdict(Outcome.NOT_APPLICABLE)], {}, (Action.UNDECIDED, 0)),
        ([verdict(Outcome.PASS)], {}, (Action.GO, None)),
        ([verdict(Outcome.PASS)], {"control": Control.SILENT}, (Action.GO, None)),
        ([verdict(Outcome.ATTESTED, layer="record")], {}, (Action.GO, None)),
        ([verdict(Outcome.ATTESTED)], {}, (Action.UNDECIDED, 0)),  # nobody's word stands for a reading
        ([verdict(Outcome.PASS), verdict(Outcome.PENDING, holds_if_pending=True)], {}, (Action.HOLD, None)),
        ([verdict(Outcome.PASS), verdict(Outcome.PENDING)], {}, (Action.GO, None)),
        ([verdict(Outcome.PENDING)], {}, (Action.UNDECIDED, 0)),
        ([DOWN], {}, (Action.ROLLBACK, 0)),
        ([replace(DOWN, confirmed=False)], {}, (Action.INVESTIGATE, 1)),
        ([verdict(matrix_row=ROLLS_BACK, pre_existing=True)], {}, (Action.INVESTIGATE, 0)),
        ([DOWN], {"deployed_ago": 120}, (Action.ROLLBACK, 0)),
        ([DOWN], {"deployed_ago": 121}, (Action.INVESTIGATE, 0)),
        ([DOWN], {"deployed_ago": -1}, (Action.ROLLBACK, 0)),  # clocks differ so much
        ([DOWN], {"deployed_ago": -2}, (Action.INVESTIGATE, 0)),
        ([DOWN], {"deployed_ago": None}, (Action.INVESTIGATE, 0)),
        ([DOWN], {"control": Control.NONE}, (Action.INVESTIGATE, 0)),
        ([DOWN], {"served": Served.UNREADABLE}, (Action.INVESTIGATE, 0)),
        ([DOWN], {"served": Served.OTHER}, (Action.INVESTIGATE, 0)),
        ([DOWN], {"served": Served.DOWN}, (Action.ROLLBACK, 0)),
        ([verdict(Outcome.PASS)], {"served": Served.OTHER}, (Action.INVESTIGATE, 0)),
        ([verdict(Outcome.PASS)], {"served": Served.UNREADABLE}, (Action.INVESTIGATE, 5)),
        ([verdict(Outcome.PASS)], {"served": Served.DOWN}, (Action.INVESTIGATE, 5)),
        ([verdict(severity=HIGH)], {"served": Served.DOWN}, (Action.INVESTIGATE, 5)),
        ([verdict(severity=HIGH, age=8)], {"served": Served.DOWN}, (Action.INVESTIGATE, 2)),
        ([DOWN], {"served": Served.OTHER, "stage": Stage.BEFORE}, (Action.NO_GO, 0)),
        ([verdict(Outcome.PASS)], {"partial": True, "in_scope": 9}, (Action.PARTIAL, None)),
        ([verdict(Outcome.PASS)], {"partial": True, "in_scope": 1}, (Action.PARTIAL, None)),  # without its windows
        ([verdict(Outcome.PASS)], {"in_scope": 2}, (Action.PARTIAL, None)),  # signatures were left out
        ([verdict(Outcome.PASS)], {"in_scope": 1}, (Action.GO, None)),
        ([verdict(Outcome.PASS)], {"partial": True, "in_scope": 9, "strict": True}, (Action.INVESTIGATE, 60)),
        ([verdict(Outcome.PASS)], {"in_scope": 2, "strict": True}, (Action.INVESTIGATE, 60)),  # signatures left out
        ([verdict(Outcome.INCONCLUSIVE, LOW)], {"partial": True, "in_scope": 9}, (Action.UNDECIDED, 0)),
        ([DOWN], {"partial": True, "in_scope": 9}, (Action.INVESTIGATE, 0)),
        ([DOWN], {"partial": True, "in_scope": 9, "stage": Stage.BEFORE}, (Action.INVESTIGATE, 0)),
        ([DOWN], {"in_scope": 9}, (Action.ROLLBACK, 0)),
        ([verdict(matrix_row=ROLLS_BACK, untrusted=True)], {}, (Action.INVESTIGATE, 0)),
        ([verdict(Outcome.PASS, layer="database"), verdict(Outcome.INCONCLUSIVE, LOW)], {}, (Action.UNDECIDED, 0)),
        ([verdict(Outcome.PASS, layer="database"), verdict(Outcome.PASS)], {}, (Action.GO, None)),
        ([verdict(Outcome.PASS, layer="database")], {}, (Action.GO, None)),
        ([verdict(Outcome.PASS, layer="record")], {}, (Action.GO, None)),
        ([verdict(Outcome.PASS, layer="record"), verdict(Outcome.ERROR, LOW)], {}, (Action.UNDECIDED, 0)),
        (
            [verdict(Outcome.PASS, layer="record"), verdict(Outcome.NOT_APPLICABLE)],
            {},
            (Action.GO, None),
        ),
        ([verdict(Outcome.PASS, untrusted=True)], {}, (Action.UNDECIDED, 0)),
        ([verdict(Outcome.PASS, HIGH, untrusted=True), verdict(Outcome.PASS)], {}, (Action.GO, None)),
        ([DOWN], {"served": Served.UNASKED}, (Action.ROLLBACK, 0)),
        ([DOWN], {"stage": Stage.BEFORE}, (Action.NO_GO, 0)),
        ([DOWN], {"stage": Stage.ROLLED_BACK}, (Action.INVESTIGATE, 0)),
        ([DOWN], {"control": Control.SILENT}, (Action.UNDECIDED, 0)),
        ([DOWN], {"control": Control.SILENT, "reached": True}, (Action.INVESTIGATE, 0)),
        ([DOWN], {"complete": False}, (Action.UNDECIDED, 0)),
        ([verdict(Outcome.PASS)], {"complete": False}, (Action.UNDECIDED, 0)),
        ([verdict()], {}, (Action.INVESTIGATE, 0)),
        ([verdict(matrix_row=PAGES)], {}, (Action.INVESTIGATE, 0)),
        ([verdict(severity=HIGH, age=3, deadline=TO_ROLLBACK)], {}, (Action.INVESTIGATE, 2)),
        ([verdict(severity=HIGH, age=5, deadline=TO_ROLLBACK)], {}, (Action.ROLLBACK, 0)),
        ([verdict(severity=HIGH, age=10, deadline=TO_SOMEBODY)], {}, (Action.INVESTIGATE, 0)),
        ([verdict(severity=HIGH, age=10, deadline=IF_WORSE, worse=True)], {}, (Action.ROLLBACK, 0)),
        ([verdict(severity=HIGH, age=10, deadline=IF_WORSE)], {}, (Action.INVESTIGATE, 0)),
        ([verdict(severity=HIGH, age=10, deadline=TO_SOMEBODY, worse=True)], {}, (Action.INVESTIGATE, 0)),
        ([verdict(severity=HIGH, age=None, deadline=TO_SOMEBODY)], {}, (Action.INVESTIGATE, 10)),
        ([verdict(severity=HIGH, age=-500, deadline=TO_SOMEBODY)], {}, (Action.INVESTIGATE, 10)),
        ([verdict(severity=HIGH, deadline=Deadline(minutes=500))], {}, (Action.INVESTIGATE, 60)),
        ([verdict(Outcome.PASS), verdict(severity=MEDIUM)], {}, (Action.GO, None)),
        ([verdict(Outcome.PASS), verdict(severity=MEDIUM, criterion=True)], {}, (Action.INVESTIGATE, 60)),
        ([verdict(Outcome.INCONCLUSIVE)], {}, (Action.INVESTIGATE, 5)),
        ([verdict(Outcome.ERROR, HIGH)], {}, (Action.INVESTIGATE, 10)),
        ([verdict(Outcome.NOT_CONFIGURED, LOW, criterion=True)], {}, (Action.INVESTIGATE, 10)),
        ([verdict(Outcome.PASS), verdict(Outcome.INCONCLUSIVE, LOW)], {}, (Action.GO, None)),
        ([verdict(Outcome.INCONCLUSIVE, LOW)], {}, (Action.UNDECIDED, 0)),
        ([verdict(severity=HIGH, age=3, deadline=TO_ROLLBACK), verdict(Outcome.ERROR)], {}, (Action.INVESTIGATE, 2)),
    ],
)
def test_the_rule_by_example(verdicts, facts, expected) -> None:
    assert told(verdicts, situation(**facts)) == expected


@pytest.mark.parametrize("outcome", [Outcome.FAIL, *UNPROVEN, Outcome.PENDING])
@pytest.mark.parametrize("severity", [MEDIUM, LOW])
def test_strict_makes_a_follow_up_keep_it_from_a_go(outcome, severity) -> None:
    verdicts = [verdict(Outcome.PASS), verdict(outcome, severity)]

    assert told(verdicts) == (Action.GO, None)
    assert told(verdicts, situation(strict=True)) == (Action.INVESTIGATE, 60)


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome.FAIL, "failed"),
        (Outcome.PENDING, "unsigned"),
        (Outcome.NOT_CONFIGURED, "not configured"),
        (Outcome.ERROR, "not verified (error)"),
    ],
)
def test_strict_states_why_a_follow_up_is_left(outcome, why) -> None:
    decision = decide([verdict(Outcome.PASS), verdict(outcome, LOW)], situation(strict=True))

    assert f"a.b.c (low) {why}, and --strict allows no follow-ups" in " ".join(decision.because)


@pytest.mark.parametrize(
    ("one", "waits"),
    [
        (verdict(Outcome.FAIL, MEDIUM), True),
        (verdict(Outcome.ERROR, LOW), True),
        (verdict(Outcome.FAIL, HIGH), False),
        (verdict(Outcome.NOT_CONFIGURED, LOW, criterion=True), False),
        (verdict(Outcome.PENDING, CRITICAL), True),  # a signature counts by what it holds, not by its severity
        (verdict(Outcome.PENDING, LOW, holds_if_pending=True), False),
    ],
)
def test_what_stops_no_release_is_a_follow_up(one, waits) -> None:
    assert one.is_follow_up is waits


@pytest.mark.parametrize(
    ("facts", "fields", "guard", "what_to_do"),
    [
        ({"deployed_ago": None}, {}, "no deployment time known", "--deployed TIME"),
        ({"deployed_ago": 121}, {}, "121 min old, more than 120", "decide by hand"),
        ({"deployed_ago": -2}, {}, "in the future", "correct --deployed or the clock"),
        ({"control": Control.NONE}, {}, "no control is configured", "set 'control'"),
        ({"control": Control.SILENT}, {}, "no control answers", "verify again from another machine"),
        ({"control": Control.SILENT, "reached": True}, {}, "no control answers", "fix the control"),
        ({"served": Served.UNREADABLE}, {}, "cannot be read (the version)", "decide by hand"),
        ({"served": Served.OTHER}, {}, "another release is served (the version)", "find out why"),
        ({"stage": Stage.ROLLED_BACK}, {}, "has been rolled back already", "find the cause outside"),
        ({"complete": False}, {}, "was interrupted", "verify again"),
        ({}, {"pre_existing": True}, "a.b.c failed before this deployment too", "would not fix it"),
        ({}, {"confirmed": False}, "not in every attempt", "verify again"),
    ],
)
def test_the_guard_that_bars_a_rollback_is_said_with_what_to_do(facts, fields, guard, what_to_do) -> None:
    decision = decide([verdict(matrix_row=ROLLS_BACK, **fields)], situation(**facts))

    assert decision.action is not Action.ROLLBACK
    (said,) = [reason for reason in decision.because if guard in reason]
    assert what_to_do in said


def test_an_unconfirmed_failure_at_its_deadline_says_which_guard_bars_the_rollback() -> None:
    late = verdict(severity=HIGH, age=9, deadline=TO_ROLLBACK, confirmed=False)

    assert decide([late], situation()).because == (
        "a.b.c (high) failed, and its deadline of 5 min has passed, so a rollback is due: why",
        "no rollback is ordered: a.b.c did not fail in every attempt that confirms a failure; verify again",
    )


def test_every_guard_is_said_once_for_all_failures() -> None:
    both = [verdict(matrix_row=ROLLS_BACK, name=name, because=name) for name in ("a.b.one", "a.b.two")]

    because = decide(both, situation(deployed_ago=None, control=Control.NONE)).because

    assert [reason.split(" ", 1)[0] for reason in because] == ["a.b.one", "no", "no", "a.b.two"]


@pytest.mark.parametrize("verdicts", [[], [verdict(Outcome.WAIVED), verdict(Outcome.NOT_APPLICABLE)]])
def test_an_empty_run_is_not_a_go_and_says_so(verdicts) -> None:
    decision = decide(verdicts, situation())

    assert decision.action is Action.UNDECIDED
    assert decision.because[0].startswith("nothing was measured: every")


def test_nothing_proved_says_so_and_what_to_do() -> None:
    decision = decide([verdict(Outcome.NOT_CONFIGURED, LOW, layer="record")], situation())

    assert decision.because[0].startswith("nothing was verified")
    assert "probekit plan" in decision.because[0]


def test_the_most_urgent_failure_is_said_first_and_the_unproven_after_it() -> None:
    verdicts = [
        verdict(Outcome.ERROR, CRITICAL, name="a.b.unproven"),
        verdict(severity=HIGH, name="a.b.calm"),
        verdict(severity=HIGH, name="a.b.late", age=8),
        verdict(Outcome.PASS, name="a.b.good"),
        verdict(severity=LOW, name="a.b.later"),
    ]

    because = decide(verdicts, situation()).because

    assert because == (
        "a.b.late (high) failed, deadline in 2 min (10 min after the first failure): why",
        "a.b.calm (high) failed, deadline in 10 min (10 min after the first failure): why",
        "a.b.unproven (critical) not verified (error), deadline in 5 min: why",
    )


def test_one_cause_is_one_sentence() -> None:
    outage = [verdict(Outcome.ERROR, HIGH, name=f"a.b.{name}", because="db is down") for name in "edcba"]

    (reason,) = decide(outage, situation()).because

    assert reason == "a.b.a, a.b.b, a.b.c and 2 more (high) not verified (error), deadline in 10 min: db is down"


def test_what_nothing_measures_is_counted_not_listed() -> None:
    missing = [verdict(Outcome.NOT_CONFIGURED, severity, name=f"a.b.{severity}") for severity in (CRITICAL, HIGH)] * 2

    (reason,) = decide(missing, situation()).because

    assert reason == "4 items are not configured (2 critical, 2 high); probekit plan shows what each needs"


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        (["application", "database"], ""),
        (["database", "cache"], "only the cache, database of the target was read, not the application: "),
        (["record"], "records and people only, for 2; nothing of the target was read: "),
    ],
)
def test_a_go_says_what_it_rests_on(layers, told) -> None:
    passed = [verdict(Outcome.PASS, layer=layer) for layer in layers]
    facts = replace(situation(), release=Release(expected=("2",)))

    decision = decide(
        [*passed, verdict(Outcome.ATTESTED, layer="record"), verdict(severity=LOW, layer="record")], facts
    )

    count = len(passed) + 1
    assert decision.because == (f"{told}{count} items verified, 1 to follow up",)


def test_a_gate_is_of_the_release_that_comes() -> None:
    facts = replace(situation(), identity=Identity(release="3"), release=Release(expected=("2",)))

    (reason,) = decide([verdict(Outcome.PASS, layer="record")], facts).because

    assert reason == "records and people only, for 3; nothing of the target was read: 1 item verified"


def test_another_version_is_told_before_anything_else() -> None:
    decision = decide([DOWN], situation(served=Served.OTHER))

    assert decision.because[0] == "WRONG VERSION: the version"


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ([verdict(Outcome.PASS, layer="database"), verdict(Outcome.ERROR, LOW)], "no item of the application passed"),
        ([verdict(Outcome.ERROR, LOW, layer="cache"), verdict(Outcome.PASS, layer="record")], "no item of its cache"),
    ],
)
def test_good_news_without_a_reading_of_the_target_say_what_was_not_read(verdicts, told) -> None:
    decision = decide(verdicts, situation())

    assert decision.action is Action.UNDECIDED
    assert decision.because[0].startswith("nothing of the target was measured")
    assert told in decision.because[0]


def test_only_a_critical_failure_rolls_back_by_its_row_alone() -> None:
    assert told([verdict(severity=HIGH, matrix_row=ROLLS_BACK)]) == (Action.INVESTIGATE, 10)


RANDOM = random.Random(20261123)  # a seed, so that a difference can be found again


def mostly(usual, others: Iterable):
    """As often the usual as anything, so that what it takes much to reach is reached."""
    return usual if RANDOM.random() < 0.5 else RANDOM.choice(list(others))


def some_verdict() -> Verdict:
    return verdict(
        mostly(Outcome.FAIL, Outcome),
        RANDOM.choice([CRITICAL, CRITICAL, HIGH, HIGH, MEDIUM, LOW]),
        because=RANDOM.choice(["down", "slow"]),
        age=RANDOM.choice([None, -500, 0, 3, 5, 10, 400]),
        deadline=RANDOM.choice([None, TO_ROLLBACK, IF_WORSE, TO_SOMEBODY, Deadline(minutes=500)]),
        matrix_row=mostly(ROLLS_BACK, [None, PAGES]),
        criterion=RANDOM.random() < 0.5,
        holds_if_pending=RANDOM.random() < 0.5,
        pre_existing=RANDOM.random() < 0.25,
        confirmed=RANDOM.random() < 0.75,
        worse=RANDOM.random() < 0.5,
        untrusted=RANDOM.random() < 0.2,
        layer=mostly("application", ["database", "record"]),
    )


def some_situation() -> Situation:
    return situation(
        stage=mostly(Stage.AFTER, Stage),
        deployed_ago=mostly(30, [None, -2, -1, 0, 120, 121]),
        control=mostly(Control.ANSWERS, Control),
        complete=RANDOM.random() < 0.8,
        served=mostly(Served.EXPECTED, Served),
        strict=RANDOM.random() < 0.3,
        partial=RANDOM.random() < 0.2,
    )


POOL = [some_verdict() for _ in range(2_000)]
VERDICTS = st.sampled_from(POOL)
SITUATIONS = st.sampled_from([some_situation() for _ in range(2_000)])
WORSE = st.sampled_from([Outcome.FAIL, *UNPROVEN])
SURE = situation()


def law(*drawn: st.SearchStrategy):
    """A test over many random sets: what breaks a law may be rare."""
    return lambda test: settings(max_examples=500)(given(*drawn)(test))


def numbered(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Each with an id of its own, as in a checklist."""
    return [replace(one, item=replace(one.item, id=f"a.b.{number}")) for number, one in enumerate(verdicts)]


SETS = st.lists(VERDICTS, max_size=6).map(numbered)


def counts(one: Verdict) -> bool:
    return one.severity in (CRITICAL, HIGH) or bool(one.item.criteria)


def by_row(one: Verdict) -> bool:
    return one.severity is CRITICAL and one.item.matrix_row is not None and one.item.matrix_row.action == "rollback"


def by_deadline(one: Verdict, facts: Situation) -> bool:
    is_over = one.since is not None and facts.now - one.since >= timedelta(minutes=one.deadline.minutes)
    says_so = one.deadline.then == "rollback" or (isinstance(one.deadline.then, Limit) and one.worse)
    return one.severity is HIGH and is_over and says_so


def is_calm(one: Verdict) -> bool:
    """Whether it keeps nothing from a go."""
    return one.outcome in SETTLED or not (counts(one) or (one.outcome is Outcome.PENDING and one.item.holds_if_pending))


CALM = st.lists(st.sampled_from(list(filter(is_calm, POOL))), max_size=4).map(numbered)
COUNTING = st.sampled_from(list(filter(counts, POOL)))


@law(CALM, COUNTING, WORSE, SITUATIONS)
def test_no_reading_is_never_a_pass(calm, one, outcome, facts) -> None:
    assert decide([verdict(Outcome.PASS), *calm], SURE).action is Action.GO

    assert decide([verdict(Outcome.PASS), *calm, replace(one, outcome=outcome)], facts).action is not Action.GO


@law(CALM, SITUATIONS)
def test_a_go_needs_a_proof(calm, facts) -> None:
    unproved = [one for one in calm if one.outcome not in (Outcome.PASS, Outcome.ATTESTED)]

    assert decide(unproved, facts).action is not Action.GO


@law(st.lists(VERDICTS, max_size=2).map(numbered))
def test_a_rollback_comes_only_from_a_row_or_a_deadline(verdicts) -> None:
    calls_for_it = [
        one.outcome is Outcome.FAIL
        and one.confirmed
        and not one.flags & {Flag.PRE_EXISTING, Flag.UNTRUSTED}
        and (by_row(one) or by_deadline(one, SURE))
        for one in verdicts
    ]

    assert (decide(verdicts, SURE).action is Action.ROLLBACK) is any(calls_for_it)


@law(SETS, SITUATIONS)
def test_a_rollback_is_never_ordered_because_of_ourselves(verdicts, facts) -> None:
    deployment = facts.history.deployment
    is_sure = (
        facts.stage is Stage.AFTER
        and facts.complete
        and deployment is not None
        and timedelta(minutes=-1) <= facts.now - deployment.mark <= timedelta(minutes=120)
        and facts.control is Control.ANSWERS
        and facts.release.served not in (Served.OTHER, Served.UNREADABLE)
        and not facts.partial
    )

    assert (decide([DOWN, *verdicts], facts).action is Action.ROLLBACK) is is_sure


@law(SETS, st.randoms(use_true_random=False), SITUATIONS)
def test_what_is_unproven_alone_never_orders_anything(some, rng, facts) -> None:
    verdicts = [replace(one, outcome=rng.choice(UNPROVEN)) for one in some]

    assert decide(verdicts, facts).action not in (Action.ROLLBACK, Action.NO_GO)


@law(SETS, SITUATIONS, st.randoms(use_true_random=False))
def test_order_does_not_matter(verdicts, facts, rng) -> None:
    shuffled = rng.sample(verdicts, len(verdicts))

    assert decide(shuffled, facts) == decide(verdicts, facts)


@law(SETS, VERDICTS, SITUATIONS)
def test_one_more_result_never_improves_a_decided_set_nor_gives_it_more_time(verdicts, extra, facts) -> None:
    before, after = decide(verdicts, facts), decide([extra, *verdicts], facts)

    if before.action is not Action.UNDECIDED:
        assert after.action.gravity >= before.action.gravity
        assert after.action is not before.action or (after.minutes or 0) <= (before.minutes or 0)


@law(SETS, VERDICTS, WORSE, SITUATIONS)
def test_a_pass_that_worsens_never_improves_the_decision(verdicts, one, outcome, facts) -> None:
    before = decide([*verdicts, replace(one, outcome=Outcome.PASS)], facts)
    after = decide([*verdicts, replace(one, outcome=outcome)], facts)

    if before.action is not Action.UNDECIDED:
        assert after.action.gravity >= before.action.gravity


@law(SETS, SITUATIONS)
def test_every_decision_says_why_and_an_investigation_how_long(verdicts, facts) -> None:
    decision = decide(verdicts, facts)

    assert decision.because
    if decision.action is Action.INVESTIGATE:
        assert decision.minutes is not None
        assert 0 <= decision.minutes <= 60


def plain_rule(verdicts: Sequence[Verdict], facts: Situation) -> tuple[Action, float | None]:  # flat on purpose
    """The same rule once more, written flat, to hold the other against."""
    deployment = facts.history.deployment
    ago = (facts.now - deployment.mark).total_seconds() / 60 if deployment else None
    sure = (
        facts.stage is Stage.AFTER
        and ago is not None
        and -1 <= ago <= 120
        and facts.control is Control.ANSWERS
        and facts.release.served not in (Served.OTHER, Served.UNREADABLE)
        and not facts.partial
    )
    found: list[tuple[Action, float | None]] = []
    for one in verdicts:
        may = sure and one.confirmed and not one.flags & {Flag.PRE_EXISTING, Flag.UNTRUSTED}
        grave = one.severity in (CRITICAL, HIGH)
        due = may and (one.deadline.then == "rollback" or (isinstance(one.deadline.then, Limit) and one.worse))
        age = max(0.0, (facts.now - one.since).total_seconds() / 60) if one.since else 0.0
        later = (Action.INVESTIGATE, 60) if facts.strict else (Action.GO, None)
        if one.outcome in SETTLED:
            found.append((Action.GO, None))
        elif one.outcome is Outcome.PENDING:
            found.append((Action.HOLD, None) if one.item.holds_if_pending else later)
        elif one.outcome is not Outcome.FAIL:
            minutes = 5 if one.severity is CRITICAL else 10
            found.append((Action.INVESTIGATE, minutes) if grave or one.item.criteria else later)
        elif grave and facts.stage is Stage.BEFORE:
            ordered = (Action.INVESTIGATE, 0) if facts.partial else (Action.NO_GO, 0)
            found.append(ordered if one.confirmed else (Action.INVESTIGATE, 1))
        elif one.severity is CRITICAL and not one.confirmed:
            found.append((Action.INVESTIGATE, 1))
        elif one.severity is CRITICAL:
            found.append(
                (Action.ROLLBACK, 0)
                if may and one.item.matrix_row and one.item.matrix_row.action == "rollback"
                else (Action.INVESTIGATE, 0)
            )
        elif one.severity is HIGH and age < one.deadline.minutes:
            found.append((Action.INVESTIGATE, min(60, one.deadline.minutes - age)))
        elif one.severity is HIGH:
            found.append((Action.ROLLBACK, 0) if due else (Action.INVESTIGATE, 0))
        else:
            found.append((Action.INVESTIGATE, 60) if one.item.criteria else later)
    return plain_whole(found, verdicts, facts)


def plain_whole(
    found: list[tuple[Action, float | None]], verdicts: Sequence[Verdict], facts: Situation
) -> tuple[Action, float | None]:
    """What the served version, a partial run and a missing reading make of what the verdicts call for."""
    idle = all(one.outcome in (Outcome.WAIVED, Outcome.NOT_APPLICABLE) for one in verdicts)
    minutes = {Served.OTHER: 0, Served.UNREADABLE: 5, Served.DOWN: 5}.get(facts.release.served)
    if minutes is not None:
        found.append((Action.INVESTIGATE, minutes))
    action = max((what for what, _ in found), key=lambda what: what.gravity, default=Action.UNDECIDED)
    if action is Action.GO and facts.partial:
        action = Action.INVESTIGATE if facts.strict else Action.PARTIAL
        found.append((action, 60 if facts.strict else None))
    alarm = action in (Action.INVESTIGATE, Action.NO_GO, Action.ROLLBACK)
    asked = {one.layer for one in verdicts if one.outcome not in (Outcome.WAIVED, Outcome.NOT_APPLICABLE)} - {"record"}
    passed = [one for one in verdicts if one.outcome is Outcome.PASS]
    read = {one.layer for one in passed if Flag.UNTRUSTED not in one.flags} - {"record"}
    proved = passed or any(one.outcome is Outcome.ATTESTED for one in verdicts)
    proved = proved and (not asked or (("application" in read) if "application" in asked else bool(read)))
    lost = (alarm and facts.control is Control.SILENT) or (action in (Action.GO, Action.PARTIAL) and not proved)
    if idle or lost or not facts.complete:
        return Action.UNDECIDED, 0
    return action, min((minutes for what, minutes in found if what is action and minutes is not None), default=None)


@pytest.mark.heavy
@pytest.mark.parametrize("sets", [20_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_the_rule_agrees_with_its_plain_form_on_random_sets(sets) -> None:
    for _ in range(sets):
        verdicts, facts = [some_verdict() for _ in range(RANDOM.randrange(5))], some_situation()

        assert told(verdicts, facts) == plain_rule(verdicts, facts)


CONTRADICTION = "the configuration names release 3, the deployment on record has 2"


@pytest.mark.parametrize(
    ("verdicts", "action", "minutes"),
    [
        ([verdict(Outcome.PASS)], Action.INVESTIGATE, 5),
        ([verdict(Outcome.PASS), verdict(Outcome.PENDING, holds_if_pending=True)], Action.INVESTIGATE, 5),
        ([verdict(severity=HIGH, age=9, deadline=TO_SOMEBODY)], Action.INVESTIGATE, 1),
        ([verdict(severity=HIGH, age=2, deadline=TO_SOMEBODY)], Action.INVESTIGATE, 5),
        ([DOWN], Action.ROLLBACK, 0),
        ([verdict(Outcome.WAIVED)], Action.UNDECIDED, 0),
    ],
)
def test_facts_of_the_release_that_contradict_each_other_are_told_first_and_allow_no_go(
    verdicts, action, minutes
) -> None:
    decision = decide(verdicts, replace(situation(), contradictions=(CONTRADICTION,)))

    assert (decision.action, decision.minutes) == (action, minutes)
    assert decision.because[action is Action.UNDECIDED] == f"CONTRADICTION: {CONTRADICTION}"
