"""The least duration of a run: waits and throttle, with immediate answers."""

from __future__ import annotations

from probekit.config.settings import Environment
from probekit.model.plan import Plan
from probekit.probe import ConfiguredKind
from probekit.transport.urls import endpoint_of


def shortest(planned: Plan[ConfiguredKind], environment: Environment) -> float:
    """Return the least seconds from the end of settling to the end of a healthy run."""
    windows = sum(step.window for step in planned.steps if step.turn != "background")
    watched = max((step.window for step in planned.steps if step.turn == "background"), default=0.0)
    spread = max((step.spread for step in planned.steps), default=0.0)
    throttle, requests = environment.throttle, _requests(planned, environment)
    queue = max(0, -(-requests // throttle.requests) - 1) * throttle.per
    return max(watched, max(spread, queue) + windows)


def _requests(planned: Plan[ConfiguredKind], environment: Environment) -> int:
    """Return the least requests that a healthy run sends to base_url's host."""
    host = endpoint_of(environment.base_url).host
    guards = planned.release_guards
    steps = [*(step for step in planned.steps if not step.window), *guards, *guards]
    return sum(
        step.repeat * step.source.least_requests
        for step in steps
        if step.source.requests and step.source.endpoint and step.source.endpoint(environment.base_url).host == host
    )
