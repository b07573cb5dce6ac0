"""Limits that the state file already decides before a run: its readings, baselines, and counters since a mark."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from probekit.judging.baseline import baseline_reference
from probekit.judging.comparison import judge_against_baseline
from probekit.judging.statistics import Risks
from probekit.model.checklist import Item
from probekit.model.history import History
from probekit.model.limit import Limit
from probekit.model.measurement import MetricKey
from probekit.model.numbers import count, number, span
from probekit.model.plan import Plan, Step
from probekit.model.readings import BaselineValues, Exact
from probekit.model.verdict import Situation
from probekit.probe import ConfiguredKind, Context, Readings
from probekit.transport.client import Http

_LONGEST_SETTLE = 3600.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """A limit that a run started now would miss, whatever the target does."""

    item: Item
    why: str
    remedy: str
    is_setting: bool = False  # caused by a setting, not by the record


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The state file's content now, and how long a run waits for its release to settle."""

    history: History
    now: datetime
    settle: float  # seconds
    base_url: str

    def foretold(self, item: Item, planned: Plan[ConfiguredKind]) -> Iterator[Foretold]:
        """Yield every limit of the item that a run started now would miss."""
        for step in planned.steps:
            if step.probe != item.probe:
                continue
            for limit in item.expect:
                if step.source.of_record and limit.metric in step.wanted:
                    yield from self._of_record(item, limit, step)
                elif limit.of == "baseline":
                    yield from self._of_baseline(item, limit, step, planned)
                elif limit.metric in step.source.counters:
                    yield from self._of_counter(item, limit, step)

    def _of_record(self, item: Item, limit: Limit, step: Step[ConfiguredKind]) -> Iterator[Foretold]:
        reading = self._reading(step, self.settle).values.get(limit.metric)
        if not isinstance(reading, Exact):
            detail = getattr(reading, "detail", "no reading")
            yield Foretold(item=item, why=f"{limit.metric}: {detail}", remedy="follow this message, then plan again")
        elif not limit.holds(reading.value):
            later = self._reading(step, _LONGEST_SETTLE).values.get(limit.metric)
            is_setting = isinstance(later, Exact) and limit.holds(later.value)
            value = f"{limit.metric} will be {number(reading.value, limit.unit, apart_from=limit.value)}"
            yield Foretold(
                item=item,
                why=f"{value}, but '{limit}' is required" + (f" (settle is {span(self.settle)})" if is_setting else ""),
                remedy=f'set settle = "{limit.value:g}{limit.unit}", or verify that long after the deployment'
                if is_setting
                else "mark the next deployment, and capture the baseline before it",
                is_setting=is_setting,
            )

    def _reading(self, step: Step[ConfiguredKind], settle: float) -> Readings:
        """Return the readings at the end of settling, which counts from the deployment on record or from now."""
        deployment = self.history.deployment
        since = min(deployment.mark, self.now) if deployment else self.now
        moment = max(self.now, since + timedelta(seconds=settle))
        context = Context(
            base_url=self.base_url,
            timeout=step.timeout,
            http=Http(run="").probe_client(timeout=step.timeout),
            reveal=str,
            now=lambda: moment,
            wanted=step.wanted,
            history=self.history,
            settling_since=since,
        )
        if step.source.measure is None:
            return Readings()
        return asyncio.run(_awaited(step.source, context))

    def _of_baseline(
        self, item: Item, limit: Limit, step: Step[ConfiguredKind], planned: Plan[ConfiguredKind]
    ) -> Iterator[Foretold]:
        situation = Situation(now=self.now, history=self.history)
        reference = baseline_reference(limit, step.key, planned, situation)
        why = reference.lacking
        if reference.baseline and not why:
            newest = BaselineValues(reference.baseline.values[-1:])
            needed = judge_against_baseline(newest, reference.baseline, limit.value / 100, Risks(), limit.floor).needed
            why = f"the baseline lacks {count(needed, 'window')}" if needed else ""
        if why:
            yield Foretold(item=item, why=f"'{limit}': {why}", remedy=_CAPTURE)

    def _of_counter(self, item: Item, limit: Limit, step: Step[ConfiguredKind]) -> Iterator[Foretold]:
        if MetricKey(*step.key, limit.metric) not in self.history.counters:
            why = f"{limit.metric} counts from the deployment's start, but no start with its value is on record"
            yield Foretold(item=item, why=why, remedy="run probekit deployment start before the next deployment")


_CAPTURE = "run probekit baseline capture before the deployment, with the same settings"


async def _awaited(source: ConfiguredKind, context: Context) -> Readings:
    if source.measure is None:
        return Readings()
    return await source.measure(context)
