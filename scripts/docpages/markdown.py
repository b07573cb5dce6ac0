"""Markdown tables and notes of generated pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

GENERATED: Final = "<!-- `make docs` writes this page from the code: edit the code, not the page. -->\n"


def table(*head: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a table; a cell is one line, and a bar in it is escaped."""
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Return the text as code, or nothing for an empty text."""
    return f"`{text}`" if f"{text}" else ""
