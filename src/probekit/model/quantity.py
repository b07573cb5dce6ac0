"""Durations and their units."""

from __future__ import annotations

import re
from typing import Final

SECONDS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

DURATION_PATTERN: Final = r"^\s*[0-9]+(\.[0-9]+)?\s*(ms|s|min|m|h|d)\s*$"  # for the JSON schema

NUMBER = r"(?P<number>\d{1,15}(?:\.\d{1,15})?)"  # float() turns hundreds of digits into infinity
_DURATION: Final = re.compile(rf"{NUMBER}\s*(?P<unit>[a-z]+)", re.ASCII)


def duration(text: str) -> float:
    """Seconds in a text such as `30s`, `30 s`, `5m`, `10 min`.

    Raises:
        ValueError: the text is not a duration; the message gives an example.
    """
    found = _DURATION.fullmatch(text.strip())
    if not found or found["unit"] not in SECONDS:
        message = f"'{text}' is not a duration: write a number and a unit (ms, s, min, h, d), such as \"30s\""
        raise ValueError(message)
    return float(found["number"]) * SECONDS[found["unit"]]


def duration_text(seconds: float) -> str:
    """A duration as written in a file, in days where it is at least one."""
    days = seconds / SECONDS["d"]
    return f"{days:g}d" if days >= 1 else f"{seconds:g}s"
