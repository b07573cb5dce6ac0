"""Find a statement of good health in a sentence of plain text."""

from __future__ import annotations

import re
from typing import Final

from probekit.probes._support.health_words import Health, health_of

_LONGEST_SENTENCE: Final = 100  # characters
_LONGEST_PHRASE: Final = 40
_MOST_WORDS: Final = 10
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z-]*")  # without an apostrophe: "isn't" does not match
_NEGATIONS: Final = frozenset((
    "not", "no", "never", "cannot", "neither", "nor", "none", "nothing", "without", "was", "were", "will", "should",
    "if", "when", "until", "unless", "hardly", "un",
))  # fmt: skip


def good_phrase(text: str) -> str:
    """Return the last two words of a good sentence: "is Healthy" of "Server is Healthy."; empty for any other."""
    words = text.rstrip(".!").split()
    is_sentence = len(text) <= _LONGEST_SENTENCE and len(text.splitlines()) == 1 and 1 < len(words) <= _MOST_WORDS
    if not is_sentence or not all(map(_WORD.fullmatch, words)):
        return ""
    is_said = health_of(words[-1]) is Health.GOOD and not _NEGATIONS & {word.casefold() for word in words}
    if not is_said or any(health_of(word) in (Health.BAD, Health.UNCLEAR) for word in words):
        return ""
    phrase = " ".join(words[-2:])
    return phrase if phrase in text and len(phrase) <= _LONGEST_PHRASE else ""
