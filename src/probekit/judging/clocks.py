"""Find since when an item fails and which failures on record are over, by the times of earlier runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

from probekit.judging.assessed import AssessedAttempt, risks_of
from probekit.model.checklist import Band, Item, Severity
from probekit.model.history import FailureKey
from probekit.model.verdict import Flag, Outcome, Situation, Verdict


def in_time(verdict: Verdict, situation: Situation) -> Verdict:
    """Date a failure from the first one on record of the same check at that severity or a higher one.

    A failure of a check that was configured differently gives no age. It still shows that the item failed before a
    deployment.
    """
    if verdict.outcome is not Outcome.FAIL:
        return verdict
    as_severe = [severity for severity in Severity if severity.gravity >= verdict.severity.gravity]
    known = situation.history.since
    of_it = [key for key in known if key.item == verdict.item.id and key.severity in as_severe]
    since = min((known[key] for key in of_it if key.claim == verdict.claim), default=situation.now)
    deployment = situation.history.deployment
    before = deployment is not None and min((since, *map(known.__getitem__, of_it))) < deployment.started
    return replace(verdict, since=since, flags=verdict.flags | ({Flag.PRE_EXISTING} if before else frozenset()))


def may_refute(verdict: Verdict, situation: Situation) -> bool:
    """Return whether this run could refute a failure on record: it is complete, and the failure was in a band."""
    is_whole = situation.complete and not situation.partial
    return is_whole and verdict.outcome is not Outcome.PASS and bool(_refutable(verdict, situation))


def with_refuted(verdict: Verdict, instances: Sequence[Sequence[AssessedAttempt]], situation: Situation) -> Verdict:
    """Return the verdict with the severities of failures on record that the readings of this run refute.

    A failure is refuted where every measurement of every instance shows that no band of at least its severity holds,
    also where the item does not pass. A failure at the item's own severity, which has no band, only a pass refutes.

    Args:
        verdict: of this run.
        instances: the attempts of each instance of the item's probe.
        situation: with the failures on record.
    """
    known = _refutable(verdict, situation)
    refuted = {severity: bands for severity, bands in known.items() if _are_refuted(verdict.item, bands, instances)}
    if not refuted:
        return verdict
    since = min(situation.history.since[_key(verdict, severity)] for severity in refuted)
    limits = ", ".join(dict.fromkeys(str(band.when) for bands in refuted.values() for band in bands))
    was = f"the failure on record since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC ({', '.join(refuted)})"
    because = f"{verdict.because}; refuted: {limits}, so {was} is over"
    return replace(verdict, because=because, refuted=frozenset(refuted))


def _refutable(verdict: Verdict, situation: Situation) -> dict[Severity, list[Band]]:
    """Return the bands of at least the severity of each failure on record that was in a band and has ended."""
    item, goes_on = verdict.item, verdict.severity.gravity if verdict.outcome is Outcome.FAIL else -1
    found = {
        severity: [band for band in item.bands if band.severity.gravity >= severity.gravity]
        for severity in Severity
        if _key(verdict, severity) in situation.history.since
        and severity is not item.severity
        and severity.gravity > goes_on
    }
    return {severity: bands for severity, bands in found.items() if bands}


def _key(verdict: Verdict, severity: Severity) -> FailureKey:
    return FailureKey(verdict.item.id, severity, verdict.claim)


def _are_refuted(item: Item, bands: Sequence[Band], instances: Sequence[Sequence[AssessedAttempt]]) -> bool:
    """Return whether all measurements of all instances refute all bands; False where one has no measurement."""
    attempts = [attempt for attempts in instances for attempt in attempts]
    if not attempts or not all(instances) or not all(attempt.measurements for attempt in attempts):
        return False
    return all(
        attempt.refutes(measurement, band.when, risks_of(item, band))
        for attempt in attempts
        for measurement in attempt.measurements
        for band in bands
    )
