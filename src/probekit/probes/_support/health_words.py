"""The health that words and flags state."""

from __future__ import annotations

import json
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
    "timeout", "timed_out", "red", "unknown_error", "unexpected_result",  # the last two are of django-health-check
))  # fmt: skip
_UNCLEAR: Final = frozenset((
    "degraded", "warn", "warning", "starting", "pending", "partial", "paused", "maintenance", "yellow",
))  # fmt: skip
_INVERSE: Final = frozenset((  # flags of an unusual state: unclear where true, no health where false
    "maintenance", "maintenancemode", "sealed", "standby", "readonly", "degraded", "paused", "draining", "suspended",
    "shuttingdown", "terminating", "stopping", "disabled", "locked", "stale", "recovering", "overloaded", "throttled",
))  # fmt: skip
_DEPENDENCIES: Final = frozenset((
    "database", "db", "sql", "postgres", "postgresql", "mysql", "mariadb", "mongo", "mongodb", "cassandra", "sqlite",
    "cache", "redis", "valkey", "memcached", "queue", "broker", "rabbitmq", "kafka", "nats", "amqp", "celery",
    "sidekiq", "elasticsearch", "opensearch", "search", "storage", "s3", "minio", "disk", "smtp", "mail", "ldap",
    "vault", "etcd", "zookeeper", "consul", "store", "datastore", "backend", "upstream",
))  # fmt: skip
_WISHES: Final = frozenset((
    "use", "uses", "enable", "with", "has", "allow", "skip", "no", "disable", "require", "update", "upgrade",
))  # fmt: skip
_PREFIXES: Final = frozenset(("is", "in", "has", "are", "was"))
_TROUBLES: Final = frozenset(("errors", "failures", "problems"))
_BAD_CONDITIONS: Final = frozenset((
    "pressure", "unavailable", "problem", "degraded", "failure", "failed", "failing", "stalled", "disruption",
    "deadlock", "corrupt", "unhealthy", "unreachable", "readonly", "frequent",
))  # fmt: skip
_GOOD_CONDITIONS: Final = frozenset((
    "ready", "available", "healthy", "initialized", "scheduled", "established", "synced", "accepted", "programmed",
    "valid", "connected", "reachable", "running", "serving", "ok", "alive", "live", "up", "able", "succeeded",
))  # fmt: skip
_MARKS: Final = frozenset((
    "status", "state", "health", "ok", "healthy", "ready", "up", "connected", "alive", "available", "success",
    "reachable", "online", "running", "operational", "accessible",
))  # fmt: skip
_PART: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+")  # `isDBUp` has three
_LONGEST_TEXT: Final = 40  # characters of a plain text that counts as one word


class Health(IntEnum):
    """The health that a word states, in ascending order, so that `max` is the worst of several."""

    GOOD = 0
    UNCLEAR = 1  # a word of health that is neither good nor bad
    UNKNOWN = 2  # not a word of health
    BAD = 3

    @property
    def is_doubtful(self) -> bool:
        """Whether it is neither good nor bad."""
        return self in (Health.UNCLEAR, Health.UNKNOWN)


def health_of(value: Any) -> Health:  # noqa: ANN401  # any JSON value
    """Return the health of a JSON value; a text after a bad word and a colon is its explanation."""
    if isinstance(value, bool):
        return Health.GOOD if value else Health.BAD
    if not isinstance(value, str):
        return Health.UNKNOWN
    word = _normal(value)
    if word in _GOOD:
        return Health.GOOD
    if word in _BAD or _normal(value.partition(":")[0]) in _BAD or word.removeprefix("not_") in _GOOD:
        return Health.BAD
    return Health.UNCLEAR if word in _UNCLEAR else Health.UNKNOWN


def said_by(answer: Answer) -> Any:  # noqa: ANN401  # any JSON value
    """Return the body's JSON document, or the whole of a short plain text.

    Raises:
        ProbeFailedError: `bad_response`: it is empty, a page, or not JSON.
    """
    text = answer.text.strip()
    if not text:
        raise ProbeFailedError(Reason.BAD_RESPONSE, "the body is empty")
    is_text = answer.media_type in ("text/plain", "text/html", "")  # `return "OK"` of Flask and Django is text/html
    if is_text and len(text) <= _LONGEST_TEXT and text[:1] not in '{["<':
        return text
    if is_page(answer):
        detail = f"a page ({answer.media_type or 'no type'}) instead of a health answer"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return parse(answer.body)


def is_page(answer: Answer) -> bool:
    """Return whether the body is a page; JSON sent as text/html, as by PHP, is not."""
    first = answer.text.lstrip()[:1]
    return first == "<" or ("html" in answer.media_type and first not in ("{", "["))


def said_leniently(answer: Answer) -> Any:  # noqa: ANN401  # any JSON value
    """Return the body's document even where its JSON is not valid in every part; None where it cannot be read.

    NaN, a repeated key and UTF-16 are accepted, so that a bad word in such a body still counts.
    """
    try:
        return said_by(answer)
    except ProbeFailedError:
        pass
    try:
        return json.loads(answer.text)
    except (ValueError, RecursionError):
        return None


def flag_health(key: str, value: bool) -> Health | None:  # noqa: FBT001  # what is read
    """Return the health of a flag at a key; None where it states none, such as `"debug": false`."""
    parts = key_parts(key)
    own = parts[1:] if parts[:1] and parts[0] in _PREFIXES else parts
    words = [key, "_".join(own), *own]
    if any(health_of(word) is Health.BAD or word in _TROUBLES for word in words):  # such as `timed_out`
        return Health.BAD if value else None
    if plain(key) in _INVERSE or "".join(own) in _INVERSE:
        return Health.UNCLEAR if value else None
    if not own or own[0] in _WISHES:
        return None
    return health_of(value) if own[-1] in _DEPENDENCIES or without_mark(key) != key else None


def declared_flag_health(key: str, value: bool) -> Health:  # noqa: FBT001  # what is read
    """Return the health of a flag of a component that a configuration names: `"maintenance": false` is good there."""
    if (health := flag_health(key, value)) is not None:
        return health
    return Health.GOOD if flag_health(key, not value) in (Health.UNCLEAR, Health.BAD) else health_of(value)


def condition_health(kind: str, status: str) -> Health | None:
    """Return the health of a Kubernetes condition, by its polarity; None where it states none.

    Of some types `True` is good (`Ready`), of others `False` (`DiskPressure`, `NetworkUnavailable`).
    """
    parts = set(key_parts(kind))
    is_bad, is_good = bool(parts & _BAD_CONDITIONS), bool(parts & _GOOD_CONDITIONS)
    if is_bad is is_good:  # the polarity of other types is unknown
        return None
    said = {"true": True, "false": False}.get(status.casefold())
    return Health.UNCLEAR if said is None else health_of(said is is_good)


def plain(key: str) -> str:
    """Return a key in small letters, without spaces, underscores and hyphens."""
    return re.sub(r"[\s_-]", "", key).casefold()


def key_parts(key: str) -> list[str]:
    """Return the words of a key, in small letters: `timed` and `out` of `timedOut`."""
    return [part.casefold() for part in _PART.findall(key)]


def without_mark(key: str) -> str:
    """Return the component that a key names: `database` of `database_status`."""
    if health_of("_".join(key_parts(key))) is not Health.UNKNOWN:  # such as `not_ready`
        return key
    parts = list(_PART.finditer(key))
    if len(parts) > 1 and parts[-1].end() == len(key) and parts[-1][0].casefold() in _MARKS:
        return key[: parts[-1].start()].rstrip(" _-")
    return key


def _normal(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip().rstrip(".!").casefold())
