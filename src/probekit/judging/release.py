"""Which release is served? From the measurements before and after a run."""

from __future__ import annotations

from collections.abc import Sequence

from probekit.model.measurement import Failure, Measurement, Reason
from probekit.model.readings import Exact
from probekit.model.verdict import Release, Served

_AWAY = (Reason.UNREACHABLE, Reason.UNRESOLVED, Reason.NO_NETWORK)


def release_of(measurements: Sequence[Measurement], expected: str | None) -> Release:
    """How the served version stands to the expected one; one address that serves another makes it another."""
    versions = tuple(
        sorted({measurement.notes["version"] for measurement in measurements if "version" in measurement.notes})
    )
    if expected is None:
        summary = "no version is expected, so none was compared: set 'expect' of probes.release, or --release"
        return Release(versions=versions, because=summary)
    if not measurements:
        summary = f"release {expected} is expected, and no probe 'release' reads what is served"
        because = f"{summary}: the record is believed, and the samples of several runs do not add up"
        return Release(expected=expected, because=because)
    readings = [measurement.values.get("other_versions") for measurement in measurements]
    failures = [reading for reading in readings if isinstance(reading, Failure)]
    unread = next((failure for failure in failures if failure.reason not in _AWAY), None)
    if any(isinstance(reading, Exact) and reading.value > 0 for reading in readings):
        others = ", ".join(version for version in versions if version != expected)
        served, because = Served.OTHER, f"{others} is served, expected {expected}: nothing read here speaks of it"
    elif unread:
        served, because = Served.UNREADABLE, f"the served version cannot be read: {unread.reason}: {unread.detail}"
    elif Exact(0) in readings:
        served, because = Served.EXPECTED, f"{expected} is served"
    else:
        summary = failures[0].detail if failures else "no answer"
        served, because = Served.DOWN, f"the served version is unknown: {summary}"
    return Release(expected=expected, versions=versions, served=served, because=because)
