"""The entry point of the process: a decision has its own exit code, and a crash is never mistaken for one."""

from __future__ import annotations

import gc
import os
import re
import sys
from contextlib import suppress
from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from traceback import extract_tb

INTERNAL = 70
INTERRUPTED = 130
_COMPLETING = "_PROBEKIT_COMPLETE"  # set by a shell: click then ends the process itself; else only a kind would
_UNKNOWN = 3  # of a monitoring plugin
_MOST_SHOWN = 1000  # characters of a message on a plugin's line
_GARBAGE = 200_000  # new objects between two collections, of 20 ms each: the 130,000 objects of a start stay alive


def main() -> None:
    """Run the command line and exit."""
    gc.set_threshold(_GARBAGE)
    _have_streams()
    arguments = sys.argv[1:]
    code, problem = _run(arguments)
    if _is_plugin(arguments) and not isinstance(code, IntEnum):  # only the status of a report is one
        _write_unknown(problem or "no decision was made")
        code = _UNKNOWN
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


def _is_plugin(arguments: list[str]) -> bool:
    """Return whether the command line has `--exit nagios`: of several, the last one counts."""
    chosen = ""
    for word, following in pairwise([*arguments, ""]):
        if word == "--":
            break
        if word == "--exit":
            chosen = following
        elif word.startswith("--exit="):
            chosen = word.removeprefix("--exit=")
    return chosen == "nagios"


def _write_unknown(problem: str) -> None:
    """Write the line of a plugin that has no answer to stdout, which is all that its user sees."""
    encoding = sys.stdout.encoding or "utf-8"
    plain = re.sub(r"<(?=[A-Za-z/!?])", "< ", problem[:_MOST_SHOWN].replace("|", "/"))  # as in probekit.reports.nagios
    line = f"PROBEKIT UNKNOWN - {plain}\n"
    with suppress(OSError, ValueError):
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding))


def _run(arguments: list[str]) -> tuple[int, str]:
    """Return the exit code, and why there is no answer."""
    try:
        from probekit.cli import run  # noqa: PLC0415  # an import that fails must not exit with Python's 1
        from probekit.cli.plugin import PROBLEM  # noqa: PLC0415  # as above

        code = run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED, "interrupted"
    except (Exception, SystemExit) as crash:  # the last place where a crash can be distinguished from an answer
        if isinstance(crash, SystemExit) and _COMPLETING in os.environ:
            raise
        error: BaseException = crash
        while isinstance(error, BaseExceptionGroup):  # of tasks: the first error is reported
            error = error.exceptions[0]
        if _is_interrupt(error):
            return INTERRUPTED, "interrupted"
        frames = reversed(extract_tb(error.__traceback__)[-3:])
        places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
        text = f"internal error ({type(error).__name__} at {places})"
        bug = "this is a bug in probekit and says nothing about the target"
        with suppress(OSError, ValueError):
            print(f"probekit: {text}, exit code {INTERNAL}: {bug}", file=sys.stderr)  # noqa: T201  # structlog may be what crashed
        return INTERNAL, f"{text}: {bug}"
    return code, "interrupted" if code == INTERRUPTED else PROBLEM.text


def _is_interrupt(error: BaseException) -> bool:
    """Return whether an interrupt caused the error: Python 3.11 wraps one that arrives while a class is created."""
    causes = {id(error): error}  # each once: a chain of causes may be circular
    while (cause := error.__cause__) is not None and id(cause) not in causes:
        causes[id(cause)] = error = cause
    return any(isinstance(one, KeyboardInterrupt) for one in causes.values())


if __name__ == "__main__":
    main()
