"""The process: an answer leaves it with its own exit code, and a crash never looks like one."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from traceback import extract_tb

INTERNAL = 70
INTERRUPTED = 130
_GARBAGE = 200_000  # objects more between two searches for it: the 130,000 of a start live on, and each search is 20 ms


def main() -> None:
    """Run the command line and exit."""
    gc.set_threshold(_GARBAGE)
    _have_streams()
    code = _run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # else Python's own flush at exit would fail, and change the code to 120
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def _have_streams() -> None:
    """Put nothing in the place of a stream that was closed before we began: else a socket would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  # open as long as we are


def _run(arguments: list[str]) -> int:
    try:
        from probekit.cli import run  # noqa: PLC0415  # an import that fails must not exit with Python's 1

        return run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as crash:  # noqa: BLE001  # the last place where a crash can be distinguished from an answer
        error: BaseException = crash
        while isinstance(error, BaseExceptionGroup):  # of tasks: the first says what went wrong, and where
            error = error.exceptions[0]
        if _is_interrupt(error):
            return INTERRUPTED
        frames = reversed(extract_tb(error.__traceback__)[-3:])
        places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
        text = f"internal error ({type(error).__name__} at {places}), exit code {INTERNAL}"
        with suppress(OSError, ValueError):
            print(f"probekit: {text}: a bug of probekit, which says nothing about the target", file=sys.stderr)  # noqa: T201  # structlog may be what crashed
        return INTERNAL


def _is_interrupt(error: BaseException) -> bool:
    """Whether an interrupt caused an error: Python 3.11 wraps one that comes while a class is made."""
    causes = {id(error): error}  # each once: a chain may be a circle
    while (cause := error.__cause__) is not None and id(cause) not in causes:
        causes[id(cause)] = error = cause
    return any(isinstance(one, KeyboardInterrupt) for one in causes.values())


if __name__ == "__main__":
    main()
