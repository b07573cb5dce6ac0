"""The number of requests that a sampling may send, and the limits that a sample of this size can verify."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from probekit.config.settings import Environment
from probekit.config.target import Config, Target
from probekit.judging.statistics import BLOCKS_TO_PASS, SPENT, Risks, still_needed
from probekit.model.limit import Limit
from probekit.model.numbers import count, number, span
from probekit.model.plan import longest_window
from probekit.model.quantity import duration_text
from probekit.probe import ConfiguredKind, Metric
from probekit.toml_file import ConfigError, FileProblem

_ROUNDING: Final = 1e-6  # blocks: six of 0.1 s are a little more than 0.6 s
_MODEST: Final = 300  # requests of one sampling unless load is allowed


def sampled_for(environment: Environment) -> float:
    """Return the least seconds of a sampling."""
    return max(environment.window, BLOCKS_TO_PASS * environment.block)


def requests_for(metric: Metric, limit: Limit, risks: Risks) -> int | None:
    """Return the least requests that can verify the limit; None if their number does not matter."""
    if limit.of == "baseline" or not (metric.quantile or metric.is_share) or limit.op not in ("<", "<="):
        return None
    share = 1 - metric.quantile if metric.quantile else limit.value / 100
    return still_needed(0, share, risks) if 0 < share < 1 else None


def budget_of_each(target: Target) -> int | None:
    """Return the requests of each sampling, by its share of the budget and the throttle; None if load is allowed."""
    share, throttle = _share_of_budget(target), target.environment.throttle
    if share is None:
        return None
    in_time = int(sampled_for(target.environment) * throttle.requests / throttle.per)
    return max(1, min(share, in_time))


def _share_of_budget(target: Target) -> int | None:
    """Return the requests of each sampling in all its windows; None if load is allowed."""
    if "load" in target.environment.allow:
        return None
    samplings = sum(one.source.requests_per_window is not None for one in target.probes)
    return min(_MODEST, target.environment.budget // max(1, samplings))


def further_windows(target: Target, source: ConfiguredKind) -> int:
    """Return how many windows a sampling may add while it is undecided, by budget and deadline.

    0 for a kind that does not state the requests of a window, such as one that reads the target's counters.
    """
    if source.requests_per_window is None:
        return 0
    environment, share = target.environment, _share_of_budget(target)
    seconds = sampled_for(environment)
    in_time = int(environment.deadline // longest_window(seconds, source.timeout or environment.timeout))
    each = max(1, source.requests_per_window(seconds, budget_of_each(target)))
    in_budget = len(SPENT) if share is None else share // each
    return max(0, min(len(SPENT), in_time, in_budget) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A window with fewer requests than a limit needs to be verified."""

    probe: str
    seconds: float
    has: int
    item: str
    limit: Limit
    needs: int


def _shortages(target: Target) -> Iterator[Shortage]:
    """Yield every limit in scope that the first window cannot verify even for a healthy target."""
    seconds = sampled_for(target.environment)
    for one in target.probes:
        if one.source.requests_per_window is None:
            continue
        has = one.source.requests_per_window(seconds, budget_of_each(target))
        first = Risks(window=0 if further_windows(target, one.source) else None)
        metrics = {metric.name: metric for metric in one.source.metrics}
        for item in target.items:
            for limit in item.expect if item.probe == one.probe and item.id not in target.not_applicable else ():
                needs = requests_for(metrics[limit.metric], limit, first) if limit.metric in metrics else None
                if needs is not None and has < needs:
                    yield Shortage(probe=one.probe, seconds=seconds, has=has, item=item.id, limit=limit, needs=needs)


def check(config: Config) -> None:
    """Refuse windows that are too short to verify their limits, if load is allowed.

    Raises:
        ConfigError: there are such windows; names each with file, line and key.
    """
    loaded = [target for target in config.targets.values() if "load" in target.environment.allow]
    if problems := [problem for target in loaded for problem in _too_short(target, config)]:
        raise ConfigError(problems)


def _too_short(target: Target, config: Config) -> Iterator[FileProblem]:
    environment, keys = target.environment, ("env", target.name, "window")
    problem = partial(config.origins.problem, keys)
    least = BLOCKS_TO_PASS * environment.block
    if "window" in environment.model_fields_set and environment.window / environment.block < BLOCKS_TO_PASS - _ROUNDING:
        blocks = environment.window / environment.block
        found = f"{number(blocks)} {'block' if blocks == 1 else 'blocks'} of {span(environment.block)}"
        expected = f"at least {BLOCKS_TO_PASS}, {span(least)}"
        yield problem(found=found, expected=expected, hint="fewer cannot detect bursts of errors")
        return
    for shortage in _shortages(target):
        seconds = -(-shortage.needs * shortage.seconds // max(shortage.has, 1))
        yield problem(
            found=f"{count(shortage.has, 'request')} of probe '{shortage.probe}' in {span(shortage.seconds)}",
            expected=f"at least {shortage.needs:,}, which '{shortage.limit}' of {shortage.item} needs",
            hint=f"; set a longer window ({duration_text(seconds)}) or a higher rate",
        )
