"""Assess the attempts of a probe against one item: medians, stray measurements, slow ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from probekit.judging.assessed import (
    AssessedAttempt,
    AssessedMeasurement,
    References,
    SlowOnes,
    State,
    Undecided,
)
from probekit.model.checklist import Item
from probekit.model.limit import Limit
from probekit.model.measurement import Attempt, Measurement, Reason
from probekit.model.plan import MOST_SLOW, MOST_SLOW_AFTER, RECHECKS, RECHECKS_THERE, Retry, Step
from probekit.model.readings import Exact
from probekit.model.verdict import Outcome
from probekit.text import words

_IN_A_SECOND: Final = {"ms": 1000.0, "s": 1.0}  # of the units in which the event loop's lag can matter


@dataclass(frozen=True, slots=True)
class Traits:
    """The traits of metrics that decide how they are assessed."""

    reach: frozenset[str] = frozenset()  # they state whether the target was reached
    timed: frozenset[str] = frozenset()  # this process timed them, so the lag of its event loop may be in them
    windows: int = 0  # at most, of a sampling; 0: the probe takes single measurements

    @classmethod
    def of(cls, steps: Iterable[Step[object]]) -> Traits:
        """Return the traits of the metrics that these steps give."""
        known = list(steps)
        return cls(
            reach=frozenset().union(*(step.reach for step in known)),
            timed=frozenset().union(*(step.timed for step in known)),
            windows=max((step.windows for step in known), default=0),
        )


class Assessor:
    """Assesses each measurement once for each item and keeps the result."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], AssessedMeasurement] = {}

    def attempt(
        self, item: Item, attempt: Attempt, traits: Traits, references: References | None = None
    ) -> AssessedAttempt:
        """Assess one attempt of an instance whose metrics have these traits."""
        first, again = (
            [one for one in some if _counts(item, one, traits)] for some in (attempt.measurements, attempt.rechecks)
        )

        def assessed(*windows: Measurement) -> AssessedMeasurement:
            return self._measurement(item, windows, references or {}, traits)

        if traits.windows:
            there = ([later for later in again if later.address == one.address] for one in first)
            whole = tuple(assessed(one, *further) for one, further in zip(first, there, strict=True))
            return _assess(item, whole, (), traits)
        return _assess(item, tuple(map(assessed, first)), tuple(map(assessed, again)), traits)

    def _measurement(
        self, item: Item, windows: tuple[Measurement, ...], references: References, traits: Traits
    ) -> AssessedMeasurement:
        key = item.id, *map(id, windows)
        known = self._known.get(key)
        if known is None or known.references != references:
            known = AssessedMeasurement(item, windows, references, may_go_on=traits.windows > 1)
            self._known[key] = known
        return known


def _counts(item: Item, measurement: Measurement, traits: Traits) -> bool:
    """Return whether the measurement counts for the item: every one for reachability, else those of its metrics."""
    return claims_reach(item, traits) or {limit.metric for limit in item.expect} <= measurement.asked


def claims_reach(item: Item, traits: Traits) -> bool:
    """Return whether the item requires that the target is reachable."""
    return not traits.reach.isdisjoint(limit.metric for limit in item.expect)


def _assess(
    item: Item,
    first: tuple[AssessedMeasurement, ...],
    again: tuple[AssessedMeasurement, ...],
    traits: Traits,
) -> AssessedAttempt:
    """Return a bad or undetermined attempt where every measurement is, a good one where all but a cleared stray are.

    Every other attempt is mixed. A median over its limit makes a good attempt bad; some slow measurements with a good
    median make it mixed.
    """
    measurements = first + again
    medians = _medians(item, measurements)
    states = {one.state for one in measurements} or {State.UNDETERMINED}
    if len(states) == 1 and State.GOOD not in states:
        return AssessedAttempt(measurements=measurements, state=states.pop(), medians=medians)
    stray = _stray(first) if claims_reach(item, traits) else None
    cleared = stray is not None and len(again) >= RECHECKS and all(one.state is State.GOOD for one in again)
    if states != {State.GOOD} and not cleared:
        recheck = Retry(rechecks=RECHECKS, at=(stray.measurement.address,), each=RECHECKS_THERE) if stray else None
        return AssessedAttempt(
            measurements=measurements, state=State.MIXED, medians=medians, recheck=None if again else recheck
        )
    slow = _slow(item, medians)
    if slow is None:
        return _with_slow_ones(item, measurements, medians, traits, is_rechecked=bool(again))
    if slow.metric in traits.timed and slow.holds(_medians(item, measurements, less_lag=True)[slow.metric]):
        doubt = _only_lag(slow)
        return AssessedAttempt(measurements=measurements, state=State.UNDETERMINED, medians=medians, undecided=doubt)
    return AssessedAttempt(measurements=measurements, state=State.BAD, medians=medians, slow=slow)


