"""Measurements and attempts: the readings of a probe, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from probekit.model.readings import Reading
from probekit.model.record import Record


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
    """Why there is no reading; scripts compare these words."""

    TIMEOUT = "timeout"
    BAD_RESPONSE = "bad_response"
    NOT_PERMITTED = "not_permitted"
    BUDGET_SPENT = "budget_spent"
    UNREACHABLE = "unreachable"
    UNRESOLVED = "unresolved"
    NO_NETWORK = "no_network"
    UNTRUSTED = "untrusted"
    ACCESS_DENIED = "access_denied"
    REFUSED_CREDENTIALS = "refused_credentials"
    MISSING_SECRET = "missing_secret"  # noqa: S105  # a word of the report, not a password
    MISSING_FILE = "missing_file"
    MISSING_SETTING = "missing_setting"
    CUT_OFF = "cut_off"
    NOT_MEASURED = "not_measured"
    OVERLOADED = "overloaded"
    BUG = "bug"

    @classmethod
    def _missing_(cls, value: object) -> Reason | None:
        return cls.ACCESS_DENIED if value == "turned_away" else None  # its name in older runs on record


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A missing reading and its reason."""

    reason: Reason
    detail: str  # for people; already redacted


class ProbeFailedError(Exception):
    """An expected failure: there is no reading, and the reason states where the cause lies."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measurement: one connection to one address, and its readings."""

    probe: str
    instance: str
    address: str
    taken_at: datetime
    seconds: float
    waited: float  # seconds of waiting for its turn at the host; not part of any reading
    lag: float = 0.0  # seconds in which this process's event loop was blocked during the measurement
    asked: frozenset[str]
    values: Mapping[str, Reading | Failure]
    reached: bool | None = None  # whether the target answered; None: the kind does not report it
    summary: str = ""  # one line that a verdict quotes
    version: str | None = None  # the served version, where the kind reads it
    notes: Mapping[str, str] = field(default_factory=dict)
    records: tuple[Record, ...] = ()  # that its readings come from, where they come from records

    @property
    def is_silent(self) -> bool:
        """Whether there was no response, by `reached` or by the reasons of the missing readings."""
        if self.reached is not None:
            return not self.reached
        return bool(self.values) and all(
            isinstance(value, Failure) and value.reason in _SILENCE for value in self.values.values()
        )


_SILENCE: Final = (Reason.UNREACHABLE, Reason.NO_NETWORK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A round of measurements, and the rechecks that were made because one of them failed."""

    measurements: tuple[Measurement, ...]
    rechecks: tuple[Measurement, ...] = ()
