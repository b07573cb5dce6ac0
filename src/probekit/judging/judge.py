"""From what was seen to one verdict per item: pure, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from probekit.judging.assess import (
    GRAVER,
    AssessedAttempt,
    AssessedMeasurement,
    State,
    assess,
    behind,
    holds_for,
    outcome_of,
    reading_of,
    risks_of,
    value_of,
    words,
)
from probekit.judging.baseline import with_baseline
from probekit.judging.evidence import with_evidence
from probekit.judging.statistics import Risks
from probekit.model.checklist import Band, Item, Severity
from probekit.model.limit import Limit
from probekit.model.measurement import Attempt, InstanceKey, Reason
from probekit.model.plan import MIN_FOR_RECHECK, RECHECKS, Plan, Retry, Step
from probekit.model.readings import Exact
from probekit.model.verdict import Flag, Outcome, Served, Situation, Verdict

_COMPARED: Final = frozenset({"outside_tolerance"})

AttemptsByInstance = Mapping[InstanceKey, Sequence[Attempt]]  # by probe and instance


def judge(plan: Plan, evidence: AttemptsByInstance, situation: Situation) -> tuple[Verdict, ...]:
    """One verdict for each item in scope, in the checklist's order."""
    return tuple(judge_item(item, plan, evidence, situation) for item in plan.items)


def judge_item(item: Item, plan: Plan, evidence: AttemptsByInstance, situation: Situation) -> Verdict:
    """What is known of one item: every instance of its probe is judged, the worst counts."""
    flags = frozenset({Flag.CHANGED} if item.changed_from else ())
    if (reason := plan.not_applicable.get(item.id)) is not None:
        return Verdict(item=item, outcome=Outcome.NOT_APPLICABLE, because=reason, flags=flags)
    if item.probe is None:
        return Verdict(item=item, outcome=Outcome.PENDING, because=f"{item.owner} has not signed", flags=flags)
    if (reason := plan.uncovered.get(item.id)) is not None:
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
    worst = _against_direct_measurements(worst, plan, evidence)
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


def _of_rows(item: Item, plan: Plan, evidence: AttemptsByInstance, situation: Situation) -> Verdict:
    """All rows of the baseline, each judged as an item of its own; the worst counts, and is told first."""
    if not plan.baseline_items:
        return Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because="none of the baseline's metrics is measured")
    rows = [judge_item(row, plan, evidence, situation) for row in plan.baseline_items]
    rows.sort(key=_badness, reverse=True)
    outside = [row for row in rows if row.outcome is not Outcome.PASS]
    because = "; ".join(f"{row.item.title}: {row.because}" for row in outside or rows)
    count = sum(row.outcome is Outcome.FAIL for row in rows)
    outcome = rows[0].outcome if rows[0].outcome in GRAVER else Outcome.INCONCLUSIVE  # a row that nothing measures
    return Verdict(item=item, outcome=outcome, because=because, observed=count, limit=item.expect[0])


def needed_retry(items: Sequence[Item], step: Step, attempts: Sequence[Attempt]) -> Retry | None:
    """What must still be asked before the items of this step can be judged; None when nothing is."""
    retries = [retry for item in items if item.probe == step.probe and (retry := _needed_by(item, attempts))]
    strays = tuple(dict.fromkeys(address for retry in retries for address in retry.at))
    return Retry(rechecks=RECHECKS, at=strays, each=MIN_FOR_RECHECK) if strays else next(iter(retries), None)


def _needed_by(item: Item, attempts: Sequence[Attempt]) -> Retry | None:
    rounds = [assess(item, attempt) for attempt in attempts]
    if not rounds or any(before.state is not State.BAD for before in rounds[:-1]):
        return None
    if rounds[-1].stray is not None:
        return Retry(rechecks=RECHECKS, at=(rounds[-1].stray,), each=MIN_FOR_RECHECK)
    return Retry() if rounds[-1].state is State.BAD and len(rounds) < item.confirm else None


