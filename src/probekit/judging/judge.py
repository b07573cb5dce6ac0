"""Judge each item by the measurements of its probe; no clock, no input or output."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from probekit.judging.assess import Assessor, Traits, claims_reach
from probekit.judging.assessed import (
    GRAVER,
    AssessedAttempt,
    References,
    State,
    outcome_of,
)
from probekit.judging.baseline import baseline_reference
from probekit.judging.by_address import counted, of_addresses
from probekit.judging.clocks import in_time, may_refute, with_refuted
from probekit.judging.evidence import earlier_values
from probekit.judging.phase import go_of_phase
from probekit.judging.records import of_own_record, of_records
from probekit.judging.reference import Reference
from probekit.judging.verdicts import cut_off, disagreeing, failed, passed, undetermined
from probekit.model.checklist import Item, Severity
from probekit.model.layer import OF_RELEASE
from probekit.model.measurement import Attempt, InstanceKey, Reason
from probekit.model.plan import Plan, Step
from probekit.model.verdict import Flag, Outcome, Served, Situation, Verdict

AttemptsByInstance = Mapping[InstanceKey, Sequence[Attempt]]  # by probe and instance


def judge(
    plan: Plan[object], attempts: AttemptsByInstance, situation: Situation, assessor: Assessor | None = None
) -> tuple[Verdict, ...]:
    """Return one verdict for each item in scope, in the checklist's order."""
    judge_ = Judge(plan, attempts, situation, assessor or Assessor())
    known = {item.id: judge_.verdict(item) for item in plan.items if not item.is_go_of_phase}
    return tuple(known.get(item.id) or judge_.of_phase(item, tuple(known.values())) for item in plan.items)


