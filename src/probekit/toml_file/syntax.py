"""Messages for TOML syntax errors. No text of tomllib is shown."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable
from typing import Final

UNKNOWN: Final = "invalid TOML (see toml.io)"
_OPEN: Final = "the closing quotes of a text are missing"
_TWICE: Final = "this key is set twice, or is both a table and a value; keep one of them"


def _declared_twice(key: str) -> str:
    name = _name(key)
    instances = f"write each as an instance, [{name}.NAME]"
    return f"the table [{name}] is declared twice; " + (instances if "probes." in name else "keep one of them")


def _complete(key: str) -> str:
    return f"'{_name(key)}' was defined before and cannot be extended; write all of it in one place"


def _character(found: str) -> str:
    """The message for a character that no text may contain; a line feed means that closing quotes are missing."""
    code = ord(literal_eval(found))
    if code in b"\r\n":
        return f"{_OPEN} on this line"
    return f"the control character U+{code:04X} is not allowed; in a text, write \\u{code:04x}"


def _name(key: str) -> str:
    """A dotted key, from the Python tuple in tomllib's message."""
    return ".".join(literal_eval(key))


WORDS: Final[tuple[tuple[str, str | Callable[[str], str]], ...]] = (  # by tomllib's message, of 3.11 to 3.14
    (r"Invalid statement", "a line must begin with a key, a [table] or a # comment"),
    (
        r"Invalid value",
        "a value is missing or invalid: write a text in quotes, a number, true, false, a [list] or a {table}",
    ),
    (r"Expected newline or end of document after a statement", "unexpected text after a value; write texts in quotes"),
    (r"Expected '=' after a key in a key/value pair", "= and a value are missing after the key"),
    (r"Expected ']' at the end of a table declaration", "the ] after the name of the table is missing"),
    (r"Expected ']]' at the end of an array declaration", "the ]] after the name of the list of tables is missing"),
    (r"Expected ['\"].*", _OPEN),
    (r"Unterminated string", _OPEN),
    (r"Invalid initial character for a key part", "a key without quotes may contain letters, digits, - and _ only"),
    (r"Unclosed array", "a comma or the ] of this list is missing"),
    (r"Unclosed inline table", "a comma or the } of this table is missing; write it on one line"),
    (r"Unescaped '\\' in a string", "invalid backslash: write \\\\ in \"...\", or put the text in '...'"),
    (r"Invalid hex value", "\\u needs four hexadecimal digits, \\U eight"),
    (r"Escaped character is not a Unicode scalar value", "this escape is not the code of a Unicode character"),
    (r"Invalid date or datetime", "invalid date or time"),
    (r"(?:Illegal|Found invalid) character ('.*'|\".*\")", _character),
    (r"Duplicate inline table key .*", "this key is set twice in one table; keep one of them"),
    (r"Cannot overwrite a value", _TWICE),
    (r"Cannot declare (\(.*\)) twice", _declared_twice),
    (r"Cannot (?:mutate immutable|redefine) namespace (\(.*\))", _complete),
)


def in_words(message: str) -> str:
    """The message for an error of tomllib; a general one for an error that is not known."""
    for pattern, words in WORDS:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return words(found[1]) if callable(words) else words
    return UNKNOWN