def _of_instance(item: Item, attempts: Sequence[Attempt]) -> Verdict:
    """Failed when enough attempts were all bad; measurements or attempts that disagree prove nothing."""
    bad: list[AssessedAttempt] = []
    for attempt in attempts:
        tried = assess(item, attempt)
        if tried.state is State.BAD:
            bad.append(tried)
            if len(bad) == item.confirm:
                return _failed(item, bad)
        elif tried.state is State.UNDETERMINED:
            return _undetermined(item, tried)
        elif tried.state is State.MIXED or bad:
            return _disagreeing(item, [*bad, tried])
        else:
            return _passed(item, tried)
    return replace(_failed(item, bad), confirmed=False) if bad else _cut_off(item)


def _passed(item: Item, tried: AssessedAttempt) -> Verdict:
    shown = next((limit for limit in item.expect if limit.is_duration), item.expect[0])
    good = next(measurement for measurement in tried.measurements if measurement.state is State.GOOD)
    because = ", ".join(_shown(limit, tried, good) for limit in item.expect)
    if summary := good.measurement.notes.get("summary"):
        because += f"; {summary}"
    if tried.rechecked:
        (stray,) = tried.not_good
        because += f"; 1 of {len(tried.measurements)} measurements was not good: {_summary(item, stray)}"
    return Verdict(
        item=item,
        outcome=Outcome.PASS,
        because=because,
        observed=value_of(tried, good, shown),
        limit=shown,
        flags=frozenset({Flag.FLAKY} if tried.rechecked else ()),
    )


def _failed(item: Item, bad: Sequence[AssessedAttempt]) -> Verdict:
    """Failed, at the mildest severity that any of its measurements gives."""
    seen = [(tried, measurement) for tried in bad for measurement in tried.measurements]
    band = min((_band(item, tried, measurement) for tried, measurement in seen), key=lambda band: _gravity(item, band))
    tried, measurement = next((t, k) for t, k in reversed(seen) if _band(item, t, k) == band)
    limit = tried.slow or measurement.failed_limit or item.expect[0]
    because = f"{_claim(limit, tried, measurement)}; {_rounds(bad)}"
    if summary := measurement.measurement.notes.get("summary"):
        because = f"{because}; {summary}"
    verdict = Verdict(
        item=item,
        outcome=Outcome.FAIL,
        because=because,
        band=band,
        observed=value_of(tried, measurement, limit),
        limit=limit,
    )
    then, sure = verdict.deadline.then, Risks(false_fail=0.001)
    worse = isinstance(then, Limit) and all(holds_for(t, k, then, sure) for t, k in seen)
    return replace(verdict, worse=worse)


def _band(item: Item, tried: AssessedAttempt, measurement: AssessedMeasurement) -> Band | None:
    """The gravest band that this measurement proves; a metric that is missing proves none."""
    for band in item.bands:
        if holds_for(tried, measurement, band.when, risks_of(item, band)):
            return band
    return None


def _disagreeing(item: Item, rounds: Sequence[AssessedAttempt]) -> Verdict:
    measurements = [measurement for tried in rounds for measurement in tried.measurements]
    odd = [measurement for measurement in measurements if measurement.state is not State.GOOD]
    summary = (
        _summary(item, odd[0])
        if odd
        else _claim(rounds[0].slow or item.expect[0], rounds[0], rounds[0].measurements[0])
    )
    count = (
        f"{len(odd)} of {len(measurements)} measurements were not good"
        if odd
        else "one attempt was slow, the next was not"
    )
    because = f"{count} ({summary}): what disagrees proves nothing"
    return Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because=because, flags=frozenset({Flag.FLAKY}))


