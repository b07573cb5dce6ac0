"""From what was seen to one verdict per item: pure, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from probekit.judging.assess import (
    GRAVER,
    Look,
    Round,
    State,
    behind,
    proved,
    reading_of,
    risks_of,
    round_of,
    value_of,
    words,
)
from probekit.judging.baseline import with_baseline
from probekit.judging.evidence import with_evidence
from probekit.judging.statistics import Risks
from probekit.model.checklist import Band, Item, Severity
from probekit.model.limit import Limit
from probekit.model.measurement import Attempt, Reason
from probekit.model.plan import AGAIN, ENOUGH, Ask, Plan, Step
from probekit.model.readings import Exact
from probekit.model.verdict import Flag, Outcome, Served, Situation, Verdict

_COMPARED: Final = frozenset({"outside_tolerance"})

Evidence = Mapping[tuple[str, str], Sequence[Attempt]]  # by probe and instance


def judge(plan: Plan, evidence: Evidence, situation: Situation) -> tuple[Verdict, ...]:
    """One verdict for each item in scope, in the checklist's order."""
    return tuple(judge_item(item, plan, evidence, situation) for item in plan.items)


def judge_item(item: Item, plan: Plan, evidence: Evidence, situation: Situation) -> Verdict:
    """What is known of one item: every instance of its probe is judged, the worst counts."""
    flags = frozenset({Flag.CHANGED} if item.changed_from else ())
    if (reason := plan.not_applicable.get(item.id)) is not None:
        return Verdict(item=item, outcome=Outcome.NOT_APPLICABLE, because=reason, flags=flags)
    if item.probe is None:
        return Verdict(item=item, outcome=Outcome.PENDING, because=f"{item.owner} has not signed", flags=flags)
    if (reason := plan.unserved.get(item.id)) is not None:
        return Verdict(item=item, outcome=Outcome.NOT_CONFIGURED, because=reason, flags=flags)
    if item.metrics == _COMPARED:
        return _in_time(_under_guard(_of_rows(item, plan, evidence, situation), plan, situation), situation)
    apart = {step.instance for step in plan.steps if step.probe == item.probe and not _metrics(item) <= step.wanted}
    instances = {
        instance: attempts
        for (probe, instance), attempts in evidence.items()
        if probe == item.probe and instance not in apart  # an instance that answers for other parts of its probe
    }
    judged = {
        name: _named(_of_instance(_with_past(item, name, attempts, plan, situation), attempts), name, instances)
        for name, attempts in instances.items()
    }
    found = _counted(judged, plan, item)
    worst = max(found, key=_badness, default=_cut_off(item))
    worst = replace(worst, flags=frozenset().union(flags, *(verdict.flags for verdict in found)))
    worst = _against_direct_looks(worst, plan, evidence)
    return _in_time(_under_guard(worst, plan, situation), situation)


def _counted(judged: Mapping[str, Verdict], plan: Plan, item: Item) -> list[Verdict]:
    """All of them; beside counters of the target itself that decided, requests of our own may only fail an item."""
    counters = {step.instance for step in plan.steps if step.probe == item.probe and step.passive}
    decided = any(judged[name].outcome in (Outcome.PASS, Outcome.FAIL) for name in counters & judged.keys())
    return [
        verdict
        for name, verdict in judged.items()
        if not (decided and name not in counters and verdict.outcome is Outcome.INCONCLUSIVE)
    ]


def _with_past(item: Item, instance: str, attempts: Sequence[Attempt], plan: Plan, situation: Situation) -> Item:
    return with_evidence(with_baseline(item, instance, plan, situation), instance, attempts, plan, situation)


def _metrics(item: Item) -> set[str]:
    return {limit.metric for limit in item.expect}


def _of_rows(item: Item, plan: Plan, evidence: Evidence, situation: Situation) -> Verdict:
    """All rows of the baseline, each judged as an item of its own; the worst counts, and is told first."""
    if not plan.compared:
        return Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because="none of the baseline's metrics is measured")
    rows = [judge_item(row, plan, evidence, situation) for row in plan.compared]
    rows.sort(key=_badness, reverse=True)
    outside = [row for row in rows if row.outcome is not Outcome.PASS]
    because = "; ".join(f"{row.item.title}: {row.because}" for row in outside or rows)
    count = sum(row.outcome is Outcome.FAIL for row in rows)
    outcome = rows[0].outcome if rows[0].outcome in GRAVER else Outcome.INCONCLUSIVE  # a row that nothing measures
    return Verdict(item=item, outcome=outcome, because=because, observed=count, limit=item.expect[0])


