"""The assertions of a configuration about an answer: its status, a header, its text or its JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final, Self

from pydantic import Field, field_validator, model_validator

from probekit.model.quantity import duration_text
from probekit.probe import Duration, Settings
from probekit.probes._support.comparing import (
    LONGEST_PATTERN,
    Value,
    has_words,
    is_found_anywhere,
    is_same,
    length_of,
    matches,
    number_in,
    plain,
    time_in,
    typed,
)
from probekit.probes._support.json import compile_path, is_number
from probekit.probes._support.length import LengthOrNumber, are_in_order, bounds
from probekit.probes._support.request import HEADER_NAME
from probekit.probes._support.statuses import Statuses

MOST: Final = 50  # assertions of one probe
_AHEAD: Final = timedelta(minutes=1)  # by which the target's clock may be ahead


class Assertion(Settings):
    """A place in the answer and the conditions that must hold there, all of them."""

    path: str | None = Field(
        None,
        max_length=500,
        description="Place in the JSON body, as a JSONPath of RFC 9535 that finds one value; without path, header and "
        "status, the conditions apply to the whole text, without white space around it.",
    )
    header: str | None = Field(
        None, pattern=HEADER_NAME, max_length=100, description="Name of a header, instead of a place in the body."
    )
    status: Statuses = Field(
        (), description="Status, or list of statuses, that the answer must have; excludes all other conditions."
    )
    equals: Value | None = Field(
        None, description='Value that must be there, of the same type; "" means an empty text.'
    )
    one_of: tuple[Value, ...] = Field((), description="Values of which one must be there.")
    contains: str | None = Field(
        None, min_length=1, description="Whole words that the text must contain, without a 'not' before them."
    )
    matches: str | None = Field(
        None,
        min_length=1,
        max_length=LONGEST_PATTERN,
        description="Regular expression of RE2 that must match in the text; ^ and $ are its ends.",
    )
    exists: bool | None = Field(
        None,
        strict=True,
        description="Whether the place must exist: with true, an absent place counts as failed instead of not read; "
        "with false, the object or array around it must exist, and null counts as existing.",
    )
    at_least: float | None = Field(
        None, strict=True, allow_inf_nan=False, description="Lowest number that may be there."
    )
    at_most: float | None = Field(
        None, strict=True, allow_inf_nan=False, description="Highest number that may be there."
    )
    younger_than: Duration | None = Field(
        None,
        gt=0,
        le=3650 * 86_400,
        description="Greatest age of the time that is there: RFC 3339, an HTTP date, or Unix seconds or milliseconds; "
        "a time more than a minute ahead fails; the runner's clock and the answer's Date must agree.",
    )
    length: LengthOrNumber | None = Field(
        None, description="Number of characters, entries or keys: a number, or { at_least = 1, at_most = 9 }."
    )

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, path: str | None) -> str | None:
        if path is not None:
            compile_path(path)
        return path

    @field_validator("contains")
    @classmethod
    def _has_words(cls, words: str | None) -> str | None:
        if words is not None and not words.strip():
            message = "contains must have words, not only white space"
            raise ValueError(message)
        return words

    @field_validator("matches")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None and is_found_anywhere(pattern):
            message = "matches every text: use exists = true to require any value"
            raise ValueError(message)
        return pattern

    @model_validator(mode="after")
    def _claims_something(self) -> Self:
        if problem := self._problem():
            raise ValueError(problem)
        return self

    def _problem(self) -> str:
        """Return what is wrong with the assertion; empty: nothing."""
        if sum((self.path is not None, self.header is not None, bool(self.status))) > 1:
            return "names two places: path, header and status each need a separate assertion"
        count = self._count
        if self.status:
            return "status excludes all other conditions: put them into a separate assertion" if count else ""
        if any(isinstance(value, float) and not isfinite(value) for value in self.values):
            return "equals and one_of accept only finite numbers"
        if not count:
            return f"has no condition: add {', '.join(_CONDITIONS[:-1])} or {_CONDITIONS[-1]}"
        if self.is_text and (problem := self._problem_of_text()):
            return problem
        return "" if self._is_possible() else "contradicts itself: no value meets all conditions"

    def _problem_of_text(self) -> str:
        texts = [value for value in self.values if isinstance(value, str)]
        if len(texts) < len(self.values):
            where = "a header" if self.header else "the body's text"
            return f"without a 'path' it applies to {where}: equals and one_of must be texts"
        if self.exists is not None and not self.header:
            return 'exists needs a path or a header; for an empty body, use equals = ""'
        if any(text != text.strip() for text in texts):
            return "the text is compared without white space around it: remove it from equals and one_of"
        return ""

    @property
    def is_text(self) -> bool:
        """Whether it applies to a text instead of a JSON value: a header's, or the whole body's."""
        return self.path is None and not self.status

    @property
    def reads_body(self) -> bool:
        """Whether it applies to the body."""
        return self.header is None and not self.status

    @property
    def claims_only_existence(self) -> bool:
        """Whether existence is its only condition."""
        return self.exists is not None and self._count == 1

    @property
    def values(self) -> tuple[Value, ...]:
        """The values that it names."""
        return (*(() if self.equals is None else (self.equals,)), *self.one_of)

    @property
    def _count(self) -> int:
        """The number of its conditions."""
        claims = (self.contains, self.matches, self.at_least, self.at_most, self.younger_than, self.length, self.exists)
        return len(self.values) + sum(claim is not None for claim in claims)

    @property
    def _has_bounds(self) -> bool:
        return self.at_least is not None or self.at_most is not None

    def _is_possible(self) -> bool:
        """Return whether a value can meet all conditions."""
        if self.exists is False:
            return self._count == 1
        if self.values:
            return self.younger_than is None and any(self.admits(value) for value in self.values)
        is_number = self._has_bounds and not self.is_text
        if is_number and (self.contains or self.matches or self.length):
            return False
        length, words = self.length, self.contains
        return (
            are_in_order(self.at_least, self.at_most)
            and (length is None or are_in_order(length.at_least, length.at_most))
            and not (length and words and length.at_most is not None and len(words.strip()) > length.at_most)
        )

    def admits(self, value: Value) -> bool:
        """Return whether a value meets all conditions, except for its age."""
        return self.due_type(value) is None and self.unmet(value, None) is None

    def due_type(self, value: Any) -> str | None:  # noqa: ANN401  # any JSON value
        """Return the required type, where the value cannot be compared with the conditions."""
        number: Any = number_in(value) if self.is_text and isinstance(value, str) else value
        wants_number = self._has_bounds or (bool(self.values) and all(is_number(one) for one in self.values))
        if wants_number and not is_number(number):
            return "a number"
        if (self.contains or self.matches) is not None and not isinstance(value, str):
            return "a string"
        if self.length is not None and length_of(value) is None:
            return "a string, an array or an object"
        if self.younger_than is not None and time_in(value) is None:
            return 'a time, such as "2026-03-01T12:00:00Z" or Unix seconds'
        return None

    def unmet(self, value: Any, now: datetime | None) -> str | None:  # noqa: ANN401  # any JSON value
        """Return the first condition that the value does not meet, in words; None where it meets all."""
        return next(self._unmet(value, now), None)

    def _unmet(self, value: Any, now: datetime | None) -> Iterator[str]:  # noqa: ANN401  # any JSON value
        named = plain if self.is_text else typed
        if self.equals is not None and not is_same(value, self.equals):
            yield named(self.equals)
        if self.one_of and not any(is_same(value, one) for one in self.one_of):
            yield f"one of {', '.join(map(named, self.one_of))}"
        if self.contains is not None and not has_words(value, self.contains):
            yield f"to contain {plain(self.contains)}"
        if self.matches is not None and not matches(value, self.matches):
            yield f"to match {plain(self.matches)}"
        if self._has_bounds and not self._bounds_admit(value):
            yield bounds(self.at_least, self.at_most)
        if self.length is not None and not self.length.holds(length_of(value) or 0):
            yield f"a length of {self.length}, not {length_of(value)}"
        if self.younger_than is not None and now is not None and (problem := self._too_old(value, now)):
            yield problem

    def _bounds_admit(self, value: Any) -> bool:  # noqa: ANN401  # any JSON value
        number: Any = number_in(value) if isinstance(value, str) else value
        least_holds = self.at_least is None or number >= self.at_least
        return least_holds and (self.at_most is None or number <= self.at_most)

    def _too_old(self, value: Any, now: datetime) -> str:  # noqa: ANN401  # any JSON value
        moment, most = time_in(value), self.younger_than or 0.0
        age = now - (moment or now)
        if -_AHEAD <= age <= timedelta(seconds=most):
            return ""
        is_ahead = age < timedelta(0)
        told = f"is {duration_text(abs(round(age.total_seconds())))} {'ahead' if is_ahead else 'old'}"
        return f"to be younger than {duration_text(most)}: it {told}"

    def __str__(self) -> str:
        if self.status:
            return "the status"
        return self.path or (f"the header {self.header}" if self.header else "the text")


_CONDITIONS: Final = tuple(name for name in Assertion.model_fields if name not in ("path", "header"))
