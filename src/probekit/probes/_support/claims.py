"""Which declared claims does an answer not keep? The one rule for their wording: place, what was seen, what is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes._support.assertions import Assertion
from probekit.probes._support.comparing import plain, typed
from probekit.probes._support.headers import combined
from probekit.probes._support.json import find_all, has_room, keys, parse, the_one
from probekit.transport.response import Answer

_TOLD: Final = 8  # claims that a line of evidence names


def broken(claims: Sequence[Assertion], answer: Answer, now: datetime) -> list[str]:
    """Return the claims that do not hold, in words.

    Raises:
        ProbeFailedError: `bad_response`: one cannot be read, and no other fails.
    """
    places, failed, unread = _Places(answer), list[str](), None
    for claim in claims:
        try:
            if told := _broken(claim, places, now):
                failed.append(told)
        except ProbeFailedError as error:
            unread = unread or error
    if unread and not failed:
        raise unread
    return failed


def in_words(failed: Sequence[str]) -> str:
    """Return the claims that do not hold as one text, the first few by name."""
    more = [f"and {len(failed) - _TOLD} more"] if len(failed) > _TOLD else []
    return "; ".join([*failed[:_TOLD], *more])


class _Places:
    """What stands where in one answer; its JSON is parsed once, where a claim is about it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self._unread: ProbeFailedError | None = None

    @cached_property
    def text(self) -> str:
        return self.answer.text.strip()

    @property
    def document(self) -> Any:  # noqa: ANN401  # any JSON value
        if self._unread:
            raise self._unread
        return self._document

    @cached_property
    def _document(self) -> Any:  # noqa: ANN401  # any JSON value
        try:
            return parse(self.answer.body)
        except ProbeFailedError as error:
            self._unread = error
            raise


def _broken(claim: Assertion, places: _Places, now: datetime) -> str:
    """What the answer does not keep of one claim; empty where it keeps all."""
    if claim.status:
        due = " or ".join(map(str, claim.status))
        status = places.answer.status
        return "" if status in claim.status else _told(claim, str(status), due)
    found = _found(claim, places)
    if claim.exists is False:
        return _told(claim, _shown(claim, found[0]), "not to exist") if found else _absent(claim, places)
    if claim.exists and not found:
        return _told(claim, "absent", "to exist")
    if claim.claims_only_existence:
        return ""
    value = _one(claim, found, places)
    if due_type := claim.due_type(value):
        raise ProbeFailedError(Reason.BAD_RESPONSE, _told(claim, _shown(claim, value), due_type))
    unmet = claim.unmet(value, now)
    return _told(claim, _shown(claim, value), unmet) if unmet else ""


def _absent(claim: Assertion, places: _Places) -> str:
    """Nothing: a place that is not there is as it should be, where it could have been there.

    Raises:
        ProbeFailedError: `bad_response`: what would hold it is not there either, so its absence says nothing.
    """
    if claim.path is not None and not has_room(claim.path, places.document):
        detail = f"nothing could stand at {claim.path}, for what is around it is not there either"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}; {keys(places.document)}")
    return ""


def _found(claim: Assertion, places: _Places) -> list[Any]:
    if claim.path is not None:
        return find_all(claim.path, places.document)
    if claim.header is None:
        return [places.text]
    value = combined(places.answer.headers, claim.header.lower())
    return [] if value is None else [value.strip()]


def _one(claim: Assertion, found: Sequence[Any], places: _Places) -> Any:  # noqa: ANN401  # any JSON value
    if claim.path is not None:
        return the_one(found, claim.path, places.document)
    if not found:
        detail = f"no header {claim.header} in the answer; exists = true counts that as failed"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return found[0]


def _shown(claim: Assertion, value: Any) -> str:  # noqa: ANN401  # any JSON value
    return plain(value) if claim.is_text else typed(value)


def _told(claim: Assertion, seen: str, due: str) -> str:
    return f"{claim} is {seen}, expected {due}"
