"""One step of a plan: how often, at which intervals and in which turn an instance is measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from math import inf

from probekit.checklist import ProbeRequirement
from probekit.config.settings import Environment
from probekit.config.target import Configured, Target
from probekit.model.checklist import Item
from probekit.model.plan import RECHECKS, Bounds, Step
from probekit.planning.capacity import budget_of_each, further_windows, sampled_for
from probekit.probe import ConfiguredKind
from probekit.transport.urls import origin_of


def step_of(
    one: Configured, items: Sequence[Item], target: Target, requirement: ProbeRequirement
) -> Step[ConfiguredKind]:
    """Return the step of one instance, for the items that it measures."""
    source, environment = one.source, target.environment
    samples = source.sample is not None and (requirement.background or source.measure is None)
    repeated = requirement.claims_reachability and not samples
    attempts = 1 if samples else max((item.confirm for item in items), default=1)
    repeat = source.repeat if repeated else 1
    window = sampled_for(environment) if samples else 0.0
    budget = budget_of_each(target)
    per_window = source.requests_per_window
    load = source.load if "load" in environment.allow and not samples else None
    requests = per_window(window, budget) if samples and per_window else load.requests if load else source.requests
    further = further_windows(target, source) if samples and not requirement.background else 0
    reach = source.of_role("reached", "answered")
    claims = [item for item in items if any(limit.metric in reach for limit in item.expect)]
    return Step(
        probe=one.probe,
        instance=one.instance,
        kind=source.name,
        source=source,
        repeat=repeat,
        attempts=attempts,
        spread=environment.spread if repeated else 0.0,
        attempt_interval=environment.attempt_interval,
        timeout=source.timeout or environment.timeout,
        exchanges=source.exchanges,
        writes=source.writes,
        load_time=load.seconds if load else 0.0,
        in_flight=source.in_flight,
        turn="background" if samples and requirement.background else source.turn,
        window=window,
        further_windows=further,
        budget=budget,
        versions=source.versions if source.versions.expected and any(item.is_own for item in items) else None,
        cost=_cost(requests, repeat, attempts) * (1 + further),
        reach=reach,
        timed=frozenset(metric.name for metric in source.metrics if metric.timed),
        each_address=source.each_address,
        passive=source.passive,
        reported=source.reported,
        of_record=source.of_record,
        bounds=_bounds(items, requirement) if source.reported else {},
        wanted=_metrics(items) & source.provided,
        reachability_metrics=_metrics(claims) & source.provided,
    )


def _bounds(items: Sequence[Item], requirement: ProbeRequirement) -> dict[str, Bounds]:
    """Return the range of each metric of a program: 0 or 1 for a claim, 0 to 100 for a percentage, else from 0."""
    limits = [limit for item in items for limit in item.expect]
    claims = {limit.metric for limit in limits if (limit.op, limit.value, limit.unit) == ("==", 1, "")}
    return {
        name: Bounds(low=0, high=100 if unit == "%" else inf, is_claim=name in claims)
        for name, unit in requirement.metrics.items()
        if name not in requirement.unbounded
    }


def fingerprint(step: Step[ConfiguredKind], environment: Environment) -> str:
    """Return a digest of everything that must be equal for two windows to be comparable.

    That is the kind, its settings, the window, the load, the route to the target, and the vantage. A proxy is
    identified by the place of its URL.
    """
    settings = step.source.config.model_dump_json()
    sent = (
        step.cost // (1 + step.further_windows) if step.source.requests_per_window else 0
    )  # a different load is not comparable
    connect = environment.connect
    way = origin_of(environment.base_url), sorted(connect.resolve.items()), connect.family, str(connect.proxy)
    all_of_it = step.kind, settings, f"{step.window:g}", sent, way, environment.vantage
    return sha256(repr(all_of_it).encode()).hexdigest()[:16]


def _metrics(items: Iterable[Item]) -> frozenset[str]:
    return frozenset().union(*(item.metrics for item in items))


def _cost(requests: int, repeat: int, attempts: int) -> int:
    """Return the most requests to one address: every attempt, and the rechecks of one stray measurement."""
    return requests * (attempts if repeat == 1 else repeat + RECHECKS + (attempts - 1) * 2)
