"""Assess measurements and attempts against one item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import isfinite
from statistics import median
from typing import Final

from probekit.judging.evaluate import evaluate, holds
from probekit.judging.statistics import Risks
from probekit.model.checklist import Band, Item
from probekit.model.limit import Limit
from probekit.model.measurement import Attempt, Failure, Measurement, Reason
from probekit.model.plan import MIN_FOR_RECHECK, RECHECKS
from probekit.model.readings import Exact, Reading
from probekit.model.verdict import Outcome

IN_A_SECOND: Final = {"ms": 1000.0, "s": 1.0}  # of the units in which a lag of ours can matter
GRAVER: Final = {Outcome.PASS: 0, Outcome.INCONCLUSIVE: 1, Outcome.ERROR: 2, Outcome.FAIL: 3}


_INCONCLUSIVE: Final = (Reason.TIMEOUT, Reason.BAD_RESPONSE, Reason.NOT_PERMITTED, Reason.BUDGET_SPENT)


def outcome_of(reason: Reason) -> Outcome:
    """`inconclusive` where an answer decides nothing; `error` where this side is at fault or nothing is in reach."""
    return Outcome.INCONCLUSIVE if reason in _INCONCLUSIVE else Outcome.ERROR


class State(Enum):
    """How a measurement or an attempt stands to an item; mixed is an attempt whose measurements disagree."""

    GOOD = "good"
    BAD = "bad"
    MIXED = "mixed"
    UNDETERMINED = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """Why a limit is neither kept nor broken: inconclusive or an error, in words."""

    outcome: Outcome
    detail: str
    limit: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedMeasurement:
    """How one measurement stands to one item."""

    measurement: Measurement
    state: State
    failed_limit: Limit | None = None  # the one that failed
    undecided: Undecided | None = None  # why it is void


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedAttempt:
    """How one attempt stands to one item."""

    measurements: tuple[AssessedMeasurement, ...]
    state: State
    medians: Mapping[str, float]
    slow: Limit | None = None  # the median's limit that failed
    stray: str | None = None  # the address of the one measurement of enough that was not good
    rechecked: bool = False  # whether that measurement was asked again

    @property
    def not_good(self) -> tuple[AssessedMeasurement, ...]:
        """The measurements that were not good."""
        return tuple(measurement for measurement in self.measurements if measurement.state is not State.GOOD)


def _assess_measurement(item: Item, seen: Measurement) -> AssessedMeasurement:
    """Bad when a limit fails in it, good when all hold, else void; an exact duration only has to be there."""
    doubts = []
    for limit in item.expect:
        reading = reading_of(seen, limit.metric)
        if isinstance(reading, Failure):
            summary = f"{reading.reason}: {reading.detail}"
            doubts.append(Undecided(outcome=outcome_of(reading.reason), detail=summary, limit=limit))
        elif not by_median(limit, reading):
            weighed = evaluate(reading, limit, risks_of(item, None))
            if weighed.outcome is Outcome.FAIL:
                return AssessedMeasurement(measurement=seen, state=State.BAD, failed_limit=limit)
            if weighed.outcome is not Outcome.PASS:
                summary = f"{words(limit.metric)}: {weighed.detail}"
                doubts.append(Undecided(outcome=weighed.outcome, detail=summary, limit=limit))
    if not doubts:
        return AssessedMeasurement(measurement=seen, state=State.GOOD)
    return AssessedMeasurement(
        measurement=seen, state=State.UNDETERMINED, undecided=max(doubts, key=lambda doubt: GRAVER[doubt.outcome])
    )


def by_median(limit: Limit, reading: Reading) -> bool:
    """Whether an attempt judges it by the median of its measurements: a duration of one measurement is noise."""
    return limit.is_duration and isinstance(reading, Exact)


def risks_of(item: Item, band: Band | None) -> Risks:
    """A failure that could itself roll back must be surer: 0.1 % instead of 1 %."""
    return Risks(false_fail=0.001) if item.may_roll_back(band) else Risks()


def reading_of(seen: Measurement, metric: str) -> Reading | Failure:
    """The metric's reading; what is missing, or no number, is a failure that says so."""
    reading = seen.values.get(metric)
    if isinstance(reading, Exact) and not isfinite(reading.value):
        return Failure(reason=Reason.BAD_RESPONSE, detail=f"{words(metric)} is {reading.value}, no number to judge")
    if reading is not None:
        return reading
    if seen.values.get("up") == Exact(0):
        return Failure(reason=Reason.UNREACHABLE, detail=seen.notes.get("summary", "the target was not reached"))
    return Failure(reason=Reason.BAD_RESPONSE, detail=f"no reading of {words(metric)}")


