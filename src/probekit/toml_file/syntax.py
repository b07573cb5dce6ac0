"""What is wrong with a text that is no TOML, in probekit's words. No text of tomllib is shown."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable
from typing import Final

UNKNOWN: Final = "this is not written as TOML has it (toml.io)"
_OPEN: Final = "this text has no closing quotes"
_TWICE: Final = "this key is set twice, or is a table and a value; keep one of them"


def _declared_twice(key: str) -> str:
    name = _name(key)
    instances = f"write both as instances, [{name}.NAME]"
    return f"the table [{name}] is declared twice" + (
        f"; {instances}" if "probes." in name else ", or in one that is complete"
    )


def _complete(key: str) -> str:
    return f"'{_name(key)}' is complete where it is first written"


def _character(found: str) -> str:
    """A character that no text may hold: a line's end, where the quotes were forgotten."""
    code = ord(literal_eval(found))
    if code in b"\r\n":
        return f"{_OPEN} on its line"
    return f"the control character U+{code:04X} is not allowed; in a text, write \\u{code:04x}"


def _name(key: str) -> str:
    """A key as TOML writes it; tomllib has it as a tuple of Python."""
    return ".".join(literal_eval(key))


WORDS: Final[tuple[tuple[str, str | Callable[[str], str]], ...]] = (  # by tomllib's message, of 3.11 to 3.14
    (r"Invalid statement", "a line begins with a key, a [table] or a # comment"),
    (r"Invalid value", "a value is due: a text in quotes, a number, true, false, a [list] or a {table}"),
    (r"Expected newline or end of document after a statement", "nothing may follow here; a text stands in quotes"),
    (r"Expected '=' after a key in a key/value pair", "a key is followed by = and a value"),
    (r"Expected ']' at the end of a table declaration", "the name of a table ends with ]"),
    (r"Expected ']]' at the end of an array declaration", "the name of a list of tables ends with ]]"),
    (r"Expected ['\"].*", _OPEN),
    (r"Unterminated string", _OPEN),
    (r"Invalid initial character for a key part", "a key has letters, digits, - and _, or stands in quotes"),
    (r"Unclosed array", "a comma or the ] of this list is missing"),
    (r"Unclosed inline table", "a comma or the } of this table is missing; it stands on one line"),
    (r"Unescaped '\\' in a string", "a backslash is written as \\\\ in \"...\", or the text stands in '...'"),
    (r"Invalid hex value", "\\u takes four hexadecimal digits, \\U eight"),
    (r"Escaped character is not a Unicode scalar value", "Unicode has no character of this code"),
    (r"Invalid date or datetime", "there is no such date or time"),
    (r"(?:Illegal|Found invalid) character ('.*'|\".*\")", _character),
    (r"Duplicate inline table key .*", "this key is set twice in one table; keep one of them"),
    (r"Cannot overwrite a value", _TWICE),
    (r"Cannot declare (\(.*\)) twice", _declared_twice),
    (r"Cannot (?:mutate immutable|redefine) namespace (\(.*\))", _complete),
)


def in_words(message: str) -> str:
    """What a message of tomllib means; one that is not known is only said to be a mistake."""
    for pattern, words in WORDS:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return words(found[1]) if callable(words) else words
    return UNKNOWN
