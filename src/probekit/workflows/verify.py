"""Verify one environment: load, plan, run, judge, decide, report."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from probekit.config.target import Config, Target
from probekit.engine.context import Cancellation, Clock, Observations, RunContext, RunObserver, StepEnded
from probekit.engine.runner import run
from probekit.judging.addresses import notes_of_moves
from probekit.judging.assess import Assessor
from probekit.judging.decide import decide
from probekit.judging.evidence import collected
from probekit.judging.judge import judge, judge_item
from probekit.judging.percentiles import percentiles
from probekit.judging.release import release_of
from probekit.judging.retries import needed_retry
from probekit.model.maintenance import in_force
from probekit.model.measurement import Attempt, InstanceKey
from probekit.model.plan import Plan, Retry, Step
from probekit.model.report import Report, Run
from probekit.model.verdict import Action, Control, Decision, Runner, Situation, Verdict
from probekit.planning.plan import unasked_note
from probekit.probe import ConfiguredKind
from probekit.version import __version__
from probekit.workflows import by_url, people
from probekit.workflows.assembly import prepare, session
from probekit.workflows.documents import baseline_table, places_of
from probekit.workflows.notes import left_out, of_the_past, unused_addresses, weak_passes, with_caveats
from probekit.workflows.options import RunOptions


async def execute_run(
    options: RunOptions,
    *,
    clock: Clock | None = None,
    cancellation: Cancellation | None = None,
    observer: RunObserver | None = None,
) -> Report:
    """Load, plan, measure, judge and decide.

    Raises:
        ConfigError, RequestError: see `prepare`.
    """
    config, target, planned = prepare(options)
    if options.url is not None:
        planned = await by_url.without_https(planned, target)
    opened = session(config, target, clock=clock, cancellation=cancellation, observer=observer)
    context = replace(
        opened.context,
        history=options.history,
        stage=options.stage.value,
        release=planned.identity.release or "",
        identity=planned.identity,
        settle=options.settle and not options.selection.quick,
        wait_release=options.wait_release,
    )
    context.redactor.allow(_releases(context))
    load = RunnerLoad()
    verification = _Verification(
        options=options,
        config=config,
        target=target,
        planned=planned,
        context=context,
        run_id=opened.run_id,
        started=context.clock.now(),
    )
    if not options.measure_all:
        context = replace(context, is_decided=verification.is_decided)
    if observer:
        context = replace(context, step_ended=_judging(planned, options, observer))
    observations = await run(planned, verification.needed_retry, context)
    return verification.report(observations, load.since_start(observations.lag))


@dataclass(frozen=True, kw_only=True)
class _Verification:
    """One run: its target, its plan, and the judgement of its observations."""

    options: RunOptions
    config: Config
    target: Target
    planned: Plan[ConfiguredKind]
    context: RunContext
    run_id: str
    started: datetime
    assessor: Assessor = field(default_factory=Assessor)

    def needed_retry(self, step: Step[ConfiguredKind], attempts: Sequence[Attempt]) -> Retry | None:
        """Return what a step still needs: another attempt, rechecks, or nothing."""
        asked = [item for item in self.planned.items if item.id not in self.planned.not_applicable]
        return needed_retry(self.assessor, asked, step, attempts)

    def is_decided(self, observations: Observations) -> bool:
        """Return whether the observations so far fix the decision, so that no window and no burst begins."""
        situation = self._situation(observations)
        seen = judge(self.planned, observations.attempts, situation, self.assessor)
        if self.options.url is not None and by_url.is_hopeless(seen):
            return True
        return decide(seen, situation).action in (Action.ROLLBACK, Action.NO_GO)

    def report(self, observations: Observations, runner: Runner) -> Report:
        """Return the report on all observations."""
        situation = replace(self._situation(observations), complete=observations.complete, runner=runner)
        verdicts = judge(self.planned, observations.attempts, situation, self.assessor)
        decision = decide(verdicts, situation)
        checklist = self.config.checklist
        return Report(
            run=self._run(observations, situation, tuple(self._notes(observations, situation, verdicts, decision))),
            situation=situation,
            checklist=checklist.full_title,
            items=len(checklist.items),
            measurements=tuple(observations.measurements),
            verdicts=verdicts,
            decision=with_caveats(decision, self.planned, weak_passes(observations)),
            attempts=observations.attempts,
            evidence=collected(self.planned, observations.attempts, situation),
            answered=frozenset(observations.answered),
            document=self.target.checklist.document,
            criteria=self.target.checklist.success_criteria,
            baseline=baseline_table(self.target, self.planned, observations.attempts, situation),
            percentiles=percentiles(observations.attempts),
            places={} if self.options.url is not None else places_of(self.config, self.target),
        )

    def _situation(self, observations: Observations) -> Situation:
        """Return the current facts on which a decision is based."""
        options, planned, now = self.options, self.planned, self.context.clock.now()
        guards = observations.guard_measurements
        windows = people.maintenance(options, self.target.environment)
        return Situation(
            now=now,
            stage=options.stage,
            release=release_of(guards, planned.versions, guarded=bool(planned.release_guards), stage=options.stage),
            history=options.history,
            control=_control(observations, self.target),
            reached=self.context.http.reached,
            strict=options.strict,
            partial=planned.partial,
            in_scope=planned.in_scope,
            maintenance=in_force(windows, self.started, now),
            identity=planned.identity,
            contradictions=planned.contradictions,
            uncounted=observations.uncounted,
        )

    def _run(self, observations: Observations, situation: Situation, notes: tuple[str, ...]) -> Run:
        environment, redactor = self.target.environment, self.context.redactor
        responsible = people.responsible(self.options, environment, redactor)
        return Run(
            id=self.run_id,
            environment=self.target.name,
            base_url=environment.base_url,
            stage=self.options.stage,
            phase=self.options.selection.phase,
            facts={**environment.facts, **self.options.facts},
            subject=self.context.release or None,
            started=self.started,
            seconds=round((situation.now - self.started).total_seconds(), 3),  # as a report on record has it
            version=__version__,
            config_file=str(self.config.path),
            config_hash=self.config.digest,
            vantage=environment.vantage,
            deployed_by=responsible.deployed_by,
            reviewed_by=responsible.reviewed_by,
            deployment_window=people.deployment_window(environment),
            paging=people.paging(environment, redactor),
            is_of_url=self.options.url is not None,
            ended_by=observations.ended_by,
            notes=notes,
        )

    def _notes(
        self, observations: Observations, situation: Situation, verdicts: Sequence[Verdict], decision: Decision
    ) -> Iterator[str]:
        """Yield the notes of the report."""
        options, planned = self.options, self.planned
        yield from self.planned.release_notes
        yield from of_the_past(self.config.dotenv, options.history, planned)
        yield from unused_addresses(self.context.http.resolver, planned, observations)
        yield from left_out(observations)
        if decision.action is not Action.GO:
            yield from map(unasked_note, planned.unasked)
        yield from (f"{address} did not count: {why}" for address, why in sorted(observations.uncounted.items()))
        yield from notes_of_moves(planned, observations.attempts, situation)
        if decision.action not in (Action.GO, Action.PARTIAL):
            yield from weak_passes(observations)
        if options.url is not None:
            yield from by_url.advice(verdicts, options.url)
        yield from options.notes


def _releases(context: RunContext) -> set[str]:
    """Return the names of the releases that the run knows."""
    deployment = context.history.deployment
    facts = [context.identity, context.history.previous, *([deployment.identity] if deployment else [])]
    found = [context.release]
    for one in facts:
        found += [one.release or "", one.commit or "", one.previous or "", *one.images.values()]
    return {name for name in found if name}


class RunnerLoad:
    """The load of this process and machine, from now on."""

    def __init__(self) -> None:
        self._began, self._spent = time.perf_counter(), time.process_time()

    def since_start(self, lag: float) -> Runner:
        """Return the processor time and the load since the creation of this object."""
        wall = max(time.perf_counter() - self._began, 1e-9)
        load = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else None
        return Runner(lag=lag, cpu=100 * (time.process_time() - self._spent) / wall, load=load)


def _control(observations: Observations, target: Target) -> Control:
    """Return whether a control answered each time: at the start, and at the end of a complete run."""
    if not target.environment.control:
        return Control.NONE
    answered = observations.controls
    is_due = 2 if observations.complete else 1
    return Control.ANSWERS if len(answered) >= is_due and all(answered) else Control.SILENT


def _judging(planned: Plan[ConfiguredKind], options: RunOptions, observer: RunObserver) -> StepEnded:
    """Return a callback that shows an observer the verdicts of a finished step."""

    def step_ended(step: Step[object], attempts: Mapping[InstanceKey, tuple[Attempt, ...]], now: datetime) -> None:
        known = planned.identity
        situation = Situation(now=now, stage=options.stage, history=options.history, identity=known)
        items = [item for item in planned.items if item.probe == step.probe]
        observer.judged(step, [judge_item(item, planned, attempts, situation) for item in items])

    return step_ended
