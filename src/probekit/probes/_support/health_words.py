"""What do a health answer and its words say?"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any, Final

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes._support.json import parse
from probekit.transport.response import Answer

_GOOD: Final = frozenset((
    "ok", "okay", "healthy", "up", "pass", "passed", "passing", "ready", "alive", "live", "available",
    "connected", "working", "running", "online", "reachable", "operational", "serving", "success", "green",
))  # fmt: skip
_BAD: Final = frozenset((
    "down", "fail", "failed", "failing", "failure", "error", "unhealthy", "critical", "dead", "unavailable",
    "out_of_service", "disconnected", "broken", "offline", "unreachable", "not_ready", "not_serving",
    "timeout", "timed_out", "red", "unknown_error", "unexpected_result",  # the last two are django-health-check's
))  # fmt: skip
_UNCLEAR: Final = frozenset((
    "degraded", "warn", "warning", "unknown", "starting", "pending", "partial", "paused", "maintenance",
    "yellow",
))  # fmt: skip
_PARTS: Final = 2000  # of one answer that are looked at
_LONGEST_TEXT: Final = 40  # characters of a plain text that is one word


class Health(IntEnum):
    """What a word says, the worst last, so that `max` is the worst of several."""

    GOOD = 0
    UNCLEAR = 1  # a word of health that is neither good nor bad
    UNKNOWN = 2  # no word of health
    BAD = 3

    @property
    def is_doubtful(self) -> bool:
        """Whether it is neither good nor bad."""
        return self in (Health.UNCLEAR, Health.UNKNOWN)


def health_of(value: Any) -> Health:  # noqa: ANN401  # any JSON value
    """What a JSON value says of health; the text that follows a bad word and a colon is its explanation."""
    if isinstance(value, bool):
        return Health.GOOD if value else Health.BAD
    if not isinstance(value, str):
        return Health.UNKNOWN
    word = _normal(value)
    if word in _GOOD:
        return Health.GOOD
    if word in _BAD or _normal(value.partition(":")[0]) in _BAD:
        return Health.BAD
    return Health.UNCLEAR if word in _UNCLEAR else Health.UNKNOWN


def said_by(answer: Answer) -> Any:  # noqa: ANN401  # any JSON value
    """What the body says: its JSON document, or the whole of a short plain text.

    Raises:
        ProbeFailedError: `bad_response`: it is empty, a page, or no JSON.
    """
    text = answer.body.strip()
    if not text:
        raise ProbeFailedError(Reason.BAD_RESPONSE, "the body is empty")
    if answer.media_type == "text/plain" and len(text) <= _LONGEST_TEXT and text[:1] not in b'{["':
        return text.decode("utf-8", "replace")
    if "html" in answer.media_type or text[:1] == b"<":
        detail = f"a page ({answer.media_type or 'no type'}) where a health answer is due"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return parse(answer.body)


def bad_part(document: Any) -> str | None:  # noqa: ANN401  # any JSON value
    """The name of a part, at any depth, whose own word is bad; None where none is seen."""
    left, seen = [("", document)], 0
    while left and seen < _PARTS:
        name, value = left.pop()
        seen += 1
        if isinstance(value, dict):
            if name and any(health_of(value.get(key)) is Health.BAD for key in ("status", "state", "health")):
                return name
            left += [(str(key), inner) for key, inner in value.items() if isinstance(inner, dict | list)]
        elif isinstance(value, list):
            left += [(_named(inner) or name or "a part", inner) for inner in value if isinstance(inner, dict | list)]
    return None


def _named(part: Any) -> str:  # noqa: ANN401  # any JSON value
    return str(part.get("name") or "") if isinstance(part, dict) else ""


def _normal(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip().rstrip(".!").casefold())
