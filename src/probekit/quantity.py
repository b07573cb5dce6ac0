"""What do `30 s` and `p95 < 500 ms` say?"""

from __future__ import annotations

import re
from typing import Final, cast

from probekit.model import Limit, Operator

SECONDS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
UNITS: Final = ("", "%", "MB", "ms", "s", "min", "h", "d")

DURATION_PATTERN: Final = r"^\s*[0-9]+(\.[0-9]+)?\s*(ms|s|min|m|h|d)\s*$"  # for readers that know no more

_NUMBER = r"(?P<number>\d{1,15}(?:\.\d{1,15})?)"  # float() makes infinity of some hundred digits
_DURATION: Final = re.compile(rf"{_NUMBER}\s*(?P<unit>[a-z]+)", re.ASCII)
_LIMIT: Final = re.compile(
    rf"(?P<metric>[a-z][a-z0-9_]*)\s*(?P<op>[<>=!]+)\s*{_NUMBER}\s*(?P<unit>[%a-zA-Z]*)", re.ASCII
)
_WITHIN: Final = re.compile(rf"(?P<metric>[a-z][a-z0-9_]*) within {_NUMBER}\s*% of baseline", re.ASCII)
_OPERATORS: Final = ("<", "<=", "==", ">=", ">")


def duration(text: str) -> float:
    """Seconds in a text such as `30s`, `30 s`, `5m`, `10 min`.

    Raises:
        ValueError: the text is no duration; the message says what one looks like.
    """
    found = _DURATION.fullmatch(text.strip())
    if not found or found["unit"] not in SECONDS:
        message = f"'{text}' is no duration: write a number and a unit (ms, s, min, h, d), such as \"30s\""
        raise ValueError(message)
    return float(found["number"]) * SECONDS[found["unit"]]


def limit(text: str) -> Limit:
    """The limit that a text such as `first_byte < 200 ms` or `p95 within 10 % of baseline` states.

    Raises:
        ValueError: the text is no limit, or its operator or unit is unknown.
    """
    if found := _WITHIN.fullmatch(text.strip()):
        return Limit(metric=found["metric"], op="within", value=float(found["number"]), unit="%", of="baseline")
    found = _LIMIT.fullmatch(text.strip())
    if not found:
        message = f"'{text}' is no limit: write METRIC OPERATOR NUMBER [UNIT], such as \"first_byte < 200 ms\""
        raise ValueError(message)
    if found["op"] not in _OPERATORS:
        message = f"'{text}': unknown operator '{found['op']}'; known are {' '.join(_OPERATORS)}"
        raise ValueError(message)
    if found["unit"] not in UNITS:
        known = ", ".join(unit for unit in UNITS if unit)
        message = f"'{text}': unknown unit '{found['unit']}'; known are {known}, or none for a count"
        raise ValueError(message)
    return Limit(
        metric=found["metric"], op=cast("Operator", found["op"]), value=float(found["number"]), unit=found["unit"]
    )
