"""Limits that the state file already decides before a run: its readings, baselines, and counters since a mark."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from probekit.judging.baseline import baseline_reference
from probekit.judging.comparison import judge_against_baseline
from probekit.judging.records import late_record
from probekit.judging.statistics import Risks
from probekit.model.checklist import Item
from probekit.model.history import History
from probekit.model.limit import Limit
from probekit.model.measurement import Failure, MetricKey, Reason
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
            if step.source.of_record:
                yield from self._of_record(item, step)
                continue
            for limit in item.expect:
                if limit.of == "baseline":
                    yield from self._of_baseline(item, limit, step, planned)
                elif limit.metric in step.source.counters:
                    yield from self._of_counter(item, limit, step)

    def _of_record(self, item: Item, step: Step[ConfiguredKind]) -> Iterator[Foretold]:
        """Yield the first limit of the item that the record misses, or that a record of it was made too late."""
        readings = self._reading(step, self.settle)
        for limit in (one for one in item.expect if one.metric in step.wanted):
            reading = readings.values.get(limit.metric)
            if not isinstance(reading, Exact):
                yield _unread(item, limit, reading)
                return
            if not limit.holds(reading.value):
                yield self._missed(item, limit, step, readings)
                return
        if late := late_record(item, readings.records, Situation(now=self.now, history=self.history)):
            remedy = _remedy(item.expect[0].metric)
            yield Foretold(item=item, why=f"a record of probe '{step.probe}' was {late}", remedy=remedy)

    def _missed(self, item: Item, limit: Limit, step: Step[ConfiguredKind], readings: Readings) -> Foretold:
        """Return a limit that the record misses; with another settle time, it may hold."""
        reading, later = (one.values.get(limit.metric) for one in (readings, self._reading(step, _LONGEST_SETTLE)))
        known = reading.value if isinstance(reading, Exact) else 0.0
        is_setting = limit.metric in _by_settling(step) and isinstance(later, Exact) and limit.holds(later.value)
        why = f"{limit.metric} will be {number(known, limit.unit, apart_from=limit.value)}, but '{limit}' is required"
        if is_setting:
            remedy = f'set settle = "{limit.value:g}{limit.unit}", or verify that long after the deployment'
            why = f"{why} (settle is {span(self.settle)})"
            return Foretold(item=item, why=why, remedy=remedy, is_setting=True)
        note = readings.notes.get(limit.metric)
        return Foretold(item=item, why=f"{why}: {note}" if note else why, remedy=_remedy(limit.metric))

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


_NEXT = "mark the next deployment, and capture the baseline before it"
_ROLLED_BACK = "list the item under not_applicable, with the reason for the rollback"
_OF_A_ROLLBACK: Final = ("rollback_due", "decision_time")
_REMEDIES: Final = {  # of the metrics of kind ledger, where the record misses a limit
    "gate_passed": "before the next deployment, run the gate until it ends with go",
    "gate_age_at_deployment": "run the gate shortly before the next deployment",
    "log_age_at_deployment": "note a log that is written until the end: probekit deployment log FILE",
    "started_in_window": "correct deployment_window if it is wrong, or start the next deployment in it",
    "duration": "it cannot be changed; mark the end of the next deployment with probekit deployment finish",
    "rollback_due": _ROLLED_BACK,
    "decision_time": "it cannot be changed; mark the next rollback at once with probekit deployment rolled-back",
    "missing_archives": "verify again with the archive writable, and note the log with probekit deployment log FILE",
    "reports": "verify the whole scope once; the next run counts it",
    "unticketed_items": "record a ticket for each: probekit runs ticket ITEM URL",
}


def _unread(item: Item, limit: Limit, reading: object) -> Foretold:
    """Return a limit whose metric is not on record; the detail says what to do, unless nothing can be done."""
    detail, remedy = "no reading", "do what the message says, then plan again"
    if isinstance(reading, Failure):
        detail = reading.detail
        if reading.reason is Reason.BAD_RESPONSE and limit.metric in _OF_A_ROLLBACK:
            remedy = _ROLLED_BACK
    return Foretold(item=item, why=f"{limit.metric}: {detail}", remedy=remedy)


def _remedy(metric: str) -> str:
    return _REMEDIES.get(metric, _NEXT)


def _by_settling(step: Step[ConfiguredKind]) -> frozenset[str]:
    return frozenset(metric.name for metric in step.source.metrics if metric.by_settling)


async def _awaited(source: ConfiguredKind, context: Context) -> Readings:
    if source.measure is None:
        return Readings()
    return await source.measure(context)
