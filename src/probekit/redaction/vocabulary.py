"""The words in probekit's own files, which stay visible in messages even if a secret contains them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parents[1]
_TEXTS: Final = (".py", ".sql", ".toml", ".json")
_LONGEST: Final = 64  # bytes; a longer word is not looked up
_LETTERS: Final = re.compile("[A-Za-z_-]+")  # a token with a digit is excluded without reading the files
_WORDS: Final = (re.compile(rb"[\w-]+"), re.compile(rb"\w+"))  # with hyphens: ids of items, probes and settings


def is_own_word(text: str) -> bool:
    """Return whether a text is a word in probekit's own files."""
    return bool(_LETTERS.fullmatch(text)) and text.lower().encode() in _own_words()


def lies_in_own_word(text: bytes, start: int, stop: int) -> bool:
    """Return whether that span of a text is within one word that is also in probekit's own files."""
    return any(_word_around(pattern, text, start, stop) in _own_words() for pattern in _WORDS)


def _word_around(pattern: re.Pattern[bytes], text: bytes, start: int, stop: int) -> bytes:
    """The whole word around that span, in lower case; empty where it is more than one word, or too long."""
    before = pattern.match(text[max(start - _LONGEST, 0) : start][::-1])
    start -= len(before[0]) if before else 0
    match = pattern.match(text, start, start + _LONGEST + 1)
    return match[0].lower() if match and match.end() >= stop else b""


@cache
def _own_words() -> frozenset[bytes]:
    """All words of the package's files, in lower case; empty where the package is not installed as files."""
    texts = [file.read_bytes().lower() for file in _PACKAGE.rglob("*") if file.suffix in _TEXTS]
    words = {word for text in texts for pattern in _WORDS for word in pattern.findall(text)}
    return frozenset(word for word in words if word[:1].isalpha())
