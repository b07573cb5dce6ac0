"""Compare an answer with the declared assertions; each failed one is worded as place, value and expected value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.model.quantity import duration_text
from probekit.probes._support.assertions import Assertion
from probekit.probes._support.comparing import looks_like, plain, time_in, typed
from probekit.probes._support.headers import combined
from probekit.probes._support.json import find_all, has_room, keys, parse, shown, the_one
from probekit.transport.response import Answer

_TOLD: Final = 8  # assertions that a line of evidence names


def broken(claims: Sequence[Assertion], answer: Answer, now: datetime) -> list[str]:
    """Return the assertions that do not hold, in words.

    Raises:
        ProbeFailedError: `bad_response`: one cannot be evaluated, and no other fails.
    """
    places, failed, unread = _Places(answer), list[str](), None
    for claim in claims:
        try:
            if text := _broken(claim, places, now):
                failed.append(text)
        except ProbeFailedError as error:
            unread = unread or error
    if unread and not failed:
        raise unread
    return failed


def in_words(failed: Sequence[str]) -> str:
    """Return failed assertions as one text that quotes the first few."""
    more = [f"and {len(failed) - _TOLD} more"] if len(failed) > _TOLD else []
    return "; ".join([*failed[:_TOLD], *more])


class _Places:
    """The values of one answer by their places; its JSON is parsed once, and only if needed."""

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
    """Return how the answer fails one assertion; empty where it holds."""
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
    if doubt := _doubt_of_clocks(claim, value, places, now):
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{claim} is {_shown(claim, value)}: {doubt}")
    return f"{_told(claim, _shown(claim, value), unmet)}{_written_out(claim, value)}" if unmet else ""


def _written_out(claim: Assertion, value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return a text in ASCII, where it looks like an expected text and differs from it."""
    is_alike = isinstance(value, str) and any(isinstance(one, str) and looks_like(value, one) for one in claim.values)
    return f"; in ASCII, it is {shown(value)}" if is_alike else ""


def _doubt_of_clocks(claim: Assertion, value: Any, places: _Places, now: datetime) -> str:  # noqa: ANN401  # any JSON value
    """Return why the age of a value is uncertain; empty where the clocks of both sides agree."""
    moment = time_in(value) if claim.younger_than is not None else None
    if moment is None:
        return ""
    dated = time_in(places.answer.header("date") or "")
    if dated is None:
        is_ahead = moment > now and claim.unmet(value, now) is not None
        return "it is ahead of the runner's clock, and the answer has no header Date to compare" if is_ahead else ""
    if (claim.unmet(value, now) is None) is (claim.unmet(value, dated) is None):
        return ""
    return (
        f"its age is {_age(now - moment)} by the runner's clock and {_age(dated - moment)} by the answer's "
        f"header Date, and younger_than = {duration_text(claim.younger_than or 0)} holds for only one of them"
    )


def _age(age: timedelta) -> str:
    seconds = round(age.total_seconds())
    return f"{'-' if seconds < 0 else ''}{duration_text(abs(seconds))}"


def _absent(claim: Assertion, places: _Places) -> str:
    """Return an empty text: a place is absent as required, and the object or array around it exists.

    Raises:
        ProbeFailedError: `bad_response`: what would hold it is absent too, so its absence is inconclusive.
    """
    if claim.path is not None and not has_room(claim.path, places.document):
        detail = f"{claim.path} cannot exist, because the object or array around it is absent"
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
        detail = f"the answer has no header {claim.header}; use exists = true if this must fail"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return found[0]


def _shown(claim: Assertion, value: Any) -> str:  # noqa: ANN401  # any JSON value
    return plain(value) if claim.is_text else typed(value)


def _told(claim: Assertion, seen: str, due: str) -> str:
    return f"{claim} is {seen}, expected {due}"
