"""Which numbers does a monitoring plugin print? Monitoring Plugins Development Guidelines, "Performance data"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import Final

_WORD: Final = re.compile(  # 'label'=value[UOM];[warn];[crit];[min];[max]; one that begins inside a word would be slow
    r"(?<!\S)(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^\s=']+))=(?P<value>[^\s;]*)(?:;\S*)?(?=\s|$)"
)
_VALUE: Final = re.compile(r"(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?P<unit>s|us|ms|%|[KMGT]?B|c)?")
_COUNTER: Final = "c"  # a number that only grows, in no unit


@dataclass(frozen=True, slots=True)
class Number:
    """One value, with its unit of measurement."""

    value: float
    unit: str


def numbers(output: str) -> dict[str, Number]:
    """Label to number; what is "U" or no number, or stands there twice, is left out."""
    known: dict[str, Number | None] = {}
    for word in _WORD.finditer(_data(output)):
        label = (word["quoted"] or word["plain"]).replace("''", "'")
        known[label] = None if label in known else _number(word["value"])
    return {label: number for label, number in known.items() if number}


def _data(output: str) -> str:
    """What stands behind the first line's bar, and behind the first bar of the lines after it up to the end."""
    first, _, rest = output.partition("\n")
    return f"{first.partition('|')[2]} {rest.partition('|')[2]}"


def _number(text: str) -> Number | None:
    value = _VALUE.fullmatch(text)
    if not value or not isfinite(float(value["number"])):
        return None
    unit = value["unit"] or ""
    return Number(float(value["number"]), "" if unit == _COUNTER else unit)
