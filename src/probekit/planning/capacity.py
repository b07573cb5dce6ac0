"""How many requests a sampling may send, and what a sample of that size can prove."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from probekit import probes
from probekit.config.target import Target
from probekit.model.limit import Limit

_MODEST: Final = 300  # requests of one sampling where no load is allowed


def budget_of_each(target: Target) -> int | None:
    """Requests that each sampling may send, by its share of the budget and the throttle; None where load is allowed."""
    environment, throttle = target.environment, target.environment.throttle
    if "load" in environment.allow:
        return None
    samplings = sum(probes.load(one.kind).sampled is not None for one in target.probes)
    in_time = int(environment.sampled_for * throttle.requests / throttle.per)
    return max(1, min(_MODEST, environment.budget // max(1, samplings), in_time))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A window that holds fewer requests than the proof of a limit takes."""

    probe: str
    seconds: float
    has: int
    item: str
    limit: Limit
    needs: int


def shortages(target: Target) -> Iterator[Shortage]:
    """Every limit in scope that a window of requests of our own cannot prove, however healthy the target."""
    environment = target.environment
    seconds = environment.sampled_for
    for one in target.probes:
        kind = probes.load(one.kind)
        if kind.sampled is None:
            continue
        has = kind.sampled(one.config, seconds, budget_of_each(target))
        metrics = {metric.name: metric for metric in kind.metrics}
        for item in target.items:
            for limit in item.expect if item.probe == one.probe and item.id not in target.not_applicable else ():
                needs = metrics[limit.metric].requests_for(limit) if limit.metric in metrics else None
                if needs is not None and has < needs:
                    yield Shortage(probe=one.probe, seconds=seconds, has=has, item=item.id, limit=limit, needs=needs)
