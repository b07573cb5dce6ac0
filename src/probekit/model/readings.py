"""Readings: the measured values of one metric, with the evidence for a judgement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean


@dataclass(frozen=True, slots=True)
class Exact:
    """A count, a time or a 0/1 value: an exact number in the metric's unit."""

    value: float


@dataclass(frozen=True, slots=True)
class Summary:
    """A reported share in percent or percentile of a sample, whose size is known and whose blocks are not."""

    value: float
    of: int  # requests, lookups, payments
    q: float | None = None  # the quantile of a percentile; None: a share

    def __post_init__(self) -> None:
        _amounts(self.value, self.of)


@dataclass(frozen=True, slots=True)
class Share:
    """Events among trials, one entry per block of time, in order; clustering is visible only between blocks.

    `own_requests` are trials that probekit sent itself (empty: not counted, or left out); it is unknown which of them
    were events.
    """

    events: tuple[int, ...]
    trials: tuple[int, ...]
    own_requests: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _amounts(*self.events, *self.trials, *self.own_requests)
        if any(events > trials for events, trials in zip(self.events, self.trials, strict=True)):
            message = "more events than trials"
            raise ValueError(message)
        if self.own_requests and len(self.own_requests) != len(self.trials):
            message = "the numbers of own requests belong to other blocks"
            raise ValueError(message)

    def __add__(self, later: Share) -> Share:
        own = _joined(self.own_requests, len(self.trials), later.own_requests, len(later.trials))
        return Share(self.events + later.events, self.trials + later.trials, own)

    def last(self, blocks: int) -> Share:
        """Its latest blocks."""
        return Share(self.events[-blocks:], self.trials[-blocks:], self.own_requests[-blocks:])

    def without_own_requests(self) -> tuple[Share, Share]:
        """The share as if all own requests had succeeded, for a pass, and as if all had failed, for a fail."""
        blocks = list(zip(self.events, self.trials, self.own_requests, strict=True))
        others = tuple(max(trials - own, events) for events, trials, own in blocks)
        return Share(self.events, others), Share(tuple(max(0, events - own) for events, _, own in blocks), self.trials)


@dataclass(frozen=True, slots=True)
class Complement:
    """The complement of a share, such as a hit rate by its share of misses."""

    share: Share

    def __add__(self, later: Complement) -> Complement:
        return Complement(self.share + later.share)

    def last(self, blocks: int) -> Complement:
        """Its latest blocks."""
        return Complement(self.share.last(blocks))


@dataclass(frozen=True, slots=True)
class Mean:
    """A level (of a processor, of memory) in each of several blocks of time; its mean is judged."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        _amounts(*self.values)

    def __add__(self, later: Mean) -> Mean:
        return Mean(self.values + later.values)

    @property
    def value(self) -> float | None:
        """The observed mean; None without blocks."""
        return fmean(self.values) if self.values else None


@dataclass(frozen=True, slots=True)
class LatencySample:
    """Requests of probekit, one entry per block of time: the duration of each, and the local delay in it.

    Values and delays are microseconds from the intended start. Failures (timeouts, refused connections, 5xx) count as
    slow and as errors; `unsent` are requests that were due and not sent.
    """

    values: tuple[tuple[int, ...], ...]
    delays: tuple[tuple[int, ...], ...]
    failures: tuple[int, ...]
    unsent: tuple[int, ...]

    def __post_init__(self) -> None:
        _amounts(*self.failures, *self.unsent)
        for values, delays, _, _ in zip(self.values, self.delays, self.failures, self.unsent, strict=True):
            _amounts(*values, *delays, *(value - delay for value, delay in zip(values, delays, strict=True)))

    def __add__(self, later: LatencySample) -> LatencySample:
        return LatencySample(
            self.values + later.values,
            self.delays + later.delays,
            self.failures + later.failures,
            self.unsent + later.unsent,
        )

    def last(self, blocks: int) -> LatencySample:
        """Its latest blocks."""
        kept = slice(-blocks, None)
        return LatencySample(self.values[kept], self.delays[kept], self.failures[kept], self.unsent[kept])

    @property
    def went_silent(self) -> bool:
        """Whether its last three blocks, after which a sampling ends, contain no answer to any request that was due."""
        answers = [bool(values) for values, lost in zip(self.values, self._lost, strict=True) if values or lost]
        return bool(answers) and not any(answers[-3:])

    def failed(self) -> Share:
        """Failures among the requests that were sent."""
        return Share(self.failures, _plus([len(values) for values in self.values], self.failures))

    @property
    def _lost(self) -> tuple[int, ...]:
        return _plus(self.failures, self.unsent)

    def slow(self, limit: float) -> tuple[Share, Share]:
        """The requests of `limit` microseconds or more: as users see them, unsent included, and without local delay."""
        sent, lost = self.failed().trials, self._lost
        felt = [sum(value >= limit for value in values) for values in self.values]
        blocks = zip(self.values, self.delays, strict=True)
        undelayed = [sum(v - d >= limit for v, d in zip(*block, strict=True)) for block in blocks]
        return Share(_plus(felt, lost), _plus(sent, self.unsent)), Share(_plus(undelayed, self.failures), sent)


@dataclass(frozen=True, slots=True)
class BaselineValues:
    """One statistic (a percentile, a mean) of each of several windows of the same length and load."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        _amounts(*self.values)


