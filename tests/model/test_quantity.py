"""Durations and limits say what they say, and nothing else is one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from probekit.model import quantity
from probekit.model.limit import UNITS, Limit, parse_limit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30.0),
        ("30 s", 30.0),
        ("  30   s ", 30.0),
        ("5m", 300.0),
        ("5 min", 300.0),
        ("250ms", 0.25),
        ("1.5 h", 5400.0),
        ("7 d", 604800.0),
        ("0s", 0.0),
        ("999999999999999 d", 999999999999999 * 86400.0),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert quantity.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "30", "s", "s30", "30 sec", "30 S", "30 M", "1 w", "1h30m", "1h 30m"),
        *("-1s", "+1s", "nan s", "nans", "inf s", "infs", "1e3s", "1_000s", "1,5 s", ".5s", "5.s", "0x10s"),
        *("30%", "30 %", "٣ s", "30\u00a0s;", "30 s\0", f"{'9' * 400} s"),
    ],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: write a number and a unit"):
        quantity.duration(text)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("up == 1", Limit(metric="up", op="==", value=1)),
        ("up==1", Limit(metric="up", op="==", value=1)),
        ("first_byte < 200 ms", Limit(metric="first_byte", op="<", value=200, unit="ms")),
        ("first_byte<200ms", Limit(metric="first_byte", op="<", value=200, unit="ms")),
        ("  p95   <=  0.5   s  ", Limit(metric="p95", op="<=", value=0.5, unit="s")),
        ("error_rate > 0.1 %", Limit(metric="error_rate", op=">", value=0.1, unit="%")),
        ("memory >= 16 MB", Limit(metric="memory", op=">=", value=16, unit="MB")),
        ("time_left > 30 d", Limit(metric="time_left", op=">", value=30, unit="d")),
        ("p95 within 10 % of baseline", Limit(metric="p95", op="within", value=10, unit="%", of="baseline")),
        ("p95 within 2.5% of baseline", Limit(metric="p95", op="within", value=2.5, unit="%", of="baseline")),
    ],
)
def test_a_limit_is_a_metric_an_operator_a_number_and_a_unit(text: str, limit: Limit) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize(
    "text",
    [
        *("", "up", "== 1", "up ==", "up 1", "1 == up", "up == one", "up == 1 == 1", "up == 1 ms ms"),
        *("up == nan", "up == inf", "up == -inf", "up == -1", "up == +1", "up == 1e3", "up == 1_0", "up == .5"),
        *("Up == 1", "first-byte < 1 ms", "1up == 1", "_up == 1", "ü == 1", "up == ٣"),
        *("p95 within 10 of baseline", "p95 within 10 ms of baseline", "p95 within -1 % of baseline"),
        *("p95 within 10 %", "p95 within nan % of baseline", "up == 1; up == 2", "up == 1\n\0"),
        f"up == {'9' * 400}",
    ],
)
def test_anything_else_is_no_limit(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a limit: write METRIC OPERATOR NUMBER \[UNIT\]"):
        parse_limit(text)


@pytest.mark.parametrize("operator", ["=", "=>", "=<", "!=", "<>", "===", "<<", "!"])
def test_an_unknown_operator_is_answered_with_the_known_ones(operator: str) -> None:
    with pytest.raises(ValueError, match=f"unknown operator '{operator}'; write one of < <= == >= >"):
        parse_limit(f"up {operator} 1")


@pytest.mark.parametrize("unit", ["msec", "S", "Ms", "m", "KB", "percent", "%%", "GB"])
def test_an_unknown_unit_is_answered_with_the_known_ones(unit: str) -> None:
    with pytest.raises(ValueError, match=f"unknown unit '{unit}'; write one of %, MB, ms, s, min, h, d, or none for a"):
        parse_limit(f"up < 1 {unit}")


@given(
    metric=st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True).filter(lambda name: name.isascii()),
    operator=st.sampled_from(["<", "<=", "==", ">=", ">"]),
    value=st.integers(0, 99999) | st.decimals(0, 9999, places=1),
    unit=st.sampled_from(UNITS),
)
def test_a_limit_reads_as_it_was_written(metric, operator, value, unit) -> None:
    limit = parse_limit(f"{metric} {operator} {value} {unit}")

    assert parse_limit(str(limit)) == limit
    assert limit.value == float(value)


@given(st.text())
def test_no_text_is_a_crash_or_an_infinite_number(text: str) -> None:
    for parse in (quantity.duration, parse_limit):
        try:
            found = parse(text)
        except ValueError:
            continue
        assert math.isfinite(found.value if isinstance(found, Limit) else found)


@pytest.mark.parametrize("text", ["x < 123456789 ms", "x < 0.1 %", "x <= 99.99999 %", "x == 1", "x < 2.5 s"])
def test_a_limit_is_written_as_it_was_read(text) -> None:
    assert str(parse_limit(text)) == text


@pytest.mark.parametrize(
    ("limit", "low", "high", "idle"),
    [
        ("up >= 0", 0, 1, True),
        ("up > 0", 0, 1, False),
        ("up <= 1", 0, 1, True),
        ("up < 1", 0, 1, False),
        ("up == 1", 0, 1, False),
        ("up == 2", 0, 1, True),  # no value keeps it
        ("up > 1", 0, 1, True),
        ("status > 0", 100, 599, True),
        ("status < 600", 100, 599, True),
        ("status < 500", 100, 599, False),
        ("errors >= 0", 0, math.inf, True),
        ("errors < 0", 0, math.inf, True),
        ("errors == 0", 0, math.inf, False),
        ("errors <= 5", 0, math.inf, False),
        ("time_left >= 0 d", -math.inf, math.inf, False),
    ],
)
def test_a_limit_that_all_values_keep_or_none_does_is_idle(limit, low, high, idle) -> None:
    assert parse_limit(limit).is_idle(low, high) is idle


@pytest.mark.parametrize("text", ["drift < 0.00001 s", "drift <= 0.000000000000001", "drift == 200 ms"])
def test_a_limit_is_written_as_it_was_read_without_an_exponent(text: str) -> None:
    assert str(parse_limit(text)) == text
