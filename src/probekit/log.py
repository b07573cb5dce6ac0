"""Events on stderr: sentences on a terminal, JSON elsewhere; each warning once per run."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from probekit.model.numbers import count, span
from probekit.text import escape, inert_json, words

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from structlog.typing import FilteringBoundLogger

    from probekit.redaction import Redactor

LogFormat = Literal["auto", "text", "json"]
FORMATS: Final[tuple[LogFormat, ...]] = ("auto", "text", "json")


@dataclass(slots=True)
class _Run:
    """The secrets of one run and the warnings that it wrote."""

    redactor: Redactor | None = None
    written: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Wanted:
    """The log settings of a command, with which structlog is configured at the first event."""

    level: int = logging.WARNING
    format: LogFormat = "auto"
    written: set[str] | None = None  # of a command, which may carry out several runs
    is_new: bool = False


_RUN: Final[ContextVar[_Run]] = ContextVar("this task's run", default=_Run())  # noqa: B039  # that of no run
_WANTED: Final = _Wanted()


def redact(redactor: Redactor) -> None:
    """Redact the events of this task and of the tasks that it starts; called when a run begins."""
    _RUN.set(_Run(redactor=redactor, written=set() if _WANTED.written is None else _WANTED.written))


def write_as(log_format: LogFormat) -> None:
    """Write further events as text or as JSON; auto: as text on a terminal."""
    _WANTED.format, _WANTED.is_new = log_format, True


def configure(*, level: int = logging.WARNING) -> None:
    """Send events of at least this level to stderr; called when a command begins."""
    _WANTED.level, _WANTED.written, _WANTED.is_new = level, set(), True
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # its messages about misbehaving peers do not help a user


def as_json(level: str, message: str) -> str | None:
    """Return the message of a command as a JSON line with --log-format json, else None."""
    if _WANTED.format != "json":
        return None
    fields = {"message": message, "event": "command.message", "level": level}
    return inert_json(json.dumps(fields | {"timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z")}))


def wants(level: int) -> bool:
    """Return whether events of this level are written; the others need no structlog."""
    return level >= _WANTED.level


def events() -> FilteringBoundLogger:
    """Return the logger; without any configuration, as in a library, it writes warnings to stderr."""
    import structlog  # noqa: PLC0415  # slow to import; a run without an event does not need it

    if _WANTED.is_new or not structlog.is_configured():
        _WANTED.is_new = False
        structlog.configure(
            processors=[structlog.processors.add_log_level, _clean, _once, *_renderers()],
            wrapper_class=structlog.make_filtering_bound_logger(_WANTED.level),
            logger_factory=_to_stderr,
            cache_logger_on_first_use=False,
        )
    return cast("FilteringBoundLogger", structlog.get_logger())


def _renderers() -> list[Any]:
    import structlog  # noqa: PLC0415  # see above

    if _WANTED.format == "text" or (_WANTED.format == "auto" and sys.stderr.isatty()):
        return [_as_text]
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    return [stamp, structlog.processors.JSONRenderer(default=str), lambda _logger, _name, line: inert_json(str(line))]


Event = Mapping[str, Any]


def _of_measurement(event: Event) -> str:
    place = f" at {event['address']}" if event["address"] else ""
    return f"measured {event['probe']}{place} in {span(event['seconds'])}"


def _of_control(event: Event) -> str:
    return f"a control did not answer as expected, {words(event['reason'])}: {event['detail']}"


def _of_dropped(event: Event) -> str:
    return f"{count(event['runs'], 'earlier run')} removed from {event['file']}: {event['reason']}"


SENTENCES: Final[Mapping[str, str | Callable[[Event], str]]] = {
    "secret.short": "the secret {secret} has fewer than {least} characters, too few to be redacted",
    "secret.ordinary_word": "the secret {secret} is a word of probekit's own texts and is not redacted there; {fix}",
    "secret.readable_by_others": "the secret's file {secret} can be read by other users; {fix}",
    "control.silent": _of_control,
    "history.runs_dropped": _of_dropped,
    "probe.bug": "probe {probe}: {error} in the kind {kind}; this is a bug in that kind, not a failure of the target",
    "probe.measured": _of_measurement,
}


def _as_text(_logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    """Return the sentence of the event, escaped because it may quote the target."""
    sentence = SENTENCES.get(event["event"], "{event}")
    text = sentence(event) if callable(sentence) else sentence.format_map(event)
    prefix = "" if method == "debug" else f"{method}: "
    return escape(f"probekit: {prefix}{text}")


def _clean(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the event without secrets."""
    redactor = _RUN.get().redactor
    if redactor is None:
        return event
    return {key: redactor.clean(value) if isinstance(value, str) else value for key, value in event.items()}


def _once(_logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the event, unless this run already wrote the same warning; debug events are always written."""
    import structlog  # noqa: PLC0415  # see above

    if method == "debug":
        return event
    written, key = _RUN.get().written, repr(sorted(event.items()))
    if key in written:
        raise structlog.DropEvent
    written.add(key)
    return event


def _to_stderr(*_arguments: object) -> object:
    """Return a logger that uses the current sys.stderr at each write, because it may be replaced later."""
    import structlog  # noqa: PLC0415  # see above

    return structlog.PrintLogger(cast("Any", _Forgiving()))


class _Forgiving:
    """A stderr whose errors (closed, disk full) are ignored and never change the exit code."""

    def write(self, text: str) -> None:
        """Write the text if possible."""
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Flush if possible."""
        with suppress(OSError, ValueError):
            sys.stderr.flush()
