"""Pool the windows of one release, from run to run since its deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from probekit.model.history import PooledEvidence
from probekit.model.measurement import Attempt, Failure, InstanceKey, Measurement
from probekit.model.plan import Plan
from probekit.model.readings import Counted, ErrorRate, Histogram, Reading
from probekit.model.verdict import Served, Situation

KEPT_BLOCKS: Final = 600  # the latest ones are kept, however long a window is


def earlier_values(
    source: InstanceKey, attempts: Sequence[Attempt], plan: Plan[object], situation: Situation
) -> Mapping[str, Counted]:
    """Return the readings of earlier windows by metric, without other releases and windows that overlap this run."""
    known = situation.history.evidence.get(source)
    if known is None or not belongs(known, plan.fingerprints.get(source), situation) or _overlap(known, attempts):
        return {}
    return known.values


def collected(
    plan: Plan[object], attempts: Mapping[InstanceKey, tuple[Attempt, ...]], situation: Situation
) -> dict[InstanceKey, PooledEvidence]:
    """Return the evidence for the next run: the earlier one of this release and, after a complete run, its windows."""
    if plan.partial:
        return dict(situation.history.evidence)
    release, deployment = _served(situation), situation.history.deployment
    if release is None or deployment is None:
        return {}
    grown = {
        source: known
        for source, known in situation.history.evidence.items()
        if (known.release, known.deployment) == (release, deployment.started)
    }
    for step in plan.steps:
        source = step.key
        print_ = plan.fingerprints.get(source)
        if not step.window or print_ is None or source not in attempts:
            continue
        known = grown.get(source)
        if known and _overlap(known, attempts[source]):
            continue
        same = known if known and known.fingerprint == print_ else None
        values: Mapping[str, Counted] = same.values if same else {}
        for window in _windows(attempts[source][-1]):
            values = _grown(values, window.values)
        if values:
            grown[source] = PooledEvidence(
                release=release,
                deployment=deployment.started,
                fingerprint=print_,
                values=values,
                until=situation.now,
                addresses=tuple(sorted({*addresses_of(attempts[source]), *(same.addresses if same else ())})),
            )
    return grown


def _windows(attempt: Attempt) -> Iterator[Measurement]:
    """Yield the windows of the first address."""
    first = attempt.measurements[0]
    return (one for one in (first, *attempt.rechecks) if one is first or one.address == first.address)


def addresses_of(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Return every measured address, in order."""
    measurements = (one for attempt in attempts for one in (*attempt.measurements, *attempt.rechecks))
    return tuple(sorted({one.address for one in measurements if one.address}))


def _overlap(known: PooledEvidence, attempts: Sequence[Attempt]) -> bool:
    """Return whether this window began before the last one ended (or a clock went back): requests would count twice."""
    measurements = (measurement for attempt in attempts for measurement in attempt.measurements)
    return known.until is not None and any(measurement.taken_at < known.until for measurement in measurements)


def belongs(known: PooledEvidence, fingerprint: str | None, situation: Situation) -> bool:
    """Return whether it is of the served release and of this deployment, and was measured with the same settings."""
    deployment = situation.history.deployment
    return (
        deployment is not None
        and known.fingerprint == fingerprint
        and (known.release, known.deployment) == (_served(situation), deployment.started)
    )


def _served(situation: Situation) -> str | None:
    """Return the one served version; None where several are served or another one than expected."""
    release = situation.release
    is_one = len(release.versions) == 1 and release.served in (Served.EXPECTED, Served.UNASKED)
    return release.versions[0] if is_one else None


def _grown(before: Mapping[str, Counted], now: Mapping[str, Reading | Failure]) -> dict[str, Counted]:
    values = dict(before)
    for metric, reading in now.items():
        if isinstance(reading, ErrorRate) and reading.doubt:
            continue  # it may fail an item, but prevents no later pass
        if isinstance(reading, Counted):
            earlier = before.get(metric)
            values[metric] = (reading if earlier is None else added(earlier, reading)).last(KEPT_BLOCKS)
    return values


def added(earlier: Counted, later: Counted) -> Counted:
    """Return both readings as one, block by block.

    Raises:
        TypeError: they are of different types.
    """
    if type(earlier) is not type(later):
        raise TypeError(f"a {type(later).__name__} cannot be added to a {type(earlier).__name__}")
    if isinstance(earlier, Histogram) and isinstance(later, Histogram) and earlier.edges != later.edges:
        return later  # the target counts into other buckets now, so the earlier counts are not comparable
    return earlier + later  # type: ignore[operator]  # of one type
