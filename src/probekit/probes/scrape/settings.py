"""Where the metrics are, and which of them count requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from probekit.probe import HttpConfig

_MILLISECONDS: Final = {"s": 1000.0, "ms": 1.0}
_UNIT_WORDS: Final = {  # words of a metric's name that say its unit
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
    """Where the metrics are, and which of them count requests."""

    kind: Literal["scrape"]
    requests: str | None = Field(None, min_length=1, description="the counter of requests, by status")
    status: str = Field("status", min_length=1, description="the label of that counter that holds the status")
    errors: tuple[str, ...] = Field(("5",), min_length=1, description="how a status begins that is an error")
    duration: str | None = Field(None, min_length=1, description="the histogram of durations")
    unit: Literal["s", "ms"] | None = Field(
        None, description="The unit of 'duration'; if it is not set, the one that its name says, else seconds."
    )
    where: dict[str, str] = Field({}, description="labels that a series must have to count")
    without: dict[str, tuple[str, ...]] = Field(
        {}, description="label to the values that do not count: health checks, metrics, and our own routes or agent"
    )
    process: str | None = Field(None, description="the label that tells processes behind one address apart")

    @model_validator(mode="after")
    def _counts_something(self) -> Self:
        if self.requests is None and self.duration is None:
            message = "name 'requests', a counter, or 'duration', a histogram, or both"
            raise ValueError(message)
        if self.unit is None and not self._unit_of_name:
            message = f"'{self.duration}' is neither in seconds nor in milliseconds: set 'unit' if its name is wrong"
            raise ValueError(message)
        return self

    @property
    def _unit_of_name(self) -> str:
        said = [_UNIT_WORDS[word] for word in (self.duration or "").lower().split("_") if word in _UNIT_WORDS]
        return said[-1] if said else "s"

    @property
    def milliseconds(self) -> float:
        """How many milliseconds one unit of 'duration' is."""
        return _MILLISECONDS[self.unit or self._unit_of_name]

    def counts(self, labels: Mapping[str, str]) -> bool:
        """Whether a series of these labels is one of those that count."""
        kept = all(labels.get(name) == value for name, value in self.where.items())
        return kept and not any(labels.get(name) in values for name, values in self.without.items())
