"""stdout is the report, files are whole or absent."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, TextIO

from probekit import log
from probekit.drawing import WIDTH, Block, draw
from probekit.files import write_file
from probekit.reports import Show, View
from probekit.text import escape

_WIDEST: Final = 120  # columns: a longer line is hard to read
_UNWRAPPED: Final = 10_000  # columns of a pipe, where a program reads each row as one line


class Losses:
    """What a command could not write to stdout, so that the command does not end as a success."""

    def __init__(self) -> None:
        self.any = False


LOSSES: Final = Losses()


def write_stdout(text: str) -> bool:
    """Write to stdout in whatever encoding it has; a reader who went away (`| head -1`) is no error.

    Returns:
        Whether nothing was lost; what was is noted in `LOSSES`.
    """
    stream = sys.stdout
    data = text.encode(stream.encoding or "utf-8", "backslashreplace")
    try:
        stream.flush()
        stream.buffer.write(data)
        stream.flush()
    except OSError as error:
        has_left = isinstance(error, BrokenPipeError)
        LOSSES.any |= not has_left
        if not has_left:
            warn(f"the report cannot be written to stdout: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # so that Python's own flush at exit is quiet
        return has_left
    return True


def show(blocks: Iterable[Block], *, rows_whole: bool = False) -> bool:
    """Write lines and tables to stdout in its width and colour; `rows_whole`: in a pipe each row is one line.

    Returns:
        Whether nothing was lost.
    """
    here = view()
    is_whole = rows_whole and not sys.stdout.isatty()
    return write_stdout(draw(blocks, width=_UNWRAPPED if is_whole else here.width, colour=here.colour))


def save(text: str, path: Path, *, mode: int) -> bool:
    """Write the whole file or nothing, a new one with that mode; where it cannot be written, say so on stderr.

    Returns:
        Whether it was written.
    """
    try:
        write_file(path, text, mode=mode)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        warn(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}")
        return False
    return True


def warn(text: str, *, level: Literal["warning", "error"] = "warning") -> None:
    """Say something on stderr, escaped line by line, for a target's words may be in it; as JSON where that is asked."""
    lines = "\n".join(map(escape, f"probekit: {text}".split("\n")))
    write_stderr(log.as_json(level, text.removeprefix(f"{level}: ")) or lines)


def write_stderr(text: str) -> None:
    """Write a line to stderr, if that can be done: its trouble never becomes an answer."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def colour(stream_is_terminal: bool) -> bool:  # noqa: FBT001  # one fact
    """Whether colour is wanted: on a terminal, unless NO_COLOR says otherwise (no-color.org)."""
    return stream_is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int:
    """Return the columns of the terminal that a stream leads to; shutil's are those of stdout, which may be a file."""
    with suppress(OSError, ValueError):
        if not os.environ.get("COLUMNS"):
            return os.get_terminal_size(stream.fileno()).columns or WIDTH
    return shutil.get_terminal_size((WIDTH, 24)).columns


def view(show: Show | None = None) -> View:
    """Return the form of a report on stdout: on a terminal in its width and colour, by default with every item."""
    terminal = sys.stdout.isatty()
    width = min(width_of(sys.stdout), _WIDEST) if terminal else WIDTH
    return View(colour=colour(terminal), width=width, show=show or ("all" if terminal else "failures"))
