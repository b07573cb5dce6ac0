"""How do looks and attempts stand to one item?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import isfinite
from statistics import median
from typing import Final

from probekit.judging.evaluate import proves, weigh
from probekit.judging.statistics import Risks
from probekit.model.checklist import Band, Item
from probekit.model.limit import Limit
from probekit.model.measurement import Attempt, Failure, Measurement, Reason
from probekit.model.plan import AGAIN, ENOUGH
from probekit.model.readings import Exact, Reading
from probekit.model.verdict import Outcome

IN_A_SECOND: Final = {"ms": 1000.0, "s": 1.0}  # of the units in which a lag of ours can matter
GRAVER: Final = {Outcome.PASS: 0, Outcome.INCONCLUSIVE: 1, Outcome.ERROR: 2, Outcome.FAIL: 3}


class State(Enum):
    """How a look or an attempt stands to an item; mixed is an attempt whose looks disagree."""

    GOOD = "good"
    BAD = "bad"
    MIXED = "mixed"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a limit is neither kept nor broken: inconclusive or an error, in words."""

    outcome: Outcome
    told: str
    limit: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one look stands to one item."""

    seen: Measurement
    state: State
    limit: Limit | None = None  # the one that failed
    doubt: Doubt | None = None  # why it is void


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How one attempt stands to one item."""

    looks: tuple[Look, ...]
    state: State
    medians: Mapping[str, float]
    slow: Limit | None = None  # the median's limit that failed
    stray: str | None = None  # the address of the one look of enough that was not good
    again: bool = False  # whether that look was asked again

    @property
    def odd(self) -> tuple[Look, ...]:
        """The looks that were not good."""
        return tuple(look for look in self.looks if look.state is not State.GOOD)


def _look(item: Item, seen: Measurement) -> Look:
    """Bad when a limit fails in it, good when all hold, else void; an exact duration only has to be there."""
    doubts = []
    for limit in item.expect:
        reading = reading_of(seen, limit.metric)
        if isinstance(reading, Failure):
            told = f"{reading.reason}: {reading.detail}"
            doubts.append(Doubt(outcome=reading.reason.outcome, told=told, limit=limit))
        elif not by_median(limit, reading):
            weighed = weigh(reading, limit, risks_of(item, None))
            if weighed.outcome is Outcome.FAIL:
                return Look(seen=seen, state=State.BAD, limit=limit)
            if weighed.outcome is not Outcome.PASS:
                told = f"{words(limit.metric)}: {weighed.told}"
                doubts.append(Doubt(outcome=weighed.outcome, told=told, limit=limit))
    if not doubts:
        return Look(seen=seen, state=State.GOOD)
    return Look(seen=seen, state=State.VOID, doubt=max(doubts, key=lambda doubt: GRAVER[doubt.outcome]))


def by_median(limit: Limit, reading: Reading) -> bool:
    """Whether an attempt judges it by the median of its looks: a duration of one look is noise."""
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
        return Failure(reason=Reason.UNREACHABLE, detail=seen.notes.get("seen", "the target was not reached"))
    return Failure(reason=Reason.BAD_RESPONSE, detail=f"no reading of {words(metric)}")


def round_of(item: Item, attempt: Attempt) -> Round:
    """Bad when every look is bad, good when every look is good, void when every look is void, else mixed.

    One stray look of enough, with all of the looks that were asked again good, leaves a good attempt; a median over its
    limit makes a good attempt a bad one.
    """
    first = tuple(_look(item, seen) for seen in attempt.looks if _counts(item, seen))
    again = tuple(_look(item, seen) for seen in attempt.again if _counts(item, seen))
    looks = first + again
    states = {look.state for look in looks} or {State.VOID}
    medians = _medians(item, looks)
    if len(states) == 1 and State.GOOD not in states:
        return Round(looks=looks, state=states.pop(), medians=medians)
    odd = [look for look in first if look.state is not State.GOOD]
    alone = len(odd) == 1 and len(first) >= ENOUGH
    cleared = alone and len(again) >= AGAIN and all(look.state is State.GOOD for look in again)
    if states != {State.GOOD} and not cleared:
        stray = odd[0].seen.address if alone and not again else None
        return Round(looks=looks, state=State.MIXED, medians=medians, stray=stray)
    slow = next(
        (limit for limit in item.expect if limit.metric in medians and not limit.holds(medians[limit.metric])), None
    )
    if slow and slow.holds(_medians(item, looks, lag=True)[slow.metric]):
        told = f"{words(slow.metric)}: only the lag of our own event loop makes it miss its limit"
        doubt = Doubt(outcome=Outcome.ERROR, told=told, limit=slow)
        void = tuple(replace(look, state=State.VOID, doubt=doubt) for look in looks)
        return Round(looks=void, state=State.VOID, medians=medians)
    return Round(looks=looks, state=State.BAD if slow else State.GOOD, medians=medians, slow=slow, again=cleared)


def _counts(item: Item, seen: Measurement) -> bool:
    """Whether the look was asked for the item: for reachability every look is, else those asked for its metrics."""
    return item.claims_reachability or {limit.metric for limit in item.expect} <= seen.asked


def _medians(item: Item, looks: Sequence[Look], *, lag: bool = False) -> dict[str, float]:
    """The median of each duration that the item names, over the good looks, else over all; on wish without our lag."""
    good = [look for look in looks if look.state is State.GOOD] or looks
    durations = {limit for limit in (*item.expect, *(band.when for band in item.bands)) if limit.is_duration}
    found = {}
    for limit in durations:
        readings = [(look.seen, reading_of(look.seen, limit.metric)) for look in good]
        ours = IN_A_SECOND.get(limit.unit, 0.0) if lag else 0.0
        values = [reading.value - seen.lag * ours for seen, reading in readings if isinstance(reading, Exact)]
        if values:
            found[limit.metric] = median(values)
    return found


def value_of(tried: Round, look: Look, limit: Limit) -> float | None:
    """The number that a limit is held against: the attempt's median for a duration, else this look's reading."""
    reading = reading_of(look.seen, limit.metric)
    if limit.metric in tried.medians and isinstance(reading, Exact):
        return tried.medians[limit.metric]
    return None if isinstance(reading, Failure) else weigh(reading, limit, Risks()).value


def proved(tried: Round, look: Look, limit: Limit, risks: Risks) -> bool:
    """Whether this look proves that the limit of a band or a deadline holds."""
    reading = reading_of(look.seen, limit.metric)
    if limit.metric in tried.medians and isinstance(reading, Exact):  # a look without it proves no band
        return limit.holds(tried.medians[limit.metric])
    return not isinstance(reading, Failure) and proves(reading, limit, risks)


def behind(look: Look, limit: Limit) -> str:
    """How much stands behind the number of a share or a percentile, in parentheses; nothing for an exact one."""
    reading = reading_of(look.seen, limit.metric)
    told = "" if isinstance(reading, Failure) else weigh(reading, limit, Risks()).told
    return f" ({told})" if told else ""


def words(metric: str) -> str:
    """A metric's name as people read it."""
    return metric.replace("_", " ")
