"""Draw lines and tables as text of a given width, coloured or plain; rich is imported only for tables.

Lines and cells may contain texts of a target: each is escaped here, and none is interpreted as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from probekit.text import columns, escape, paragraph

if TYPE_CHECKING:
    from rich.table import Table as RichTable

WIDTH: Final = 80  # columns, where there is no terminal
_GAP: Final = 2  # columns between two cells
_ROOM: Final = 32  # minimum columns of a wrapped text

Style = Literal["", "good", "warn", "bad", "odd", "strong", "faint"]
_CODES: Final[dict[Style, str]] = {  # ECMA-48 SGR
    "good": "32",
    "warn": "33",
    "bad": "1;31",
    "odd": "35",
    "strong": "1",
    "faint": "2",
}
_NAMES: Final[dict[Style, str]] = {  # the names of rich
    "good": "green",
    "warn": "yellow",
    "bad": "bold red",
    "odd": "magenta",
    "strong": "bold",
    "faint": "dim",
}


class Line(NamedTuple):
    """A text to escape and wrap, with its indent."""

    text: str
    indent: int = 0
    style: Style = ""
    hanging: int = 2  # additional indent of further lines, in columns


class Cell(NamedTuple):
    """One cell of a table."""

    text: str
    style: Style = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table: its title, whether it is right-aligned, and whether its texts may be wrapped.

    A last column with `may_go_below` is drawn below its row where the others leave it too little room.
    """

    title: str
    is_number: bool = False
    is_wrapped: bool = False
    may_go_below: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells below the titles of their columns."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | str]]
    indent: int = 0
    has_titles: bool = True


class Verbatim(NamedTuple):
    """Lines that are copied unchanged and not wrapped."""

    text: str
    indent: int = 0


Block = Line | Table | Verbatim
_Bounds = list[tuple[int, int]]  # for each column: its minimum and its preferred width


def draw(blocks: Iterable[Block], *, width: int = WIDTH, colour: bool = False) -> str:
    """Return the text: lines wrapped between words, tables aligned; only a long word exceeds the width."""
    lines = (line for block in blocks for line in _drawn(block, width, colour=colour))
    return "".join(f"{line}\n" for line in lines)


def painted(text: str, style: Style) -> str:
    """Return a text in the colour of a style; the caller decides whether colour is used."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style else text


def _drawn(block: Block, width: int, *, colour: bool) -> list[str]:
    if isinstance(block, Line):
        return _wrapped(block, width, colour=colour)
    if isinstance(block, Verbatim):
        return [f"{' ' * block.indent}{escape(line)}".rstrip() for line in block.text.splitlines()]
    if not block.rows:
        return []
    if block.columns[-1].may_go_below and (lines := _stacked(block, width, colour=colour)):
        return lines
    bounds = _bounds(block)
    if _least_width(block, bounds) > width:  # each cell becomes a paragraph
        return [line for one in _as_lines(block) for line in _wrapped(one, width, colour=colour)]
    return _tabled(block, bounds, width, colour=colour)


def _wrapped(line: Line, width: int, *, colour: bool) -> list[str]:
    indent = " " * line.indent
    lines = paragraph(line.text, width=width, indent=indent, hanging=indent + " " * line.hanging) or [""]
    if not (colour and line.style):
        return lines
    return [painted(one, line.style) for one in lines]


def _cell(cell: Cell | str) -> Cell:
    return cell if isinstance(cell, Cell) else Cell(cell)


def _least_width(table: Table, bounds: _Bounds) -> int:
    """Return the minimum width of the table, with every cell as narrow as its longest word."""
    return _around(table) + sum(least for least, _ in bounds)


def _around(table: Table) -> int:
    """Return the width of a table's indent and gaps."""
    return table.indent + _GAP * (len(table.columns) - 1)


def _bounds(table: Table) -> _Bounds:
    """Return the minimum width of each column (its longest word, if wrapped) and the width of its longest text."""
    bounds: _Bounds = []
    for number, column in enumerate(table.columns):
        texts = [escape(_cell(row[number]).text) for row in table.rows]
        texts += [column.title] if table.has_titles else []
        most = max(map(columns, texts), default=0)
        words = (word for text in texts for word in text.split())
        bounds.append((max(map(columns, words), default=0) if column.is_wrapped else most, most))
    return bounds


def _widths(table: Table, bounds: _Bounds, width: int) -> list[int]:
    """Return a width for each column that fits its words; longer texts share the remaining width."""
    widths = [least for least, _ in bounds]
    left = max(width - _around(table) - sum(widths), 0)
    by_need = sorted(range(len(bounds)), key=lambda number: bounds[number][1] - bounds[number][0])
    for sharing, number in zip(range(len(bounds), 0, -1), by_need, strict=True):
        least, most = bounds[number]
        widths[number] += min(most - least, left // sharing)
        left -= widths[number] - least
    return widths


def _stacked(table: Table, width: int, *, colour: bool) -> list[str]:
    """Return each row with its last cell below it; empty where both fit next to each other."""
    last = len(table.columns) - 1
    others = replace(table, columns=table.columns[:last], rows=[row[:last] for row in table.rows])
    bounds, texts = _bounds(others), [_cell(row[last]) for row in table.rows]
    used = _least_width(others, bounds)
    longest = max(len(escape(text.text)) for text in texts)
    if used > width or used + _GAP + min(longest, _ROOM) <= width:
        return []
    titles, rows = int(table.has_titles), _tabled(others, bounds, width, colour=colour)
    lines = rows[:titles]
    for row, text in zip(rows[titles:], texts, strict=True):
        below = Line(text.text, table.indent + 4, text.style, hanging=0)
        lines += [row, *(_wrapped(below, width, colour=colour) if text.text else ())]
    return lines


def _as_lines(table: Table) -> Iterable[Line]:
    """Each row of a table that does not fit: the first cell, and below it the others with their titles."""
    for row in table.rows:
        first, *others = map(_cell, row)
        yield Line(first.text, table.indent, first.style)
        for column, cell in zip(table.columns[1:], others, strict=True):
            if cell.text:
                title = f"{column.title}: " if table.has_titles and column.title else ""
                yield Line(f"{title}{cell.text}", table.indent + 4, cell.style)


def _tabled(table: Table, bounds: _Bounds, width: int, *, colour: bool) -> list[str]:
    from rich.console import Console  # noqa: PLC0415  # see above
    from rich.padding import Padding  # noqa: PLC0415  # see above

    file = StringIO()
    console = Console(
        file=file,
        width=width,
        color_system="standard" if colour else None,
        force_terminal=colour,
        legacy_windows=False,
        no_color=not colour,
        _environ={},
    )
    console.print(Padding(_rich(table, _widths(table, bounds, width)), (0, 0, 0, table.indent), expand=False))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def _rich(table: Table, widths: Sequence[int]) -> RichTable:
    from rich.table import Table as RichTable  # noqa: PLC0415  # see above
    from rich.text import Text  # noqa: PLC0415  # see above

    made = RichTable(
        box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=table.has_titles, header_style="dim"
    )
    for column, room in zip(table.columns, widths, strict=True):
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        made.add_column(Text(_lines(column.title, room)), justify=justify, no_wrap=True, width=room)
    for row in table.rows:
        cells = zip(map(_cell, row), widths, strict=True)
        made.add_row(*(Text(_lines(cell.text, room), style=_NAMES.get(cell.style, "")) for cell, room in cells))
    return made


def _lines(text: str, width: int) -> str:
    """Return a cell's text wrapped into lines: rich would cut a line of wide characters that fills the column."""
    return "\n".join(paragraph(text, width=width))
