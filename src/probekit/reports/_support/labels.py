"""Write names as labels of numbers: bounded, on one line, and each once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import count
from typing import Final

from probekit.text import escape

LONGEST: Final = 200  # characters of a label
_CUT: Final = "..."


def label(text: str) -> str:
    """Return the text on one line, escaped and cut to `LONGEST` characters."""
    written = escape(text[: LONGEST + 1])  # escaping never makes a text shorter
    return written if len(written) <= LONGEST else written[: LONGEST - len(_CUT)] + _CUT


def distinct(labels: Iterable[str]) -> list[str]:
    """Return the labels in their order; one that occurs again gets a number: `a`, `a (2)`."""
    found: dict[str, None] = {}
    repeats = Counter[str]()
    for name in labels:
        repeats[name] += 1
        numbered = name
        if name in found:
            numbered = next(one for number in count(repeats[name]) if (one := f"{name} ({number})") not in found)
        found[numbered] = None
    return list(found)
