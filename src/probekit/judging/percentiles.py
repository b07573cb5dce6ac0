"""Find the interval of each percentile that was measured, by the tests that judge a limit on it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from probekit.judging.statistics import BLOCKS_TO_PASS, Risks, clustering, proves_above, proves_below
from probekit.model.measurement import Attempt, InstanceKey
from probekit.model.percentile import Percentile
from probekit.model.readings import LatencySample, Quantile, Share

_RISKS: Final = Risks()


def percentiles(attempts: Mapping[InstanceKey, Sequence[Attempt]]) -> tuple[Percentile, ...]:
    """Return the percentiles of the last attempt of each instance, with all of its windows."""
    return tuple(one for key, some in attempts.items() if some for one in _of_attempt(key, some[-1]))


def _of_attempt(key: InstanceKey, attempt: Attempt) -> Iterator[Percentile]:
    windows: dict[str, Quantile] = {}
    for one in (*attempt.measurements, *attempt.rechecks):
        for metric, reading in one.values.items():
            if isinstance(reading, Quantile):
                windows[metric] = windows[metric] + reading if metric in windows else reading
    for metric, whole in sorted(windows.items()):
        low, high = _interval(whole.sample, 1 - whole.q)
        value = None if whole.value is None else whole.value / 1000
        yield Percentile(
            probe=key.probe, instance=key.instance, metric=metric, q=whole.q, value=value, low=low, high=high
        )


def _interval(sample: LatencySample, part: float) -> tuple[float | None, float | None]:
    """Return the highest limit that the percentile is above, and the lowest that it is below, in milliseconds.

    Both are durations of the sample. None: no limit below or above the sample's durations is shown to be missed or
    kept.
    """
    times = sorted({value for values in sample.values for value in values})
    first_kept = _first(times, lambda limit: _is_below(sample.slow(limit)[0], part))
    first_open = _first(times, lambda limit: not proves_above(sample.slow(limit)[1], part, _RISKS.false_fail))
    low = times[first_open - 1] / 1000 if first_open else None
    return low, times[first_kept] / 1000 if first_kept < len(times) else None


def _is_below(share: Share, part: float) -> bool:
    """Return whether the share of slow requests is shown to be below `part`, as for a pass of one window."""
    cluster = clustering(share)
    k, n = sum(share.events) / cluster, sum(share.trials) / cluster
    is_enough = sum(trials > 0 for trials in share.trials) >= BLOCKS_TO_PASS
    return is_enough and proves_below(k, n, part, _RISKS.of_a_pass("once"))


def _first(times: Sequence[int], holds: Callable[[int], bool]) -> int:
    """Return the index of the first time for which a condition holds that holds for all later ones."""
    return bisect_left(times, True, key=holds)  # noqa: FBT003  # False sorts before True
