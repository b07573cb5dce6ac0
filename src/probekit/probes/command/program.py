"""Run a program within bounds of time and output, and leave no process of it behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from errno import EAGAIN, EMFILE, ENFILE, ENOMEM
from tempfile import TemporaryDirectory
from typing import Any, Final

import psutil  # type: ignore[import-untyped]  # it ships no types

from probekit.probe import ProbeFailedError, Reason

_MOST: Final = 1 << 16  # bytes of each stream
_GRACE: Final = 1.0  # seconds between SIGTERM and SIGKILL, and for reading the rest of a pipe
_PAUSE: Final = 0.01  # seconds between two checks whether it has ended
_EXHAUSTED: Final = (EAGAIN, EMFILE, ENFILE, ENOMEM)  # fork(2), pipe(2): no room for another process or file


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The exit code and the output of a program."""

    code: int
    out: bytes
    err: bytes


async def run(argv: Sequence[str], *, variables: Mapping[str, str], within: float, is_heard: bool) -> Ended:
    """Run a program in an empty folder, without a shell; keep its stdout only if `is_heard`.

    Raises:
        ProbeFailedError: `missing_file`, `overloaded`: it cannot be started; `timeout`; `bad_response`: its output is
            too long, or a signal ended it.
    """
    program = argv[0]
    try:
        with TemporaryDirectory(prefix="probekit-", ignore_cleanup_errors=True) as folder:
            async with _started(argv, folder, variables, is_heard=is_heard) as process, asyncio.timeout(within):
                ended = await _ended(process, program)
    except TimeoutError:
        detail = f"{program} did not end within {within:g} s and was killed: see 'timeout'"
        raise ProbeFailedError(Reason.TIMEOUT, detail) from None
    except OSError as error:
        reason = Reason.OVERLOADED if error.errno in _EXHAUSTED else Reason.MISSING_FILE
        raise ProbeFailedError(reason, f"{program} cannot be started: {error.strerror}") from error
    if ended.code < 0:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{program} was ended by signal {-ended.code}")
    return ended


@asynccontextmanager
async def _started(
    argv: Sequence[str], folder: str, variables: Mapping[str, str], *, is_heard: bool
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process in a new session; all of the session ends with it."""
    beginning = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if is_heard else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            env=variables,
            start_new_session=True,
        )
    )
    try:
        yield await asyncio.shield(beginning)
    finally:
        await asyncio.shield(asyncio.create_task(_end_begun(beginning)))


async def _end_begun(beginning: asyncio.Task[asyncio.subprocess.Process]) -> None:
    """End the process once it has started: asyncio would end only the program, not the processes that it started."""
    try:
        process = await beginning
    except OSError:  # it could not be started; the caller reports that
        return
    await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it with all its descendants and its whole session: SIGTERM first, then SIGKILL."""
    descendants = _descendants(process.pid)
    try:
        _signal(process.pid, descendants, signal.SIGTERM)
        await _exits(process)
    finally:  # also if the loop is closed during the wait
        _signal(process.pid, descendants, signal.SIGKILL)
    with suppress(PermissionError):  # closing also kills the process, which may belong to root (sudo)
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001  # another process may hold the pipes' other ends
    await _exits(process)


def _descendants(leader: int) -> list[psutil.Process]:
    """The descendants in other sessions; none if the leader has ended, because its children are then unknown."""
    try:
        children = psutil.Process(leader).children(recursive=True)
    except psutil.Error:
        return []
    return [child for child in children if _session(child.pid) not in (leader, None)]


def _session(process: int) -> int | None:
    with suppress(ProcessLookupError, PermissionError):
        return os.getsid(process)
    return None


def _signal(session: int, descendants: Sequence[psutil.Process], number: signal.Signals) -> None:
    """Send a signal once to each process: the leader's group, the session's other groups, and other sessions.

    A shell's jobs and timeout(1) make groups of their own within the session.
    """
    with suppress(ProcessLookupError, PermissionError):  # it has ended, or belongs to root (sudo)
        os.killpg(session, number)
    for process in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if _session(process) == session != os.getpgid(process):
                os.kill(process, number)
    for one in descendants:
        with suppress(psutil.Error):  # it has ended, or another process has its number
            one.send_signal(number)


async def _exits(process: asyncio.subprocess.Process) -> None:
    """Wait until it has ended, for a second at most: a process that waits for a hanging disk survives SIGKILL."""
    with suppress(TimeoutError):
        await asyncio.wait_for(_exited(process), _GRACE)


async def _exited(process: asyncio.subprocess.Process) -> int:
    """Wait for the exit code; asyncio's `wait` also waits until all other processes have closed its pipes."""
    while process.returncode is None:  # noqa: ASYNC110  # asyncio's watcher sets it without an event
        await asyncio.sleep(_PAUSE)
    return process.returncode


async def _ended(process: asyncio.subprocess.Process, program: str) -> Ended:
    out, err = bytearray(), bytearray()
    streams = ((process.stdout, out), (process.stderr, err))
    readers = [asyncio.create_task(_read(stream, kept, program)) for stream, kept in streams if stream]
    waiting = asyncio.create_task(_exited(process))
    left: set[asyncio.Task[Any]] = {waiting, *readers}
    try:
        while waiting in left:
            done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        await asyncio.wait(readers, timeout=_GRACE)  # a grandchild may hold the pipe open without end
        for reader in readers:
            if reader.done():
                reader.result()
        return Ended(code=waiting.result(), out=bytes(out), err=bytes(err))
    finally:
        for task in (*readers, waiting):
            task.cancel()
        await asyncio.gather(*readers, waiting, return_exceptions=True)


async def _read(stream: asyncio.StreamReader, kept: bytearray, program: str) -> None:
    while data := await stream.read(4096):
        kept += data
        if len(kept) > _MOST:
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"{program} printed more than {_MOST >> 10} KiB")
