"""Start servers that cannot outlive this process, by requests to a keeper, which is their parent."""

import contextlib
import functools
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probekit.demo import keeper
from probekit.demo.errors import DemoError

_READY_WITHIN = 20.0  # seconds; a loaded machine with two cores needs three
_GLANCE = 0.01
_KEEPER_ENDS_WITHIN = 5.0  # it takes one; more only if the machine swaps
_TAIL = 12  # lines of a log that an error shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The user a server runs as, where it is not the user of this process."""

    user: int
    group: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running program: its name, its process and its log."""

    name: str
    pid: int
    log: Path


class Launcher:
    """Requests to one keeper: its servers end when this process ends, in whatever way."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket) -> None:
        self.pid = process.pid
        self.channel = channel
        self._process = process
        self._turn = threading.Lock()  # one request and its answer at a time

    @functools.cached_property
    def folder(self) -> Path:
        """A temporary folder of its own."""
        return self.make_folder("probekit-demo-")

    def make_folder(self, prefix: str, *, base: Path | None = None, owner: Owner | None = None) -> Path:
        """A new temporary folder that is removed at the end."""
        answer = self._ask(
            operation="folder",
            name="a temporary folder",
            prefix=prefix,
            base=str(base) if base else None,
            owner=_owner(owner),
        )
        return Path(answer["folder"])

    def start(  # noqa: PLR0913  # all but two by name
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        folder: Path | None = None,
        log: Path | None = None,
        owner: Owner | None = None,
        farewell: signal.Signals = signal.SIGTERM,
        has_channel: bool = False,
    ) -> Server:
        """Start a program in the foreground; with a channel, its stdin is the other end of `self.channel`."""
        log = log or self.folder / f"{name}.log"
        answer = self._ask(
            operation="start",
            name=name,
            command=[str(part) for part in command],
            folder=str(folder or self.folder),
            log=str(log),
            owner=_owner(owner),
            farewell=int(farewell),
            has_channel=has_channel,
        )
        return Server(name=name, pid=answer["pid"], log=log)

    def exit_code(self, server: Server) -> int | None:
        """The exit code of a program that has ended; None of a running one."""
        code: int | None = self._ask(operation="status", name=server.name, pid=server.pid)["code"]
        return code

    def stop(self, server: Server, *, farewell: signal.Signals | None = None) -> None:
        """End one program within half a second; with `farewell`, a signal with which it saves data, within ten."""
        self._ask(
            operation="stop", name=server.name, pid=server.pid, farewell=None if farewell is None else int(farewell)
        )

    def wait_ready(self, server: Server, is_ready: Callable[[], bool], *, within: float = _READY_WITHIN) -> None:
        """Wait until it is ready.

        Raises:
            DemoError: it ended or took too long; the message shows the last lines of its log.
        """
        deadline = time.monotonic() + within
        while not is_ready():
            if (code := self.exit_code(server)) is not None:
                message = f"{server.name} ended with code {code} before it was ready{tail(server.log)}"
                raise DemoError(message)
            if time.monotonic() > deadline:
                message = f"{server.name} was not ready within {within:g} s{tail(server.log)}"
                raise DemoError(message)
            time.sleep(_GLANCE)

    def wait_done(self, server: Server, *, within: float = _READY_WITHIN) -> None:
        """Wait for a program that ends by itself.

        Raises:
            DemoError: it failed or took too long.
        """
        deadline = time.monotonic() + within
        while (code := self.exit_code(server)) is None and time.monotonic() < deadline:
            time.sleep(_GLANCE)
        if code != 0:
            outcome = f"did not end within {within:g} s" if code is None else f"failed with code {code}"
            message = f"{server.name} {outcome}{tail(server.log)}"
            raise DemoError(message)

    def close(self) -> None:
        """End everything and wait until it has ended."""
        self.channel.close()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(_KEEPER_ENDS_WITHIN)
        except subprocess.TimeoutExpired as error:
            message = f"the servers did not end within {_KEEPER_ENDS_WITHIN:g} s; process {self.pid} is ending them"
            raise DemoError(message) from error

    def _ask(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
        source, sink = self._process.stdout, self._process.stdin
        if source is None or sink is None:  # impossible: both were requested
            message = "the process that runs the servers has no pipes"
            raise DemoError(message)
        try:
            with self._turn:
                sink.write(json.dumps(request).encode() + b"\n")
                sink.flush()
                line = source.readline()
        except (OSError, ValueError) as error:  # ValueError: this end is closed
            message = "the process that runs the servers has ended"
            raise DemoError(message) from error
        if not line:
            message = "the process that runs the servers has died"
            raise DemoError(message)
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            message = f"cannot start {request['name']}: {answer['error']}"
            raise DemoError(message)
        return answer


@contextlib.contextmanager
def launching() -> Iterator[Launcher]:
    """A launcher whose servers and temporary folders are removed when the block ends."""
    near, far = socket.socketpair()
    with far:
        process = subprocess.Popen(  # noqa: S603  # a file of this package, this interpreter
            [sys.executable, "-I", keeper.__file__, str(far.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[far.fileno()],
            start_new_session=True,  # a Ctrl-C in the terminal must not reach it
        )
    launcher = Launcher(process, near)
    try:
        yield launcher
    finally:
        launcher.close()


def tail(log: Path) -> str:
    """The last lines of a log, to append to a message."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return "; it wrote no log"
    return ":\n" + "\n".join(lines[-_TAIL:]) if lines else "; its log is empty"


def _owner(owner: Owner | None) -> dict[str, int] | None:
    return None if owner is None else {"user": owner.user, "group": owner.group}
