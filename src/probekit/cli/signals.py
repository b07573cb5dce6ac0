"""What ends a run from outside: each signal once, with what was measured so far."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from probekit.engine.context import Cancellation

_ENDING = ("SIGHUP", "SIGINT", "SIGTERM")


def stop_on_signals(cancellation: Cancellation) -> None:
    """Have this loop's run end when a signal comes; one that is ignored (nohup) stays so."""
    loop = asyncio.get_running_loop()
    for name in _ENDING:
        number = getattr(signal, name)
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, cancellation.request, name)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A second signal must not take the report with it."""
    before = {getattr(signal, name): signal.signal(getattr(signal, name), signal.SIG_IGN) for name in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
