"""Performance data of monitoring plugins: what is a number, and what is none."""

from __future__ import annotations

import time

import pytest

from probekit.probes.command.perfdata import Number, Unreadable, numbers


@pytest.mark.parametrize(
    ("output", "known"),
    [
        ("OK | time=0.05s;1;2;0;10", {"time": Number(0.05, "s", 10)}),
        ("OK|a=1 b=2.5 c=-3e2", {"a": Number(1), "b": Number(2.5), "c": Number(-300)}),
        ("OK | a=.5 b=42. c=+7 d=-.5e1s", {"a": Number(0.5), "b": Number(42), "c": Number(7), "d": Number(-5, "s")}),
        ("OK | /=2643MB;5948;5958;0;5968 /boot=68MB", {"/": Number(2643, "MB", 5968), "/boot": Number(68, "MB")}),
        ("OK | 'used space'=50%;;80", {"used space": Number(50, "%")}),
        ("OK | 'it''s'=1", {"it's": Number(1)}),
        ("OK | requests=42c", {"requests": Number(42, "c")}),
        ("OK | a=1;@10:20;~:5", {"a": Number(1)}),
        ("OK | a=1\nlong text\nmore | b=2\nc=3 d=4", {name: Number(n) for n, name in enumerate("abcd", 1)}),
        ("OK\nlong text | a=1\r\n", {"a": Number(1)}),
        ("OK | warn=1 | crit=2", {"warn": Number(1), "crit": Number(2)}),
    ],
)
def test_what_stands_behind_the_bar_is_read(output, known) -> None:
    assert numbers(output) == known


@pytest.mark.parametrize(
    "unit",
    ["MiB", "G", "m", "h", "mV", "degC", "\u00b0C", "b/s", "rpm", "kWh", "m3/h", "m\u00b3", "B/s", "e", "\u00b5s", "%"],
)
def test_a_unit_is_what_stands_there(unit) -> None:
    assert numbers(f"OK | a=42{unit};80;90;0;84") == {"a": Number(42, unit, 84)}


@pytest.mark.parametrize(
    ("fields", "largest"),
    [
        ("", None),
        (";1;2", None),
        (";;;;", None),
        (";;;;84", 84),
        (";1;2;0;84;9", 84),
        (";;;;84B", 84),
        (";;;;84kB", None),  # of another unit
        (";;;;U", None),
        (";;;;~:84", None),
    ],
)
def test_the_fifth_field_is_the_largest_value(fields, largest) -> None:
    assert numbers(f"OK | a=42B{fields}") == {"a": Number(42, "B", largest)}


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ("OK | a=U", "could not determine it"),
        ("OK | a=", '"" is not a number'),
        ("OK | a=nan", '"nan" is not a number'),
        ("OK | a=inf", '"inf" is not a number'),
        ("OK | a=1e999", '"1e999" is not a number'),
        ("OK | a=.", '"." is not a number'),
        ("OK | a=1,5s", '"1,5s" is not a number'),  # a locale's comma
        ("OK | a=1.5.2", '"1.5.2" is not a number'),
        ("OK | a=1/2", '"1/2" is not a number'),
        ("OK | a=0x10", '"0x10" is not a number'),
        ("OK | a=\u0661", "is not a number"),  # a digit of another script
        ("OK | a=1 a=2", "occurs twice"),  # which of the two?
        ("OK | a=1 a=1 a=1", "occurs twice"),
    ],
)
def test_what_cannot_be_read_is_told_from_what_is_absent(output, why) -> None:
    found = numbers(output)["a"]

    assert isinstance(found, Unreadable)
    assert why in found.why


@pytest.mark.parametrize("output", ["", "a=1", "OK\na=1", "OK | x'a=1", "OK | 'a=1"])  # no bar, long text, no label
def test_what_stands_nowhere_is_absent(output) -> None:
    assert "a" not in numbers(output)


@pytest.mark.parametrize(
    "part", ["a", "'", "'a'' ", "'''a ", " '", "|", "a=", "'a b ", "a=1;;;", "1", "=", "''' '''''"]
)
def test_reading_takes_no_longer_than_the_text_is_long(part) -> None:
    began = time.process_time()

    numbers(f"OK | {part * (65_536 // len(part))}")

    assert time.process_time() - began < 5  # it takes milliseconds; where every place may begin a label, a minute