def assess(item: Item, attempt: Attempt) -> AssessedAttempt:
    """Assess an attempt: bad, good or undetermined where every measurement is, else mixed.

    One stray measurement of enough whose rechecks are all good leaves a good attempt; a median over its limit makes a
    good attempt a bad one.
    """
    first = tuple(_assess_measurement(item, seen) for seen in attempt.measurements if _counts(item, seen))
    again = tuple(_assess_measurement(item, seen) for seen in attempt.rechecks if _counts(item, seen))
    measurements = first + again
    states = {measurement.state for measurement in measurements} or {State.UNDETERMINED}
    medians = _medians(item, measurements)
    if len(states) == 1 and State.GOOD not in states:
        return AssessedAttempt(measurements=measurements, state=states.pop(), medians=medians)
    odd = [measurement for measurement in first if measurement.state is not State.GOOD]
    alone = len(odd) == 1 and len(first) >= MIN_FOR_RECHECK
    cleared = alone and len(again) >= RECHECKS and all(measurement.state is State.GOOD for measurement in again)
    if states != {State.GOOD} and not cleared:
        stray = odd[0].measurement.address if alone and not again else None
        return AssessedAttempt(measurements=measurements, state=State.MIXED, medians=medians, stray=stray)
    slow = next(
        (limit for limit in item.expect if limit.metric in medians and not limit.holds(medians[limit.metric])), None
    )
    if slow and slow.holds(_medians(item, measurements, lag=True)[slow.metric]):
        summary = f"{words(slow.metric)}: only the lag of our own event loop makes it miss its limit"
        doubt = Undecided(outcome=Outcome.ERROR, detail=summary, limit=slow)
        void = tuple(replace(measurement, state=State.UNDETERMINED, undecided=doubt) for measurement in measurements)
        return AssessedAttempt(measurements=void, state=State.UNDETERMINED, medians=medians)
    return AssessedAttempt(
        measurements=measurements,
        state=State.BAD if slow else State.GOOD,
        medians=medians,
        slow=slow,
        rechecked=cleared,
    )


def _counts(item: Item, seen: Measurement) -> bool:
    """Whether the measurement counts for the item: for reachability every one does, else those of its metrics."""
    return item.claims_reachability or {limit.metric for limit in item.expect} <= seen.asked


def _medians(item: Item, measurements: Sequence[AssessedMeasurement], *, lag: bool = False) -> dict[str, float]:
    """The median of each duration of the item, over good measurements, else over all; `lag`: less the loop's lag."""
    good = [measurement for measurement in measurements if measurement.state is State.GOOD] or measurements
    durations = {limit for limit in (*item.expect, *(band.when for band in item.bands)) if limit.is_duration}
    found = {}
    for limit in durations:
        readings = [
            (measurement.measurement, reading_of(measurement.measurement, limit.metric)) for measurement in good
        ]
        ours = IN_A_SECOND.get(limit.unit, 0.0) if lag else 0.0
        values = [reading.value - seen.lag * ours for seen, reading in readings if isinstance(reading, Exact)]
        if values:
            found[limit.metric] = median(values)
    return found


def value_of(tried: AssessedAttempt, measurement: AssessedMeasurement, limit: Limit) -> float | None:
    """The number that a limit is held against: the attempt's median for a duration, else this measurement's reading."""
    reading = reading_of(measurement.measurement, limit.metric)
    if limit.metric in tried.medians and isinstance(reading, Exact):
        return tried.medians[limit.metric]
    return None if isinstance(reading, Failure) else evaluate(reading, limit, Risks()).value


def holds_for(tried: AssessedAttempt, measurement: AssessedMeasurement, limit: Limit, risks: Risks) -> bool:
    """Whether this measurement proves that the limit of a band or a deadline holds."""
    reading = reading_of(measurement.measurement, limit.metric)
    if limit.metric in tried.medians and isinstance(reading, Exact):  # a measurement without it proves no band
        return limit.holds(tried.medians[limit.metric])
    return not isinstance(reading, Failure) and holds(reading, limit, risks)


def behind(measurement: AssessedMeasurement, limit: Limit) -> str:
    """How much stands behind the number of a share or a percentile, in parentheses; nothing for an exact one."""
    reading = reading_of(measurement.measurement, limit.metric)
    summary = "" if isinstance(reading, Failure) else evaluate(reading, limit, Risks()).detail
    return f" ({summary})" if summary else ""


def words(metric: str) -> str:
    """A metric's name as people read it."""
    return metric.replace("_", " ")
