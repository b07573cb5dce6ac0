"""The picture of a terminal: the command runs on one, its colours are kept, and no other host is named."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import picture
import pytest

IMAGES = sorted(picture.IMAGES.glob("*.svg"))
PROGRAM = """
import os, sys
print("\\x1b[1;31mROLLBACK\\x1b[0m", sys.stdout.isatty(), os.get_terminal_size(sys.stdout.fileno()).columns, "& <b>")
print("a line")
print("Next: nothing")
"""
HOST = re.compile(r"""(?:src|href)=|url\((?!#)|@import|@font-face|https?://(?!www\.w3\.org/2000/svg")""")


@pytest.fixture(scope="module")
def output() -> str:
    return picture.shown([sys.executable, "-c", PROGRAM])


def test_the_command_runs_on_a_terminal_of_80_columns(output) -> None:
    assert output.splitlines() == ["\x1b[1;31mROLLBACK\x1b[0m True 80 & <b>", "a line", "Next: nothing"]


def test_the_picture_shows_the_output_and_names_no_other_host(output) -> None:
    drawn = picture.drawing("probekit demo", output)

    texts = ["".join(one.itertext()) for one in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314  # made here
    shown = "\n".join(texts).replace("\xa0", " ")
    assert texts[0].replace("\xa0", " ") == "probekit demo"
    assert "$ probekit demo" in shown
    assert "ROLLBACK" in shown
    assert "True 80 & <b>" in shown
    assert "#f06262" in drawn  # red
    assert not HOST.search(drawn)


def test_what_is_left_out_is_counted(output) -> None:
    of_it = picture.Picture("probekit demo", until="a line", since="Next:")

    assert picture.shortened(output, of_it).splitlines()[1:] == [
        "\x1b[2m[1 line left out]\x1b[0m",
        "",
        "Next: nothing",
    ]


def test_a_line_that_is_missing_is_an_error(output) -> None:
    with pytest.raises(ValueError, match="shows no line that begins with 'success'"):
        picture.shortened(output, picture.Picture("probekit demo", until="success", since="Next:"))


def test_a_command_that_cannot_be_started_is_an_error() -> None:
    with pytest.raises(OSError, match="nowhere"):
        picture.shown(["/nowhere/probekit"])


def test_every_picture_is_there() -> None:
    assert [path.stem for path in IMAGES] == sorted(picture.PICTURES)


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_a_picture_of_the_documents_is_small_and_names_its_command_and_no_host(path: Path) -> None:
    text = path.read_text("utf-8")

    assert len(text.encode()) < 60_000
    assert f">{picture.PICTURES[path.stem].command.replace(' ', '&#160;')}<" in text
    assert not HOST.search(re.sub(r"https://localhost:\d+", "", text))
