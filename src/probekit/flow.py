"""The flow: load, plan, run, judge, decide, report."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from probekit import config as configuration
from probekit.baseline import drifts
from probekit.config import Config, Target
from probekit.decide import decide
from probekit.evidence import collected
from probekit.guard import release_of
from probekit.judge import judge, judge_item, more
from probekit.model.history import Deployment, Memory
from probekit.model.measurement import Attempt
from probekit.model.plan import Plan, Step
from probekit.model.report import Report, Run
from probekit.model.verdict import Control, Runner, Situation, Stage, Verdict
from probekit.order import Clock, Follower, Order, Seen, Stop
from probekit.plan import Selection, plan
from probekit.probe import Secret
from probekit.redaction import Redactor
from probekit.run import run
from probekit.toml_file import nearest
from probekit.transport.client import Http
from probekit.transport.connection import Proxy, proxy_of
from probekit.transport.resolver import Resolver
from probekit.transport.trust import Trust
from probekit.transport.urls import origin_of
from probekit.vault import Vault
from probekit.version import __version__


class RequestError(Exception):
    """What was asked for does not exist; the message names what does."""


class Watcher(Follower, Protocol):
    """Who also wants to know what each step proved."""

    def fell(self, step: Step, verdicts: Sequence[Verdict]) -> None:
        """A step is over, and what its items are for now."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller wants verified."""

    environment: str
    config: Path = Path("probes.toml")
    url: str | None = None  # instead of a file
    stage: Stage = Stage.AFTER
    selection: Selection = field(default_factory=Selection)
    memory: Memory = field(default_factory=Memory)
    release: str | None = None
    wait_release: float = 0.0
    settle: bool = True
    strict: bool = False
    loaded: Config | None = None  # what `config` or `url` name, where it was read already


def loaded(request: Request) -> Config:
    """The configuration that a request names.

    Raises:
        ConfigError: a file is wrong.
    """
    if request.loaded:
        return request.loaded
    return configuration.of_url(request.url) if request.url else configuration.load(request.config)


def target_of(request: Request, config: Config) -> Target:
    """The environment that a request names.

    Raises:
        RequestError: there is none of this name.
    """
    target = config.targets.get(request.environment)
    if target is None:
        known = f"known in {config.path}: {', '.join(config.targets)}"
        raise unknown("environment", request.environment, config.targets, known)
    return target


def prepare(request: Request) -> tuple[Config, Target, Plan]:
    """Load and plan; nothing is touched.

    Raises:
        ConfigError: a file is wrong.
        RequestError: the environment is unknown, or the selection leaves nothing.
    """
    config = loaded(request)
    target = target_of(request, config)
    _check_names(request.selection, config)
    planned = plan(target, config.checklist, selection=request.selection, release=request.release)
    if not planned.items:
        raise RequestError(f"the selection leaves nothing of what '{target.name}' is held to; see: probekit list items")
    if request.wait_release and (planned.guard is None or planned.release is None):
        raise RequestError(
            "--wait-release needs a probe 'release' and an expected version ('expect' there, or --release)"
        )
    return config, target, planned


def _check_names(selection: Selection, config: Config) -> None:
    for prefix in (*selection.sections, *selection.items):
        if not config.checklist.select(prefix):
            known = [*(item.id for item in config.checklist.items), *config.checklist.sections]
            raise unknown("item or section", prefix, known, "see: probekit list items")
    for name in selection.probes:
        if name not in config.checklist.probes:
            raise unknown("probe", name, config.checklist.probes, "see: probekit list probes")


def unknown(what: str, name: str, known: Iterable[str], hint: str) -> RequestError:
    """The error for a name that is not known, with the nearest one."""
    return RequestError(f"no {what} '{name}'{nearest(name, known)}; {hint}")


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


def vault_of(config: Config, redactor: Redactor) -> Vault:
    """What opens the secrets that a configuration refers to."""
    return Vault(folder=config.path.absolute().parent, variables=os.environ, redactor=redactor)


def order_of(config: Config, target: Target, vault: Vault, run_id: str) -> Order:
    """What every run against this target needs."""
    return Order(
        environment=target.environment,
        http=http_of(target, vault, config.path, run_id),
        reveal=vault.reveal,
        redactor=vault.redactor,
    )


def http_of(target: Target, vault: Vault, path: Path, run_id: str) -> Http:
    """The door of one run, as its environment connects."""
    environment = target.environment
    connect, folder = environment.connect, path.absolute().parent
    return Http(
        run=run_id,
        resolver=Resolver(fixed=connect.resolve, family=connect.family),
        trust=Trust(
            ca=folder / connect.ca if connect.ca else None,
            client_cert=folder / connect.client_cert if connect.client_cert else None,
        ),
        proxy=partial(_proxy, vault, connect.proxy) if connect.proxy else None,
        rate=(environment.throttle.requests, environment.throttle.per),
        identity={name: partial(vault.reveal, secret) for name, secret in connect.headers.items()},
        origin=origin_of(environment.base_url),
    )


def _proxy(vault: Vault, kept: Secret) -> Proxy:
    return proxy_of(vault.reveal(kept), str(kept))


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


def deployment_at(moment: datetime, release: str | None) -> Memory:
    """The memory of a run that is told when its release was put in place."""
    return Memory(deployment=Deployment(release=release, started=moment, finished=moment))
