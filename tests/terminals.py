"""A terminal of a few lines: a pseudo-terminal, and what its screen shows of what was written to it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
from codecs import getincrementaldecoder
from threading import Condition, Thread

_CONTROL = re.compile(r"\x1b\[(?P<number>[?0-9;]*)(?P<letter>[A-Za-z])")


class Screen:
    """The lines on a screen, by the few controls that are written: up, erase, start of the line."""

    def __init__(self, columns: int) -> None:
        self.lines = [""]
        self._columns = columns
        self._row = self._column = 0

    def feed(self, text: str) -> None:
        position = 0
        while position < len(text):
            if control := _CONTROL.match(text, position):
                self._obey(control["letter"], control["number"])
                position = control.end()
                continue
            self._put(text[position])
            position += 1

    def _obey(self, letter: str, number: str) -> None:
        if letter == "A":
            self._row = max(0, self._row - int(number or 1))
        elif letter == "K":
            self.lines[self._row] = "" if number == "2" else self.lines[self._row][: self._column]

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._down()
        else:
            if self._column >= self._columns:
                self._column = 0
                self._down()
            line = self.lines[self._row].ljust(self._column)
            self.lines[self._row] = f"{line[: self._column]}{character}{line[self._column + 1 :]}"
            self._column += 1

    def _down(self) -> None:
        self._row += 1
        self.lines += [""] * (self._row + 1 - len(self.lines))


class Terminal:
    """A pseudo-terminal of that size, whose output is read by a thread until its last user is gone."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.screen = Screen(columns)
        self.raw = ""
        self.controller, self.terminal = pty.openpty()
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._written = Condition()
        self._reader = Thread(target=self._read)

    def start(self) -> None:
        """Begin to read."""
        self._reader.start()

    def end(self) -> list[str]:
        """Wait until all was read; what the screen shows then."""
        self._reader.join(30)
        os.close(self.controller)
        return "\n".join(line.rstrip() for line in self.screen.lines).rstrip("\n").split("\n")

    def shows(self, text: str) -> bool:
        """Whether that is written within 20 seconds."""
        with self._written:
            return self._written.wait_for(lambda: text in self.raw, 20)

    def _read(self) -> None:
        decoder = getincrementaldecoder("utf-8")()
        while some := self._some():
            with self._written:
                self.raw += decoder.decode(some)
                self._written.notify_all()
        self.screen.feed(self.raw)

    def _some(self) -> bytes:
        try:
            return os.read(self.controller, 65_536)
        except OSError:  # the other side is closed
            return b""

    @property
    def hides_its_cursor(self) -> bool:
        """Whether the cursor was left hidden."""
        return self.raw.rfind("\x1b[?25l") > self.raw.rfind("\x1b[?25h")
