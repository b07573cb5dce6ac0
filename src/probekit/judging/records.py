"""Hold the records behind a verdict against what the item binds them to: a release, a moment, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from probekit.model.checklist import Item
from probekit.model.history import is_ahead
from probekit.model.measurement import Attempt
from probekit.model.numbers import span
from probekit.model.record import Identity, Record, is_same_commit, short_digest
from probekit.model.verdict import Outcome, Situation, Verdict
from probekit.text import moment

_ALIKE = 12  # characters of a commit that a text shows


def of_records(verdict: Verdict, attempts: Sequence[Attempt], situation: Situation) -> Verdict:
    """Return the verdict of an instance with its records; not verified where they do not count for this item.

    A record that was made after the fact that it should precede fails the item.
    """
    item = verdict.item
    if item.bound_to is None or verdict.outcome not in (Outcome.PASS, Outcome.FAIL):
        return verdict
    records = _records(attempts)
    verdict = replace(verdict, records=records)
    is_other = item.bound_to == "release" and any(any(_of_release(one, situation.identity)) for one in records)
    if not is_other and (late := late_record(item, records, situation)):
        return replace(verdict, outcome=Outcome.FAIL, because=f"{late}: {verdict.because}")
    if objection := next(_objections(item, records, situation), ""):
        because = f"{objection}: {verdict.because}"
        return Verdict(item=item, outcome=Outcome.INCONCLUSIVE, because=because, flags=verdict.flags, records=records)
    described = "; ".join(f"record {record}" for record in records if record.is_known)
    return replace(verdict, because=f"{verdict.because}; {described}") if described else verdict


def of_own_record(verdict: Verdict, attempts: Sequence[Attempt], situation: Situation) -> Verdict:
    """Return the verdict of an instance that reads probekit's own record, with what its numbers rest on.

    That a record is missing is a fact of probekit's own record, so a failure without one stays a failure. Only an item
    that is bound to a release or a time rests on the records: one measurement reads the numbers of many items.
    """
    item = verdict.item
    verdict = _with_notes(verdict, attempts)
    is_bound = item.bound_to == "release" or item.before is not None or item.max_age is not None
    if not is_bound or (verdict.outcome is Outcome.FAIL and not _records(attempts)):
        return verdict
    return of_records(verdict, attempts, situation)


def late_record(item: Item, records: Sequence[Record], situation: Situation) -> str:
    """Return that a record was made after the deployment that it should precede; empty where none was."""
    return next(filter(None, (_late(item, one, situation) for one in records)), "")


def _with_notes(verdict: Verdict, attempts: Sequence[Attempt]) -> Verdict:
    """Return a pass or a failure with the notes on the metrics of its item."""
    if verdict.outcome not in (Outcome.PASS, Outcome.FAIL):
        return verdict
    notes = [one.notes for attempt in attempts for one in attempt.measurements][-1:]
    names = dict.fromkeys(limit.metric for limit in verdict.item.expect)
    found = "; ".join(known[name] for known in notes for name in names if name in known)
    if not found:
        return verdict
    return replace(verdict, because=f"{verdict.because}; {found}", summary=verdict.summary or found)


def _records(attempts: Sequence[Attempt]) -> tuple[Record, ...]:
    measurements = [one for attempt in attempts for one in (*attempt.measurements, *attempt.rechecks)]
    return tuple(dict.fromkeys(record for one in measurements for record in one.records))


def _late(item: Item, record: Record, situation: Situation) -> str:
    """Return that the record was made after the deployment that it should precede; empty where it was not."""
    if item.before is None or record.made is None or situation.deployed is None:
        return ""
    if not is_ahead(record.made, situation.deployed) or is_ahead(record.made, situation.now):
        return ""
    late = f"made {span((record.made - situation.deployed).total_seconds())} after the deployment began"
    return f"{late} ({moment(record.made)}), expected before it"


def _objections(item: Item, records: Sequence[Record], situation: Situation) -> Iterator[str]:
    """Yield why the records do not count for the item."""
    has_age = item.max_age is not None or item.before is not None or item.bound_to == "moment"
    if not records and (item.bound_to == "release" or has_age):
        lacking = "which release it is of" if item.bound_to == "release" else "when it was made"
        yield f"unbound: the reading does not say {lacking}"
    for record in records:
        if item.bound_to == "release":
            yield from _of_release(record, situation.identity)
        if has_age:
            yield from _of_time(item, record, situation)


def _of_release(record: Record, identity: Identity) -> Iterator[str]:
    """Yield why a record is not known to be of this release."""
    subject = record.subject
    if not subject:
        yield f"unbound: {record.unreadable or 'the record does not say which release it is of'}"
        return
    facts = tuple(_matches(record, identity))
    if other := next((expected for expected, is_match in facts if not is_match), ""):
        yield f"of another release: the record is of {subject}, this release is {other}"
    elif not facts:
        lacking = "release" if record.release else "commit" if record.commit else "image"
        yield (
            f"unbound: the record is of {subject}, and the {lacking} of this release is not known; "
            f"name it with probekit deployment start --{lacking}, or in [env.NAME.release]"
        )


def _matches(record: Record, identity: Identity) -> Iterator[tuple[str, bool]]:
    """Yield each fact that both the record and the release have: the release's value, and whether they are equal."""
    if record.release and identity.release:
        yield identity.release, record.release == identity.release
    if record.commit and identity.commit:
        yield f"commit {identity.commit[:_ALIKE]}", is_same_commit(record.commit, identity.commit)
    if record.digest and identity.images:
        images = ", ".join(f"{name} {short_digest(digest)}" for name, digest in sorted(identity.images.items()))
        yield f"image {images}", record.digest in identity.images.values()


def _of_time(item: Item, record: Record, situation: Situation) -> Iterator[str]:
    """Yield why a record's time does not count: unknown, in the future, too old, or not comparable."""
    if record.made is None:
        yield f"unbound: {record.unreadable or 'the record does not say when it was made'}"
        return
    if is_ahead(record.made, situation.now):
        yield f"the record was made in the future ({moment(record.made)}): check the clocks"
    if item.before is not None and situation.history.deployment is None and situation.deployed is None:
        yield from _without_mark(situation)
    reference = situation.deployed or situation.now
    age = reference - record.made
    if item.max_age is not None and age > timedelta(seconds=item.max_age):
        when = "at the deployment" if situation.deployed else "old"
        yield f"too old: the record was {span(age.total_seconds())} {when}, at most {span(item.max_age)} counts"


def _without_mark(situation: Situation) -> Iterator[str]:
    if situation.stage.value != "before":
        start = "probekit deployment start --at TIME"
        yield f"no deployment is on record that the record could precede: mark it with {start}"
