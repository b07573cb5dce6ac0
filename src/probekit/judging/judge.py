"""From measurements to one verdict per item: no clock, no input or output."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from probekit.judging.assess import (
    GRAVER,
    AssessedAttempt,
    AssessedMeasurement,
    Assessor,
    References,
    State,
    Traits,
    claims_reach,
    outcome_of,
    risks_of,
)
from probekit.judging.baseline import baseline_reference
from probekit.judging.by_address import counted, of_addresses
from probekit.judging.clocks import in_time, may_refute, with_refuted
from probekit.judging.evidence import earlier_values
from probekit.judging.reference import Reference
from probekit.judging.retries import outweighs
from probekit.judging.statistics import Risks
from probekit.judging.wording import against, all_of, metric_value, number, words
from probekit.model.checklist import Band, Item, Severity
from probekit.model.layer import OF_RELEASE
from probekit.model.limit import Limit
from probekit.model.measurement import Attempt, InstanceKey, Reason
from probekit.model.plan import Plan, Step
from probekit.model.readings import Exact
from probekit.model.verdict import Flag, Outcome, Served, Situation, Verdict

AttemptsByInstance = Mapping[InstanceKey, Sequence[Attempt]]  # by probe and instance


def judge(
    plan: Plan[object], attempts: AttemptsByInstance, situation: Situation, assessor: Assessor | None = None
) -> tuple[Verdict, ...]:
    """One verdict for each item in scope, in the checklist's order."""
    judge_ = Judge(plan, attempts, situation, assessor or Assessor())
    return tuple(judge_.verdict(item) for item in plan.items)


