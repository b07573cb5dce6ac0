"""Write values of TOML on one line, whatever stands in their texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def inline(table: Mapping[str, Any]) -> str:
    """A table of texts, numbers, booleans and tables on one line."""
    return f"{{ {', '.join(f'{key(name)} = {_written(value)}' for name, value in table.items())} }}"


def key(name: str) -> str:
    """A bare key where that can be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def quoted(text: str) -> str:
    """A basic string of TOML, with everything that hides, moves or ends text written as its code."""
    return '"' + "".join(map(letter, text)) + '"'


def letter(one: str) -> str:
    """A character as it stands in a basic string."""
    code = ord(one)
    if one in '"\\':
        return f"\\{one}"
    if one.isprintable():
        return one
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004  # half a surrogate pair, for which TOML has no word
        return "?"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004  # the basic plane


def _written(value: Any) -> str:  # noqa: ANN401  # a text, a number, a boolean or a table
    if isinstance(value, Mapping):
        return inline(value)
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else str(value)
