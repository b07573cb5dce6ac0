"""Lines and tables: escaped, within their width, whole words; plain where no colour is asked for."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings, strategies as st
from rich.cells import cell_len

from probekit.drawing import Cell, Column, Line, Table, Verbatim, draw

COLUMNS = (
    Column(title="item"),
    Column(title="measured", is_number=True),
    Column(title="what", is_wrapped=True),
)


def table(*rows, **other):
    return Table(columns=COLUMNS, rows=rows, **other)


def test_columns_stand_below_their_titles_and_numbers_at_the_right():
    drawn = draw([table(("p95", "312 ms", "api"), ("health", "4 ms", "all of it"))])
    assert drawn == "item    measured  what\np95       312 ms  api\nhealth      4 ms  all of it\n"


def test_a_table_without_rows_is_nothing():
    assert draw([table()]) == ""


def test_a_text_is_wrapped_between_words_within_the_width():
    drawn = draw([table(("p95", "312 ms", "one two three four five six seven"))], width=40).splitlines()
    assert drawn[1:] == ["p95     312 ms  one two three four five", "                six seven"]


def test_a_table_that_is_too_wide_becomes_paragraphs_and_no_word_is_broken():
    word = "w" * 60
    assert draw([table(("a-long-name", "1 ms", word))], width=40).splitlines() == [
        "a-long-name",
        "    measured: 1 ms",
        "    what:",
        f"      {word}",
    ]


def test_a_text_that_has_too_little_room_beside_its_row_stands_below_it():
    columns = (Column(title="item"), Column(title="title", is_wrapped=True, may_go_below=True))
    text = "one two three four five six seven"
    made = Table(columns=columns, rows=[("x" * 30, text), ("y", "")])
    assert draw([made], width=50).splitlines() == ["item", "x" * 30, f"    {text}", "y"]
    assert draw([made], width=80).splitlines()[1] == f"{'x' * 30}  {text}"
    assert draw([made], width=20).splitlines()[0] == "x" * 30  # too narrow for the others, too


def test_what_is_to_be_copied_is_not_wrapped():
    assert draw([Verbatim("a = 1\n\nb = 'two words'\x1b\n", 4)], width=8) == "    a = 1\n\n    b = 'two words'\\x1b\n"


def test_what_a_target_says_is_neither_markup_nor_control():
    drawn = draw([Line("[red]x[/red]\x1b[2J"), table(("[bold]a", ":smile:", "\x1b]0;t\x07\u202e"))], colour=True)
    assert "[red]x[/red]\\x1b[2J" in drawn
    assert "[bold]a" in drawn
    assert ":smile:" in drawn
    assert "\\x1b]0;t\\x07\\u202e" in drawn
    assert not re.sub(r"\x1b\[[0-9;]*m", "", drawn).count("\x1b")


@pytest.mark.parametrize("colour", [False, True])
def test_colour_only_where_it_is_asked_for(colour):
    drawn = draw([Line("bad news", 0, "bad"), table((Cell("a", "bad"), "1", ""))], colour=colour)
    assert ("\x1b[" in drawn) is colour


def test_the_environment_changes_nothing(monkeypatch):
    plain = draw([table(("a", "1", "b"))])
    for name, value in {"COLUMNS": "20", "NO_COLOR": "1", "FORCE_COLOR": "1", "TTY_INTERACTIVE": "1"}.items():
        monkeypatch.setenv(name, value)
    assert draw([table(("a", "1", "b"))]) == plain


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=4), st.integers(20, 130))
def test_a_longer_line_holds_one_word_and_its_title_alone(rows, width):
    for line in draw([table(*rows)], width=width).splitlines():
        assert cell_len(line) <= width or len(line.split()) <= 1


WORD = st.text("abc漢é", min_size=1, max_size=45)
WORDS = st.lists(WORD, max_size=8).map(" ".join)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=4), st.integers(20, 130))
def test_each_word_of_a_table_stays_whole_where_several_columns_are_wrapped(rows, width):
    made = Table(columns=[Column(title="", is_wrapped=True)] * 3, rows=rows, indent=2, has_titles=False)
    drawn = draw([made], width=width)
    assert sorted(drawn.split()) == sorted(word for row in rows for cell in row for word in cell.split())


def test_a_column_leaves_room_to_a_longer_one():
    made = Table(columns=[Column(title="", is_wrapped=True)] * 2, rows=[("a b", "c " * 20)], has_titles=False)
    assert draw([made], width=30).splitlines() == ["a b  " + " ".join("c" * 13), "     " + " ".join("c" * 7)]


def test_wide_characters_take_two_columns_of_a_line():
    assert draw([Line("漢字 漢字 漢字")], width=10).splitlines() == ["漢字 漢字", "  漢字"]


def test_lines_alone_import_no_rich():
    script = "import sys; from probekit.drawing import Line, draw; draw([Line('a')]); print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"
