"""Read an object of the model from JSON, with checks beyond the types of its fields."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, AwareDatetime, TypeAdapter

_N = TypeVar("_N")

_READERS: Final[dict[type, TypeAdapter[Any]]] = {}  # made on first use: all of them take 0.15 s of CPU


def in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC.

    Raises:
        ValueError: it has no zone.
        OverflowError: in UTC it is beyond the calendar.
    """
    if moment.tzinfo is None:
        message = f"{moment.isoformat()} has no zone"
        raise ValueError(message)
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]


def noun(sort: type[_N], document: Any) -> _N:  # noqa: ANN401  # any JSON
    """Return the object of type `sort` that a document describes.

    Raises:
        ValidationError, ValueError, OverflowError: it is none.
    """
    reader = _READERS.get(sort) or _READERS.setdefault(sort, TypeAdapter(sort))
    found: _N = reader.validate_python(document)
    _check(found)
    return found


def _check(found: object) -> None:
    """Refuse a time without a zone or beyond the calendar, and a number that is not finite."""
    if isinstance(found, datetime):
        in_utc(found)
    elif isinstance(found, float):
        if not isfinite(found):
            raise ValueError(found)
    elif isinstance(found, tuple):
        for one in found:
            _check(one)
    elif is_dataclass(found):
        for field in fields(found):
            _check(getattr(found, field.name))
