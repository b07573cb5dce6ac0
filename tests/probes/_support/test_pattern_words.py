"""A pattern that RE2 refuses is refused in probekit's words."""

from __future__ import annotations

import random

import pytest
import re2

from probekit.probes._support.comparing import compile_pattern
from probekit.probes._support.pattern_words import UNKNOWN, WORDS, pattern_words

PARTS = (
    "(", ")", "[", "]", "{", "}", "*", "+", "?", "\\", "a", "z-a", "(?P<", "(?=", "{2,1}", "{1001}", "x{900}", ":",
    "[:", "^", "|", "\\p{", "\\x{", "\\8", "(?i", "-", "[[:x:]]", "\\Q",
)  # fmt: skip


def refusal(pattern: str) -> str:
    with pytest.raises(ValueError, match="invalid regular expression: ") as caught:
        compile_pattern(pattern)
    return str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(a", "a ( is not closed"),
        ("a)", "a ) has no ("),
        ("[a", "a [ is not closed"),
        ("a\\", "it ends with a single \\; write \\\\"),
        ("*", "* has nothing before it to repeat"),
        ("a**", "** repeats a repetition; remove one of the operators"),
        ("a{2,1}", "{2,1} is not a valid repetition: at most 1000, the lower bound first"),
        (r"(a)\1", r"\1 is not a valid escape; back-references are not supported"),
        ("(?=a)", "(?= is not supported: RE2 has neither lookaround nor conditions"),
        ("(?P<-a)", "(?P<-a) is not a valid named group, such as (?P<name>...)"),
        ("[z-a]", "z-a is not a valid range or class of characters"),
        (r"\x{110000}", r"\x{110000 is not a valid escape; back-references are not supported"),
        ("((a{100}){10}){10}", "{10} is not a valid repetition: at most 1000, the lower bound first"),
        ("(\\pL{1000})" * 30, "it is too large: use fewer or smaller repetitions such as {100}"),
        ("\ud800", "it is not Unicode"),
    ],
)
def test_a_pattern_is_refused_in_these_words(pattern: str, told: str) -> None:
    assert refusal(pattern) == f"invalid regular expression: {told}; see github.com/google/re2/wiki/Syntax"


def test_every_refusal_of_re2_has_words() -> None:
    options, dice = re2.Options(), random.Random(7)
    options.log_errors = False
    found = set()
    for _ in range(3000):
        try:
            re2.compile("".join(dice.choices(PARTS, k=dice.randint(1, 6))), options)
        except re2.error as error:
            text = error.args[0].decode("utf-8", "replace")
            found.add(text if text in WORDS else text.partition(": ")[0])
            assert pattern_words(text) != UNKNOWN, text

    assert len(found) > 8
    assert pattern_words("brand new: (") == UNKNOWN