def more(items: Sequence[Item], step: Step, attempts: Sequence[Attempt]) -> Ask | None:
    """What must still be asked before the items of this step can be judged; None when nothing is."""
    asks = [ask for item in items if item.probe == step.probe and (ask := _missing(item, attempts))]
    strays = tuple(dict.fromkeys(address for ask in asks for address in ask.at))
    return Ask(looks=AGAIN, at=strays, each=ENOUGH) if strays else next(iter(asks), None)


def _missing(item: Item, attempts: Sequence[Attempt]) -> Ask | None:
    rounds = [round_of(item, attempt) for attempt in attempts]
    if not rounds or any(before.state is not State.BAD for before in rounds[:-1]):
        return None
    if rounds[-1].stray is not None:
        return Ask(looks=AGAIN, at=(rounds[-1].stray,), each=ENOUGH)
    return Ask() if rounds[-1].state is State.BAD and len(rounds) < item.confirm else None


def _of_instance(item: Item, attempts: Sequence[Attempt]) -> Verdict:
    """Failed when enough attempts were all bad; looks or attempts that disagree prove nothing."""
    bad: list[Round] = []
    for attempt in attempts:
        tried = round_of(item, attempt)
        if tried.state is State.BAD:
            bad.append(tried)
            if len(bad) == item.confirm:
                return _failed(item, bad)
        elif tried.state is State.VOID:
            return _void(item, tried)
        elif tried.state is State.MIXED or bad:
            return _disagreeing(item, [*bad, tried])
        else:
            return _passed(item, tried)
    return replace(_failed(item, bad), confirmed=False) if bad else _cut_off(item)


def _passed(item: Item, tried: Round) -> Verdict:
    shown = next((limit for limit in item.expect if limit.is_duration), item.expect[0])
    good = next(look for look in tried.looks if look.state is State.GOOD)
    because = ", ".join(_shown(limit, tried, good) for limit in item.expect)
    if told := good.seen.notes.get("seen"):
        because += f"; {told}"
    if tried.again:
        (stray,) = tried.odd
        because += f"; 1 of {len(tried.looks)} looks was not good: {_told(item, stray)}"
    return Verdict(
        item=item,
        outcome=Outcome.PASS,
        because=because,
        observed=value_of(tried, good, shown),
        limit=shown,
        flags=frozenset({Flag.FLAKY} if tried.again else ()),
    )


def _failed(item: Item, bad: Sequence[Round]) -> Verdict:
    """Failed, at the mildest severity that any of its looks gives."""
    seen = [(tried, look) for tried in bad for look in tried.looks]
    band = min((_band(item, tried, look) for tried, look in seen), key=lambda band: _gravity(item, band))
    tried, look = next((t, k) for t, k in reversed(seen) if _band(item, t, k) == band)
    limit = tried.slow or look.limit or item.expect[0]
    because = f"{_claim(limit, tried, look)}; {_rounds(bad)}"
    if told := look.seen.notes.get("seen"):
        because = f"{because}; {told}"
    verdict = Verdict(
        item=item, outcome=Outcome.FAIL, because=because, band=band, observed=value_of(tried, look, limit), limit=limit
    )
    then, sure = verdict.deadline.then, Risks(false_fail=0.001)
    worse = isinstance(then, Limit) and all(proved(t, k, then, sure) for t, k in seen)
    return replace(verdict, worse=worse)


def _band(item: Item, tried: Round, look: Look) -> Band | None:
    """The gravest band that this look proves; a metric that is missing proves none."""
    for band in item.bands:
        if proved(tried, look, band.when, risks_of(item, band)):
            return band
    return None


def _disagreeing(item: Item, rounds: Sequence[Round]) -> Verdict:
    looks = [look for tried in rounds for look in tried.looks]
    odd = [look for look in looks if look.state is not State.GOOD]
    told = _told(item, odd[0]) if odd else _claim(rounds[0].slow or item.expect[0], rounds[0], rounds[0].looks[0])
    count = f"{len(odd)} of {len(looks)} looks were not good" if odd else "one attempt was slow, the next was not"
    because = f"{count} ({told}): what disagrees proves nothing"
    return Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because=because, flags=frozenset({Flag.FLAKY}))


