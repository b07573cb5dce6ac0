"""Run commands on a terminal of 80 columns and write what it shows as SVG, for the README and the documentation.

`make picture` runs each command of PICTURES as it stands in the picture, and writes docs/images/NAME.svg.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from probekit.model.numbers import count

IMAGES: Final = Path(__file__).parents[1] / "docs" / "images"
COLUMNS: Final = 80


@dataclass(frozen=True)
class Picture:
    """A command, and which part of its output stands in the picture: the beginning and the end."""

    command: str
    until: str  # the beginning of the first line that is left out
    since: str  # the beginning of the first line after those


PICTURES: Final[Mapping[str, Picture]] = {
    "go": Picture("probekit demo --deployed now", until="success criteria", since="Next:"),
    "rollback": Picture("probekit demo --fault hang --deployed now", until="not verified", since="Next:"),
}
_LINES: Final = 200  # more than any of the reports has, so that the terminal never scrolls
_THEME: Final = TerminalTheme(
    background=(18, 22, 28),
    foreground=(220, 224, 230),
    normal=[
        (60, 66, 76),
        (240, 98, 98),
        (106, 200, 120),
        (230, 190, 90),
        (104, 162, 240),
        (200, 130, 220),
        (90, 200, 210),
        (220, 224, 230),
    ],
)
_ABROAD: Final = re.compile(r"@font-face \{.*?\}\s*|<!-- Generated .*?-->\s*", re.DOTALL)  # names of other hosts
_FONT: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def shown(command: Sequence[str]) -> str:
    """Return what a terminal shows when the command has ended, with the codes of its colours.

    Raises:
        OSError: the command cannot be started.
    """
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, COLUMNS, 0, 0))
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR" and not name.startswith("PROBEKIT_")}
    with (
        tempfile.TemporaryFile() as warnings,  # all that stays of stderr on a terminal: progress is erased at the end
        tempfile.TemporaryDirectory() as state,  # the record of the user stays as it is
    ):
        env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_STATE_HOME": state}
        try:
            with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=warnings, env=env):  # noqa: S603  # PICTURES, or a test's
                os.close(terminal)
                output = b"".join(iter(lambda: _read(controller), b""))
        finally:
            os.close(controller)
        warnings.seek(0)
        return (warnings.read() + output).decode("utf-8", "replace").replace("\r\n", "\n")


def _read(controller: int) -> bytes:
    """Return the next bytes that the terminal shows; none at the end, which Linux reports as an error."""
    try:
        return os.read(controller, 65_536)
    except OSError:
        return b""


def shortened(output: str, picture: Picture) -> str:
    """Return the beginning and the end of an output, with a line that counts what is left out.

    Raises:
        ValueError: no line begins as the picture says.
    """
    lines = output.rstrip().split("\n")
    plain = [Text.from_ansi(line).plain for line in lines]
    places = []
    for beginning in (picture.until, picture.since):
        found = [number for number, line in enumerate(plain) if line.startswith(beginning)]
        if not found:
            raise ValueError(f"{picture.command} shows no line that begins with {beginning!r}")
        places.append(found[0])
    first, last = places
    return "\n".join([*lines[:first], f"\x1b[2m[{count(last - first, 'line')} left out]\x1b[0m", "", *lines[last:]])


def drawing(title: str, output: str) -> str:
    """Return an SVG of a terminal with that title, which names no font of another host."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(f"$ {title}"), highlight=False, style="bold")
    console.print(Text.from_ansi(output.rstrip()), highlight=False)
    drawn = console.export_svg(title=title, theme=_THEME, unique_id="terminal")
    drawn = _ABROAD.sub("", drawn).replace("Fira Code, monospace", _FONT)
    return "\n".join(line.rstrip() for line in drawn.splitlines()).strip() + "\n"


def main() -> None:
    """Write every picture."""
    IMAGES.mkdir(exist_ok=True)
    for name, picture in PICTURES.items():
        output = shown([sys.executable, "-m", *shlex.split(picture.command)])
        (IMAGES / f"{name}.svg").write_text(drawing(picture.command, shortened(output, picture)), "utf-8")


if __name__ == "__main__":
    main()
