"""How often is a healthy service that is verified from cron not go? The real engine, judge and decision; no network.

A seeded generator stands for the target, and a clock that is moved by sleeping for time.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from probekit.config.settings import Environment
from probekit.engine.context import Clock, Observations, RunContext
from probekit.engine.runner import run
from probekit.judging.assess import Assessor
from probekit.judging.decide import decide
from probekit.judging.judge import judge
from probekit.judging.retries import needed_retry
from probekit.model.checklist import Severity
from probekit.model.history import Deployment, History
from probekit.model.measurement import InstanceKey
from probekit.model.plan import Plan
from probekit.model.verdict import Action, Control, Outcome, Situation, Verdict
from probekit.probe import ConfiguredKind, Context, ErrorRate, Exact, LatencySample, Quantile, Readings
from probekit.redaction import Redactor
from probekit.transport.client import Http
from probekit.transport.resolver import Resolver
from probekit.workflows.assembly import prepare
from probekit.workflows.options import RunOptions

STRAY, SLOW = 0.001, 0.01  # of the answers of a healthy service
QUICK, TARDY = 60.0, 900.0  # milliseconds of an answer
PROMISED: Final = "<= 2 %, no rollback"
API: Final = InstanceKey("api", "")
CONFIG = """
[env.cron]
base_url = "https://app.test"
scope = ["deploy.services.health-endpoint", "deploy.performance.error-rate", "deploy.performance.p95-latency"]
{load}

[env.cron.limits]
"deploy.performance.error-rate" = {{ expect = ["error_rate < 1 %"], reason = "0.1 % are stray" }}

[env.cron.probes.health]
kind = "http"
path = "/health"

