"""Events to stderr: for people on a terminal, as JSON elsewhere."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from structlog.typing import FilteringBoundLogger

    from probekit.redaction import Redactor

_REDACTOR: Final[ContextVar[Redactor | None]] = ContextVar("redactor of this task's run", default=None)


def redact(redactor: Redactor) -> None:
    """Take that redactor's secrets out of every event of this task and those that it starts."""
    _REDACTOR.set(redactor)


def configure(*, level: int = logging.WARNING) -> None:
    """Send events of at least this level to stderr."""
    _configure(level)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # what it says of a peer's bad manners helps nobody


def events() -> FilteringBoundLogger:
    """The logger; a program that uses probekit as a library and configured nothing hears warnings on stderr."""
    import structlog  # noqa: PLC0415  # see _configure

    if not structlog.is_configured():
        _configure(logging.WARNING)
    return cast("FilteringBoundLogger", structlog.get_logger())


def _configure(level: int) -> None:
    import structlog  # noqa: PLC0415  # a quarter of a second, which --help must not pay

    terminal = sys.stderr.isatty()
    render = (
        structlog.dev.ConsoleRenderer(colors=terminal) if terminal else structlog.processors.JSONRenderer(default=str)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _clean,
            cast("Any", render),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=False,
    )


def _clean(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event without any secret."""
    redactor = _REDACTOR.get()
    if redactor is None:
        return event
    return {key: redactor.clean(value) if isinstance(value, str) else value for key, value in event.items()}


def _to_stderr(*_arguments: object) -> object:
    """A logger on stderr as it is now: whoever exchanges it later wants to see what is said later."""
    import structlog  # noqa: PLC0415  # see _configure

    return structlog.PrintLogger(cast("Any", _Forgiving()))


class _Forgiving:
    """stderr, whose own trouble (closed, disk full) must never become an answer."""

    def write(self, text: str) -> None:
        """Write what can be written."""
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError, ValueError):
            sys.stderr.flush()
