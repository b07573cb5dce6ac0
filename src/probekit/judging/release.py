"""Compare the served release, measured before and after a run, with the expected one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from probekit.model.measurement import Failure, Measurement, Reason
from probekit.model.plan import Versions
from probekit.model.verdict import Release, Served, Stage

_AWAY = (Reason.UNREACHABLE, Reason.UNRESOLVED, Reason.NO_NETWORK)


_MISSING: Final = {
    Stage.BEFORE: "no earlier deployment is on record; probekit deployment start records one",
    Stage.AFTER: "set 'expect', or --release",
    Stage.ROLLED_BACK: "name the restored release with --release",
}


def release_of(
    measurements: Sequence[Measurement], versions: Versions, *, guarded: bool, stage: Stage = Stage.AFTER
) -> Release:
    """Compare the served versions with the allowed ones.

    Args:
        measurements: every answer of the release guards, before and after.
        versions: what may be served.
        guarded: whether a probe reads what is served.
        stage: the stage of the release; it decides how the expected version is named.
    """
    answers = Counter(one.version for one in measurements if one.version is not None)
    served, because = _served(measurements, answers, versions, missing=_MISSING[stage] if guarded else "")
    return Release(
        expected=versions.expected, allowed=versions.allowed, answers=dict(answers), served=served, because=because
    )


def _served(
    measurements: Sequence[Measurement], answers: Counter[str], versions: Versions, *, missing: str
) -> tuple[Served, str]:
    """Return how the served versions compare, and why.

    `missing` says how to name the expected version; it is empty where no probe reads the served one.
    """
    if not missing:
        named = f"; {versions} only names the record" if versions.expected else ""
        return Served.UNASKED, f"version check: off, no probe 'release' reads the served version{named}"
    if still := [version for version in answers if version in versions.rolled_back]:
        return Served.OTHER, f"{still[0]} is still served although it was rolled back"
    if not versions.expected:
        seen = f" ({_shares(answers)})" if answers else ""
        return Served.UNASKED, f"version check: off, no version is expected{seen}: {missing}"
    if others := sorted(version for version in answers if not versions.accept(version)):
        return Served.OTHER, f"{', '.join(others)} is served, {versions} expected"
    if doubt := _unread(measurements, answers, versions):
        return doubt
    unread = len(measurements) - answers.total()
    return Served.EXPECTED, _shares(answers) + (
        f", {unread} of {len(measurements)} answers name no version" if unread else ""
    )


def _unread(
    measurements: Sequence[Measurement], answers: Counter[str], versions: Versions
) -> tuple[Served, str] | None:
    """Return why an expected version was not read at every address; None where it was."""
    if not answers:
        failures = _failures(measurements)
        away = bool(failures) and all(failure.reason in _AWAY for failure in failures)
        why = f"{failures[0].reason}: {failures[0].detail}" if failures else "the run ended before it was measured"
        return (Served.DOWN if away else Served.UNREADABLE), f"{versions} is expected and was not read: {why}"
    if not any(version in answers for version in versions.expected):
        return (
            Served.UNREADABLE,
            f"{versions} is expected and in none of the answers: {_shares(answers)}, which is allowed",
        )
    if address := _hidden(measurements):
        return Served.UNREADABLE, f"{versions} is expected, and most answers of {address} name no version"
    return None


def _shares(answers: Counter[str]) -> str:
    """Return each version with the number of answers that name it."""
    if len(answers) == 1:
        return f"{next(iter(answers))} is served"
    count = answers.total()
    return ", ".join(f"{version} is served by {answers[version]} of {count} answers" for version in sorted(answers))


def _hidden(measurements: Sequence[Measurement]) -> str | None:
    """Return the address of which most answers name no version; None where there is none."""
    read: dict[str, list[bool]] = defaultdict(list)
    for one in measurements:
        read[one.address].append(one.version is not None)
    return next((address for address, seen in read.items() if sum(seen) * 2 < len(seen)), None)


def _failures(measurements: Sequence[Measurement]) -> list[Failure]:
    """Return why measurements hold no version; connection failures come last."""
    why = [_why_unread(one) for one in measurements if one.version is None]
    return sorted(why, key=lambda failure: failure.reason in _AWAY)


def _why_unread(measurement: Measurement) -> Failure:
    failures = (value for value in measurement.values.values() if isinstance(value, Failure))
    return next(failures, Failure(reason=Reason.BAD_RESPONSE, detail="the probe's kind reads no version"))
