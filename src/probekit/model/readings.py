"""Readings: what one metric was measured to be, with the evidence that a judgement needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean


@dataclass(frozen=True, slots=True)
class Exact:
    """A count, a time, a 0/1 claim: a number known exactly, in the metric's unit."""

    value: float


@dataclass(frozen=True, slots=True)
class Summary:
    """A share in percent, or a percentile, as it is reported of a sample: its size is known, its blocks are not."""

    value: float
    of: int  # requests, look-ups, payments
    q: float | None = None  # of a percentile; None: a share

    def __post_init__(self) -> None:
        _amounts(self.value, self.of)


@dataclass(frozen=True, slots=True)
class Share:
    """Events among trials, one entry per block of time, in order: blocks are the only trace of clustering.

    Of the trials, `ours` may be requests of our own (none: nobody counted them, or they are left out): nobody knows
    which of them were events.
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
            message = "our own requests of other blocks"
            raise ValueError(message)

    def __add__(self, later: Share) -> Share:
        ours = _strung(self.own_requests, len(self.trials), later.own_requests, len(later.trials))
        return Share(self.events + later.events, self.trials + later.trials, ours)

    def last(self, blocks: int) -> Share:
        """Its latest blocks."""
        return Share(self.events[-blocks:], self.trials[-blocks:], self.own_requests[-blocks:])

    def without_own_requests(self) -> tuple[Share, Share]:
        """As if all of ours had gone well, for a pass; as if all had gone wrong, for a fail."""
        blocks = list(zip(self.events, self.trials, self.own_requests, strict=True))
        theirs = tuple(max(trials - ours, events) for events, trials, ours in blocks)
        return Share(self.events, theirs), Share(
            tuple(max(0, events - ours) for events, _, ours in blocks), self.trials
        )


@dataclass(frozen=True, slots=True)
class Complement:
    """What is left of one: a hit rate, by its share of misses."""

    share: Share

    def __add__(self, later: Complement) -> Complement:
        return Complement(self.share + later.share)

    def last(self, blocks: int) -> Complement:
        """Its latest blocks."""
        return Complement(self.share.last(blocks))


@dataclass(frozen=True, slots=True)
class Mean:
    """A level (of a processor, of memory) in each of several blocks of time; its mean is what is judged."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        _amounts(*self.values)

    def __add__(self, later: Mean) -> Mean:
        return Mean(self.values + later.values)

    @property
    def value(self) -> float | None:
        """The observed mean; None of no blocks."""
        return fmean(self.values) if self.values else None


@dataclass(frozen=True, slots=True)
class LatencySample:
    """Requests of our own, one entry per block of time: how long each took, and how much of that was our own delay.

    Values and delays are microseconds from the intended start. Failures (timeouts, refused connections, 5xx) are slow
    and errors; unsent are starts that never left.
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
        """Whether its last blocks (three, in which a sampling gives up) hold no answer to any request that was due."""
        answers = [bool(values) for values, lost in zip(self.values, self._lost, strict=True) if values or lost]
        return bool(answers) and not any(answers[-3:])

    def failed(self) -> Share:
        """Failures among the requests that left."""
        return Share(self.failures, _plus([len(values) for values in self.values], self.failures))

    @property
    def _lost(self) -> tuple[int, ...]:
        return _plus(self.failures, self.unsent)

    def slow(self, limit: float) -> tuple[Share, Share]:
        """What took `limit` microseconds or more: as a user felt it, unsent included, and without any delay of ours."""
        sent, lost = self.failed().trials, self._lost
        felt = [sum(value >= limit for value in values) for values in self.values]
        blocks = zip(self.values, self.delays, strict=True)
        theirs = [sum(v - d >= limit for v, d in zip(*block, strict=True)) for block in blocks]
        return Share(_plus(felt, lost), _plus(sent, self.unsent)), Share(_plus(theirs, self.failures), sent)


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
        """The observed percentile in microseconds, as users felt it (nearest rank); None where it is a failure."""
        taken = sorted(value for values in self.sample.values for value in values)
        asked = len(taken) + sum(self.sample.failures) + sum(self.sample.unsent)
        rank = -(-asked * self.q // 1)  # rounded up
        return taken[int(rank) - 1] if 0 < rank <= len(taken) else None


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """The error rate of a sample's requests; where its good answers are in doubt, that it is at least so high."""

    sample: LatencySample
    doubt: str = ""  # why what counts as a good answer may be none: such a rate can fail, and not pass

    def __add__(self, later: ErrorRate) -> ErrorRate:
        return ErrorRate(self.sample + later.sample, self.doubt or later.doubt)

    def last(self, blocks: int) -> ErrorRate:
        """Of its latest blocks."""
        return ErrorRate(self.sample.last(blocks), self.doubt)


@dataclass(frozen=True, slots=True)
class Histogram:
    """A percentile of durations that the target itself has counted into buckets, by block of time.

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
                message = "counts that do not belong to the edges, or more than there are observations"
                raise ValueError(message)

    def __add__(self, later: Histogram) -> Histogram:
        if (self.edges, self.q) != (later.edges, later.q):
            message = "histograms of other edges or percentiles"
            raise ValueError(message)
        ours = _strung(self.own_requests, len(self.trials), later.own_requests, len(later.trials))
        return Histogram(self.edges, self.counts + later.counts, self.trials + later.trials, self.q, ours)

    def last(self, blocks: int) -> Histogram:
        """Of its latest blocks."""
        return Histogram(self.edges, self.counts[-blocks:], self.trials[-blocks:], self.q, self.own_requests[-blocks:])

    @property
    def requests(self) -> float:
        """Per block."""
        return fmean(self.trials) if self.trials else 0.0

    def slow(self, limit: float) -> Share | None:
        """What took longer than `limit` milliseconds; None where no bucket ends there."""
        if limit not in self.edges:
            return None
        place = self.edges.index(limit)
        slow = [trials - counts[place] for counts, trials in zip(self.counts, self.trials, strict=True)]
        return Share(tuple(slow), self.trials, self.own_requests)

    @property
    def value(self) -> float | None:
        """The first edge up to which the percentile is reached, in milliseconds; None beyond the last one."""
        asked = sum(self.trials) * self.q
        sums = (sum(counts) for counts in zip(*self.counts, strict=True)) if self.counts else ()
        return next((edge for edge, count in zip(self.edges, sums, strict=False) if 0 < asked <= count), None)


def _strung(one: tuple[int, ...], before: int, other: tuple[int, ...], after: int) -> tuple[int, ...]:
    """Both, one after the other; nothing where nothing was counted in either."""
    return (one or (0,) * before) + (other or (0,) * after) if one or other else ()


def _plus(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _amounts(*numbers: float) -> None:
    if not all(isfinite(number) and number >= 0 for number in numbers):
        message = "an amount is negative or no number"
        raise ValueError(message)


Counted = Share | Complement | Quantile | ErrorRate | Histogram  # what more windows can add to
Reading = Exact | Summary | Mean | Counted


@dataclass(frozen=True, slots=True)
class CumulativeCount:
    """A count that only grows from some beginning; what is judged is its growth since the deployment mark."""

    value: float

    def __post_init__(self) -> None:
        _amounts(self.value)
