"""Does a run cost its slowest probe? And what does the engine itself cost for each?"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from measure import cpu, side_by_side, table

from probekit.config.settings import Environment
from probekit.engine.context import RunContext
from probekit.engine.runner import run
from probekit.model.plan import Plan, Step, Versions
from probekit.probe import Exact, Kind, Metric, ProbeConfig, Readings
from probekit.redaction import Redactor
from probekit.transport.client import Http
from probekit.transport.resolver import Resolver
from probekit.transport.urls import Endpoint

PROBES = 60
ENGINE = 600


class Sleeper(ProbeConfig):
    """How long it takes."""

    kind: str = "sleeper"
    seconds: float = 0.0
    host: int = 0


async def measure(config: Sleeper, _context) -> Readings:
    if config.seconds:
        await asyncio.sleep(config.seconds)
    return Readings(up=Exact(1))


KIND = Kind(
    config=Sleeper,
    metrics=(Metric(name="up", unit="", help="1"),),
    measure=measure,
    endpoint=lambda config, _base: Endpoint(f"host{config.host}.test", 443),
    example='kind = "sleeper"\n',
)


def planned(durations, kind=KIND) -> Plan:
    wanted = frozenset({"up"})
    step = Step(
        probe="", instance="", kind="sleeper", source=None, repeat=1, attempts=1, spread=0, attempt_interval=0,
        timeout=30,
        in_flight=4, turn="concurrent", window=0, cost=1, wanted=wanted, reachability_metrics=wanted,
    )  # fmt: skip
    steps = tuple(
        replace(step, probe=f"p{number}", source=kind.configure({"seconds": seconds, "host": number % 8}))
        for number, seconds in enumerate(durations)
    )
    return Plan(
        items=(), steps=steps, release_guards=(), versions=Versions(), uncovered={}, not_applicable={}, layers={}
    )


def carried_out(plan: Plan) -> None:
    order = RunContext(
        environment=Environment.model_validate({"base_url": "https://host.test", "scope": ["a"], "settle": "0s"}),
        http=Http(run="bench", resolver=Resolver(look_up=lambda _: ("192.0.2.1",)), rate=(1_000_000, 1.0)),
        reveal=str,
        redactor=Redactor(),
        settle=False,
    )
    asyncio.run(run(plan, lambda _step, _attempts: None, order))


def main() -> None:
    durations = [0.05 * (1 + number % 20) for number in range(PROBES)]
    start = time.perf_counter()
    carried_out(planned(durations))
    wall = time.perf_counter() - start
    table(
        f"{PROBES} probes on 8 hosts",
        [("longest", "all one after another", "wall", "more than the longest"),
         (f"{max(durations):.2f} s", f"{sum(durations):.1f} s", f"{wall:.2f} s", f"{wall - max(durations):.2f} s")],
    )  # fmt: skip

    nameless = replace(KIND, endpoint=None)  # no name to look up, for which there is a thread

    def cost(count):
        plan = planned([0.0] * count, nameless)
        before = cpu()
        carried_out(plan)
        return cpu() - before

    least = side_by_side({"none": lambda: cost(0), "many": lambda: cost(ENGINE)}, rounds=40)
    each = (least["many"] - least["none"]) / ENGINE * 1e6
    table("the engine's own CPU", [("probes", "each"), (ENGINE, f"{each:.0f} us")])


if __name__ == "__main__":
    main()
