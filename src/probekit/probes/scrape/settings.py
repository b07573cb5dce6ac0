"""The settings of the kind `scrape`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from probekit.probe import HttpConfig

_MILLISECONDS: Final = {"s": 1000.0, "ms": 1.0}
_UNIT_WORDS: Final = {  # words of a metric's name that give its unit; empty: not supported
    "seconds": "s",
    "milliseconds": "ms",
    "millis": "ms",
    "msec": "ms",
    "ms": "ms",
    "microseconds": "",
    "micros": "",
    "us": "",
    "nanoseconds": "",
    "nanos": "",
    "ns": "",
    "minutes": "",
}


class Scrape(HttpConfig):
    """The place of the metrics, and those that count requests."""

    kind: Literal["scrape"]
    requests: str | None = Field(
        None, min_length=1, description="Name of the counter of requests, which has a label for the status."
    )
    status: str = Field("status", min_length=1, description="Label of that counter that holds the status.")
    errors: tuple[str, ...] = Field(
        ("5",), min_length=1, description="Beginnings of the statuses that count as errors."
    )
    duration: str | None = Field(None, min_length=1, description="Name of the histogram of durations.")
    unit: Literal["s", "ms"] | None = Field(
        None, description="Unit of 'duration'; default: the unit in its name, else seconds."
    )
    where: dict[str, str] = Field({}, description="Labels, with their values, that a series must have to count.")
    without: dict[str, tuple[str, ...]] = Field(
        {},
        description="Values of labels that do not count: health checks, metrics, and probekit's own routes or agent.",
    )
    process: str | None = Field(None, description="Label that distinguishes the processes behind one address.")

    @model_validator(mode="after")
    def _counts_something(self) -> Self:
        if self.requests is None and self.duration is None:
            message = "name 'requests', a counter, or 'duration', a histogram, or both"
            raise ValueError(message)
        if self.unit is None and not self._unit_of_name:
            message = f"'{self.duration}' must be in seconds or milliseconds: set 'unit' if its name is misleading"
            raise ValueError(message)
        return self

    @property
    def _unit_of_name(self) -> str:
        said = [_UNIT_WORDS[word] for word in (self.duration or "").lower().split("_") if word in _UNIT_WORDS]
        return said[-1] if said else "s"

    @property
    def milliseconds(self) -> float:
        """The milliseconds in one unit of 'duration'."""
        return _MILLISECONDS[self.unit or self._unit_of_name]

    def counts(self, labels: Mapping[str, str]) -> bool:
        """Return whether a series with these labels counts."""
        kept = all(labels.get(name) == value for name, value in self.where.items())
        return kept and not any(labels.get(name) in values for name, values in self.without.items())
