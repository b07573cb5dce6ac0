"""How a text looks on stdout: its colour, its width, and how much of a report it shows."""

from __future__ import annotations

import io
import sys

import pytest

from probekit.cli.output import colour, view


@pytest.mark.parametrize(
    ("variables", "is_terminal", "is_coloured"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colour_is_for_terminals_that_have_it_and_people_who_want_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, is_terminal: bool, is_coloured: bool
) -> None:
    for name, value in ({"TERM": "xterm", "NO_COLOR": ""} | variables).items():
        monkeypatch.setenv(name, value)

    assert bool(colour(is_terminal)) is is_coloured


@pytest.mark.parametrize(("columns", "width"), [("20", 20), ("120", 120), ("200", 120)])
def test_a_terminal_shows_all_in_its_width_and_a_pipe_failures_in_80_columns(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for is_terminal, expected in ((True, (width, "all")), (False, (80, "failures"))):
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda answer=is_terminal: answer)
        monkeypatch.setattr(sys, "stdout", stream)
        assert (view().width, view().show) == expected
        assert view("all").show == "all"
