"""Numbers as people write them: one formatter, held against a table."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given, strategies as st

from probekit.model.numbers import ago, count, number, span


@pytest.mark.parametrize(
    ("value", "unit", "limit", "text"),
    [
        (3.554e5, "d", None, "355,400 d"),
        (1e2, "%", None, "100 %"),
        (100.0, "%", 100.0, "100 %"),
        (99.9987, "%", None, "100 %"),
        (99.9987, "%", 100.0, "99.999 %"),
        (200.04, "ms", None, "200 ms"),
        (200.04, "ms", 200.0, "200.04 ms"),
        (199.99999, "ms", 200.0, "199.99999 ms"),
        (312.437, "ms", 500.0, "312.4 ms"),
        (0.1, "%", 0.1, "0.1 %"),
        (0.05, "%", 0.1, "0.05 %"),
        (0.00001234567, "%", None, "0.00001235 %"),
        (1e-12, "%", None, "less than 0.000000001 %"),
        (1234567.8, "MB", None, "1,234,568 MB"),
        (9999.6, "ms", 10_000.0, "9,999.6 ms"),
        (503.0, "", 200.0, "503"),
        (503, "", 200, "503"),
        (False, "", 1.0, "0"),
        (True, "", None, "1"),
        (-3.25, "s", None, "-3.25 s"),
        (0.0, "", 0.0, "0"),
        (-0.0, "", None, "0"),
        (1e300, "", None, "more than 1,000,000,000,000,000"),
        (-1e300, "", None, "less than -1,000,000,000,000,000"),
        (inf, "s", None, "infinite s"),
        (-inf, "", None, "-infinite"),
        (inf, "s", 200.0, "infinite s"),
        (0.1 + 0.2, "s", 0.3, "0.30000000000000004 s"),
        (5e-10, "", 0.0000000001, "0.0000000005"),
        (2e15, "", 1e16, "2,000,000,000,000,000"),
        (nan, "%", None, "unknown %"),
    ],
)
def test_a_number_has_four_digits_no_exponent_and_is_never_written_as_its_limit(value, unit, limit, text):
    assert number(value, unit, apart_from=limit) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e6, 1e6))
def test_no_number_has_an_exponent_or_a_hanging_point(value, limit):
    text = number(value, apart_from=limit)
    assert "e" not in text.replace("less", "").replace("more", "").replace("than", "")
    assert not text.endswith((".", "-0"))


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_number_apart_from_its_limit_is_written_apart(value, limit):
    assert value == limit or number(value, apart_from=limit) != number(limit)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((1, "item"), "1 item"),
        ((0, "item"), "0 items"),
        ((2, "entry", "entries"), "2 entries"),
        ((12_345, "request"), "12,345 requests"),
    ],
)
def test_a_count_has_its_noun(words, text):
    assert count(*words) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0005, "0.5 ms"),
        (0.25, "250 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1, "1 s"),
        (2.54, "2.5 s"),
        (9.96, "10 s"),
        (48.3, "48 s"),
        (90, "90 s"),
        (120, "2 min"),
        (150, "2 min 30 s"),
        (900, "15 min"),
        (3599.7, "60 min"),
        (7200, "2 h"),
        (12_000, "3 h 20 min"),
        (172_800, "2 days"),
        (216_000, "2 days 12 h"),
        (259_199, "3 days"),
        (1_209_600, "14 days"),
        (1e9, "11,574 days"),
        (inf, "infinite s"),
        (nan, "unknown s"),
        (-30, "30 s"),
    ],
)
def test_a_span_has_the_units_in_which_people_say_it(seconds, text):
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "less than a minute ago"),
        (59.9, "less than a minute ago"),
        (60, "1 min ago"),
        (7199, "119 min ago"),
        (7200, "2 h ago"),
        (172_800, "2 days ago"),
        (1e9, "11,574 days ago"),
    ],
)
def test_ago_never_says_zero_minutes(seconds, text):
    assert ago(seconds) == text
