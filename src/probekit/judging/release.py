"""Which release is served? From the measurements before and after a run."""

from __future__ import annotations

from collections.abc import Sequence

from probekit.model.measurement import Failure, Measurement, Reason
from probekit.model.verdict import Release, Served

_AWAY = (Reason.UNREACHABLE, Reason.UNRESOLVED, Reason.NO_NETWORK)


def release_of(measurements: Sequence[Measurement], expected: str | None) -> Release:
    """How the served version stands to the expected one; one address that serves another makes it another."""
    read = [measurement.version for measurement in measurements if measurement.version is not None]
    versions = tuple(sorted(set(read)))
    if expected is None:
        summary = "no version is expected, so none was compared: set 'expect' of probes.release, or --release"
        return Release(versions=versions, because=summary)
    if not measurements:
        summary = f"release {expected} is expected, and no probe 'release' reads what is served"
        because = f"{summary}: the record is believed, and the samples of several runs do not add up"
        return Release(expected=expected, because=because)
    failures = [_why_unread(one) for one in measurements if one.version is None]
    unread = next((failure for failure in failures if failure.reason not in _AWAY), None)
    others = [version for version in versions if version != expected]
    if others:
        served = Served.OTHER
        because = f"{', '.join(others)} is served, expected {expected}: nothing read here speaks of it"
    elif unread:
        served, because = Served.UNREADABLE, f"the served version cannot be read: {unread.reason}: {unread.detail}"
    elif versions:
        served, because = Served.EXPECTED, f"{expected} is served"
    else:
        served, because = Served.DOWN, f"the served version is unknown: {failures[0].detail}"
    return Release(expected=expected, versions=versions, served=served, because=because)


def _why_unread(measurement: Measurement) -> Failure:
    """Why a measurement holds no version."""
    failures = (value for value in measurement.values.values() if isinstance(value, Failure))
    return next(failures, Failure(reason=Reason.BAD_RESPONSE, detail="its kind reads no version"))
