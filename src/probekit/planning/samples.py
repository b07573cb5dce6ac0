"""The windows of one run: how many fit into the deadline, and which limits they cannot verify."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from probekit.config.settings import Environment
from probekit.judging.evidence import KEPT_BLOCKS
from probekit.judging.statistics import Risks, still_needed
from probekit.model.checklist import Item
from probekit.model.limit import Limit
from probekit.model.numbers import count
from probekit.model.plan import Plan, Step
from probekit.planning.capacity import requests_for
from probekit.probe import ConfiguredKind, Metric

Steps = Sequence[Step[ConfiguredKind]]
LONGEST: Final = 3600.0  # seconds of a window


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortSample:
    """A limit that the requests of one run cannot verify, even for a healthy target."""

    probe: str
    item: Item
    limit: Limit
    has: int  # requests of one window
    windows: int  # at most
    needs: int  # requests of the first window that would verify it
    longer: float | None  # seconds of a sufficient window if load is allowed; None: no window is long enough
    runs: int | None = None  # of one deployment that verify it together; None: runs cannot be combined
    is_versioned: bool = False  # whether a release probe reads the version, which combining runs requires

    def __str__(self) -> str:
        windows = f" in each of {self.windows} windows" if self.windows > 1 else ""
        needs = count(self.needs, "request")
        return f"'{self.limit}' needs {needs}, but probe '{self.probe}' sends {self.has:,}{windows}"


def within_deadline(steps: Steps, guards: Steps, environment: Environment) -> tuple[Step[ConfiguredKind], ...]:
    """Return the steps with as many further windows as fit into the run's deadline, together with all later steps.

    Before each further window the run checks the same again, with the worst case of the later steps.
    """
    alone = [step for turn in ("exclusive", "final") for step in steps if step.turn == turn]
    passed, found = max((step.spread for step in steps if step.turn == "concurrent"), default=0.0), {}
    for number, step in enumerate(alone):
        later = [*alone[number + 1 :], *guards]
        throttle = environment.throttle
        queue = sum(one.cost for one in later if not one.window) * throttle.per / throttle.requests
        ending = environment.block + environment.timeout
        needed = step.longest_first + sum(one.longest_first for one in later) + queue + ending
        further = 0
        while further < step.further_windows and passed + (further + 1) * step.window + needed <= environment.deadline:
            further += 1
        found[step.key] = further
        passed += step.window
    return tuple(_with_windows(step, found.get(step.key, step.further_windows)) for step in steps)


def _with_windows(step: Step[ConfiguredKind], further: int) -> Step[ConfiguredKind]:
    if further == step.further_windows:
        return step
    return replace(step, further_windows=further, cost=step.cost // step.windows * (1 + further))


def short_samples(planned: Plan[ConfiguredKind], block: float) -> Iterator[ShortSample]:
    """Yield every limit of a covered item that the windows of one run cannot verify; `block`: seconds."""
    for step in planned.steps:
        if not step.window or step.source.requests_per_window is None:
            continue
        metrics = {metric.name: metric for metric in step.source.metrics}
        for item in planned.items:
            if item.probe != step.probe or item.id in planned.uncovered or item.id in planned.not_applicable:
                continue
            for limit in item.expect:
                if limit.metric in step.wanted and (found := _short(step, item, limit, metrics[limit.metric])):
                    is_versioned = bool(planned.release_guards)
                    runs = _runs(step, limit, metrics[limit.metric], block) if is_versioned else None
                    yield replace(found, runs=runs, is_versioned=is_versioned)


def _short(step: Step[ConfiguredKind], item: Item, limit: Limit, metric: Metric) -> ShortSample | None:
    has = step.cost // step.windows
    first, last = (
        requests_for(metric, limit, Risks(window=number if step.further_windows else None))
        for number in (0, step.further_windows)
    )
    if first is None or last is None or has >= first or has * step.windows >= last:
        return None
    return ShortSample(
        probe=step.name,
        item=item,
        limit=limit,
        has=has,
        windows=step.windows,
        needs=first,
        longer=_longer(step, first),
    )


def _longer(step: Step[ConfiguredKind], needs: int) -> float | None:
    """Return the seconds of a window with so many requests at the configured rate; None if it is too long."""
    per_window = step.source.requests_per_window
    most = per_window(LONGEST, None) if per_window else 0
    return LONGEST * needs / most if most >= needs else None


def _runs(step: Step[ConfiguredKind], limit: Limit, metric: Metric, block: float) -> int | None:
    """Return how many runs verify the limit together with their first windows; None if there would be too many."""
    share = 1 - metric.quantile if metric.quantile else limit.value / 100
    runs = -(-still_needed(0, share, Risks(), "often") // max(1, step.cost // step.windows))
    return runs if runs * max(1, round(step.window / block)) <= KEPT_BLOCKS else None