def judge_item(item: Item, plan: Plan[object], attempts: AttemptsByInstance, situation: Situation) -> Verdict:
    """The verdict on one item alone."""
    return Judge(plan, attempts, situation, Assessor()).verdict(item)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges items by what was measured for a plan."""

    plan: Plan[object]
    attempts: AttemptsByInstance
    situation: Situation
    assessor: Assessor

    def verdict(self, item: Item) -> Verdict:
        """What is known of one item: every instance of its probe is judged, the worst counts."""
        layer = self.plan.layers.get(item.probe or "", "record")
        verdict = replace(self._verdict(item), layer=layer, claim=self.plan.claims.get(item.id, ""))
        verdict = self._with_refuted(verdict)
        return in_time(_under_guard(verdict, self.plan, self.situation), self.situation)

    def _verdict(self, item: Item) -> Verdict:
        flags = frozenset({Flag.CHANGED} if item.changed_from else ())
        if (reason := self.plan.not_applicable.get(item.id)) is not None:
            return Verdict(item=item, outcome=Outcome.NOT_APPLICABLE, because=reason, flags=flags)
        if item.probe is None:
            return Verdict(item=item, outcome=Outcome.PENDING, because=f"{item.owner} has not signed", flags=flags)
        if (reason := self.plan.uncovered.get(item.id)) is not None:
            return Verdict(item=item, outcome=Outcome.NOT_CONFIGURED, because=reason, flags=flags)
        worst = self._of_rows(item) if item.compares_baseline else self._of_instances(item, flags)
        return _as_reported(worst, self.plan)

    def _of_instances(self, item: Item, flags: frozenset[Flag]) -> Verdict:
        steps, instances = self._steps(item), self._instances(item)
        kept, left_out = counted(instances, self.situation)
        if left_out and not kept:
            because = f"{Reason.NO_NETWORK}: {left_out}"
            silent = Verdict(item=item, outcome=outcome_of(Reason.NO_NETWORK), because=because, flags=flags)
            return replace(silent, reason=Reason.NO_NETWORK)
        judged: Mapping[str, Verdict] = {
            name: _named(self._of_instance(item, name, attempts, _traits(steps, name)), name, instances)
            for name, attempts in kept.items()
        }
        if claims_reach(item, Traits.of(steps)) and any(step.each_address for step in steps):
            judged = of_addresses(judged, {step.instance for step in steps})
        found = _counted(judged, {step.instance for step in steps if step.passive})
        worst = max(found, key=_badness, default=_cut_off(item))
        others = (verdict.flags - {Flag.SOME_ADDRESSES} for verdict in found)  # what eases one eases no other
        worst = replace(worst, flags=worst.flags.union(flags, *others))
        if left_out:
            worst = replace(worst, because=f"{worst.because}; {left_out}")
        return _against_direct_measurements(worst, self.plan, self.attempts)

    def _steps(self, item: Item) -> list[Step[object]]:
        return [step for step in self.plan.steps if step.probe == item.probe]

    def _instances(self, item: Item) -> dict[str, Sequence[Attempt]]:
        """What was measured of each instance, without those that answer for other parts."""
        metrics = {limit.metric for limit in item.expect}
        apart = {step.instance for step in self._steps(item) if not metrics <= step.wanted}
        return {
            key.instance: attempts
            for key, attempts in self.attempts.items()
            if key.probe == item.probe and key.instance not in apart
        }

    def _with_refuted(self, verdict: Verdict) -> Verdict:
        """The verdict with the failures on record that are over, unless what was read tells nothing of the item."""
        item = verdict.item
        is_other = self.situation.release.served is Served.OTHER
        if not may_refute(verdict, self.situation) or is_other or _unreached(item, self.plan, self.attempts):
            return verdict
        steps, (instances, _) = self._steps(item), counted(self._instances(item), self.situation)
        assessed = [
            [
                self.assessor.attempt(item, one, _traits(steps, name), self._references(item, name, attempts))
                for one in attempts
            ]
            for name, attempts in instances.items()
        ]
        return with_refuted(verdict, assessed, self.situation)

    def _of_every_answer(self, item: Item, attempts: Sequence[Attempt]) -> Verdict:
        """An item about every answer: one that is bad refutes it, however many are good."""
        (attempt,) = attempts
        tried = self.assessor.attempt(item, attempt, Traits())
        bad = tuple(one for one in tried.measurements if one.state is State.BAD)
        if bad:
            return _failed(item, [replace(tried, measurements=bad)], f"{len(bad)} of {len(tried.measurements)} answers")
        if tried.state is State.UNDETERMINED:
            return _undetermined(item, tried)
        return _passed(item, tried) if tried.state is State.GOOD else _disagreeing(item, [tried])

    def _of_instance(self, item: Item, instance: str, attempts: Sequence[Attempt], traits: Traits) -> Verdict:
        """Failed when enough attempts were all bad; measurements or attempts that disagree decide nothing."""
        if any(guard.probe == item.probe for guard in self.plan.release_guards):
            return self._of_every_answer(item, attempts)
        references = self._references(item, instance, attempts)
        bad: list[AssessedAttempt] = []
        for attempt in attempts:
            tried = self.assessor.attempt(item, attempt, traits, references)
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

    def _references(self, item: Item, instance: str, attempts: Sequence[Attempt]) -> References:
        """What each limit of an instance is held against, where there is something."""
        key = InstanceKey(item.probe or "", instance)
        earlier = earlier_values(key, attempts, self.plan, self.situation)
        references = {}
        for limit in item.expect:
            if limit.of == "baseline":
                references[limit] = baseline_reference(limit, key, self.plan, self.situation)
            elif limit.metric in earlier:
                references[limit] = Reference(earlier=earlier[limit.metric])
        return references

    def _of_rows(self, item: Item) -> Verdict:
        """All rows of the baseline, each judged as an item of its own; the worst counts, and is named first."""
        if not self.plan.baseline_items:
            because = "none of the baseline's metrics is measured"
            return Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because=because)
        rows = sorted(map(self.verdict, self.plan.baseline_items), key=_badness, reverse=True)
        outside = [row for row in rows if row.outcome is not Outcome.PASS]
        because = "; ".join(f"{row.item.title}: {row.because}" for row in outside or rows)
        count = sum(row.outcome is Outcome.FAIL for row in rows)
        outcome = rows[0].outcome if rows[0].outcome in GRAVER else Outcome.INCONCLUSIVE  # a row that nothing measures
        flags = frozenset().union(*(row.flags for row in rows)) & {Flag.REPORTED, Flag.UNTRUSTED}
        return Verdict(item=item, outcome=outcome, because=because, observed=count, limit=item.expect[0], flags=flags)


def _traits(steps: Sequence[Step[object]], instance: str) -> Traits:
    """Those of an instance's own step; of all, where the instance is an address of one."""
    return Traits.of([step for step in steps if step.instance == instance] or steps)


def _counted(judged: Mapping[str, Verdict], counters: Collection[str]) -> list[Verdict]:
    """All of them; where counters of the target itself decided, requests of probekit may only fail an item."""
    decided = any(judged[name].outcome in (Outcome.PASS, Outcome.FAIL) for name in counters if name in judged)
    return [
        verdict
        for name, verdict in judged.items()
        if not (decided and name not in counters and verdict.outcome is Outcome.INCONCLUSIVE)
    ]


