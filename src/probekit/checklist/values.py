"""Limits, durations, amounts and names of a checklist, as types for pydantic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, PlainValidator, StringConstraints

from probekit.model import quantity
from probekit.model.limit import UNITS, Limit, parse_limit

LONGEST: Final = 365 * 24 * 60.0  # minutes of a deadline: a date beyond year 9999 cannot be computed


def _limit(written: object) -> Limit:
    limit = parse_limit(_text(written, "a limit"))
    if limit.of == "baseline" and limit.value == 0:
        raise ValueError(f"'{written}': a tolerance of 0 % allows nothing, expected more than 0 %")
    return limit


def _value_limit(written: object) -> Limit:
    limit = _limit(written)
    if limit.of == "baseline":
        raise ValueError(f"'{written}' is relative to a baseline, expected a comparison with a number")
    return limit


def _seconds(written: object) -> float:
    seconds = quantity.duration(_text(written, "a duration"))
    if seconds == 0:
        raise ValueError(f"'{written}': expected a duration of more than 0")
    return seconds


def _minutes(written: object) -> float:
    minutes = _seconds(written) / 60
    if minutes > LONGEST:
        raise ValueError(f"'{written}': expected at most 365d")
    return minutes


def _at_deadline(written: object) -> Literal["rollback"] | Limit:
    text = _text(written, '"rollback", or "rollback if LIMIT"')
    action, condition, limit = text.partition(" if ")
    if action != "rollback" or bool(condition) != bool(limit):
        raise ValueError(f'\'{text}\', expected "rollback", or "rollback if LIMIT"')
    return _value_limit(limit) if limit else "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A positive number with its unit."""

    value: float
    unit: str


def _amount(written: object) -> Amount:
    try:
        limit = _value_limit(f"amount == {written}")  # the same number and unit as in a limit
    except ValueError:
        raise ValueError(f"'{written}' is not an amount, expected a number and a unit such as \"10 %\"") from None
    if limit.value == 0:
        raise ValueError(f"'{written}' allows nothing, expected more than 0")
    return Amount(value=limit.value, unit=limit.unit)


def _percent(written: object) -> float:
    amount = _amount(written)
    if amount.unit != "%":
        raise ValueError(f"'{written}', expected a percentage such as \"10 %\"")
    return amount.value


def _unit(written: str) -> str:
    if written not in UNITS:
        known = ", ".join(unit for unit in UNITS if unit)
        raise ValueError(f"unknown unit '{written}', expected one of {known}, or \"\" for a count")
    return written


def _text(written: object, expected: str) -> str:
    if not isinstance(written, str):
        raise ValueError(f"not a text, expected {expected}")  # noqa: TRY004  # pydantic reports ValueErrors only
    return written


AnyLimit = Annotated[Limit, PlainValidator(_limit)]
PlainLimit = Annotated[Limit, PlainValidator(_value_limit)]
Seconds = Annotated[float, PlainValidator(_seconds)]
Minutes = Annotated[float, PlainValidator(_minutes)]
AtDeadline = Annotated[Literal["rollback"] | Limit, PlainValidator(_at_deadline)]
Percent = Annotated[float, PlainValidator(_percent)]
AnAmount = Annotated[Amount, PlainValidator(_amount)]
_WORD: Final = "[a-z0-9]+(-[a-z0-9]+)*"
ID_PATTERN: Final = rf"^{_WORD}\.{_WORD}\.{_WORD}$"
Word = Annotated[str, StringConstraints(pattern=rf"^{_WORD}$")]
SectionName = Annotated[str, StringConstraints(pattern=rf"^{_WORD}\.{_WORD}$")]
MetricName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Unit = Annotated[str, AfterValidator(_unit)]
Text = Annotated[str, StringConstraints(min_length=1)]
