"""The health in single keys and values of a health document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from probekit.probes._support.health_document import Component
from probekit.probes._support.health_words import (
    Health,
    condition_health,
    declared_flag_health,
    health_of,
    key_parts,
    plain,
)
from probekit.probes._support.json import is_number

WORDS: Final = frozenset((
    "status", "state", "health", "healthy", "ok", "ready", "up", "alive", "available", "success", "connected", "passed",
    "result", "reachable", "online", "live", "overall", "overallstatus", "healthstatus", "statuscode", "ishealthy",
    "isready", "isalive", "isok", "isconnected", "running", "operational", "accessible", "serving", "working",
))  # fmt: skip
_NAMES: Final = ("name", "component", "service", "check", "key", "id", "checkid")
_MAPS: Final = frozenset(
    ("components", "checks", "results", "entries", "dependencies", "services", "healthchecks", "subsystems")
)
WRAPPERS: Final = frozenset(("data", "result", "response", "health", "status"))
_REMARKS: Final = frozenset(("details", "info"))  # may hold components or anything else
TROUBLE: Final = frozenset((  # error keys: a value that is not empty means a failure
    "error", "errors", "errorcount", "failed", "failures", "failing", "failedchecks", "failingchecks",
    "failedcomponents", "unhealthy", "unhealthycomponents", "unhealthyservices", "problems",
))  # fmt: skip
WISHES: Final = frozenset((  # groups of flags that state a configuration, not a condition
    "features", "featureflags", "flags", "toggles", "config", "configuration", "settings", "options", "capabilities",
    "permissions", "update", "updates", "upgrade",
))  # fmt: skip
_PLACES: Final = frozenset(
    ("service", "app", "application", "host", "node", "instance", "pod")
)  # may hold a health or a name
_COLOURS: Final = ("red", "yellow", "green")
_PAST: Final = frozenset(("previous", "prior", "history", "earlier", "former", "events"))
_LATEST: Final = frozenset(("last", "recent"))  # current, or of the time before
_PASSING: Final = frozenset((  # keys of values that differ between processes or releases
    "version", "hostname", "release", "build", "commit", "sha", "revision", "branch", "host", "node", "instance", "pod",
))  # fmt: skip
_ABOUT: Final = frozenset((
    "name", "env", "environment", "region", "zone", "message", "description", "output", "notes", "title", "type",
    "detail", "debug", "mode",
)) | _PASSING | _PLACES  # fmt: skip
_ABOUT_ENDINGS: Final = frozenset(
    ("at", "ms", "id", "url", "uri", "version", "time", "timestamp", "date", "seconds", "duration", "uptime", "latency")
)
_BAD_STATUSES: Final = range(400, 600)  # RFC 9110 section 15: statuses of an unhealthy part

Counts = frozenset[type]  # types whose values are components even without a word of health
SCALAR: Final = Counts((str, int, float, type(None)))
ANY: Final = Counts((*SCALAR, bool, dict, list))
TEXT: Final = Counts((str,))  # with a word for the whole, a number is a measurement


def scalar_component(name: str, key: str, value: Any, counts: Counts) -> list[Component]:  # noqa: ANN401  # any JSON value
    """Return the undeclared component that a plain value describes, if any."""
    health, parts = health_of(value), key_parts(key)
    if value in _COLOURS and bool not in counts:  # usually the colour of a deployment
        health = Health.UNKNOWN
    is_known = health is not Health.UNKNOWN
    is_remark = plain(key) in _ABOUT and not (is_known and (plain(key) in _PLACES or bool in counts))
    if is_remark or (not value and any(health_of(part) is Health.BAD for part in (key, *parts))):
        return []
    says_nothing = not is_known and (parts or [""])[-1] in _ABOUT_ENDINGS
    is_one = type(value) in counts or (isinstance(value, str) and is_known)
    return [Component(name=name, says=value, health=health)] if is_one and not says_nothing else []


def declared_health(key: str, value: Any) -> Health:  # noqa: ANN401  # any JSON value
    if isinstance(value, bool):
        return declared_flag_health(key, value)
    return trouble_health(value) if plain(key) in TROUBLE else health_of(value)


def trouble_health(value: Any) -> Health:  # noqa: ANN401  # any JSON value
    """Return the health of an error key's value: good where it is empty or 0."""
    is_some = value > 0 if is_number(value) else bool(value)
    return Health.UNCLEAR if is_some else Health.GOOD


def word_health(value: Any) -> Health:  # noqa: ANN401  # any JSON value
    """Return the health of a status key's value; a number may be an HTTP status."""
    return Health.BAD if is_number(value) and value in _BAD_STATUSES else health_of(value)


def pairs_of(value: Any) -> list[tuple[str, Any]]:  # noqa: ANN401  # any JSON value
    """Return the entries of a map or a list, by name."""
    if isinstance(value, dict):
        return list(value.items())
    return [(name, item) for item in value if isinstance(item, dict) and (name := name_of(item)) is not None]


def name_of(item: Mapping[str, Any]) -> str | None:
    named = {plain(key): value for key, value in item.items() if isinstance(value, str) and value}
    return next((named[key] for key in _NAMES if key in named), None)


def is_condition(item: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Return whether it is a condition of Kubernetes: a type, and a status of True, False or Unknown as text."""
    if not isinstance(item, dict):
        return False
    kind, status = condition_of(item)
    return isinstance(kind, str) and isinstance(status, str) and status.casefold() in ("true", "false", "unknown")


def condition_component(prefix: str, item: Mapping[str, Any]) -> Component | None:
    kind, status = condition_of(item)
    health = condition_health(kind, status)
    name = f"{prefix}.{kind}" if prefix else kind
    return None if health is None else Component(name=name, says=status, health=health)


def condition_of(item: Mapping[str, Any]) -> tuple[Any, Any]:  # any JSON values
    """Return the type and the status of a condition."""
    known = {plain(key): value for key, value in item.items()}
    return known.get("type"), known.get("status")


def is_scalar(value: Any) -> bool:  # noqa: ANN401  # any JSON value
    return value is None or isinstance(value, str | bool | int | float)


def is_map(key: str, value: Any) -> bool:  # noqa: ANN401  # any JSON value
    return isinstance(value, dict | list) and plain(key) in _MAPS | WRAPPERS | _REMARKS | TROUBLE


def is_listing(key: str) -> bool:
    """Return whether a key holds components by their names."""
    return plain(key) in _MAPS


def is_passing(key: str) -> bool:
    """Return whether a key's value differs between moments, processes or releases."""
    return plain(key) in _PASSING or (key_parts(key) or [""])[-1] in _ABOUT_ENDINGS


def is_past(key: str) -> bool:
    """Return whether a key's value describes the past."""
    return not _PAST.isdisjoint(key_parts(key))


def is_latest(key: str) -> bool:
    """Return whether a key's value may describe the present or the past."""
    return not _LATEST.isdisjoint(key_parts(key))