def judge_item(item: Item, plan: Plan[object], attempts: AttemptsByInstance, situation: Situation) -> Verdict:
    """Return the verdict on one item."""
    return Judge(plan, attempts, situation, Assessor()).verdict(item)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges items by the measurements of a plan."""

    plan: Plan[object]
    attempts: AttemptsByInstance
    situation: Situation
    assessor: Assessor

    def verdict(self, item: Item) -> Verdict:
        """Return the verdict on an item: the worst of the verdicts on the instances of its probe."""
        layer = self.plan.layers.get(item.probe or "", "record")
        verdict = replace(self._verdict(item), layer=layer, claim=self.plan.claims.get(item.id, ""))
        verdict = self._with_refuted(verdict)
        return in_time(_under_guard(verdict, self.plan, self.situation), self.situation)

    def _verdict(self, item: Item) -> Verdict:
        flags = frozenset({Flag.CHANGED} if item.changed_from else ())
        if exempt := self._exempt(item, flags):
            return exempt
        worst = self._of_rows(item) if item.compares_baseline else self._of_instances(item, flags)
        return _as_reported(worst, self.plan)

    def _exempt(self, item: Item, flags: frozenset[Flag]) -> Verdict | None:
        """Return the verdict on an item that needs no measurement, or has none; None for any other item."""
        if (reason := self.plan.not_applicable.get(item.id)) is not None:
            return Verdict(item=item, outcome=Outcome.NOT_APPLICABLE, because=reason, flags=flags)
        if item.probe is None:
            return Verdict(item=item, outcome=Outcome.PENDING, because=f"{item.owner} has not signed", flags=flags)
        if (reason := self.plan.uncovered.get(item.id)) is not None:
            return Verdict(item=item, outcome=Outcome.NOT_CONFIGURED, because=reason, flags=flags)
        return None

    def _of_instances(self, item: Item, flags: frozenset[Flag]) -> Verdict:
        steps, instances = self._steps(item), self._instances(item)
        kept, left_out = counted(instances, self.situation)
        if left_out and not kept:
            because = f"{Reason.NO_NETWORK}: {left_out}"
            silent = Verdict(item=item, outcome=outcome_of(Reason.NO_NETWORK), because=because, flags=flags)
            return replace(silent, reason=Reason.NO_NETWORK)
        judged: Mapping[str, Verdict] = {
            name: _named(self._of_instance_and_records(item, name, attempts), name, instances)
            for name, attempts in kept.items()
        }
        if claims_reach(item, Traits.of(steps)) and any(step.each_address for step in steps):
            judged = of_addresses(judged, {step.instance for step in steps})
        found = _counted(judged, {step.instance for step in steps if step.passive})
        worst = max(found, key=_badness, default=cut_off(item))
        others = (verdict.flags - {Flag.SOME_ADDRESSES} for verdict in found)  # what eases one eases no other
        worst = replace(worst, flags=worst.flags.union(flags, *others))
        if left_out:
            worst = replace(worst, because=f"{worst.because}; {left_out}")
        return _against_direct_measurements(worst, self.plan, self.attempts)

    def _of_instance_and_records(self, item: Item, instance: str, attempts: Sequence[Attempt]) -> Verdict:
        """Return the verdict on an instance, with the records that it rests on."""
        steps = self._steps(item)
        verdict = self._of_instance(item, instance, attempts, _traits(steps, instance))
        if any(step.of_record and step.instance == instance for step in steps):
            return replace(of_own_record(verdict, attempts, self.situation), of_record=True)
        return of_records(verdict, attempts, self.situation)

    def of_phase(self, item: Item, others: Sequence[Verdict]) -> Verdict:
        """Return the verdict on an item that passes where the others of its phase in this run allow a go."""
        layer, claim = self.plan.layers.get(item.probe or "", "record"), self.plan.claims.get(item.id, "")
        exempt = self._exempt(item, frozenset({Flag.CHANGED} if item.changed_from else ()))
        verdict = in_time(exempt or go_of_phase(item, others, self.situation), self.situation)
        return replace(verdict, layer=layer, claim=claim)

    def _steps(self, item: Item) -> list[Step[object]]:
        return [step for step in self.plan.steps if step.probe == item.probe]

    def _instances(self, item: Item) -> dict[str, Sequence[Attempt]]:
        """Return the attempts of each instance, without the instances that give metrics of other parts."""
        metrics = {limit.metric for limit in item.expect}
        apart = {step.instance for step in self._steps(item) if not metrics <= step.wanted}
        return {
            key.instance: attempts
            for key, attempts in self.attempts.items()
            if key.probe == item.probe and key.instance not in apart
        }

    def _with_refuted(self, verdict: Verdict) -> Verdict:
        """Add the failures on record that are over, unless the readings do not apply to the item."""
        item = verdict.item
        is_other = self.situation.release.served is Served.OTHER
        is_other |= item.bound_to is not None and verdict.outcome is Outcome.INCONCLUSIVE  # its record does not count
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
        """Judge an item that every answer must satisfy: one bad answer fails it."""
        (attempt,) = attempts
        tried = self.assessor.attempt(item, attempt, Traits())
        bad = tuple(one for one in tried.measurements if one.state is State.BAD)
        if bad:
            return failed(item, [replace(tried, measurements=bad)], f"{len(bad)} of {len(tried.measurements)} answers")
        if tried.state is State.UNDETERMINED:
            return undetermined(item, tried)
        return passed(item, tried) if tried.state is State.GOOD else disagreeing(item, [tried])

    def _of_instance(self, item: Item, instance: str, attempts: Sequence[Attempt], traits: Traits) -> Verdict:
        """Fail an instance when enough attempts were all bad; attempts that disagree are inconclusive."""
        if any(guard.probe == item.probe for guard in self.plan.release_guards):
            return self._of_every_answer(item, attempts)
        references = self._references(item, instance, attempts)
        bad: list[AssessedAttempt] = []
        for attempt in attempts:
            tried = self.assessor.attempt(item, attempt, traits, references)
            if tried.state is State.BAD:
                bad.append(tried)
                if len(bad) == item.confirm:
                    return failed(item, bad)
            elif tried.state is State.UNDETERMINED:
                return undetermined(item, tried)
            elif tried.state is State.MIXED or bad:
                return disagreeing(item, [*bad, tried])
            else:
                return passed(item, tried)
        return replace(failed(item, bad), confirmed=False) if bad else cut_off(item)

    def _references(self, item: Item, instance: str, attempts: Sequence[Attempt]) -> References:
        """Return the baseline or the earlier windows of each limit that has them."""
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
        """Judge all rows of the baseline as items of their own; the worst counts and is named first."""
        if not self.plan.baseline_items:
            because = "no metric of the baseline is measured"
            return Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because=because)
        rows = sorted(map(self.verdict, self.plan.baseline_items), key=_badness, reverse=True)
        outside = [row for row in rows if row.outcome is not Outcome.PASS]
        because = "; ".join(f"{row.item.title}: {row.because}" for row in outside or rows)
        count = sum(row.outcome is Outcome.FAIL for row in rows)
        outcome = rows[0].outcome if rows[0].outcome in GRAVER else Outcome.INCONCLUSIVE  # a row without a probe
        flags = frozenset().union(*(row.flags for row in rows)) & {Flag.REPORTED, Flag.UNTRUSTED}
        return Verdict(item=item, outcome=outcome, because=because, observed=count, limit=item.expect[0], flags=flags)


def _traits(steps: Sequence[Step[object]], instance: str) -> Traits:
    """Return the traits of an instance's own step; of all steps, where the instance is an address of one."""
    return Traits.of([step for step in steps if step.instance == instance] or steps)


