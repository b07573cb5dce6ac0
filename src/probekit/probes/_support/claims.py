"""Which declared claims does an answer not keep? The one rule for their wording: place, what was seen, what is due."""

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
    if doubt := _doubt_of_clocks(claim, value, places, now):
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{claim} is {_shown(claim, value)}: {doubt}")
    return f"{_told(claim, _shown(claim, value), unmet)}{_written_out(claim, value)}" if unmet else ""


def _written_out(claim: Assertion, value: Any) -> str:  # noqa: ANN401  # any JSON value
    """The text in ASCII, where it looks like one that is claimed and is another."""
    is_alike = isinstance(value, str) and any(isinstance(one, str) and looks_like(value, one) for one in claim.values)
    return f"; written out, it is {shown(value)}" if is_alike else ""


def _doubt_of_clocks(claim: Assertion, value: Any, places: _Places, now: datetime) -> str:  # noqa: ANN401  # any JSON value
    """Why the age of a value is not known; empty where it is, by the clocks of both sides."""
    moment = time_in(value) if claim.younger_than is not None else None
    if moment is None:
        return ""
    dated = time_in(places.answer.header("date") or "")
    if dated is None:
        is_ahead = moment > now and claim.unmet(value, now) is not None
        return "it lies ahead of this machine's clock, and no header Date tells the target's" if is_ahead else ""
    if (claim.unmet(value, now) is None) is (claim.unmet(value, dated) is None):
        return ""
    return (
        f"its age is {_age(now - moment)} by this machine's clock and {_age(dated - moment)} by the answer's "
        f"header Date, and younger_than = {duration_text(claim.younger_than or 0)} holds by one of them only"
    )


def _age(age: timedelta) -> str:
    seconds = round(age.total_seconds())
    return f"{'-' if seconds < 0 else ''}{duration_text(abs(seconds))}"


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
