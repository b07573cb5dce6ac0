"""Make readings of the numbers that a program prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Final, Protocol

from probekit.model.numbers import number
from probekit.probe import CumulativeCount, Exact, Failure, ProbeFailedError, Reason, Summary
from probekit.probes.command.settings import MetricSource

_PERCENTILE: Final = re.compile(r"p(\d\d)")
_MOST: Final = 1e15  # of a sample's size: a larger double may not be exact

Reading = Exact | CumulativeCount | Summary


class Numbers(Protocol):
    """The numbers of one output. Both methods raise a ProbeFailedError (`bad_response`) if there is no number."""

    def value(self, source: MetricSource) -> float:
        """The number of a metric, before its scale."""

    def size(self, at: str) -> float:
        """The size of a sample."""


def readings(metrics: Mapping[str, MetricSource], numbers: Numbers) -> dict[str, Reading | Failure]:
    """Return each metric's reading: a number, a count that grows, or a summary of a sample with its size."""
    return {metric: _reading(metric, source, numbers) for metric, source in metrics.items()}


def unread(detail: str) -> Failure:
    """Return the failure of a metric without a number."""
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)


def _reading(metric: str, source: MetricSource, numbers: Numbers) -> Reading | Failure:
    try:
        value = numbers.value(source) * source.scale
        if not isfinite(value) or (value < 0 and (source.counter or source.n)):
            return unread(f"the number at {source.at} is too large or negative")
        if source.n is None:
            return CumulativeCount(value) if source.counter else Exact(value)
        size = numbers.size(source.n)
    except ProbeFailedError as error:
        return unread(error.detail)
    if not (0 < size < _MOST and size == int(size)):
        return unread(f"{number(size)} at {source.n} is not a sample size: expected a whole number above 0")
    percentile = _PERCENTILE.fullmatch(metric)
    return Summary(value, int(size), int(percentile[1]) / 100 if percentile else None)
