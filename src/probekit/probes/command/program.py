"""How is a program run within bounds, and nothing of it left behind?"""

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
_GRACE: Final = 1.0  # seconds between SIGTERM and SIGKILL, and for what still lies in a pipe
_PAUSE: Final = 0.01  # seconds between two measurements whether it has ended
_WE_ARE_FULL: Final = (EAGAIN, EMFILE, ENFILE, ENOMEM)  # fork(2), pipe(2): no room for another process or file


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended, and what it said."""

    code: int
    out: bytes
    err: bytes


async def run(argv: Sequence[str], *, variables: Mapping[str, str], within: float, is_heard: bool) -> Ended:
    """Run it in an empty folder, without a shell; its stdout is kept where somebody reads it.

    Raises:
        ProbeFailedError: `missing_file`, `overloaded`: it cannot be started; `timeout`; `bad_response`: it says too
            much, or a signal ended it.
    """
    program = argv[0]
    try:
        with TemporaryDirectory(prefix="probekit-", ignore_cleanup_errors=True) as folder:
            async with _started(argv, folder, variables, is_heard=is_heard) as process, asyncio.timeout(within):
                ended = await _ended(process, program)
    except TimeoutError:
        raise ProbeFailedError(Reason.TIMEOUT, f"{program} did not end within {within:g} s") from None
    except OSError as error:
        reason = Reason.OVERLOADED if error.errno in _WE_ARE_FULL else Reason.MISSING_FILE
        raise ProbeFailedError(reason, f"{program} cannot be started: {error.strerror}") from error
    if ended.code < 0:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{program} was ended by signal {-ended.code}")
    return ended


@asynccontextmanager
async def _started(
    argv: Sequence[str], folder: str, variables: Mapping[str, str], *, is_heard: bool
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process in a session of its own, which ends with it."""
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
    """End it once it has begun: asyncio would end the program alone, and not what that has started meanwhile."""
    try:
        process = await beginning
    except OSError:  # it could not be started, which its caller says
        return
    await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it with all its descendants and its whole session: asked first, then not asked."""
    descendants = _descendants(process.pid)
    try:
        _signal(process.pid, descendants, signal.SIGTERM)
        await _exits(process)
    finally:  # also where the loop is closed meanwhile
        _signal(process.pid, descendants, signal.SIGKILL)
    with suppress(PermissionError):  # it also ends the process, which may be sudo's
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001  # a stranger may hold the pipes' other ends
    await _exits(process)


def _descendants(leader: int) -> list[psutil.Process]:
    """Those in sessions of their own; none of a leader that has ended, for nobody knows its children then."""
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
    """Send it once: to the leader's group, to those that a shell's jobs and timeout(1) make, to other sessions."""
    with suppress(ProcessLookupError, PermissionError):  # gone; sudo's, which nobody else may end
        os.killpg(session, number)
    for process in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if _session(process) == session != os.getpgid(process):
                os.kill(process, number)
    for one in descendants:
        with suppress(psutil.Error):  # gone, or another process has its number
            one.send_signal(number)


async def _exits(process: asyncio.subprocess.Process) -> None:
    """Wait until it does, but not for one that even SIGKILL does not end: a disk that hangs holds it."""
    with suppress(TimeoutError):
        await asyncio.wait_for(_exited(process), _GRACE)


async def _exited(process: asyncio.subprocess.Process) -> int:
    """Its exit code, once it has one: `wait` of asyncio also waits for whoever else holds its pipes."""
    while process.returncode is None:  # noqa: ASYNC110  # asyncio's watcher sets it, and tells nobody
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
        await asyncio.wait(readers, timeout=_GRACE)  # a grandchild may hold the pipe for ever
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
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"{program} says more than {_MOST >> 10} KiB")
