"""Verify one environment: load, plan, run, judge, decide, report."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from probekit.config.secrets import Vault
from probekit.config.target import Target
from probekit.engine.context import Clock, Follower, Seen, Stop
from probekit.engine.runner import run
from probekit.judging.baseline import drifts
from probekit.judging.decide import decide
from probekit.judging.evidence import collected
from probekit.judging.judge import judge, judge_item, more
from probekit.judging.release import release_of
from probekit.model.history import Memory
from probekit.model.measurement import Attempt
from probekit.model.plan import Plan, Step
from probekit.model.report import Report, Run
from probekit.model.verdict import Control, Runner, Situation, Verdict
from probekit.redaction import Redactor
from probekit.transport.resolver import Resolver
from probekit.version import __version__
from probekit.workflows.assembly import order_of, prepare, vault_of
from probekit.workflows.options import Request, deployment_at


class Watcher(Follower, Protocol):
    """Who also wants to know what each step proved."""

    def fell(self, step: Step, verdicts: Sequence[Verdict]) -> None:
        """A step is over, and what its items are for now."""


def verify(
    environment: str, *, config: Path | str = "probes.toml", deployed: datetime | None = None, **wishes: object
) -> Report:
    """Verify one environment; `deployed`: when its release was put in place; `wishes`: fields of `Request`."""
    if deployed is not None:
        wishes["memory"] = deployment_at(deployed, wishes.get("release"))  # type: ignore[arg-type]  # see below
    return asyncio.run(carry_out(Request(environment=environment, config=Path(config), **wishes)))  # type: ignore[arg-type]  # checked by Request


async def carry_out(
    request: Request,
    *,
    redactor: Redactor | None = None,
    clock: Clock | None = None,
    stop: Stop | None = None,
    watcher: Watcher | None = None,
) -> Report:
    """The whole flow for one request.

    Raises:
        ConfigError, RequestError: see `prepare`.
    """
    config, target, planned = prepare(request)
    redactor, clock, run_id = redactor or Redactor(), clock or Clock(), uuid4().hex[:12]
    vault = vault_of(config, redactor)
    order = replace(
        order_of(config, target, vault, run_id),
        memory=request.memory,
        clock=clock,
        settle=request.settle,
        wait_release=request.wait_release,
        stop=stop or Stop(),
        watcher=_Judging(planned, request, watcher) if watcher else None,
    )
    started, ours = clock.now(), _Ours()
    seen = await run(planned, partial(more, planned.items), order)
    situation = Situation(
        now=clock.now(),
        stage=request.stage,
        release=release_of(seen.guards, planned.release),
        memory=request.memory,
        control=_control(seen, target),
        complete=seen.complete,
        strict=request.strict,
        runner=ours.told(seen.lag),
    )
    verdicts = judge(planned, seen.attempts, situation)
    return Report(
        run=Run(
            id=run_id,
            environment=target.name,
            stage=request.stage,
            started=started,
            seconds=(situation.now - started).total_seconds(),
            version=__version__,
            config_file=str(config.path),
            config_hash=config.digest,
            vantage=target.environment.vantage,
            narrowed=planned.narrowed,
            ended_by=seen.ended_by,
            notes=(*_notes(vault, request.memory, planned), *_unused(order.http.resolver, planned, seen)),
        ),
        situation=situation,
        checklist=f"{config.checklist.title} {config.checklist.version}",
        items=len(config.checklist.items),
        measurements=tuple(seen.measurements),
        verdicts=verdicts,
        decision=decide(verdicts, situation),
        attempts=seen.attempts,
        evidence=collected(planned, seen.attempts, situation),
        sections=config.checklist.sections,
    )


class _Ours:
    """What this process and machine spend from now on."""

    def __init__(self) -> None:
        self._began, self._spent = time.perf_counter(), time.process_time()

    def told(self, lag: float) -> Runner:
        wall = max(time.perf_counter() - self._began, 1e-9)
        load = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else None
        return Runner(lag=lag, cpu=100 * (time.process_time() - self._spent) / wall, load=load)


def _control(seen: Seen, target: Target) -> Control:
    """It answers when one control answered at the start and one at the end."""
    if not target.environment.control:
        return Control.NONE
    both = 2
    return Control.ANSWERS if len(seen.controls) == both and all(seen.controls) else Control.SILENT


def _notes(vault: Vault, memory: Memory, planned: Plan) -> tuple[str, ...]:
    notes = [f"{vault.dotenv} was read"] if vault.dotenv else []
    notes += drifts(planned.compared, memory.baseline)
    if not (memory.since or memory.known):
        notes.append("no earlier run is known: deadlines start now, and every failure counts as new")
    return tuple(notes)


def _unused(resolver: Resolver, planned: Plan, seen: Seen) -> Iterator[str]:
    """Addresses that the configuration fixes and no probe went to: a typing error would verify another instance."""
    if planned.narrowed or not seen.complete:
        return
    for name in sorted(resolver.fixed.keys() - resolver.asked):
        yield f"connect.resolve '{name}': no probe asked for this host and port, so none went to {resolver.fixed[name]}"


class _Judging:
    """Between the run, which knows no limit, and a watcher who wants verdicts."""

    def __init__(self, planned: Plan, request: Request, watcher: Watcher) -> None:
        self._plan = planned
        self._request = request
        self._watcher = watcher

    def waiting(self, what: str, until: datetime) -> None:
        self._watcher.waiting(what, until)

    def began(self, step: Step, until: datetime) -> None:
        self._watcher.began(step, until)

    def ended(self, step: Step, attempts: Sequence[tuple[str, tuple[Attempt, ...]]], now: datetime) -> None:
        evidence = {(step.probe, instance): kept for instance, kept in attempts}
        situation = Situation(now=now, stage=self._request.stage, memory=self._request.memory)
        items = [item for item in self._plan.items if item.probe == step.probe]
        self._watcher.fell(step, [judge_item(item, self._plan, evidence, situation) for item in items])
