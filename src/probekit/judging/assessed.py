"""Assessed measurements and attempts of one item; each reading is evaluated once against each limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import isfinite
from typing import Final

from probekit.judging.evaluate import Evaluation
from probekit.judging.reference import NO_REFERENCE, Reference
from probekit.judging.statistics import Risks
from probekit.judging.windows import could_decide, evaluate_windows, strung
from probekit.model.checklist import Band, Item
from probekit.model.limit import Limit
from probekit.model.measurement import Failure, Measurement, Reason
from probekit.model.plan import Retry
from probekit.model.readings import ErrorRate, Exact, Reading
from probekit.model.verdict import Outcome
from probekit.text import words

GRAVER: Final = {Outcome.PASS: 0, Outcome.INCONCLUSIVE: 1, Outcome.ERROR: 2, Outcome.FAIL: 3}
_INCONCLUSIVE: Final = (
    Reason.TIMEOUT,
    Reason.BAD_RESPONSE,
    Reason.NOT_PERMITTED,
    Reason.BUDGET_SPENT,
    Reason.NOT_MEASURED,
)
References = Mapping[Limit, Reference]


def outcome_of(reason: Reason) -> Outcome:
    """Return `inconclusive` for an answer that decides nothing; `error` for a fault of the runner or no connection."""
    return Outcome.INCONCLUSIVE if reason in _INCONCLUSIVE else Outcome.ERROR


def risks_of(item: Item, band: Band | None) -> Risks:
    """Return the risks of a verdict; 0.1 % instead of 1 % for a failure that may order a rollback."""
    return Risks(false_fail=0.001) if item.may_roll_back(band) else Risks()


class State(Enum):
    """The state of a measurement or an attempt for an item; mixed: the measurements of an attempt disagree."""

    GOOD = "good"
    BAD = "bad"
    MIXED = "mixed"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """Why a limit is neither kept nor broken: inconclusive or an error, in words."""

    outcome: Outcome
    detail: str
    limit: Limit
    reason: Reason | None = None  # why there is no reading, where there is none


class AssessedMeasurement:
    """One measurement assessed for one item: bad when a limit fails in it, good when all hold, else undetermined.

    An exact duration only has to be present: the attempt's median is held against its limit. A window of a sampling is
    judged with the further windows that were taken at its address.
    """

    def __init__(
        self,
        item: Item,
        windows: tuple[Measurement, ...],
        references: References,
        *,
        may_go_on: bool = False,
    ) -> None:
        self.measurement = windows[0]
        self.references = references
        self._windows = windows
        self._may_go_on = may_go_on
        self._item = item
        self.failed_limit: Limit | None = None
        self.undecided: Undecided | None = None
        self._evaluations: dict[tuple[Limit, Risks], Evaluation] = {}
        self._risks = risks_of(item, None)
        self.state = self._state()

    def _state(self) -> State:
        doubts = []
        for limit in self._item.expect:
            reading = self.reading(limit.metric)
            if isinstance(reading, Failure):
                detail = f"{reading.reason}: {reading.detail}"
                outcome = outcome_of(reading.reason)
                doubts.append(Undecided(outcome=outcome, detail=detail, limit=limit, reason=reading.reason))
            elif not is_by_median(limit, reading):
                found = self.evaluation(limit)
                if found.outcome is Outcome.FAIL:
                    self.failed_limit = limit
                    return State.BAD
                if found.outcome is not Outcome.PASS:
                    detail = f"{words(limit.metric)}: {found.detail}"
                    reason = Reason.OVERLOADED if found.outcome is Outcome.ERROR and not _doubt(reading) else None
                    doubts.append(Undecided(outcome=found.outcome, detail=detail, limit=limit, reason=reason))
        self.undecided = max(doubts, key=lambda doubt: GRAVER[doubt.outcome], default=None)
        return State.UNDETERMINED if doubts else State.GOOD

    def reading(self, metric: str) -> Reading | Failure:
        """Return the reading of all windows together; a failure where any window has none, or no number."""
        read = self._read(metric)
        return read if isinstance(read, Failure) else strung(read)

    def _read(self, metric: str) -> list[Reading] | Failure:
        read = []
        for window in self._windows:
            reading = _reading(window, metric)
            if isinstance(reading, Failure):
                return reading
            read.append(reading)
        return read

    def evaluation(self, limit: Limit, risks: Risks | None = None) -> Evaluation:
        """Evaluate the reading against a limit, once, at the item's own risks unless others are given.

        A metric without a reading has no value and is inconclusive.
        """
        key = limit, risks or self._risks
        if key not in self._evaluations:
            read, reference = self._read(limit.metric), self.references.get(limit, NO_REFERENCE)
            self._evaluations[key] = (
                Evaluation(outcome=Outcome.INCONCLUSIVE, value=None)
                if isinstance(read, Failure)
                else evaluate_windows(read, limit, key[1], reference, may_go_on=self._may_go_on)
            )
        return self._evaluations[key]

    def could_be_decided_by(self, more: int) -> bool:
        """Return whether it is inconclusive and `more` windows could decide every open limit."""
        if self.undecided is None or self.undecided.outcome is not Outcome.INCONCLUSIVE:
            return False
        open_ = [limit for limit in self._item.expect if self.evaluation(limit).outcome is not Outcome.PASS]
        read = [(self._read(limit.metric), limit) for limit in open_]
        return all(
            not isinstance(windows, Failure) and could_decide(windows, limit, self._risks, more)
            for windows, limit in read
        )


def _reading(measurement: Measurement, metric: str) -> Reading | Failure:
    """Return one measurement's reading of a metric; a failure where it is missing or not a finite number."""
    reading = measurement.values.get(metric)
    if isinstance(reading, Exact) and not isfinite(reading.value):
        return Failure(
            reason=Reason.BAD_RESPONSE, detail=f"{words(metric)} is {reading.value}, which is not a finite number"
        )
    if reading is not None:
        return reading
    if measurement.reached is False:
        detail = measurement.summary or "the target was not reached"
        return Failure(reason=Reason.UNREACHABLE, detail=detail)
    return Failure(reason=Reason.BAD_RESPONSE, detail=f"no reading of {words(metric)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowOnes:
    """The measurements of an attempt that break the limit of a duration whose median keeps it."""

    limit: Limit
    count: int
    slowest: float  # in the limit's unit


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedAttempt:
    """One attempt assessed for one item."""

    measurements: tuple[AssessedMeasurement, ...]
    state: State
    medians: Mapping[str, float]
    slow: Limit | None = None  # the median's limit that failed
    some_slow: SlowOnes | None = None
    recheck: Retry | None = None  # what would clear the few measurements that were bad or slow
    undecided: Undecided | None = None  # of the attempt as a whole

    @property
    def not_good(self) -> tuple[AssessedMeasurement, ...]:
        """The measurements that were not good."""
        return tuple(one for one in self.measurements if one.state is not State.GOOD)

    @property
    def is_cleared(self) -> bool:
        """Whether it is good although some measurements were bad or slow, because rechecks outweigh them."""
        return self.state is State.GOOD and bool(self.not_good or self.some_slow)

    def value(self, measurement: AssessedMeasurement, limit: Limit) -> float | None:
        """Return the number held against a limit: the attempt's median for a duration, else the measurement's own."""
        if self._is_by_median(measurement, limit):
            return self.medians[limit.metric]
        return measurement.evaluation(limit).value

    def detail(self, measurement: AssessedMeasurement, limit: Limit) -> str:
        """Return the sample behind that number; empty for a median."""
        return "" if self._is_by_median(measurement, limit) else measurement.evaluation(limit).detail

    def holds(self, measurement: AssessedMeasurement, limit: Limit, risks: Risks) -> bool:
        """Return whether the limit of a band or a deadline holds; False without a reading."""
        if self._is_by_median(measurement, limit):
            return limit.holds(self.medians[limit.metric])
        return measurement.evaluation(limit, risks).outcome is Outcome.PASS

    def refutes(self, measurement: AssessedMeasurement, limit: Limit, risks: Risks) -> bool:
        """Return whether the reading shows that the limit of a band does not hold; False without a reading."""
        if self._is_by_median(measurement, limit):
            return not limit.holds(self.medians[limit.metric])
        return measurement.evaluation(limit, risks).outcome is Outcome.FAIL

    def _is_by_median(self, measurement: AssessedMeasurement, limit: Limit) -> bool:
        return limit.metric in self.medians and isinstance(measurement.reading(limit.metric), Exact)


def _doubt(reading: Reading) -> str:
    """Return why a sample's failures may not be the target's; without one, an error of a sample is a local delay."""
    return reading.doubt if isinstance(reading, ErrorRate) else ""


def is_by_median(limit: Limit, reading: Reading) -> bool:
    """Return whether the median of an attempt is judged: the duration of one measurement is noise."""
    return limit.is_duration and isinstance(reading, Exact)