def _passed(item: Item, tried: AssessedAttempt) -> Verdict:
    shown = next((limit for limit in item.expect if limit.is_duration), item.expect[0])
    good = next(one for one in tried.measurements if one.state is State.GOOD)
    because = ", ".join(_metric(limit, tried, good) for limit in item.expect)
    if summary := good.measurement.summary:
        because += f"; {summary}"
    if tried.is_cleared:
        because += f"; {_oddities(item, [tried])}"
    return Verdict(
        item=item,
        outcome=Outcome.PASS,
        because=because,
        observed=tried.value(good, shown),
        limit=shown,
        flags=frozenset({Flag.FLAKY} if tried.is_cleared else ()),
    )


def _failed(item: Item, bad: Sequence[AssessedAttempt], among: str = "") -> Verdict:
    """Failed, at the mildest severity that any of its measurements gives; `among`: how many of which, where not all."""
    pairs = [(tried, one, _band(item, tried, one)) for tried in bad for one in tried.measurements]
    band = min((band for _, _, band in pairs), key=lambda band: item.severity_of(band).gravity)
    tried, shown = next((tried, one) for tried, one, of_it in reversed(pairs) if of_it == band)
    limit = tried.slow or shown.failed_limit or item.expect[0]
    because = f"{_claim(limit, tried, shown)}; {among or all_of([len(tried.measurements) for tried in bad])}"
    if summary := shown.measurement.summary:
        because = f"{because}; {summary}"
    observed = tried.value(shown, limit)
    verdict = Verdict(
        item=item, outcome=Outcome.FAIL, because=because, band=band, observed=observed, limit=limit, summary=summary
    )
    then, sure = verdict.deadline.then, Risks(false_fail=0.001)
    worse = isinstance(then, Limit) and all(tried.holds(one, then, sure) for tried, one, _ in pairs)
    return replace(verdict, worse=worse)


def _band(item: Item, tried: AssessedAttempt, measurement: AssessedMeasurement) -> Band | None:
    """The gravest band that holds for this measurement; a metric that is missing holds none."""
    return next((band for band in item.bands if tried.holds(measurement, band.when, risks_of(item, band))), None)


def _disagreeing(item: Item, tried: Sequence[AssessedAttempt]) -> Verdict:
    *bad, last = tried
    if outweighs(last, bad):
        passed = _passed(item, last)
        because = f"{passed.because}; {_oddities(item, tried)}"
        return replace(passed, because=because, flags=frozenset({Flag.FLAKY}))
    because = f"{_oddities(item, tried)}: measurements disagree, so the result is inconclusive"
    return Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because=because, flags=frozenset({Flag.FLAKY}))


def _oddities(item: Item, tried: Sequence[AssessedAttempt]) -> str:
    """What keeps attempts from agreement: measurements that were not good, some slow ones, or a slow attempt."""
    count = sum(len(attempt.measurements) for attempt in tried)
    if odd := [one for attempt in tried for one in attempt.not_good]:
        was = "measurement was" if count == 1 else f"measurements {'was' if len(odd) == 1 else 'were'}"
        return f"{len(odd)} of {count} {was} not good: {_summary(item, odd[0])}"
    last = tried[-1]
    if some := last.some_slow:
        slowest = number(some.slowest, some.limit)
        return (
            f"{some.count} of {len(last.measurements)} measurements took too long, up to {slowest}, "
            f"with {_claim(some.limit, last, last.measurements[0])}"
        )
    slow = tried[0]
    return f"one attempt was slow, the next was not ({_claim(slow.slow or item.expect[0], slow, slow.measurements[0])})"


def _undetermined(item: Item, tried: AssessedAttempt) -> Verdict:
    """What its measurements leave in doubt, an error before what is only unclear."""
    doubts = [(one, one.undecided) for one in tried.measurements if one.undecided]
    if tried.undecided:
        doubts = [(tried.measurements[0], tried.undecided)]
    if not doubts:
        return _cut_off(item)
    measurement, doubt = max(doubts, key=lambda pair: GRAVER[pair[1].outcome])
    observed = tried.value(measurement, doubt.limit)
    limit = doubt.limit if observed is not None else None
    found = Verdict(item=item, outcome=doubt.outcome, because=doubt.detail, observed=observed, limit=limit)
    return replace(found, reason=doubt.reason)


