"""Changing lines at the end of a terminal, below the lines that stay; a separate thread draws them.

A run times responses, so its event loop must not wait for a terminal: messages are put in a queue, and the thread
writes them. One drawing of twelve lines takes 0.2 ms of processor time. The cursor stays visible, so that a stopped or
killed process leaves the terminal unchanged.
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
    """Return whether a stream is a terminal that can change its lines; a dumb terminal and a CI log cannot."""
    try:
        is_terminal = stream.isatty()
    except ValueError:  # it is closed
        return False
    return is_terminal and os.environ.get("TERM", "dumb") not in {"dumb", "unknown", ""} and not os.environ.get("CI")


class Display:
    """A context in which sys.stderr ends in changing lines; all other output to it stays above them."""

    def __init__(self, stream: TextIO, lines: Lines) -> None:
        self._stream = stream
        self._lines = lines
        self._queued: deque[str] = deque()
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
        self._before, sys.stderr = sys.stderr, _Queue(self._queued, self._stream)
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
            self._stream.write("".join((self._unfinished, *self._queued)))
            self._stream.flush()

    def _draw(self, live: Live) -> None:
        """Draw until the context ends or the terminal is closed."""
        with suppress(OSError, ValueError), live:
            live.console.show_cursor(show=True)
            while not self._over.wait(_EVERY):
                self._write(live)
                live.refresh()

    def _write(self, live: Live) -> None:
        """Write the whole lines that were queued since the last call."""
        texts = [self._queued.popleft() for _ in range(len(self._queued))]
        whole, end, self._unfinished = f"{self._unfinished}{''.join(texts)}".rpartition("\n")
        if end:
            live.console.print(_Raw(whole), soft_wrap=True)


class _Queue(io.TextIOBase):
    """A replacement of stderr that queues texts and never blocks."""

    def __init__(self, queued: deque[str], stream: TextIO) -> None:
        self._queued = queued
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base class has a variable
        """The encoding of the terminal."""
        return self._stream.encoding

    def write(self, text: str) -> int:
        """Queue a text, which may be a part of a line."""
        self._queued.append(str(text))
        return len(text)

    def writable(self) -> bool:
        """Return True: the stream can be written to."""
        return True

    def isatty(self) -> bool:
        """Return True, like the terminal that it replaces."""
        return True

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._stream.fileno()


class _Below:
    """The changing lines, each cut to one line of the terminal."""

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
    """Lines that are written unchanged: their writers have escaped and coloured them."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment  # noqa: PLC0415  # see above

        del console, options
        yield Segment(self._text)
        yield Segment.line()
