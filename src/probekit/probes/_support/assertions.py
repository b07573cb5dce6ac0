"""What must a body hold? Claims that a configuration declares, on a JSON value or on the body's text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from typing import Any, Final, Self

from pydantic import Field, field_validator, model_validator

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probe import Settings
from probekit.probes._support.json import compile_path, find, is_number, parse, shown
from probekit.transport.body import text_of

Value = bool | int | float | str
DECLARE: Final = 'declare what is good: assertions = [{ path = "$.status", equals = "..." }]'
DECLARE_TEXT: Final = 'declare what is good: assertions = [{ contains = "..." }]'


class Assertion(Settings):
    """One claim about the body; where it says several things, all must hold."""

    path: str | None = Field(
        None, description="where in the JSON body, as a JSONPath of RFC 9535 that finds one value; none: the whole text"
    )
    equals: Value | None = Field(None, description="the value that must stand there, of the same type")
    one_of: tuple[Value, ...] = Field((), description="the values of which one must stand there")
    contains: str | None = Field(
        None, min_length=1, description="words that must stand in the text there, whole and with no 'not' before them"
    )
    at_least: float | None = Field(None, allow_inf_nan=False, description="the least number that may stand there")
    at_most: float | None = Field(None, allow_inf_nan=False, description="the greatest number that may stand there")

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, path: str | None) -> str | None:
        if path is not None:
            compile_path(path)
        return path

    @model_validator(mode="after")
    def _claims_something(self) -> Self:
        values = self._values
        if any(isinstance(value, float) and not isfinite(value) for value in values):
            message = "equals and one_of take finite numbers"
            raise ValueError(message)
        if not values and self.contains is None and not self._bounds:
            message = "says nothing: add equals, one_of, contains, at_least or at_most"
            raise ValueError(message)
        if self.path is None and (self._bounds or not all(isinstance(value, str) for value in values)):
            message = "without a 'path' it is about the body's text: equals, one_of and contains take texts"
            raise ValueError(message)
        if not self._is_possible():
            message = "contradicts itself: no value keeps all of it"
            raise ValueError(message)
        return self

    @property
    def _values(self) -> tuple[Value, ...]:
        return (*(() if self.equals is None else (self.equals,)), *self.one_of)

    @property
    def _bounds(self) -> bool:
        return self.at_least is not None or self.at_most is not None

    def _is_possible(self) -> bool:
        """Whether some value keeps all that is claimed."""
        if self._values:
            return any(self._type_problem(value) is None and self._keeps(value) for value in self._values)
        if self._bounds and self.contains is not None:
            return False
        return self.at_least is None or self.at_most is None or self.at_least <= self.at_most

    def _type_problem(self, value: Any) -> str | None:  # noqa: ANN401  # any JSON value
        """The type that is due, where the value cannot be compared with what is claimed."""
        wants_number = self._bounds or (bool(self._values) and all(is_number(one) for one in self._values))
        if wants_number and not is_number(value):
            return "a number"
        return "a text" if self.contains is not None and not isinstance(value, str) else None

    def _keeps(self, value: Any) -> bool:  # noqa: ANN401  # any JSON value
        return (
            (self.equals is None or _is_same(value, self.equals))
            and (not self.one_of or any(_is_same(value, one) for one in self.one_of))
            and (self.contains is None or _has_words(value, self.contains))
            and (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
        )

    def holds(self, value: Any) -> bool:  # noqa: ANN401  # any JSON value
        """Whether the value keeps all that is claimed.

        Raises:
            ProbeFailedError: `bad_response`: it is of a type that cannot be compared.
        """
        if due := self._type_problem(value):
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"{shown(value)} at {self}, where {due} is due")
        return self._keeps(value)

    def __str__(self) -> str:
        return self.path or "the text"


def broken(claims: Sequence[Assertion], body: bytes) -> list[str]:
    """The claims that do not hold, in words.

    Raises:
        ProbeFailedError: `bad_response`: one cannot be read, and no other fails.
    """
    text = text_of(body).strip()
    document = parse(body) if any(claim.path is not None for claim in claims) else None
    failed, unread = [], None
    for claim in claims:
        try:
            if not claim.holds(text if claim.path is None else find(claim.path, document)):
                failed.append(f"{claim} is not as declared")
        except ProbeFailedError as error:
            unread = unread or error
    if unread and not failed:
        raise unread
    return failed


def _has_words(text: str, words: str) -> bool:
    """Whether the words stand in the text as they are: `healthy` is neither in `unhealthy` nor in `not healthy`."""
    before = r"(?<!\w)(?<!not[ _-])(?<!no[ _-])" if re.match(r"\w", words) else ""
    after = r"(?!\w)" if re.search(r"\w$", words) else ""
    return re.search(f"{before}(?-i:{re.escape(words)}){after}", text, re.IGNORECASE) is not None


def _is_same(value: Any, claimed: Value) -> bool:  # noqa: ANN401  # any JSON value
    """Equal, and of the same type; a number is one, whole or not."""
    same_type = is_number(claimed) and is_number(value)
    return bool(value == claimed) and (same_type or type(value) is type(claimed))