def _stray(first: Sequence[AssessedMeasurement]) -> AssessedMeasurement | None:
    """Return the one measurement of several that was not good; None where there are none or more."""
    odd = [one for one in first if one.state is not State.GOOD]
    return odd[0] if len(odd) == 1 and len(first) > 1 else None


def _with_slow_ones(
    item: Item,
    measurements: tuple[AssessedMeasurement, ...],
    medians: Mapping[str, float],
    traits: Traits,
    *,
    is_rechecked: bool,
) -> AssessedAttempt:
    """Return an attempt that is good except for slow measurements with a good median.

    A few slow ones are measured again; after that at most `MOST_SLOW_AFTER` of all may be slow.
    """
    timed = [limit for limit in item.expect if limit.metric in traits.timed]
    found = [some for limit in timed if (some := _slow_ones(limit, measurements))]
    some_slow = max(found, key=lambda some: some.count, default=None)
    attempt = AssessedAttempt(measurements=measurements, state=State.GOOD, medians=medians, some_slow=some_slow)
    if some_slow is None:
        return attempt
    count = len(measurements)
    if is_rechecked and some_slow.count <= MOST_SLOW_AFTER * count:
        return attempt
    if not is_rechecked and some_slow.count <= max(1, MOST_SLOW * count):
        return replace(attempt, state=State.MIXED, recheck=Retry(rechecks=RECHECKS))
    without_lag = _slow_ones(some_slow.limit, measurements, less_lag=True)
    if without_lag is None or without_lag.count <= MOST_SLOW_AFTER * count:
        return replace(attempt, state=State.UNDETERMINED, undecided=_only_lag(some_slow.limit))
    return replace(attempt, state=State.MIXED)


def _slow_ones(limit: Limit, measurements: Sequence[AssessedMeasurement], *, less_lag: bool = False) -> SlowOnes | None:
    """Return the measurements whose own duration breaks the limit."""
    of_unit = _IN_A_SECOND.get(limit.unit, 0.0) if less_lag else 0.0
    readings = [(one.measurement.lag, one.reading(limit.metric)) for one in measurements]
    values = [reading.value - lag * of_unit for lag, reading in readings if isinstance(reading, Exact)]
    slow = [value for value in values if not limit.holds(value)] if limit.is_duration else []
    return SlowOnes(limit=limit, count=len(slow), slowest=max(slow)) if slow else None


def _only_lag(limit: Limit) -> Undecided:
    detail = f"{words(limit.metric)}: only the event loop lag of the runner makes it miss its limit"
    return Undecided(outcome=Outcome.ERROR, detail=detail, limit=limit, reason=Reason.OVERLOADED)


def _slow(item: Item, medians: Mapping[str, float]) -> Limit | None:
    """Return the first limit that a median breaks."""
    named = (limit for limit in item.expect if limit.metric in medians)
    return next((limit for limit in named if not limit.holds(medians[limit.metric])), None)


def _medians(item: Item, measurements: Sequence[AssessedMeasurement], *, less_lag: bool = False) -> dict[str, float]:
    """Return the median of each duration that the item names, over the good measurements, else over all."""
    counted = [one for one in measurements if one.state is State.GOOD] or measurements
    found = {}
    for limit in {limit for limit in (*item.expect, *(band.when for band in item.bands)) if limit.is_duration}:
        readings = [(one.measurement.lag, one.reading(limit.metric)) for one in counted]
        of_unit = _IN_A_SECOND.get(limit.unit, 0.0) if less_lag else 0.0
        values = [reading.value - lag * of_unit for lag, reading in readings if isinstance(reading, Exact)]
        if values:
            found[limit.metric] = median(values)
    return found