def _cut_off(item: Item) -> Verdict:
    because = f"{Reason.CUT_OFF}: the run ended before this was measured"
    return Verdict(item=item, outcome=outcome_of(Reason.CUT_OFF), because=because, reason=Reason.CUT_OFF)


def _against_direct_measurements(verdict: Verdict, plan: Plan[object], attempts: AttemptsByInstance) -> Verdict:
    """A pass by a claim about a target that a direct measurement did not reach is inconclusive."""
    unreached = _unreached(verdict.item, plan, attempts) if verdict.outcome is Outcome.PASS else ""
    if not unreached:
        return verdict
    because = f"it says all is well ({verdict.because}), but {unreached}"
    return Verdict(item=verdict.item, outcome=Outcome.INCONCLUSIVE, because=because, flags=verdict.flags)


def _unreached(item: Item, plan: Plan[object], attempts: AttemptsByInstance) -> str:
    """What a direct measurement says that did not reach the target of which the item's probe only makes claims."""
    for probe in plan.claimed.get(item.probe or "", ()):
        for key, some in attempts.items():
            last = some[-1].measurements if key.probe == probe and some else ()
            if last and all(measurement.reached is False for measurement in last):
                return f"the direct look at {probe} says: {last[0].summary or 'it was not reached'}"
    return ""


def _as_reported(verdict: Verdict, plan: Plan[object]) -> Verdict:
    """What a program says is no measurement; by one that is not trusted no critical item passes."""
    probe = verdict.item.probe or ""
    if not any(step.reported for step in (*plan.steps, *plan.release_guards) if step.probe == probe):
        return verdict
    if probe in plan.trusted:
        return replace(verdict, flags=verdict.flags | {Flag.REPORTED})
    flags = verdict.flags | {Flag.REPORTED, Flag.UNTRUSTED}
    if verdict.outcome is not Outcome.PASS or verdict.item.severity is not Severity.CRITICAL:
        return replace(verdict, flags=flags)
    because = f'a program reports it, and no critical item passes by that unless trust = ["{probe}"]: {verdict.because}'
    return replace(verdict, outcome=Outcome.INCONCLUSIVE, because=because, flags=flags)


def _under_guard(verdict: Verdict, plan: Plan[object], situation: Situation) -> Verdict:
    """Where another release is served, a pass of what the release itself decides tells nothing of the expected one."""
    is_guard = any(guard.probe == verdict.item.probe for guard in plan.release_guards)
    if situation.release.served is not Served.OTHER or verdict.layer == "record" or is_guard:
        return verdict
    if verdict.outcome is Outcome.FAIL:
        return replace(verdict, flags=verdict.flags | {Flag.OTHER_RELEASE})
    if verdict.outcome is not Outcome.PASS or verdict.layer not in OF_RELEASE:
        return verdict
    because = f"{situation.release.because}, so this tells nothing of it: {verdict.because}"
    flags = verdict.flags - {Flag.FLAKY} | {Flag.OTHER_RELEASE}
    return replace(verdict, outcome=Outcome.INCONCLUSIVE, because=because, flags=flags)


def _badness(verdict: Verdict) -> tuple[int, int, bool]:
    unknown = GRAVER[Outcome.INCONCLUSIVE]
    return GRAVER.get(verdict.outcome, unknown), verdict.severity.gravity, verdict.confirmed


def _named(verdict: Verdict, instance: str, instances: Mapping[str, object]) -> Verdict:
    return replace(verdict, because=f"{instance}: {verdict.because}") if len(instances) > 1 else verdict


def _metric(limit: Limit, tried: AssessedAttempt, measurement: AssessedMeasurement) -> str:
    return metric_value(limit, tried.value(measurement, limit), tried.detail(measurement, limit))


def _claim(limit: Limit, tried: AssessedAttempt, measurement: AssessedMeasurement) -> str:
    """The number and the limit in one sentence."""
    many = "median " if limit.metric in tried.medians and len(tried.measurements) > 1 else ""
    return f"{many}{_metric(limit, tried, measurement)}, {against(limit)}"


def _summary(item: Item, measurement: AssessedMeasurement) -> str:
    if measurement.undecided:
        return measurement.undecided.detail
    limit = measurement.failed_limit or item.expect[0]
    reading = measurement.reading(limit.metric)
    value = number(reading.value if isinstance(reading, Exact) else None, limit)
    return measurement.measurement.summary or f"{words(limit.metric)} {value}"
