"""Is another run of this environment under way?"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from probekit.cli.output import warn

_PAUSE: Final = 0.1  # seconds between two tries


class LockedError(Exception):
    """Another run holds the lock."""


@contextmanager
def lock(config: Path, environment: str, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the environment's lock; a folder that cannot be written is a warning, not an end.

    Raises:
        LockedError: another run of the same file and environment holds it, still after so many seconds.
    """
    try:
        handle = _open(config, environment)
    except (OSError, RuntimeError) as error:  # RuntimeError: no home
        reason = getattr(error, "strerror", None) or str(error)
        warn(f"warning: no lock could be taken ({reason}); do not verify '{environment}' twice at once")
        yield
        return
    try:
        _take(handle, f"another run verifies '{environment}' of {config}", wait)
    except LockedError:
        os.close(handle)
        raise
    except OSError as error:  # a file system without locks
        warn(f"warning: no lock could be taken ({error.strerror}); do not verify '{environment}' twice at once")
    try:
        yield
    finally:
        os.close(handle)


def _take(handle: int, held: str, wait: float) -> None:
    """The lock, now or within so many seconds: flock has no time limit of its own."""
    until, is_told = time.monotonic() + wait, False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                message = f"{held}; wait until it is over, or let --wait do so"
                raise LockedError(message) from None
            if not is_told:
                warn(f"{held}: waiting for it, {wait:g} s at most")
                is_told = True
            time.sleep(min(_PAUSE, max(until - time.monotonic(), 0.0)))
        else:
            return


def _open(config: Path, environment: str) -> int:
    from platformdirs import user_state_path  # noqa: PLC0415  # only a run needs it

    folder = user_state_path("probekit", appauthor=False)
    folder.mkdir(parents=True, exist_ok=True)
    name = sha256(os.fsencode(f"{config.resolve()}\n{environment}")).hexdigest()[:16]
    return os.open(folder / f"{name}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