def _void(item: Item, tried: Round) -> Verdict:
    """What its looks leave in doubt, an error before what is only unclear."""
    void = [(look, look.doubt) for look in tried.looks if look.doubt]
    if not void:
        return _cut_off(item)
    look, doubt = max(void, key=lambda pair: GRAVER[pair[1].outcome])
    observed = value_of(tried, look, doubt.limit)
    limit = doubt.limit if observed is not None else None
    return Verdict(item=item, outcome=doubt.outcome, because=doubt.told, observed=observed, limit=limit)


def _cut_off(item: Item) -> Verdict:
    because = f"{Reason.CUT_OFF}: the run ended before this was measured"
    return Verdict(item=item, outcome=Reason.CUT_OFF.outcome, because=because)


def _against_direct_looks(verdict: Verdict, plan: Plan, evidence: Evidence) -> Verdict:
    """A pass that vouches for what a direct look did not reach proves nothing: the direct look is believed."""
    if verdict.outcome is not Outcome.PASS:
        return verdict
    for probe in plan.vouched.get(verdict.item.probe or "", ()):
        for (name, _), attempts in evidence.items():
            last = attempts[-1].looks if name == probe and attempts else ()
            if last and all(look.values.get("up") == Exact(0) for look in last):
                told = last[0].notes.get("seen", "it was not reached")
                because = f"it says all is well ({verdict.because}), but the direct look at {probe} says: {told}"
                return Verdict(item=verdict.item, outcome=Outcome.INCONCLUSIVE, because=because, flags=verdict.flags)
    return verdict


def _under_guard(verdict: Verdict, plan: Plan, situation: Situation) -> Verdict:
    """Where another release is served, nothing that was read of the target speaks of this one."""
    if situation.release.served is not Served.OTHER or verdict.item.probe not in plan.targets:
        return verdict
    return Verdict(
        item=verdict.item,
        outcome=Outcome.INCONCLUSIVE,
        because=situation.release.because,
        flags=verdict.flags - {Flag.FLAKY} | {Flag.OTHER_RELEASE},
    )


def _in_time(verdict: Verdict, situation: Situation) -> Verdict:
    """A failure with its age: since the first one on record at that severity or graver."""
    if verdict.outcome is not Outcome.FAIL:
        return verdict
    graver = [severity for severity in Severity if severity.gravity >= verdict.severity.gravity]
    known = [situation.memory.since.get((verdict.item.id, severity)) for severity in graver]
    since = min((moment for moment in known if moment), default=situation.now)
    deployment = situation.memory.deployment
    before = deployment is not None and since < deployment.started
    return replace(verdict, since=since, flags=verdict.flags | ({Flag.PRE_EXISTING} if before else frozenset()))


def _badness(verdict: Verdict) -> tuple[int, int, bool]:
    unproven = GRAVER[Outcome.INCONCLUSIVE]
    return GRAVER.get(verdict.outcome, unproven), verdict.severity.gravity, verdict.confirmed


def _gravity(item: Item, band: Band | None) -> int:
    return item.severity_of(band).gravity


def _named(verdict: Verdict, instance: str, instances: Mapping[str, object]) -> Verdict:
    return replace(verdict, because=f"{instance}: {verdict.because}") if len(instances) > 1 else verdict


def _shown(limit: Limit, tried: Round, look: Look) -> str:
    """A metric with its number and what stands behind it."""
    return f"{words(limit.metric)} {_number(value_of(tried, look, limit), limit)}{behind(look, limit)}"


def _claim(limit: Limit, tried: Round, look: Look) -> str:
    """The number and the limit in one sentence."""
    many = "median " if limit.metric in tried.medians and len(tried.looks) > 1 else ""
    return f"{many}{_shown(limit, tried, look)}, limit {str(limit).removeprefix(limit.metric).strip()}"


def _told(item: Item, look: Look) -> str:
    if look.doubt:
        return look.doubt.told
    limit = look.limit or item.expect[0]
    reading = reading_of(look.seen, limit.metric)
    value = _number(reading.value if isinstance(reading, Exact) else None, limit)
    return look.seen.notes.get("seen") or f"{words(limit.metric)} {value}"


def _rounds(bad: Sequence[Round]) -> str:
    looks = sum(len(tried.looks) for tried in bad)
    attempts = f" in {len(bad)} attempts" if len(bad) > 1 else ""
    return f"all {looks} looks{attempts}" if looks > 1 else "1 look"


def _number(value: float | None, limit: Limit) -> str:
    if value is None:
        return "unknown"
    text = f"{value:.0f}" if value == int(value) else f"{value:.4g}"
    return f"{text} {limit.unit if limit.of == 'value' or limit.op != 'within' else ''}".rstrip()
