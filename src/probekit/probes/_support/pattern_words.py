"""What is wrong with a pattern, in probekit's words. No text of RE2 is shown."""

from __future__ import annotations

from typing import Final

NOT_UNICODE: Final = "it is not Unicode"
UNKNOWN: Final = "it is not written as RE2 has it"
WORDS: Final = {  # by RE2's own text before the part of the pattern that it is about
    "missing )": "a ( has no )",
    "unexpected )": "a ) has no (",
    "missing ]": "a [ has no ]",
    "trailing \\": "it ends with a \\ that stands for nothing; write \\\\",
    "no argument for repetition operator": "nothing stands before {0} that it could repeat",
    "bad repetition operator": "{0} repeats a repetition; keep one of the signs",
    "invalid repetition size": "{0} is no number of repetitions: 1000 is the most, the lower bound first",
    "invalid escape sequence": "{0} has no meaning; a back-reference is not possible",
    "invalid perl operator": "{0} is not possible: RE2 has neither look-around nor conditions",
    "invalid named capture group": "{0} is no group with a name, such as (?P<name>...)",
    "invalid character class range": "{0} is no range or class of characters",
    "invalid character class": "{0} is no class of characters",
    "invalid UTF-8": "it names no character of Unicode",
    "pattern too large - compile failed": "it is too large: use fewer or smaller repetitions such as {{100}}",
}


def pattern_words(text: str) -> str:
    """What RE2's text means."""
    if text in WORDS:
        return WORDS[text].format(text)
    reason, _, part = text.partition(": ")
    return WORDS.get(reason, UNKNOWN).format(part)
