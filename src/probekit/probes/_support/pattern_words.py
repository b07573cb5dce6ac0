"""Translate RE2's errors about a pattern into probekit's own messages."""

from __future__ import annotations

from typing import Final

NOT_UNICODE: Final = "it is not Unicode"
UNKNOWN: Final = "its syntax is not that of RE2"
WORDS: Final = {  # by RE2's text before the quoted part of the pattern
    "missing )": "a ( is not closed",
    "unexpected )": "a ) has no (",
    "missing ]": "a [ is not closed",
    "trailing \\": "it ends with a single \\; write \\\\",
    "no argument for repetition operator": "{0} has nothing before it to repeat",
    "bad repetition operator": "{0} repeats a repetition; remove one of the operators",
    "invalid repetition size": "{0} is not a valid repetition: at most 1000, the lower bound first",
    "invalid escape sequence": "{0} is not a valid escape; back-references are not supported",
    "invalid perl operator": "{0} is not supported: RE2 has neither lookaround nor conditions",
    "invalid named capture group": "{0} is not a valid named group, such as (?P<name>...)",
    "invalid character class range": "{0} is not a valid range or class of characters",
    "invalid character class": "{0} is not a valid class of characters",
    "invalid UTF-8": "it contains an invalid Unicode character",
    "pattern too large - compile failed": "it is too large: use fewer or smaller repetitions such as {{100}}",
}


def pattern_words(text: str) -> str:
    """Return probekit's message for a text of RE2."""
    if text in WORDS:
        return WORDS[text].format(text)
    reason, _, part = text.partition(": ")
    return WORDS.get(reason, UNKNOWN).format(part)
