"""Parse the performance data of a monitoring plugin (Monitoring Plugins Development Guidelines)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import Final

from probekit.probes._support.json import shown

_WORD: Final = re.compile(  # 'label'=value[UOM];[warn];[crit];[min];[max]; a match inside a word would be slow
    r"(?<!\S)(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^\s=']+))=(?P<value>[^\s;]*)(?P<fields>(?:;\S*)?)(?=\s|$)"
)
_VALUE: Final = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"(?P<unit>(?:(?:[^\W\d_]|[%°])(?:[^\W\d_]|[%°/*·^²³23])*)?)"  # also units that the guidelines do not list: b/s
)
_MAX: Final = 4  # index among the fields, value first
_UNKNOWN: Final = "U"
_COUNTER: Final = "c"  # a number that only grows, without a unit


@dataclass(frozen=True, slots=True)
class Number:
    """One value, its unit as printed, and its largest possible value."""

    value: float
    unit: str = ""
    max: float | None = None

    def is_in(self, unit: str) -> bool:
        """Whether this is its unit, exactly; a counter may be read as a number without a unit."""
        return self.unit == unit or (self.unit == _COUNTER and not unit)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A label without one readable number."""

    why: str


def numbers(output: str) -> dict[str, Number | Unreadable]:
    """Return the value of each label, or the reason why it cannot be read."""
    known: dict[str, Number | Unreadable] = {}
    for word in _WORD.finditer(_data(output)):
        label = (word["quoted"] or word["plain"]).replace("''", "'")
        value = _number(word["value"], word["fields"].split(";"))
        known[label] = Unreadable("the label occurs twice") if label in known else value
    return known


def _data(output: str) -> str:
    """The text after the first line's bar, and the text after the first bar of the other lines."""
    first, _, rest = output.partition("\n")
    return f"{first.partition('|')[2]} {rest.partition('|')[2]}"


def _number(text: str, fields: list[str]) -> Number | Unreadable:
    if text == _UNKNOWN:
        return Unreadable("the plugin could not determine it (U)")
    value = _parsed(text)
    if value is None:
        return Unreadable(f"{shown(text)} is not a number with a unit")
    most = _parsed(fields[_MAX]) if len(fields) > _MAX else None
    return Number(*value, most[0] if most and most[1] in ("", value[1]) else None)


def _parsed(text: str) -> tuple[float, str] | None:
    found = _VALUE.fullmatch(text)
    return (float(found["number"]), found["unit"]) if found and isfinite(float(found["number"])) else None
