"""Signals that end a run early; the report then holds what was measured so far."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from probekit.engine.context import Cancellation

_ENDING = ("SIGHUP", "SIGINT", "SIGTERM")


def stop_on_signals(cancellation: Cancellation) -> None:
    """End this loop's run when a signal arrives; an ignored signal (nohup) stays ignored."""
    loop = asyncio.get_running_loop()
    for name in _ENDING:
        number = getattr(signal, name)
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, cancellation.request, name)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore signals while the report is written, so that a second one does not destroy it."""
    before = {getattr(signal, name): signal.signal(getattr(signal, name), signal.SIG_IGN) for name in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
