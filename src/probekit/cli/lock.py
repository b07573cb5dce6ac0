"""Is another run on this target under way?"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Final

from probekit.cli.output import warn
from probekit.files import make_private_folder
from probekit.model.history import TargetKey
from probekit.model.numbers import span

_PAUSE: Final = 0.1  # seconds between two tries


class LockedError(Exception):
    """Another run holds the lock."""


@contextmanager
def lock(target: TargetKey, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock of a target, whichever file names it; a folder that cannot be written is a warning, not an end.

    Raises:
        LockedError: another run on it, by the same environment name, holds it, still after so many seconds.
    """
    environment = target.environment
    try:
        handle = _open(target)
    except (OSError, RuntimeError) as error:  # RuntimeError: no home
        reason = getattr(error, "strerror", None) or str(error)
        warn(f"warning: no lock could be taken ({reason}); do not verify '{environment}' twice at once")
        yield
        return
    try:
        _take(handle, f"another run verifies '{environment}' ({target.base_url})", wait)
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
                warn(f"{held}: waiting for it, {span(wait)} at most")
                is_told = True
            time.sleep(min(_PAUSE, max(until - time.monotonic(), 0.0)))
        else:
            return


def _open(target: TargetKey) -> int:
    from platformdirs import user_state_path  # noqa: PLC0415  # only a run needs it

    folder = user_state_path("probekit", appauthor=False)
    make_private_folder(folder)
    key = f"{target.environment}\n{target.base_url}".encode("utf-8", "surrogatepass")
    name = sha256(key).hexdigest()[:16]
    return os.open(folder / f"{name}.lock", os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
