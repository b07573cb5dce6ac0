"""Measurements and attempts: what a probe read, or why there is no reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from probekit.model.readings import Reading


class InstanceKey(NamedTuple):
    """One instance of a probe."""

    probe: str
    instance: str


class MetricKey(NamedTuple):
    """One metric of one instance."""

    probe: str
    instance: str
    metric: str


class Reason(StrEnum):
    """Why there is no reading; scripts match on these words."""

    TIMEOUT = "timeout"
    BAD_RESPONSE = "bad_response"
    NOT_PERMITTED = "not_permitted"
    BUDGET_SPENT = "budget_spent"
    UNREACHABLE = "unreachable"
    UNRESOLVED = "unresolved"
    NO_NETWORK = "no_network"
    UNTRUSTED = "untrusted"
    TURNED_AWAY = "turned_away"
    REFUSED_CREDENTIALS = "refused_credentials"
    MISSING_SECRET = "missing_secret"  # noqa: S105  # a word of the report, no password
    MISSING_FILE = "missing_file"
    MISSING_SETTING = "missing_setting"
    CUT_OFF = "cut_off"
    NOT_MEASURED = "not_measured"
    OVERLOADED = "overloaded"
    BUG = "bug"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """There is no reading, and why."""

    reason: Reason
    detail: str  # for people; already redacted


class ProbeFailedError(Exception):
    """Expected trouble: there is no reading, and the reason says who is to blame."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measurement: one connection to one address, and what it gave."""

    probe: str
    instance: str
    address: str
    taken_at: datetime
    seconds: float
    waited: float  # seconds until its turn at the host, by the throttle and beside others of the run; in no reading
    lag: float = 0.0  # seconds in which our own event loop stood still during the measurement
    asked: frozenset[str]
    values: Mapping[str, Reading | Failure]
    reached: bool | None = None  # whether the target answered; None: the kind does not say
    summary: str = ""  # one line that a verdict quotes
    version: str | None = None  # that the target serves, where the kind reads it
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_silent(self) -> bool:
        """Whether nothing answered; where its kind does not say so, whether no metric has a reading for that reason."""
        if self.reached is not None:
            return not self.reached
        return bool(self.values) and all(
            isinstance(value, Failure) and value.reason in _SILENCE for value in self.values.values()
        )


_SILENCE: Final = (Reason.UNREACHABLE, Reason.NO_NETWORK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A round of measurements, and the measurements that were asked again because one of them was not good."""

    measurements: tuple[Measurement, ...]
    rechecks: tuple[Measurement, ...] = ()
