"""Take one measurement: call a kind once or sample it over a window, and keep its readings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from traceback import extract_tb
from typing import Final

from probekit.engine.context import Observations, RunContext
from probekit.engine.loop_lag import Lag
from probekit.engine.windows import put_together
from probekit.log import events, wants
from probekit.model.measurement import Attempt, Failure, Measurement, MetricKey, ProbeFailedError, Reason
from probekit.model.numbers import number
from probekit.model.plan import Bounds, Plan, Step
from probekit.model.readings import CumulativeCount, Exact, Reading, Summary
from probekit.model.record import Record
from probekit.probe import ConfiguredKind, Context, Readings, Window
from probekit.transport.client import ProbeClient
from probekit.transport.resolver import Resolved
from probekit.transport.urls import Address

LAG_DIVISOR: Final = 4  # a silent target does not count if a fourth of the measurement was local delay


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeInstance:
    """A step's instance and the addresses of its endpoint."""

    step: Step[ConfiguredKind]
    instance: str
    resolved: Resolved


class Measurer:
    """Takes the measurements of one run; an exception of a kind never leaves it."""

    def __init__(self, plan: Plan[ConfiguredKind], run: RunContext, observations: Observations, lag: Lag) -> None:
        self._plan = plan
        self._run = run
        self._observations = observations
        self._lag = lag
        self._environment = run.environment
        self._allow = frozenset(run.environment.allow)
        self.watched = True  # whether background steps still have something to watch

    async def resolve(self, step: Step[ConfiguredKind]) -> Resolved | Failure:
        """Return every address of the step's endpoint; none for a kind that connects nowhere."""
        try:
            if step.source.endpoint is None:
                return Resolved((), 0.0)
            endpoint = step.source.endpoint(self._environment.base_url)
            return await self._run.http.resolve(endpoint, step.timeout)
        except ProbeFailedError as error:
            return Failure(reason=error.reason, detail=error.detail)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a kind's bug ends its own step, not the run
            return _bug(step, error)

    async def measure(
        self,
        place: ProbeInstance,
        address: Address | None,
        asked: frozenset[str],
        alone: bool = False,  # noqa: FBT001, FBT002  # a callback's
    ) -> Measurement:
        """Call the kind once, alone at its host if its durations count; an exception becomes a failure."""
        step = place.step
        door = self._run.http.probe_client(address=address, timeout=step.timeout, alone=alone)
        context = self._context_for(place, address, asked, door)
        taken_at, start, began = self._run.clock.now(), perf_counter(), asyncio.get_running_loop().time()
        try:
            readings = await self._readings(place, context)
            if not isinstance(readings, Readings):
                raise TypeError(f"a {type(readings).__name__} instead of Readings")  # noqa: TRY301  # a kind's bug
        except ProbeFailedError as error:
            readings = Readings(**dict.fromkeys(asked, Failure(reason=error.reason, detail=error.detail)))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a kind's bug ends its own measurement, not the run
            readings = Readings(**dict.fromkeys(asked, _bug(step, error)))
        self._observations.answered |= readings.answered
        lag = self._lag.since(began)
        values, notes, clean = readings.values, dict(readings.notes), self._run.redactor.clean
        reached = _reached(step.source, values)
        if reached is False and lag > step.timeout / LAG_DIVISOR:
            detail = f"probekit's own event loop stalled for {lag:.1f} s of a measurement of {step.timeout:g} s"
            overloaded = Failure(reason=Reason.OVERLOADED, detail=detail)
            silent = dict.fromkeys(step.source.of_role("reached"), overloaded)
            values, reached = dict.fromkeys(asked, overloaded) | values | silent, None
        counted = {
            name: _possible(step.bounds.get(name), self._since_the_mark(place, name, value, notes))
            for name, value in values.items()
        }
        return self._kept(
            Measurement(
                probe=step.probe,
                instance=place.instance,
                address=str(address or ""),
                taken_at=taken_at,
                seconds=perf_counter() - start - door.waited,
                waited=door.waited,
                lag=lag,
                asked=asked,
                values={name: _cleaned(value, clean) for name, value in counted.items()},
                reached=reached,
                summary=clean(readings.summary),
                version=None if readings.version is None else clean(readings.version),
                notes={name: clean(text) for name, text in notes.items()},
                records=tuple(_cleaned_record(record, clean) for record in readings.records),
            )
        )

    def _since_the_mark(
        self, place: ProbeInstance, name: str, value: Reading | CumulativeCount | Failure, notes: dict[str, str]
    ) -> Reading | Failure:
        """Return a counter's growth since the deployment mark; a failure if it decreased, because it was reset."""
        if not isinstance(value, CumulativeCount):
            return value
        source = MetricKey(place.step.probe, place.instance, name)
        self._observations.counters[source] = value.value
        before = self._run.history.counters.get(source)
        if before is None:
            detail = f"{name} is {number(value.value)} in all, and no value was recorded at the deployment"
            hint = "run probekit deployment start before the next one"
            return Failure(reason=Reason.MISSING_SETTING, detail=f"{detail}; {hint}")
        growth = f"{name} went from {number(before)} at the deployment mark to {number(value.value)}"
        if value.value < before:
            detail = f"{growth}: the counter was reset"
            return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
        notes[name] = f"{number(before)} at the deployment mark, {number(value.value)} now"
        return Exact(value.value - before)

    async def _readings(self, place: ProbeInstance, context: Context) -> Readings:
        """Return the readings of one measurement; of a sampling, its blocks combined."""
        source = place.step.source
        if not place.step.window:
            if source.measure is None:
                raise ProbeFailedError(Reason.BUG, f"kind {source.name} can only sample")
            return await source.measure(context)
        if source.sample is None:
            raise ProbeFailedError(Reason.BUG, f"kind {source.name} cannot sample")
        async with aclosing(source.sample(context)) as sampler:
            blocks = [block async for block in sampler]
        if not blocks:
            raise ProbeFailedError(Reason.BAD_RESPONSE, "the window ended without a reading")
        return put_together(blocks)

    def _context_for(
        self, place: ProbeInstance, address: Address | None, asked: frozenset[str], door: ProbeClient
    ) -> Context:
        step, environment = place.step, self._environment
        return Context(
            base_url=environment.base_url,
            timeout=step.timeout,
            http=door,
            reveal=self._run.reveal,
            now=self._run.clock.now,
            address=address,
            resolved=place.resolved,
            wanted=asked,
            history=self._run.history,
            versions=step.versions or self._plan.versions,
            settling_since=self._observations.settling_since,
            allow=self._allow,
            window=self._window(step) if step.window else None,
            budget=step.budget,
            environment=self._run.name,
            stage=self._run.stage,
            release=self._run.release,
            identity=self._run.identity,
            sleep=self._run.clock.sleep,
        )

    def _window(self, step: Step[ConfiguredKind]) -> Window:
        block = self._environment.block
        return Window(
            block=block,
            least=max(1, round(step.window / block)),
            goes_on=lambda: step.turn == "background" and self.watched,
            now=self._run.clock.now,
            sleep=self._run.clock.sleep,
        )

    def never(self, step: Step[ConfiguredKind], instance: str, failure: Failure) -> Attempt:
        """Return an attempt that was not made, with the failure."""
        return Attempt(measurements=(self.failed(step, instance, failure),))

    def failed(self, step: Step[ConfiguredKind], instance: str, failure: Failure) -> Measurement:
        """Return a measurement that was not made, with the failure."""
        return self._kept(
            Measurement(
                probe=step.probe,
                instance=instance,
                address="",
                taken_at=self._run.clock.now(),
                seconds=0.0,
                waited=0.0,
                asked=step.wanted,
                values=dict.fromkeys(step.wanted, _cleaned(failure, self._run.redactor.clean)),
            )
        )

    def _kept(self, measurement: Measurement) -> Measurement:
        self._observations.measurements.append(measurement)
        if wants(logging.DEBUG):
            events().debug(
                "probe.measured", probe=measurement.probe, address=measurement.address, seconds=measurement.seconds
            )
        return measurement


