"""Find where a running system states its version: a value in version format, in the JSON of the usual paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from probekit.model.measurement import ProbeFailedError
from probekit.probes._support.health_words import plain
from probekit.probes._support.json import parse
from probekit.transport.response import Answer
from probekit.workflows.discover.asking import Asker
from probekit.workflows.discover.found import Discovery
from probekit.workflows.discover.paths import V2, VERSIONS

_OK: Final = 200
_LONGEST: Final = 60  # characters of a version
_DEEPEST: Final = 4  # levels of a document that are searched
_MOST: Final = 1000  # values of a document that are checked
_NUMBERED: Final = re.compile(r"v?[0-9]+(\.[0-9]+)+([-+.~_][0-9A-Za-z.+~_-]*)?")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_OWN: Final = (  # keys of the served version, the most reliable first, in lower case without separators
    "releaseid",  # of health+json, whose version is that of the API
    "version", "appversion", "serverversion", "pkgversion", "buildversion", "releaseversion", "gitversion", "release",
    "tag", "build", "semver", "etcdserver",
)  # fmt: skip
_AROUND: Final = frozenset((  # keys of objects that may hold it; java, os and others have versions of their own
    "version", "build", "app", "application", "service", "server", "info", "data", "result", "response", "release",
    "meta", "metadata", "git", "project", "package", "product", "system", "systeminfo",
))  # fmt: skip
_WITHIN: Final = (("version", "number"), ("build", "number"))  # a key in an object at a key


async def find_version(found: Discovery, asker: Asker, root: Answer | None) -> None:
    """Find the version at the usual paths, in the health answer, or at `/`."""
    is_model_server = found.health is not None and found.health.path.startswith(f"{V2}/")
    for path in (V2, *VERSIONS) if is_model_server else VERSIONS:
        if _take(found, path, await asker.read(path), is_its_place=True):
            return
    if found.health and _take(found, found.health.path, await asker.read(found.health.path)):
        return
    if root and found.page is None and version_in(root) and await asker.is_own(root):
        _take(found, "/", root)


def _take(found: Discovery, path: str, answer: Answer | None, *, is_its_place: bool = False) -> bool:
    place = version_in(answer, is_its_place=is_its_place) if answer else None
    found.version = (path, *place) if place else None
    return place is not None


def version_in(answer: Answer, *, is_its_place: bool = False) -> tuple[str, str] | None:
    """Return the place of the served version in an answer, and the version; None if there is none.

    Args:
        answer: the answer of any path.
        is_its_place: whether the path is a usual version path, where a value in version format needs no known key.
    """
    if answer.status != _OK:
        return None
    text = answer.text.strip()
    if is_its_place and len(text) <= _LONGEST and _NUMBERED.fullmatch(text):
        return "text", text
    try:
        document = parse(answer.body)
    except ProbeFailedError:
        return None
    if isinstance(document, str):
        return ("$", document) if is_its_place and _NUMBERED.fullmatch(document) else None
    values = [(keys, value) for keys, value in _values(document) if _may_be(keys, value)]
    ranked = [(rank, len(keys), keys, value) for keys, value in values if (rank := _rank(keys)) is not None]
    if ranked:
        _, _, keys, value = min(ranked, key=lambda one: one[:2])
        return _place(keys), value
    alone = [one for one in values if not any("version" in plain(key) for key in one[0])]
    return (_place(alone[0][0]), alone[0][1]) if is_its_place and len(alone) == 1 else None


def _place(keys: tuple[str, ...]) -> str:
    return ".".join(("$", *keys))


def _may_be(keys: tuple[str, ...], value: str) -> bool:
    """Return whether a value may be a version: any text at key `version`, otherwise dotted numbers only."""
    is_named = plain(keys[-1]) == "version" and value.isprintable() and value.strip() == value and "<" not in value
    return 0 < len(value) <= _LONGEST and (is_named or _NUMBERED.fullmatch(value) is not None)


def _rank(keys: tuple[str, ...]) -> int | None:
    """Return how reliably the keys name the served version, 0 is best; None if they do not."""
    last = plain(keys[-1])
    if not _AROUND.issuperset(map(plain, keys[:-1])):
        return None
    if last in _OWN:
        return _OWN.index(last)
    within = tuple(map(plain, keys[-2:]))
    return len(_OWN) + _WITHIN.index(within) if within in _WITHIN else None


def _values(document: Any) -> Iterator[tuple[tuple[str, ...], str]]:  # noqa: ANN401  # any JSON value
    """Yield the texts of a document with the keys that lead to them, level by level."""
    level: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((), document)] if isinstance(document, Mapping) else []
    seen = 0
    for _ in range(_DEEPEST):
        below: list[tuple[tuple[str, ...], Mapping[str, Any]]] = []
        for keys, table in level:
            for key, value in table.items():
                seen += 1
                if seen > _MOST:
                    return
                if not _NAME.fullmatch(key):
                    continue
                if isinstance(value, Mapping):
                    below.append(((*keys, key), value))
                elif isinstance(value, str):
                    yield (*keys, key), value
        level = below
