"""A limit: one condition on one metric, and its text form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Final, Literal, cast

from probekit.model.quantity import NUMBER

Operator = Literal["<", "<=", "==", ">=", ">"]
_COMPARE: Final = {"<": lt, "<=": le, "==": eq, ">=": ge, ">": gt}
_TIMES: Final = ("ms", "s", "min", "h", "d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One condition on one metric, such as `first_byte < 200 ms`."""

    metric: str
    op: Operator | Literal["within"]
    value: float
    unit: str = ""
    of: Literal["value", "baseline"] = "value"  # baseline: the value is a tolerance in percent
    floor: float = 0.0  # of a baseline comparison, in the metric's unit: a smaller difference is noise

    def holds(self, value: float) -> bool:
        """Whether a value in the limit's unit meets it; the comparison is exact."""
        if self.of == "baseline":
            message = f"'{self}' needs a baseline to compare with"
            raise ValueError(message)
        return bool(_COMPARE[self.op](value, self.value))

    def is_idle(self, low: float, high: float) -> bool:
        """Whether it has no effect in a range: every value between the two meets it, or none does."""
        least, most = self.holds(low), self.holds(high)
        if self.op == "==":
            return low == high or not low <= self.value <= high
        return least == most

    @property
    def is_duration(self) -> bool:
        """Whether the metric is a duration, which is judged by the median of an attempt's measurements."""
        return self.unit in _TIMES and self.of == "value"

    @property
    def metric_unit(self) -> str | None:
        """The unit of its metric; None for a tolerance, which does not state it."""
        return self.unit if self.of == "value" else None

    def __str__(self) -> str:
        value = int(self.value) if self.value == int(self.value) else f"{Decimal(repr(self.value)):f}"
        number = f"{value} {'%' if self.of == 'baseline' else self.unit}".rstrip()
        if self.of == "value":
            return f"{self.metric} {self.op} {number}"
        return (
            f"{self.metric} within {number} of baseline"
            if self.op == "within"
            else f"{self.metric} at most {number} over baseline"
        )


UNITS: Final = ("", "%", "MB", "ms", "s", "min", "h", "d")
_LIMIT: Final = re.compile(
    rf"(?P<metric>[a-z][a-z0-9_]*)\s*(?P<op>[<>=!]+)\s*{NUMBER}\s*(?P<unit>[%a-zA-Z]*)", re.ASCII
)
_WITHIN: Final = re.compile(rf"(?P<metric>[a-z][a-z0-9_]*) within {NUMBER}\s*% of baseline", re.ASCII)
_OPERATORS: Final = ("<", "<=", "==", ">=", ">")


def parse_limit(text: str) -> Limit:
    """The limit that a text such as `first_byte < 200 ms` or `p95 within 10 % of baseline` states.

    Raises:
        ValueError: the text is not a limit, or its operator or unit is unknown.
    """
    if found := _WITHIN.fullmatch(text.strip()):
        return Limit(metric=found["metric"], op="within", value=float(found["number"]), unit="%", of="baseline")
    found = _LIMIT.fullmatch(text.strip())
    if not found:
        message = f"'{text}' is not a limit: write METRIC OPERATOR NUMBER [UNIT], such as \"first_byte < 200 ms\""
        raise ValueError(message)
    if found["op"] not in _OPERATORS:
        message = f"'{text}': unknown operator '{found['op']}'; write one of {' '.join(_OPERATORS)}"
        raise ValueError(message)
    if found["unit"] not in UNITS:
        known = ", ".join(unit for unit in UNITS if unit)
        message = f"'{text}': unknown unit '{found['unit']}'; write one of {known}, or none for a count"
        raise ValueError(message)
    return Limit(
        metric=found["metric"], op=cast("Operator", found["op"]), value=float(found["number"]), unit=found["unit"]
    )
