"""Run servers for exactly as long as the process that started them.

This file runs as a separate process, by its path, and uses only the standard library. Each line on stdin is one request
in JSON, each line on stdout its answer. When stdin closes, because the other end ended, crashed or was killed, the
servers are ended and the folders removed: every operating system closes the pipes of a dead process, while a signal on
a parent's death exists on Linux only.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

_GRACE = 0.5  # seconds between the stop signal and SIGKILL
_TIME_TO_KEEP = 10.0  # seconds for a server that saves its data
_GLANCE = 0.01  # seconds between two checks of a stopping server

Request = dict[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Child:
    """A server of this process, and the signal that ends it fastest."""

    process: subprocess.Popen[bytes]
    farewell: signal.Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class _Household:
    """The servers and folders to remove at the end."""

    channel: int  # the file descriptor that the application gets as its stdin
    children: dict[int, _Child] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)


def main(arguments: Sequence[str]) -> None:
    """Answer requests until stdin closes, then remove everything."""
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # a Ctrl-C is for the command; its pipe ends this process
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    household = _Household(channel=int(arguments[0]))
    try:
        with contextlib.suppress(BrokenPipeError):  # the other end died before the answer
            for line in sys.stdin.buffer:
                _reply(_answer(household, json.loads(line)))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(list(household.children.values()))
        for folder in household.folders:
            shutil.rmtree(folder, ignore_errors=True)


def _reply(answer: Answer) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


def _answer(household: _Household, request: Request) -> Answer:
    operations: dict[str, Callable[[_Household, Request], Answer]] = {
        "folder": _make_folder,
        "start": _start,
        "status": _status,
        "stop": _stop,
    }
    try:
        return operations[request["operation"]](household, request)
    except (OSError, subprocess.SubprocessError) as error:
        return {"error": str(error)}


def _make_folder(household: _Household, request: Request) -> Answer:
    """Make a temporary folder in this process, so that it is registered for removal at once."""
    folder = Path(tempfile.mkdtemp(prefix=request["prefix"], dir=request.get("base")))
    household.folders.append(folder)
    if (owner := request.get("owner")) is not None:
        os.chown(folder, owner["user"], owner["group"])
    return {"folder": str(folder)}


def _start(household: _Household, request: Request) -> Answer:
    owner = request.get("owner")
    identity: dict[str, Any] = {"user": owner["user"], "group": owner["group"], "extra_groups": []} if owner else {}
    has_channel = request["has_channel"]
    with Path(request["log"]).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # an argument vector from the process this one belongs to
            request["command"],
            cwd=request["folder"],
            stdin=household.channel if has_channel else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={
                **os.environ,
                "LC_ALL": "C",
            },  # otherwise messages are translated, and PostgreSQL refuses some locales of macOS
            start_new_session=True,
            **identity,
        )
    household.children[process.pid] = _Child(process=process, farewell=signal.Signals(request["farewell"]))
    if has_channel:
        os.close(household.channel)  # otherwise the application would never see the end of its stdin
    return {"pid": process.pid}


def _status(household: _Household, request: Request) -> Answer:
    return {"code": household.children[request["pid"]].process.poll()}


def _stop(household: _Household, request: Request) -> Answer:
    """End one child; with another stop signal it gets time to save its data."""
    child = household.children[request["pid"]]
    if (farewell := request["farewell"]) is None:
        _end([child])
    else:
        _end([replace(child, farewell=signal.Signals(farewell))], grace=_TIME_TO_KEEP)
    return {}


def _end(children: Sequence[_Child], *, grace: float = _GRACE) -> None:
    """Signal all at once, wait once, kill the rest: it takes one grace period for any number of children."""
    for child in children:
        _signal(child, child.farewell)
    deadline = time.monotonic() + grace
    while any(child.process.poll() is None for child in children) and time.monotonic() < deadline:
        time.sleep(_GLANCE)
    for child in children:
        _signal(child, signal.SIGKILL)
        child.process.wait()


def _signal(child: _Child, number: signal.Signals) -> None:
    if child.process.poll() is None:
        with contextlib.suppress(
            ProcessLookupError, PermissionError
        ):  # macOS refuses a process group with only a zombie
            os.killpg(child.process.pid, number)


if __name__ == "__main__":
    main(sys.argv[1:])
