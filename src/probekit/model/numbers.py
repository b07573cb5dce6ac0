"""Format numbers, counts and durations for people: without exponents, with significant digits only."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import Final

_DIGITS: Final = 4  # significant digits of a measured value
_MOST_DIGITS: Final = 17  # significant digits that distinguish any two floats
_LEAST: Final = 1e-9  # a smaller value is written as a bound
_GREATEST: Final = 1e15  # a larger value is written as a bound
_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_DAY: Final = 86_400.0
_WEEK: Final = 7 * _DAY
_LONGEST_IN_MS: Final = 0.9995  # seconds; a longer duration is written in seconds
_IN_TWO_UNITS: Final[tuple[tuple[float, float, str, float, str], ...]] = (  # upper bound in seconds, and two units
    (2 * _HOUR, _MINUTE, "min", 1.0, "s"),
    (2 * _DAY, _HOUR, "h", _MINUTE, "min"),
    (2 * _WEEK, _DAY, "days", _HOUR, "h"),
)


def number(value: float, unit: str = "", *, apart_from: float | None = None) -> str:
    """Return the value with four significant digits, grouped in thousands, and its unit.

    A value that differs from `apart_from` (its limit) is never written as the same number: it gets as many digits as
    are needed to distinguish the two.
    """
    value = float(value)  # the value may be a bool
    text = _digits(value, _DIGITS)
    if apart_from is not None and value != apart_from and isfinite(value):
        digits = range(_DIGITS, _MOST_DIGITS + 1)
        pairs = ((_digits(value, count), _digits(apart_from, count)) for count in digits)
        text = next((one for one, other in pairs if one != other), _exact(value))
    return f"{text} {unit}".rstrip()


def _exact(value: float) -> str:
    """Return every digit of a number, including those otherwise written as a bound."""
    return f"{Decimal(repr(value)):,f}".removesuffix(".0")


def _digits(value: float, digits: int) -> str:
    """Return the number with at least its whole part and at most that many significant digits."""
    if not isfinite(value):
        return "unknown" if value != value else ("-" if value < 0 else "") + "infinite"  # noqa: PLR0124  # not a number
    if abs(value) > _GREATEST:
        return f"{'less than -' if value < 0 else 'more than '}{_GREATEST:,.0f}"
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) < _LEAST:
        return f"less than {Decimal(str(_LEAST)):f}"
    whole = (
        len(str(int(abs(value)))) if abs(value) >= 1 else 1 + Decimal(abs(value)).adjusted()
    )  # digits before the point
    text = f"{value:,.{max(digits - whole, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(number: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun: 1 item, 2 items; `plural` where it is not the singular with an s."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


def span(seconds: float) -> str:
    """Return a duration in one or two units: 250 ms, 48 s, 2 min 30 s, 2 days 12 h."""
    size = abs(seconds)
    if 0 < size < _LONGEST_IN_MS:
        return number(float(f"{size * 1000:.3g}"), "ms")
    if size < 2 * _MINUTE:
        return number(round(size, 1 if size < 10 else 0), "s")  # noqa: PLR2004  # below, a tenth is significant
    for most, large, large_unit, small, small_unit in _IN_TWO_UNITS:
        if size < most:
            return _two(size, large, large_unit, small, small_unit)
    return count(round(size / _DAY), "day") if isfinite(size) else number(size, "s")


def _two(seconds: float, large: float, large_unit: str, small: float, small_unit: str) -> str:
    """Return the duration in two units, the smaller one where it is not zero."""
    whole, rest = divmod(round(seconds / small), round(large / small))
    return f"{whole} {large_unit}" + (f" {rest} {small_unit}" if rest else "")


def ago(seconds: float) -> str:
    """Return an age in whole minutes, hours or days."""
    if seconds < _MINUTE:
        return "less than a minute ago"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE:.0f} min ago"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR:.0f} h ago"
    return f"{seconds // _DAY:,.0f} days ago"
