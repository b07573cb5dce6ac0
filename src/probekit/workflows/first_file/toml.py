"""Write TOML in lines of 80 columns, whatever stands in its texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Final

from probekit.text import escape
from probekit.toml_file.write import letter, quoted

WIDTH: Final = 80


def comment(text: str) -> Iterator[str]:
    """The text as lines of comments; a word that is longer than a line is broken."""
    yield from wrap(escape(text), WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def quotation(text: str, most: int) -> Iterator[str]:
    """The beginning of a text as at most so many lines of comments, each line of it on its own."""
    room = WIDTH - len("#   ")
    lines = [escape(line.strip()) for line in text.splitlines() if line.strip()]
    rows = [line[at : at + room] for line in lines for at in range(0, len(line), room)]
    yield from (f"#   {row}" for row in rows[:most])
    if len(rows) > most:
        yield "#   ..."


def commented(lines: Iterable[str]) -> Iterator[str]:
    """Lines of TOML that count once their marks are taken away."""
    yield from (f"# {line}" if line else "#" for line in lines)


def setting(name: str, text: str) -> Iterator[str]:
    """A setting whose value is a text; a long one goes on over several lines."""
    line = f"{name} = {quoted(text)}"
    if len(line) <= WIDTH:
        yield line
        return
    letters, rows = list(map(letter, text.replace("${", "$${"))), [""]
    for one in letters:
        if len(rows[-1]) + len(one) > WIDTH - len('    """'):
            rows.append("")
        rows[-1] += "\\u0020" if one == " " and not rows[-1] else one  # blanks at a line's start are left out
    yield f'{name} = """\\'
    yield from (f"    {row}\\" for row in rows[:-1])
    yield f'    {rows[-1]}"""'


def array(name: str, entries: Sequence[str]) -> Iterator[str]:
    """A setting whose value is an array: on one line, else with a line for each entry."""
    line = f"{name} = [{', '.join(entries)}]"
    if len(line) <= WIDTH - len("# "):
        yield line
        return
    yield f"{name} = ["
    yield from (f"    {entry}," for entry in entries)
    yield "]"
