from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from probekit.text import escape, inert_json, moment, paragraph, shortened


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\nGO: prod", r"a\x0aGO: prod"),
        ("\r\x1b[2J\x7f\x9b", r"\x0d\x1b[2J\x7f\u009b"),
        ("\u202a\u202e\u2066\u2069", r"\u202a\u202e\u2066\u2069"),
        ("\u200b\u200d\ufeff\u2028\u00ad", r"\u200b\u200d\ufeff\u2028\u00ad"),
        ("\ud800", r"\ud800"),
        ("\u3164\ufe0f\u034f\U000e0100", r"\u3164\ufe0f\u034f\ue0100"),
        ("a\u00a0b", r"a\u00a0b"),
        ("23 °C, größer, 部署, 🚀", "23 °C, größer, 部署, 🚀"),
    ],
)
def test_what_hides_moves_or_recolours_text_is_written_out(hostile, shown) -> None:
    assert escape(hostile) == shown


def test_a_line_is_wider_than_asked_only_for_one_long_word() -> None:
    assert paragraph("ab " + "x" * 30 + " cd-ef gh", width=10, indent="  ", hanging="    ") == [
        "  ab",
        "    " + "x" * 30,
        "    cd-ef",
        "    gh",
    ]


def test_a_moment_is_told_in_utc() -> None:
    assert moment(datetime(2026, 11, 23, 12, 30, tzinfo=timezone(timedelta(hours=2)))) == "2026-11-23 10:30:00 UTC"


def test_a_line_is_cut_where_it_is_longer_than_the_terminal() -> None:
    assert shortened("x" * 80, 80) == "x" * 80
    assert shortened("x" * 81, 80) == "x" * 77 + "..."
    assert shortened("long", 2) == ".."
    assert shortened("漢字漢字漢字", 8) == "漢字..."


@pytest.mark.parametrize("text", ["##[add-mask]x", "a ##[error]b", "####[group]"])
def test_no_text_is_a_command_for_the_runner_of_github(text) -> None:
    assert "##[" not in escape(text)
    assert "\\x23[" in escape(text)
    assert "##[" not in inert_json(json.dumps(text))
    assert json.loads(inert_json(json.dumps(text))) == text


def test_no_line_of_a_paragraph_begins_like_a_command_of_the_runner() -> None:
    lines = paragraph("::error::a and some more ::stop-commands::b", width=24, indent="  ", hanging="  ")

    assert lines == ["  \\x3a:error::a and some", "  more", "  \\x3a:stop-commands::b"]
    assert paragraph("an address ::1", width=40) == ["an address ::1"]
