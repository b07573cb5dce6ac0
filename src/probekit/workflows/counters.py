"""What have counters that only grow come to, at the moment a deployment is marked?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import uuid4

from probekit import probes
from probekit.engine.context import Clock, Seen, Stop
from probekit.engine.runner import run
from probekit.model.history import Source
from probekit.model.measurement import Failure
from probekit.model.plan import Step
from probekit.redaction import Redactor
from probekit.workflows.assembly import order_of, prepare, vault_of
from probekit.workflows.options import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """Totals, and in words what there is none of."""

    totals: Mapping[Source, float] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()


async def read_totals(request: Request, *, clock: Clock, stop: Stop) -> Marked:
    """Read every total that an item in scope needs; where there is none, nothing is touched.

    Raises:
        ConfigError, RequestError: see `prepare`.
    """
    config, target, planned = prepare(request)
    counting = [(step, counted) for step in planned.steps if (counted := _totals(step))]
    if not counting:
        return Marked()
    vault = vault_of(config, Redactor())
    order = replace(order_of(config, target, vault, uuid4().hex[:12]), clock=clock, settle=False, stop=stop)
    seen = await run(
        replace(planned, steps=tuple(step for step, _ in counting), guard=None), lambda _step, _attempts: None, order
    )
    sources = [(step.probe, step.instance, name) for step, counted in counting for name in sorted(counted)]
    lacking = (
        f"{probe} {name}: {_why(seen, (probe, instance), name)}"
        for probe, instance, name in sources
        if (probe, instance, name) not in seen.totals
    )
    return Marked(totals=seen.totals, lacking=tuple(lacking))


def _totals(step: Step) -> frozenset[str]:
    kind = probes.load(step.kind)
    return kind.totals(step.config) if kind.totals else frozenset()


def _why(seen: Seen, place: tuple[str, str], name: str) -> str:
    looks = [look for attempt in seen.attempts.get(place, ()) for look in attempt.looks]
    failures = [value for look in looks if isinstance(value := look.values.get(name), Failure)]
    return f"{failures[-1].reason}: {failures[-1].detail}" if failures else "no reading"