def _reached(source: ConfiguredKind, values: Mapping[str, object]) -> bool | None:
    """Return whether the target answered, by the metrics with that role; None if they have no reading."""
    if any(isinstance(values.get(name), Exact) for name in source.of_role("answered")):
        return True
    said = {values.get(name) for name in source.of_role("reached") if isinstance(values.get(name), Exact)}
    return None if not said else Exact(1) in said


def _possible(bounds: Bounds | None, value: Reading | Failure) -> Reading | Failure:
    """Return the reading, or a failure if its value is impossible."""
    if bounds is None or not isinstance(value, Exact | Summary) or bounds.admit(value.value):
        return value
    return Failure(reason=Reason.BAD_RESPONSE, detail=f"{number(value.value)} is impossible, expected {bounds}")


def _cleaned(value: Reading | Failure, clean: Callable[[str], str]) -> Reading | Failure:
    return replace(value, detail=clean(value.detail)) if isinstance(value, Failure) else value


def _bug(step: Step[ConfiguredKind], error: BaseException) -> Failure:
    """Return the failure for an unexpected exception: its type and place, not its text, which may hold a secret."""
    events().error("probe.bug", probe=step.name, kind=step.kind, error=type(error).__name__)
    frames = extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return Failure(reason=Reason.BUG, detail=f"kind {step.kind} raised {type(error).__name__}{place}")


def _cleaned_record(record: Record, clean: Callable[[str], str]) -> Record:
    """Return a record whose texts are redacted."""
    return replace(
        record,
        release=None if record.release is None else clean(record.release),
        by=clean(record.by),
        place=clean(record.place),
        unreadable=clean(record.unreadable),
    )
