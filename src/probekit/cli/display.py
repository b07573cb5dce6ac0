"""A terminal's last lines, which change, below the lines that stay: drawn by a thread of its own.

A run times answers, so nothing in its loop may wait for a terminal: what is said is put in a queue, and the thread
writes it. One drawing of twelve lines takes 0.2 ms of processor time. The cursor stays visible, so that a process that
is stopped or killed leaves a terminal as it was.
"""

from __future__ import annotations

import io
import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TextIO

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live

_EVERY: Final = 0.25  # seconds between two drawings
Lines = Callable[[int, int], Sequence[str]]  # for a width and a height, in columns and lines


def can_change_lines(stream: TextIO) -> bool:
    """Whether a stream is a terminal on which lines can change: none that only adds lines, and no log of a CI job."""
    try:
        is_terminal = stream.isatty()
    except ValueError:  # it is closed
        return False
    return is_terminal and os.environ.get("TERM", "dumb") not in {"dumb", "unknown", ""} and not os.environ.get("CI")


class Display:
    """While it is entered, sys.stderr ends in lines that change; all that others write there stays above them."""

    def __init__(self, stream: TextIO, lines: Lines) -> None:
        self._stream = stream
        self._lines = lines
        self._said: deque[str] = deque()
        self._over = Event()
        self._thread = Thread()
        self._before = sys.stderr
        self._unfinished = ""  # the beginning of a line

    def __enter__(self) -> Self:
        from rich.console import Console  # noqa: PLC0415  # where progress is drawn; now, before anything is timed
        from rich.live import Live  # noqa: PLC0415  # as above

        console = Console(
            file=self._stream, force_terminal=True, force_jupyter=False, legacy_windows=False, color_system=None
        )
        live = Live(
            _Below(self._lines),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._before, sys.stderr = sys.stderr, _Queue(self._said, self._stream)
        self._thread = Thread(target=self._draw, args=(live,), name="progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        sys.stderr = self._before
        self._over.set()
        self._thread.join()
        with suppress(OSError, ValueError):
            self._stream.write("".join((self._unfinished, *self._said)))
            self._stream.flush()

    def _draw(self, live: Live) -> None:
        """Draw until it is over; a terminal that went away ends it."""
        with suppress(OSError, ValueError), live:
            live.console.show_cursor(show=True)
            while not self._over.wait(_EVERY):
                self._write(live)
                live.refresh()

    def _write(self, live: Live) -> None:
        """Write the whole lines that were said since the last time."""
        said = [self._said.popleft() for _ in range(len(self._said))]
        whole, end, self._unfinished = f"{self._unfinished}{''.join(said)}".rpartition("\n")
        if end:
            live.console.print(_Raw(whole), soft_wrap=True)


class _Queue(io.TextIOBase):
    """Stands in for stderr: takes texts and never waits."""

    def __init__(self, said: deque[str], stream: TextIO) -> None:
        self._said = said
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base class has a variable
        """The encoding of the terminal."""
        return self._stream.encoding

    def write(self, text: str) -> int:
        """Take a text, which may be a part of a line."""
        self._said.append(str(text))
        return len(text)

    def writable(self) -> bool:
        """As of a stream that is written to."""
        return True

    def isatty(self) -> bool:
        """As the terminal that it stands in for."""
        return True

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._stream.fileno()


class _Below:
    """The lines that change, each cut so that it is one line of the terminal."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment  # noqa: PLC0415  # see above

        del options
        width, height = console.size
        for number, line in enumerate(self._lines(width - 1, height - 1)):
            if number:
                yield Segment.line()
            yield Segment(line)


class _Raw:
    """Lines that are written as they are: they were escaped and coloured by who said them."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment  # noqa: PLC0415  # see above

        del console, options
        yield Segment(self._text)
        yield Segment.line()
