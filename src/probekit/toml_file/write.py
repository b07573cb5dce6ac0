"""Write TOML values on one line; any text is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any


def inline(table: Mapping[str, Any]) -> str:
    """A table on one line."""
    return f"{{ {', '.join(f'{key(name)} = {value(part)}' for name, part in table.items())} }}"


def key(name: str) -> str:
    """A bare key where TOML allows it, else a quoted one."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else basic(name)


def quoted(text: str) -> str:
    """A text as a value of a configuration: a basic string with `${` escaped, so that it starts no variable."""
    return basic(text.replace("${", "$${"))


def basic(text: str) -> str:
    """A basic string of TOML with unprintable characters, quotes and backslashes escaped."""
    return '"' + "".join(map(letter, text)) + '"'


def letter(one: str) -> str:
    """A character as written in a basic string."""
    code = ord(one)
    if one in '"\\':
        return f"\\{one}"
    if one.isprintable():
        return one
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004  # half a surrogate pair, which TOML cannot express
        return "?"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004  # the basic plane


def value(written: Any) -> str:  # noqa: ANN401  # any type of TOML
    """A value on one line."""
    match written:
        case Mapping():
            return inline(written) if written else "{}"
        case list() | tuple():
            return f"[{', '.join(map(value, written))}]"
        case bool():
            return str(written).lower()
        case str():
            return quoted(written)
        case date() | time():
            return written.isoformat()
    return str(written)
