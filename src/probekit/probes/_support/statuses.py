"""A setting for the statuses that an answer may have."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field


def _one_or_many(statuses: object) -> object:
    return statuses if isinstance(statuses, list | tuple) else [statuses]


def _not_none(statuses: tuple[int, ...]) -> tuple[int, ...]:
    if not statuses:
        message = "no status: remove the setting to accept any 2xx"
        raise ValueError(message)
    return statuses


Status = Annotated[int, Field(ge=200, le=599, strict=True)]
Statuses = Annotated[
    tuple[Status, ...],
    BeforeValidator(_one_or_many, json_schema_input_type=Status | tuple[Status, ...]),
    AfterValidator(_not_none),
]


def is_expected(status: int, expected: tuple[int, ...]) -> bool:
    """Return whether it is one of the expected statuses; any 2xx where none is given (RFC 9110 section 15.3)."""
    return status in expected if expected else 200 <= status < 300  # noqa: PLR2004  # the class of the status


def in_words(expected: tuple[int, ...]) -> str:
    """Return the expected statuses in words."""
    return " or ".join(map(str, expected)) or "2xx"
