"""The entry point of the process: a decision has its own exit code, and a crash is never mistaken for one."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from traceback import extract_tb

INTERNAL = 70
INTERRUPTED = 130
_GARBAGE = 200_000  # new objects between two collections, of 20 ms each: the 130,000 objects of a start stay alive


def main() -> None:
    """Run the command line and exit."""
    gc.set_threshold(_GARBAGE)
    _have_streams()
    code = _run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # otherwise Python's flush at exit would fail and change the code to 120
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def _have_streams() -> None:
    """Replace closed standard streams by the null device, or a socket would get a stream's descriptor."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  # open until the process ends


def _run(arguments: list[str]) -> int:
    try:
        from probekit.cli import run  # noqa: PLC0415  # an import that fails must not exit with Python's 1

        return run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as crash:  # noqa: BLE001  # the last place where a crash can be distinguished from an answer
        error: BaseException = crash
        while isinstance(error, BaseExceptionGroup):  # of tasks: the first error is reported
            error = error.exceptions[0]
        if _is_interrupt(error):
            return INTERRUPTED
        frames = reversed(extract_tb(error.__traceback__)[-3:])
        places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
        text = f"internal error ({type(error).__name__} at {places}), exit code {INTERNAL}"
        with suppress(OSError, ValueError):
            print(f"probekit: {text}: this is a bug in probekit and says nothing about the target", file=sys.stderr)  # noqa: T201  # structlog may be what crashed
        return INTERNAL


def _is_interrupt(error: BaseException) -> bool:
    """Return whether an interrupt caused the error: Python 3.11 wraps one that arrives while a class is created."""
    causes = {id(error): error}  # each once: a chain of causes may be circular
    while (cause := error.__cause__) is not None and id(cause) not in causes:
        causes[id(cause)] = error = cause
    return any(isinstance(one, KeyboardInterrupt) for one in causes.values())


if __name__ == "__main__":
    main()