[env.cron.probes.api]
kind = "latency"
rate = {rate}
routes = [{{ path = "/api/orders" }}]
"""
WINDOWS = (  # of 60 s: requests a second, further settings, whether it may go on, what is promised
    (5, "", True, ""),  # 300 requests are the whole of its budget, so it may not
    (10, 'allow = ["load"]', False, ""),
    (10, 'allow = ["load"]', True, PROMISED),
    (20, 'allow = ["load"]', True, PROMISED),
)


@dataclass(slots=True)
class Service:
    """Answers as a healthy service does, by a seed."""

    rng: random.Random
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 25, tzinfo=UTC))

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def answer(self) -> float | None:
        """Milliseconds; None: a stray error."""
        if self.rng.random() < STRAY:
            return None
        return TARDY if self.rng.random() < SLOW else QUICK

    async def measure(self, _context: Context) -> Readings:
        """One health answer."""
        took = self.answer()
        status, failed = (503, 1) if took is None else (200, 0)
        time = Exact(QUICK if took is None else took)
        return Readings(up=Exact(1), status=Exact(status), failed_assertions=Exact(failed), response_time=time)

    async def sample(self, rate: float, context: Context) -> AsyncGenerator[Readings, None]:
        """One window, on a schedule of so many requests a second."""
        window = context.window
        assert window is not None  # a sampling has one
        each = round(rate * window.block)
        blocks = [[self.answer() for _ in range(each)] for _ in range(window.least)]
        await self.sleep(window.block * window.least)
        values = tuple(tuple(round(ms * 1000) for ms in block if ms is not None) for block in blocks)
        failures = tuple(block.count(None) for block in blocks)
        sample = LatencySample(values, tuple((0,) * len(block) for block in values), failures, (0,) * len(blocks))
        yield Readings(error_rate=ErrorRate(sample), p95=Quantile(sample, 0.95))

    def stands_for(self, source: ConfiguredKind, rate: float) -> ConfiguredKind:
        """The kind with this service at the place of its target."""
        if source.sample:
            return replace(source, sample=partial(self.sample, rate), endpoint=None)
        return replace(source, measure=self.measure, endpoint=None)


def planned(folder: Path, rate: int, load: str, *, may_go_on: bool) -> tuple[Plan[ConfiguredKind], Environment]:
    """The plan of that configuration; without further windows where there shall be none."""
    file = folder / "cron.toml"
    file.write_text(CONFIG.format(rate=rate, load=load))
    _, target, plan = prepare(RunOptions(environment="cron", config=file))
    steps = plan.steps if may_go_on else tuple(replace(step, further_windows=0) for step in plan.steps)
    return replace(plan, steps=steps), target.environment


def verified(plan: Plan[ConfiguredKind], environment: Environment, service: Service) -> Observations:
    """What one run of the real engine sees."""
    assessor = Assessor()
    context = RunContext(
        environment=environment,
        http=Http(run="cron", resolver=Resolver(look_up=lambda _endpoint: ())),
        reveal=str,
        redactor=Redactor(),
        clock=Clock(now=lambda: service.now, sleep=service.sleep),
        settle=False,
    )
    return asyncio.run(run(plan, partial(needed_retry, assessor, plan.items), context))


def since_when(
    known: dict[tuple[str, Severity], datetime], verdicts: tuple[Verdict, ...]
) -> dict[tuple[str, Severity], datetime]:
    """Since when items fail, for the next run: a pass ends it, as in a report."""
    passed = {verdict.item.id for verdict in verdicts if verdict.outcome is Outcome.PASS}
    new = {(one.item.id, one.severity): one.since for one in verdicts if one.outcome is Outcome.FAIL and one.since}
    return new | {key: moment for key, moment in known.items() if key[0] not in passed}


def actions(runs: int, rate: int, load: str, *, may_go_on: bool) -> tuple[Counter[Action], float, str]:
    """The decisions of so many runs, five minutes apart; how many windows one took; what was most often in the way."""
    service, since = Service(random.Random(20261125)), dict[tuple[str, Severity], datetime]()
    found, windows, open_ = Counter[Action](), 0, Counter[str]()
    with TemporaryDirectory() as folder:
        plan, environment = planned(Path(folder), rate, load, may_go_on=may_go_on)
    steps = tuple(
        replace(step, source=service.stands_for(step.source, rate), each_address=False) for step in plan.steps
    )
    plan = replace(plan, steps=steps)
    for _ in range(runs):
        deployed = service.now - timedelta(minutes=10)
        history = History(deployment=Deployment(release="2", started=deployed, finished=deployed), since=since)
        seen = verified(plan, environment, service)
        situation = Situation(
            now=service.now, history=history, control=Control.ANSWERS, reached=True, complete=seen.complete
        )
        verdicts = judge(plan, seen.attempts, situation)
        found[decide(verdicts, situation).action] += 1
        open_.update(one.item.id.rpartition(".")[2] for one in verdicts if one.outcome is not Outcome.PASS)
        windows += 1 + len(seen.attempts[API][0].rechecks)
        since = since_when(since, verdicts)
        service.now += timedelta(minutes=5)
    return found, windows / runs, ", ".join(f"{name} {count}" for name, count in open_.most_common())


def cron(runs: int) -> Iterator[tuple[object, ...]]:
    """Healthy: one answer in a thousand is an error, one in a hundred is slow."""
    words = (Action.GO, Action.INVESTIGATE, Action.NO_GO, Action.ROLLBACK, Action.UNDECIDED)
    yield ("a window of", "may go on", "windows", *(word.word for word in words), "not go", "promised", "not passed")
    for rate, load, may_go_on, promised in WINDOWS:
        found, windows, open_ = actions(runs, rate, load, may_go_on=may_go_on)
        missed = f"{100 * (runs - found[Action.GO]) / runs:.1f} %"
        allowed = "yes" if may_go_on and load else "no"
        counts = (found[word] for word in words)
        yield (f"{60 * rate} requests", allowed, f"{windows:.2f}", *counts, missed, promised or "-", open_ or "-")
