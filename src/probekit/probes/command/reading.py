"""How does a number that a program prints become a reading?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Final, Protocol

from probekit.model.numbers import number
from probekit.probe import CumulativeCount, Exact, Failure, ProbeFailedError, Reason, Summary
from probekit.probes.command.settings import MetricSource

_PERCENTILE: Final = re.compile(r"p(\d\d)")
_MOST: Final = 1e15  # of a sample's size: beyond it a double does not count by ones

Reading = Exact | CumulativeCount | Summary


class Numbers(Protocol):
    """The numbers of one output. Both methods raise a ProbeFailedError (`bad_response`) where there is none."""

    def value(self, source: MetricSource) -> float:
        """The number of a metric, before its scale."""

    def size(self, at: str) -> float:
        """The size of a sample."""


def readings(metrics: Mapping[str, MetricSource], numbers: Numbers) -> dict[str, Reading | Failure]:
    """Return what each metric's number is: by itself, a count that grows, or of a sample whose size is beside it."""
    return {metric: _reading(metric, source, numbers) for metric, source in metrics.items()}


def unread(detail: str) -> Failure:
    """Return that there is no number, and why."""
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)


def _reading(metric: str, source: MetricSource, numbers: Numbers) -> Reading | Failure:
    try:
        value = numbers.value(source) * source.scale
        if not isfinite(value) or (value < 0 and (source.counter or source.n)):
            return unread(f"the number at {source.at} is too large, or below zero")
        if source.n is None:
            return CumulativeCount(value) if source.counter else Exact(value)
        size = numbers.size(source.n)
    except ProbeFailedError as error:
        return unread(error.detail)
    if not (0 < size < _MOST and size == int(size)):
        return unread(f"{number(size)} at {source.n}, where the size of a sample is due")
    percentile = _PERCENTILE.fullmatch(metric)
    return Summary(value, int(size), int(percentile[1]) / 100 if percentile else None)
