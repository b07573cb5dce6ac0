"""Compare values of an answer with those of a configuration: equality, words, patterns, numbers, lengths, times."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from string import printable
from typing import TYPE_CHECKING, Any, Final
from unicodedata import normalize

from probekit.probes._support.json import is_number
from probekit.probes._support.pattern_words import NOT_UNICODE, pattern_words

if TYPE_CHECKING:
    from re2 import _Regexp

Value = bool | int | float | str
SHOWN: Final = 60  # characters of a text that a line of evidence quotes
LONGEST_PATTERN: Final = 500  # characters
_LARGEST_PROGRAM: Final = 1000  # instructions of a compiled pattern; 1 MiB of text takes some seconds at most
_MEMORY: Final = 8 << 20  # bytes that a pattern may take
_NEGATION: Final = re.compile(
    r"""(?:(?<![^\W_])(?:not?|never|no longer|not yet|cannot be)|n['\u2019]t|(?<![^\W_])not\s*[:=])[\s"'_\u200b-]*\Z""",
    re.IGNORECASE,
)
_DENIAL: Final = re.compile(
    r"""["']?\s*(?:[:=]|\bis\b)\s*["']?(?:false|not?)["']?\s*(?:[,;}\])\n]|\Z)""", re.IGNORECASE
)
_AROUND: Final = 20  # characters before and after a word that may deny it
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,300}(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,2})?")
_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,20})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_HTTP_DATE: Final = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", re.ASCII)
_MILLISECONDS: Final = 100_000_000_000  # from which on a Unix time is in milliseconds: seconds reach it in 5138
_LAST: Final = 253_402_300_799_000  # milliseconds at the end of the year 9999
_TYPES: Final = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}


def is_same(value: Any, claimed: Value) -> bool:  # noqa: ANN401  # any JSON value
    """Return whether a value is equal and of the same type; integers and floats are both numbers."""
    same_type = is_number(claimed) and is_number(value)
    return bool(value == claimed) and (same_type or type(value) is type(claimed))


def has_words(text: str, words: str) -> bool:
    """Return whether the text contains the whole words without a negation before or after them.

    `healthy` is not in `unhealthy`, `not healthy` or `healthy: false`.
    """
    before = r"(?<!\w)" if re.match(r"\w", words) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", words) else ""
    found = re.finditer(f"{before}{re.escape(words)}{after}", text)
    return any(
        not (before and _NEGATION.search(text[max(0, one.start() - _AROUND) : one.start()]))
        and not (after and _DENIAL.match(text[one.end() : one.end() + _AROUND]))
        for one in found
    )


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> _Regexp:
    """Return the pattern for the engine RE2, which takes time in proportion to the text, whatever the pattern.

    Raises:
        ValueError: it is not a pattern of RE2, or too large.
    """
    import re2  # noqa: PLC0415  # for the runs that have patterns

    options = re2.Options()
    options.log_errors, options.never_capture, options.max_mem = False, True, _MEMORY
    try:
        compiled = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        why = pattern_words(error.args[0].decode("utf-8", "replace")) if isinstance(error, re2.error) else NOT_UNICODE
        message = f"invalid regular expression: {why}; see github.com/google/re2/wiki/Syntax"
        raise ValueError(message) from error
    if compiled.programsize > _LARGEST_PROGRAM:
        message = "the regular expression is too large: use fewer or smaller repetitions such as {100}"
        raise ValueError(message)
    return compiled


def matches(text: str, pattern: str) -> bool:
    """Return whether the pattern matches anywhere in the text; `^` and `$` are its ends."""
    return compile_pattern(pattern).search(text.encode("utf-8", "replace")) is not None


def is_found_anywhere(pattern: str) -> bool:
    """Return whether a pattern matches both the empty text and one of all characters, and so requires nothing.

    Raises:
        ValueError: it is not a pattern of RE2, or too large.
    """
    compile_pattern(pattern)
    return matches("", pattern) and matches(printable, pattern)


def looks_like(one: str, other: str) -> bool:
    """Return whether two texts look the same to a person: other Unicode forms, or letters of other alphabets."""
    one, other = normalize("NFKC", one[:SHOWN]), normalize("NFKC", other[:SHOWN])
    is_near = (a == b or a.isascii() is not b.isascii() for a, b in zip(one, other, strict=False))
    return len(one) == len(other) and all(is_near)


def number_in(text: str) -> int | float | None:
    """Return a text as a decimal number, None where it is not one."""
    if not _NUMBER.fullmatch(text):
        return None
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def length_of(value: Any) -> int | None:  # noqa: ANN401  # any JSON value
    """Return the number of characters, entries or keys; None for other values."""
    return len(value) if isinstance(value, str | list | dict) else None


def time_in(value: Any) -> datetime | None:  # noqa: ANN401  # any JSON value
    """Return a value as a moment, None where it is not one.

    Moments are RFC 3339, an HTTP date (RFC 9110 section 5.6.7), or Unix time in seconds or milliseconds.
    """
    number = number_in(value) if isinstance(value, str) else value if is_number(value) else None
    if number is not None:
        return _unix_time(number)
    try:
        return _written_time(value) if isinstance(value, str) else None
    except ValueError:  # the 30th of February
        return None


def _unix_time(number: float) -> datetime | None:
    milliseconds = number if abs(number) >= _MILLISECONDS else number * 1000
    is_one = 0 <= milliseconds <= _LAST
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds) if is_one else None


def _written_time(text: str) -> datetime | None:
    if _HTTP_DATE.fullmatch(text):
        return parsedate_to_datetime(text)
    parts = _RFC_3339.fullmatch(text)
    if parts is None:
        return None
    day, time, fraction, offset = parts.groups(default="")
    return datetime.fromisoformat(f"{day}T{time}{fraction[:7]}{offset.upper()}")


def quoted(text: str) -> str:
    """Return a text in quotation marks, cut to `SHOWN` characters."""
    cut = text[: SHOWN + 1]
    return json.dumps(cut[:SHOWN], ensure_ascii=False) + ("..." if len(cut) > SHOWN else "")


def plain(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return a value as a line of evidence shows it."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return f"of {len(value)} {'entry' if len(value) == 1 else 'entries'}"
    if isinstance(value, dict):
        return f"of {len(value)} {'key' if len(value) == 1 else 'keys'}"
    text = json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def typed(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return a value with its type: `"true" (string)`, `an array of 2 entries`, `null`."""
    if value is None:
        return "null"
    name = _TYPES[type(value)]
    return f"an {name} {plain(value)}" if isinstance(value, list | dict) else f"{plain(value)} ({name})"
