"""Output of commands: stdout holds the report, stderr the messages, and files are written whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, TextIO

from probekit import log
from probekit.cli.plugin import PROBLEM
from probekit.drawing import WIDTH, Block, draw
from probekit.files import write_file
from probekit.reports import Show, View
from probekit.text import escape, inert_json

_WIDEST: Final = 120  # columns: longer lines are hard to read
_UNWRAPPED: Final = 10_000  # columns in a pipe, where a program reads each row as one line


class Losses:
    """Whether a command could not write all of its output to stdout, so that it does not exit with 0."""

    def __init__(self) -> None:
        self.any = False


LOSSES: Final = Losses()


def write_stdout(text: str) -> bool:
    """Write to stdout in its encoding; a closed pipe (`| head -1`) is not an error.

    A text for a person has no `##[` left (`text.escape`), so what has one is JSON.

    Returns:
        Whether nothing was lost; a loss is noted in `LOSSES`.
    """
    stream = sys.stdout
    data = inert_json(text).encode(stream.encoding or "utf-8", "backslashreplace")
    try:
        stream.flush()
        stream.buffer.write(data)
        stream.flush()
    except OSError as error:
        has_left = isinstance(error, BrokenPipeError)
        LOSSES.any |= not has_left
        if not has_left:
            warn(f"the report cannot be written to stdout: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # so that Python's flush at exit is silent
        return has_left
    return True


def show(blocks: Iterable[Block], *, rows_whole: bool = False) -> bool:
    """Write lines and tables to stdout in its width and colour; `rows_whole`: one line for each row in a pipe.

    Returns:
        Whether nothing was lost.
    """
    here = view()
    is_whole = rows_whole and not sys.stdout.isatty()
    return write_stdout(draw(blocks, width=_UNWRAPPED if is_whole else here.width, colour=here.colour))


def save(text: str, path: Path, *, mode: int) -> bool:
    """Write the whole file or nothing, a new one with that mode; if that fails, report it on stderr.

    Returns:
        Whether it was written.
    """
    try:
        write_file(path, text, mode=mode)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        warn(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}", level="error")
        return False
    return True


def warn(text: str, *, level: Literal["warning", "error"] = "warning") -> None:
    """Write a message to stderr, each line escaped, since it may quote the target; as JSON with --log-format json."""
    lines = "\n".join(map(escape, f"probekit: {text}".split("\n")))
    if level == "error":
        PROBLEM.text = escape(text.partition("\n")[0])
    write_stderr(log.as_json(level, text.removeprefix(f"{level}: ")) or lines)


def write_stderr(text: str) -> None:
    """Write a line to stderr; a failure to do so is ignored and never changes the exit code."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def colour(stream_is_terminal: bool) -> bool:  # noqa: FBT001  # one fact
    """Return whether to use colour: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return stream_is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int:
    """Return the columns of a stream's terminal; shutil asks stdout only, which may be a file."""
    with suppress(OSError, ValueError):
        if not os.environ.get("COLUMNS"):
            return os.get_terminal_size(stream.fileno()).columns or WIDTH
    return shutil.get_terminal_size((WIDTH, 24)).columns


def view(show: Show | None = None) -> View:
    """Return the form of a report on stdout: a terminal's width and colour, by default with every item there."""
    terminal = sys.stdout.isatty()
    width = min(width_of(sys.stdout), _WIDEST) if terminal else WIDTH
    return View(colour=colour(terminal), width=width, show=show or ("all" if terminal else "failures"))