def _counted(judged: Mapping[str, Verdict], counters: Collection[str]) -> list[Verdict]:
    """Return the verdicts that count: where counters of the target decided, own requests may only fail an item."""
    decided = any(judged[name].outcome in (Outcome.PASS, Outcome.FAIL) for name in counters if name in judged)
    return [
        verdict
        for name, verdict in judged.items()
        if not (decided and name not in counters and verdict.outcome is Outcome.INCONCLUSIVE)
    ]


def _against_direct_measurements(verdict: Verdict, plan: Plan[object], attempts: AttemptsByInstance) -> Verdict:
    """Make a pass inconclusive that reports on a target which a direct measurement did not reach."""
    unreached = _unreached(verdict.item, plan, attempts) if verdict.outcome is Outcome.PASS else ""
    if not unreached:
        return verdict
    because = f"the probe reports success ({verdict.because}), but {unreached}"
    return Verdict(item=verdict.item, outcome=Outcome.INCONCLUSIVE, because=because, flags=verdict.flags)


def _unreached(item: Item, plan: Plan[object], attempts: AttemptsByInstance) -> str:
    """Return what the direct measurement reports that did not reach the target on which the item's probe reports."""
    for probe in plan.claimed.get(item.probe or "", ()):
        for key, some in attempts.items():
            last = some[-1].measurements if key.probe == probe and some else ()
            if last and all(measurement.reached is False for measurement in last):
                return f"the direct measurement of {probe} reports: {last[0].summary or 'no response'}"
    return ""


def _as_reported(verdict: Verdict, plan: Plan[object]) -> Verdict:
    """Flag what a program reports; no critical item passes by a program that is not trusted."""
    probe = verdict.item.probe or ""
    if not any(step.reported for step in (*plan.steps, *plan.release_guards) if step.probe == probe):
        return verdict
    if probe in plan.trusted:
        return replace(verdict, flags=verdict.flags | {Flag.REPORTED})
    flags = verdict.flags | {Flag.REPORTED, Flag.UNTRUSTED}
    if verdict.outcome is not Outcome.PASS or verdict.item.severity is not Severity.CRITICAL:
        return replace(verdict, flags=flags)
    because = f'reported by a program; a critical item passes that way only with trust = ["{probe}"]: {verdict.because}'
    return replace(verdict, outcome=Outcome.INCONCLUSIVE, because=because, flags=flags)


def _under_guard(verdict: Verdict, plan: Plan[object], situation: Situation) -> Verdict:
    """Make a pass inconclusive that depends on the release, where another release than the expected one is served."""
    is_guard = any(guard.probe == verdict.item.probe for guard in plan.release_guards)
    if situation.release.served is not Served.OTHER or verdict.layer == "record" or is_guard:
        return verdict
    if verdict.outcome is Outcome.FAIL:
        return replace(verdict, flags=verdict.flags | {Flag.OTHER_RELEASE})
    if verdict.outcome is not Outcome.PASS or verdict.layer not in OF_RELEASE:
        return verdict
    because = f"{situation.release.because}, so this result does not apply to the expected version: {verdict.because}"
    flags = verdict.flags - {Flag.FLAKY} | {Flag.OTHER_RELEASE}
    return replace(verdict, outcome=Outcome.INCONCLUSIVE, because=because, flags=flags)


def _badness(verdict: Verdict) -> tuple[int, int, bool]:
    unknown = GRAVER[Outcome.INCONCLUSIVE]
    return GRAVER.get(verdict.outcome, unknown), verdict.severity.gravity, verdict.confirmed


def _named(verdict: Verdict, instance: str, instances: Mapping[str, object]) -> Verdict:
    return replace(verdict, because=f"{instance}: {verdict.because}") if len(instances) > 1 else verdict
