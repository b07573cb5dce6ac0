"""One window of a baseline: what the checklist compares, measured now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from probekit.engine.context import Clock, Seen, Stop
from probekit.engine.runner import run
from probekit.judging.evaluate import number_of, weigh
from probekit.judging.judge import judge_item
from probekit.judging.release import release_of
from probekit.judging.statistics import Risks
from probekit.model.checklist import Item
from probekit.model.history import BaselineWindow, Recorded, Source
from probekit.model.measurement import Attempt, Failure
from probekit.model.plan import Plan, Step
from probekit.model.readings import Histogram
from probekit.model.verdict import Outcome, Served, Situation, Verdict
from probekit.planning.plan import compared, plan
from probekit.redaction import Redactor
from probekit.workflows.assembly import order_of, prepare, vault_of
from probekit.workflows.options import Request, RequestError
from probekit.workflows.verify import Watcher


class CaptureError(Exception):
    """What was measured is no window of a baseline; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """A window, what of it could not be had, and how it compares with the windows before it."""

    window: BaselineWindow
    lacking: tuple[str, ...]
    verdicts: tuple[Verdict, ...]  # one for each row


class _Quiet:
    """A watcher of the run that wants no verdicts: a capture has none."""

    def __init__(self, watcher: Watcher) -> None:
        self.waiting, self.began = watcher.waiting, watcher.began

    def ended(self, step: Step, attempts: Sequence[tuple[str, tuple[Attempt, ...]]], now: object) -> None:
        """Nothing is told of a step's end."""


async def capture(
    request: Request, *, redactor: Redactor, clock: Clock, stop: Stop, watcher: Watcher | None = None
) -> Captured:
    """Measure one window of all that the checklist compares.

    Raises:
        ConfigError, RequestError: see `prepare`; or nothing that is compared is configured.
        CaptureError: another release is served than expected, two are, or the run was cut off.
    """
    config, target, _ = prepare(request)
    rows = compared(config.checklist)
    more = (item for item in config.checklist.items if any(limit.of == "baseline" for limit in item.expect))
    planned = plan(replace(target, items=(*rows, *more), not_applicable={}), config.checklist, release=request.release)
    if not planned.steps:
        needed = ", ".join(sorted({row.probe or "" for row in rows}))
        raise RequestError(f"none of the probes that are compared is configured for '{target.name}': {needed}")
    vault = vault_of(config, redactor)
    order = replace(
        order_of(config, target, vault, uuid4().hex[:12]),
        clock=clock,
        settle=False,
        stop=stop,
        watcher=_Quiet(watcher) if watcher else None,
    )
    seen = await run(planned, lambda _step, _attempts: None, order)
    if not seen.complete:
        raise CaptureError(f"the window was cut off ({seen.ended_by})")
    now, release = clock.now(), _served(seen, planned)
    values, lacking = _values(planned, seen)
    window = BaselineWindow(
        taken=now,
        release=release,
        vantage=target.environment.vantage,
        values=values,
        rows=sum(_is_measured(row, values) for row in rows),
    )
    situation = Situation(now=now, stage=request.stage, memory=replace(request.memory, deployment=None))
    judged = replace(planned, compared=rows)
    verdicts = tuple(judge_item(row, judged, seen.attempts, situation) for row in rows)
    return Captured(window=window, lacking=tuple(lacking), verdicts=verdicts)


def _served(seen: Seen, planned: Plan) -> str | None:
    release = release_of(seen.guards, planned.release)
    if release.served is Served.OTHER:
        raise CaptureError(release.because)
    if len(release.versions) > 1:
        raise CaptureError(f"two releases are served: {', '.join(release.versions)}")
    return release.versions[0] if release.versions else None


def _values(planned: Plan, seen: Seen) -> tuple[dict[Source, Recorded], list[str]]:
    """Every number that is compared, and in words what there is none of; a number beyond its own limit is none."""
    values: dict[Source, Recorded] = {}
    lacking = [f"{item.title}: {planned.unserved[item.id]}" for item in planned.items if item.id in planned.unserved]
    for item, step in _pairs(planned):
        attempts = seen.attempts.get((step.probe, step.instance), ())
        for limit in item.expect:
            reading = attempts[-1].looks[0].values.get(limit.metric) if attempts else None
            name = f"{step.name} {limit.metric}"
            if reading is None or isinstance(reading, Failure):
                lacking.append(f"{name}: {reading.detail if reading else 'no reading'}")
                continue
            number = number_of(reading)
            fails = limit.of == "value" and weigh(reading, limit, Risks()).outcome is Outcome.FAIL
            if number is None or fails:
                lacking.append(f"{name}: {f'it breaks its own limit, {limit}' if fails else 'no number'}")
                continue
            print_ = planned.fingerprints[step.probe, step.instance]
            requests = reading.requests if isinstance(reading, Histogram) else None
            kept = Recorded(value=number, fingerprint=print_, requests=requests)
            values[step.probe, step.instance, limit.metric] = kept
    return values, lacking


def _pairs(planned: Plan) -> Iterator[tuple[Item, Step]]:
    for item in planned.items:
        for step in planned.steps:
            if step.probe == item.probe and item.id not in planned.unserved:
                yield item, step


def _is_measured(row: Item, values: dict[Source, Recorded]) -> bool:
    metric = row.expect[0].metric
    return any((probe, name) == (row.probe, metric) for probe, _, name in values)
