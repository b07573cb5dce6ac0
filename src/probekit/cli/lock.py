"""A lock for each target, so that two runs never verify it at the same time."""

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
    """Hold the lock of a target, the same for every configuration file; warn if no lock file can be written.

    Raises:
        LockedError: another run of the same environment and URL still holds it after `wait` seconds.
    """
    environment = target.environment
    try:
        handle = _open(target)
    except (OSError, RuntimeError) as error:  # RuntimeError: no home
        reason = getattr(error, "strerror", None) or str(error)
        warn(f"warning: no lock could be taken ({reason}); do not verify '{environment}' twice at the same time")
        yield
        return
    try:
        _take(handle, f"another run is verifying '{environment}' ({target.base_url})", wait)
    except LockedError:
        os.close(handle)
        raise
    except OSError as error:  # a file system without locks
        warn(
            f"warning: no lock could be taken ({error.strerror}); do not verify '{environment}' twice at the same time"
        )
    try:
        yield
    finally:
        os.close(handle)


def _take(handle: int, held: str, wait: float) -> None:
    """Take the lock within so many seconds; flock itself has no time limit."""
    until, has_warned = time.monotonic() + wait, False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                message = f"{held}; wait until it ends, or use --wait DURATION"
                raise LockedError(message) from None
            if not has_warned:
                warn(f"{held}: waiting up to {span(wait)}")
                has_warned = True
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
