"""Performance data of monitoring plugins: what is a number, and what is none."""

from __future__ import annotations

import time

import pytest

from probekit.probes.command.perfdata import Number, numbers


@pytest.mark.parametrize(
    ("output", "known"),
    [
        ("OK | time=0.05s;1;2;0;10", {"time": Number(0.05, "s")}),
        ("OK|a=1 b=2.5 c=-3e2", {"a": Number(1, ""), "b": Number(2.5, ""), "c": Number(-300, "")}),
        ("OK | /=2643MB;5948;5958;0;5968 /boot=68MB", {"/": Number(2643, "MB"), "/boot": Number(68, "MB")}),
        ("OK | 'used space'=50%;;80", {"used space": Number(50, "%")}),
        ("OK | 'it''s'=1", {"it's": Number(1, "")}),
        ("OK | requests=42c", {"requests": Number(42, "")}),
        ("OK | a=1;@10:20;~:5", {"a": Number(1, "")}),
        ("OK | a=1\nlong text\nmore | b=2\nc=3 d=4", {name: Number(n, "") for n, name in enumerate("abcd", 1)}),
        ("OK\nlong text | a=1\r\n", {"a": Number(1, "")}),
        ("OK | warn=1 | crit=2", {"warn": Number(1, ""), "crit": Number(2, "")}),
    ],
)
def test_what_stands_behind_the_bar_is_read(output, known) -> None:
    assert numbers(output) == known


@pytest.mark.parametrize(
    "output",
    [
        "",
        "a=1",  # no bar
        "OK\na=1",  # long text
        "OK | a=U",
        "OK | a=",
        "OK | a=nan",
        "OK | a=inf",
        "OK | a=1e999",
        "OK | a=1,5s",  # a locale's comma
        "OK | a=1.5.2",
        "OK | a=0x10",
        "OK | a=\u0661",  # a digit of another script
        "OK | a=1parsec",
        "OK | a=1 a=2",  # which of the two?
        "OK | a=1 a=1 a=1",
        "OK | x'a=1",
        "OK | 'a=1",
    ],
)
def test_what_is_no_number_is_left_out(output) -> None:
    assert "a" not in numbers(output)


@pytest.mark.parametrize(
    "part", ["a", "'", "'a'' ", "'''a ", " '", "|", "a=", "'a b ", "a=1;;;", "1", "=", "''' '''''"]
)
def test_reading_takes_no_longer_than_the_text_is_long(part) -> None:
    began = time.process_time()

    numbers(f"OK | {part * (65_536 // len(part))}")

    assert time.process_time() - began < 5  # it takes milliseconds; where every place may begin a label, a minute
