"""Verify one environment: load, plan, run, judge, decide, report."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from probekit.config.target import Target
from probekit.engine.context import Cancellation, Clock, Observations, RunContext, RunObserver, StepEnded
from probekit.engine.runner import run
from probekit.judging.addresses import notes_of_moves
from probekit.judging.assess import Assessor
from probekit.judging.decide import decide
from probekit.judging.evidence import collected
from probekit.judging.judge import judge, judge_item
from probekit.judging.release import release_of
from probekit.judging.retries import needed_retry
from probekit.model.maintenance import in_force
from probekit.model.measurement import Attempt, InstanceKey
from probekit.model.plan import Plan, Step
from probekit.model.report import Report, Run
from probekit.model.verdict import Action, Control, Runner, Situation
from probekit.planning.plan import unasked_note
from probekit.probe import ConfiguredKind
from probekit.version import __version__
from probekit.workflows import people
from probekit.workflows.assembly import prepare, release_request, session
from probekit.workflows.notes import left_out, of_the_past, unused_addresses, weak_passes, with_unasked
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
        from probekit.workflows import by_url  # noqa: PLC0415  # for the runs without a file

        planned = await by_url.without_https(planned, target)
    opened = session(config, target, clock=clock, cancellation=cancellation, observer=observer)
    context = replace(
        opened.context,
        history=options.history,
        stage=options.stage.value,
        release=release_request(options).subject or "",
        settle=options.settle and not options.selection.quick,
        wait_release=options.wait_release,
    )
    opened.context.redactor.allow(_releases(context))
    windows = people.maintenance(options, target.environment)
    responsible = people.responsible(options, target.environment, context.redactor)
    started, load, assessor = context.clock.now(), RunnerLoad(), Assessor()

    def situation_of(observations: Observations) -> Situation:
        now = context.clock.now()
        return Situation(
            now=now,
            stage=options.stage,
            release=release_of(observations.guard_measurements, planned.versions, guarded=bool(planned.release_guards)),
            history=options.history,
            control=_control(observations, target),
            reached=context.http.reached,
            strict=options.strict,
            partial=planned.partial,
            in_scope=planned.in_scope,
            maintenance=in_force(windows, started, now),
            uncounted=observations.uncounted,
        )

    def is_decided(observations: Observations) -> bool:
        situation = situation_of(observations)
        seen = judge(planned, observations.attempts, situation, assessor)
        is_hopeless = options.url is not None and by_url.is_hopeless(seen)
        return is_hopeless or decide(seen, situation).action in (Action.ROLLBACK, Action.NO_GO)

    if not options.measure_all:
        context = replace(context, is_decided=is_decided)
    if observer:
        context = replace(context, step_ended=_judging(planned, options, observer))
    asked = [item for item in planned.items if item.id not in planned.not_applicable]
    observations = await run(planned, partial(needed_retry, assessor, asked), context)
    runner = load.since_start(observations.lag)
    situation = replace(situation_of(observations), complete=observations.complete, runner=runner)
    verdicts = judge(planned, observations.attempts, situation, assessor)
    decision = decide(verdicts, situation)
    return Report(
        run=Run(
            id=opened.run_id,
            environment=target.name,
            base_url=target.environment.base_url,
            stage=options.stage,
            started=started,
            seconds=(situation.now - started).total_seconds(),
            version=__version__,
            config_file=str(config.path),
            config_hash=config.digest,
            vantage=target.environment.vantage,
            deployed_by=responsible.deployed_by,
            reviewed_by=responsible.reviewed_by,
            deployment_window=people.deployment_window(target.environment),
            paging=people.paging(target.environment, context.redactor),
            ended_by=observations.ended_by,
            notes=(
                *of_the_past(config.dotenv, options.history, planned),
                *unused_addresses(context.http.resolver, planned, observations),
                *left_out(observations),
                *(map(unasked_note, planned.unasked) if decision.action is not Action.GO else ()),
                *(f"{address} did not count: {why}" for address, why in sorted(observations.uncounted.items())),
                *notes_of_moves(planned, observations.attempts, situation),
                *weak_passes(observations),
                *(by_url.advice(verdicts, options.url) if options.url is not None else ()),
                *options.notes,
            ),
        ),
        situation=situation,
        checklist=config.checklist.full_title,
        items=len(config.checklist.items),
        measurements=tuple(observations.measurements),
        verdicts=verdicts,
        decision=with_unasked(decision, planned),
        attempts=observations.attempts,
        evidence=collected(planned, observations.attempts, situation),
        answered=frozenset(observations.answered),
        sections=target.checklist.sections,
        criteria=target.checklist.success_criteria,
    )


def _releases(context: RunContext) -> set[str]:
    """The releases that the run knows by name."""
    deployment = context.history.deployment
    found = (context.release, deployment and deployment.release, context.history.previous_release)
    return {release for release in found if release}


class RunnerLoad:
    """The load of this process and machine, from now on."""

    def __init__(self) -> None:
        self._began, self._spent = time.perf_counter(), time.process_time()

    def since_start(self, lag: float) -> Runner:
        """The processor time and the load since this was made."""
        wall = max(time.perf_counter() - self._began, 1e-9)
        load = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else None
        return Runner(lag=lag, cpu=100 * (time.process_time() - self._spent) / wall, load=load)


def _control(observations: Observations, target: Target) -> Control:
    """It answers when one control answered each time: at the start, and at the end of a run that has come there."""
    if not target.environment.control:
        return Control.NONE
    answered = observations.controls
    is_due = 2 if observations.complete else 1
    return Control.ANSWERS if len(answered) >= is_due and all(answered) else Control.SILENT


def _judging(planned: Plan[ConfiguredKind], options: RunOptions, observer: RunObserver) -> StepEnded:
    """What tells an observer what the items of a step are for now."""

    def step_ended(step: Step[object], attempts: Mapping[InstanceKey, tuple[Attempt, ...]], now: datetime) -> None:
        situation = Situation(now=now, stage=options.stage, history=options.history)
        items = [item for item in planned.items if item.probe == step.probe]
        observer.judged(step, [judge_item(item, planned, attempts, situation) for item in items])

    return step_ended