@dataclass(frozen=True, slots=True)
class Quantile:
    """A percentile of a sample's durations."""

    sample: LatencySample
    q: float

    def __add__(self, later: Quantile) -> Quantile:
        return Quantile(self.sample + later.sample, self.q)

    def last(self, blocks: int) -> Quantile:
        """Of its latest blocks."""
        return Quantile(self.sample.last(blocks), self.q)

    @property
    def value(self) -> float | None:
        """The observed percentile in microseconds, as users see it (nearest rank); None where it is a failure."""
        taken = sorted(value for values in self.sample.values for value in values)
        asked = len(taken) + sum(self.sample.failures) + sum(self.sample.unsent)
        rank = -(-asked * self.q // 1)  # rounded up
        return taken[int(rank) - 1] if 0 < rank <= len(taken) else None


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """The error rate of a sample's requests, or a lower bound of it where its good answers are in doubt."""

    sample: LatencySample
    doubt: str = ""  # why good answers may not be good: such a rate can fail but not pass

    def __add__(self, later: ErrorRate) -> ErrorRate:
        return ErrorRate(self.sample + later.sample, self.doubt or later.doubt)

    def last(self, blocks: int) -> ErrorRate:
        """Of its latest blocks."""
        return ErrorRate(self.sample.last(blocks), self.doubt)


@dataclass(frozen=True, slots=True)
class Histogram:
    """A percentile of durations that the target counted into buckets, by block of time.

    Edges are milliseconds, ascending; counts are, for each block, the observations up to each edge.
    """

    edges: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]
    trials: tuple[int, ...]
    q: float
    own_requests: tuple[int, ...] = ()  # as in a Share

    def __post_init__(self) -> None:
        _amounts(*self.edges, *self.trials, *self.own_requests)
        for counts, trials in zip(self.counts, self.trials, strict=True):
            _amounts(*counts)
            if len(counts) != len(self.edges) or any(count > trials for count in counts):
                message = "the counts do not match the edges or exceed the observations"
                raise ValueError(message)

    def __add__(self, later: Histogram) -> Histogram:
        if (self.edges, self.q) != (later.edges, later.q):
            message = "the histograms have different edges or percentiles"
            raise ValueError(message)
        own = _joined(self.own_requests, len(self.trials), later.own_requests, len(later.trials))
        return Histogram(self.edges, self.counts + later.counts, self.trials + later.trials, self.q, own)

    def last(self, blocks: int) -> Histogram:
        """Of its latest blocks."""
        return Histogram(self.edges, self.counts[-blocks:], self.trials[-blocks:], self.q, self.own_requests[-blocks:])

    @property
    def requests(self) -> float:
        """The mean number of requests per block."""
        return fmean(self.trials) if self.trials else 0.0

    def slow(self, limit: float) -> Share | None:
        """The requests of more than `limit` milliseconds; None where no bucket ends there."""
        if limit not in self.edges:
            return None
        place = self.edges.index(limit)
        slow = [trials - counts[place] for counts, trials in zip(self.counts, self.trials, strict=True)]
        return Share(tuple(slow), self.trials, self.own_requests)

    @property
    def value(self) -> float | None:
        """The first edge at or above the percentile, in milliseconds; None beyond the last one."""
        asked = sum(self.trials) * self.q
        sums = (sum(counts) for counts in zip(*self.counts, strict=True)) if self.counts else ()
        return next((edge for edge, count in zip(self.edges, sums, strict=False) if 0 < asked <= count), None)


def _joined(one: tuple[int, ...], before: int, other: tuple[int, ...], after: int) -> tuple[int, ...]:
    """Both in sequence; empty where both are empty."""
    return (one or (0,) * before) + (other or (0,) * after) if one or other else ()


def _plus(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _amounts(*numbers: float) -> None:
    if not all(isfinite(number) and number >= 0 for number in numbers):
        message = "an amount is negative or not a number"
        raise ValueError(message)


Counted = Share | Complement | Quantile | ErrorRate | Histogram  # readings that further windows extend
Reading = Exact | Summary | Mean | Counted


@dataclass(frozen=True, slots=True)
class CumulativeCount:
    """A count that only grows; its growth since the deployment mark is judged."""

    value: float

    def __post_init__(self) -> None:
        _amounts(self.value)
