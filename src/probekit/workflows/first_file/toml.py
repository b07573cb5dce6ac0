"""Write TOML in lines of 80 columns, whatever its texts contain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Final

from probekit.text import escape
from probekit.toml_file.write import letter, quoted

WIDTH: Final = 80


def comment(text: str) -> Iterator[str]:
    """Yield the text as lines of comments; a word longer than a line is broken."""
    yield from wrap(escape(text), WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def quotation(text: str, most: int) -> Iterator[str]:
    """Yield the beginning of a text as at most so many lines of comments, keeping its line breaks."""
    room = WIDTH - len("#   ")
    lines = [escape(line.strip()) for line in text.splitlines() if line.strip()]
    rows = [line[at : at + room] for line in lines for at in range(0, len(line), room)]
    yield from (f"#   {row}" for row in rows[:most])
    if len(rows) > most:
        yield "#   ..."


def commented(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines of TOML as comments, to be used after removing the marks."""
    yield from (f"# {line}" if line else "#" for line in lines)


def setting(name: str, text: str) -> Iterator[str]:
    """Yield a setting with a text value; a long one takes several lines."""
    line = f"{name} = {quoted(text)}"
    if len(line) <= WIDTH:
        yield line
        return
    letters, rows = list(map(letter, text.replace("${", "$${"))), [""]
    for one in letters:
        if len(rows[-1]) + len(one) > WIDTH - len('    """'):
            rows.append("")
        rows[-1] += "\\u0020" if one == " " and not rows[-1] else one  # TOML drops blanks at the start of a line
    yield f'{name} = """\\'
    yield from (f"    {row}\\" for row in rows[:-1])
    yield f'    {rows[-1]}"""'


def array(name: str, entries: Sequence[str]) -> Iterator[str]:
    """Yield a setting with an array value: on one line, else with a line for each entry."""
    line = f"{name} = [{', '.join(entries)}]"
    if len(line) <= WIDTH - len("# "):
        yield line
        return
    yield f"{name} = ["
    yield from (f"    {entry}," for entry in entries)
    yield "]"