def _undetermined(item: Item, tried: AssessedAttempt) -> Verdict:
    """What its measurements leave in doubt, an error before what is only unclear."""
    void = [(measurement, measurement.undecided) for measurement in tried.measurements if measurement.undecided]
    if not void:
        return _cut_off(item)
    measurement, doubt = max(void, key=lambda pair: GRAVER[pair[1].outcome])
    observed = value_of(tried, measurement, doubt.limit)
    limit = doubt.limit if observed is not None else None
    return Verdict(item=item, outcome=doubt.outcome, because=doubt.detail, observed=observed, limit=limit)


def _cut_off(item: Item) -> Verdict:
    because = f"{Reason.CUT_OFF}: the run ended before this was measured"
    return Verdict(item=item, outcome=outcome_of(Reason.CUT_OFF), because=because)


def _against_direct_measurements(verdict: Verdict, plan: Plan, evidence: AttemptsByInstance) -> Verdict:
    """A pass by a claim about a target that a direct measurement did not reach is inconclusive."""
    if verdict.outcome is not Outcome.PASS:
        return verdict
    for probe in plan.claimed.get(verdict.item.probe or "", ()):
        for (name, _), attempts in evidence.items():
            last = attempts[-1].measurements if name == probe and attempts else ()
            if last and all(measurement.values.get("up") == Exact(0) for measurement in last):
                summary = last[0].notes.get("summary", "it was not reached")
                because = f"it says all is well ({verdict.because}), but the direct look at {probe} says: {summary}"
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
    known = [situation.history.since.get((verdict.item.id, severity)) for severity in graver]
    since = min((moment for moment in known if moment), default=situation.now)
    deployment = situation.history.deployment
    before = deployment is not None and since < deployment.started
    return replace(verdict, since=since, flags=verdict.flags | ({Flag.PRE_EXISTING} if before else frozenset()))


def _badness(verdict: Verdict) -> tuple[int, int, bool]:
    unknown = GRAVER[Outcome.INCONCLUSIVE]
    return GRAVER.get(verdict.outcome, unknown), verdict.severity.gravity, verdict.confirmed


def _gravity(item: Item, band: Band | None) -> int:
    return item.severity_of(band).gravity


def _named(verdict: Verdict, instance: str, instances: Mapping[str, object]) -> Verdict:
    return replace(verdict, because=f"{instance}: {verdict.because}") if len(instances) > 1 else verdict


def _shown(limit: Limit, tried: AssessedAttempt, measurement: AssessedMeasurement) -> str:
    """A metric with its number and what stands behind it."""
    return f"{words(limit.metric)} {_number(value_of(tried, measurement, limit), limit)}{behind(measurement, limit)}"


def _claim(limit: Limit, tried: AssessedAttempt, measurement: AssessedMeasurement) -> str:
    """The number and the limit in one sentence."""
    many = "median " if limit.metric in tried.medians and len(tried.measurements) > 1 else ""
    return f"{many}{_shown(limit, tried, measurement)}, limit {str(limit).removeprefix(limit.metric).strip()}"


def _summary(item: Item, measurement: AssessedMeasurement) -> str:
    if measurement.undecided:
        return measurement.undecided.detail
    limit = measurement.failed_limit or item.expect[0]
    reading = reading_of(measurement.measurement, limit.metric)
    value = _number(reading.value if isinstance(reading, Exact) else None, limit)
    return measurement.measurement.notes.get("summary") or f"{words(limit.metric)} {value}"


def _rounds(bad: Sequence[AssessedAttempt]) -> str:
    measurements = sum(len(tried.measurements) for tried in bad)
    attempts = f" in {len(bad)} attempts" if len(bad) > 1 else ""
    return f"all {measurements} measurements{attempts}" if measurements > 1 else "1 measurement"


def _number(value: float | None, limit: Limit) -> str:
    if value is None:
        return "unknown"
    text = f"{value:.0f}" if value == int(value) else f"{value:.4g}"
    return f"{text} {limit.unit if limit.of == 'value' or limit.op != 'within' else ''}".rstrip()
