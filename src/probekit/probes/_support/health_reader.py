"""Read the health of the whole and of each component from an answer, in any known dialect.

Dialects are recognised by their shape: Spring Boot actuator, ASP.NET, health+json, django-health-check, NestJS
terminus, Consul's lists, conditions of Kubernetes, flat and nested maps, a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, Final

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes._support.health_document import NO_NAMES, Component, HealthDocument, Names, explains, worse
from probekit.probes._support.health_values import (
    ANY,
    SCALAR,
    TEXT,
    TROUBLE,
    WISHES,
    WORDS,
    WRAPPERS,
    Counts,
    condition_component,
    condition_of,
    declared_health,
    is_condition,
    is_latest,
    is_listing,
    is_map,
    is_past,
    is_scalar,
    name_of,
    pairs_of,
    scalar_component,
    trouble_health,
    word_health,
)
from probekit.probes._support.health_words import (
    Health,
    flag_health,
    health_of,
    plain,
    without_mark,
)
from probekit.probes._support.json import find, shown

_MOST: Final = 200  # components of one document
_DEEPEST: Final = 8  # levels of components within components


def read_health(
    document: Any,  # noqa: ANN401  # any JSON value
    *,
    at: str | None = None,
    declared: Names = NO_NAMES,
    ignored: Names = NO_NAMES,
) -> HealthDocument:
    """Return the health of the whole and of each component.

    Args:
        document: a JSON value, or the text of a plain body.
        at: place of the component map, as a JSONPath of RFC 9535.
        declared: components that count whatever their values are.
        ignored: components and keys that do not count.

    Raises:
        ProbeFailedError: `bad_response`: nothing is at that place, or it has too many or too deep components.
    """
    place = find(at, document) if at else document
    reader = _Reader(declared, ignored)
    if isinstance(place, dict):
        said = reader.whole(place)
    elif isinstance(place, list):
        said = HealthDocument(listed=reader.of_list("", place, ANY))
    elif isinstance(place, str):
        health = health_of(place)
        said = HealthDocument(word=place, words=(("the text", place, health),), overall=health)
    else:
        said = HealthDocument()
    if at and isinstance(document, dict) and (around := reader.own_word(document)).is_known:
        said = worse(said, around)
    return replace(said, neutral=tuple(reader.neutral))


_NAMELESS: Final = "(nameless)"


class _Reader:
    """Finds the components in a document."""

    def __init__(self, declared: Names, ignored: Names) -> None:
        self._declared = declared
        self._ignored = ignored
        self.neutral: list[str] = []

    def whole(self, table: Mapping[str, Any], depth: int = 0, at: str = "") -> HealthDocument:
        """Return the health in a document, or a part that represents it: its own word, its maps, its other values."""
        own, depth = self.own_word(table, at), _deeper(depth)
        pairs = [(key, value) for key, value in table.items() if not self._ignored.owner(key)]
        maps = {key: self._map(key, value, depth) for key, value in pairs if is_map(key, value)}
        rest = [(key, value) for key, value in pairs if key not in maps and not self._is_word(key, value)]
        listed = [component for inner in maps.values() for component in inner.listed]
        beside = Counts() if listed else SCALAR if own.overall is None else TEXT
        alone = self._entries("", rest, beside, depth)
        if any(component.is_known or self._declared.owner(component.name) for component in alone):
            listed = [*alone, *listed]
        return replace(reduce(worse, maps.values(), own), listed=listed)

    def own_word(self, table: Mapping[str, Any], at: str = "") -> HealthDocument:
        """Return an object's own word, the worst of several; apart from `status`, only words of health count."""
        mark = f"{at}." if at else ""
        words = [
            (key, value)
            for key, value in table.items()
            if plain(key) in WORDS and is_scalar(value) and not self._ignored.owner(f"{mark}{key}")
        ]
        telling = [one for one in words if plain(one[0]) == "status" or word_health(one[1]) is not Health.UNKNOWN]
        judged = [(f"{mark}{key}", word, word_health(word)) for key, word in telling or words[:1]]
        said = [HealthDocument(word=one[1], words=(one,), overall=one[2]) for one in judged]
        return reduce(worse, said, HealthDocument())

    def _map(self, key: str, value: Any, depth: int) -> HealthDocument:  # noqa: ANN401  # any JSON value
        counts = ANY if is_listing(key) else Counts()
        if isinstance(value, list):
            return HealthDocument(listed=self._or_trouble("", key, value, self.of_list("", value, counts, depth)))
        if plain(key) in WRAPPERS:
            return self.whole(value, depth, at=key)
        listed = self._or_trouble("", key, value, self._entries("", value.items(), counts, depth))
        return HealthDocument(listed=[replace(one, is_mapped=True) for one in listed] if counts else listed)

    def of_list(self, name: str, items: Sequence[Any], counts: Counts, depth: int = 0) -> list[Component]:
        """Return the components of a list: each by its name, those without a name under the list's."""
        conditions = [condition_component(name, item) for item in items if is_condition(item)]
        undecided = [item for item in items if is_condition(item) and condition_component(name, item) is None]
        self.neutral += [" = ".join(map(str, condition_of(item))) for item in undecided]
        items = [item for item in items if not is_condition(item)]
        listed = [component for component in conditions if component and not self._ignored.owner(component.name)]
        listed += self._entries(name, pairs_of(items), counts, _deeper(depth))
        for item in items:
            if isinstance(item, dict) and name_of(item) is None:
                listed += self._nameless(name, item, _deeper(depth))
        if not listed and not conditions and name and (list in counts or self._declared.owner(name)):
            return [Component(name=name, says=items, health=Health.UNKNOWN)]
        return listed

    def _nameless(self, name: str, item: Mapping[str, Any], depth: int) -> list[Component]:
        """Return the components in an object of a list that has no name."""
        if self.own_word(item).overall is not None:
            listed = self._object(name or _NAMELESS, item, Counts(), depth)
        else:
            inner = self._object(name, item, Counts(), depth) if name else self.whole(item, depth).listed
            listed = [one for one in inner if one.is_known]
        return [one for one in listed if not self._ignored.owner(one.name)]

    def _entries(self, prefix: str, pairs: Iterable[tuple[str, Any]], counts: Counts, depth: int) -> list[Component]:
        listed = list[Component]()
        for key, value in pairs:
            name = self._name(prefix, key)
            if not self._ignored.owner(name):
                listed += self._current(key, self._entry(name, key, value, counts, depth))
            if len(listed) > _MOST:  # a megabyte of them would block the event loop for a second
                raise ProbeFailedError(Reason.BAD_RESPONSE, f"more than {_MOST} components")
        return listed

    def _current(self, key: str, told: Sequence[Component]) -> Sequence[Component]:
        """Return what counts as current: nothing of the past; a bad result of the last try is unclear."""
        if is_past(key):
            self.neutral += [f"{one.name} = {shown(one.says)}" for one in told if one.name not in self._declared.known]
            return [one for one in told if one.name in self._declared.known]
        if is_latest(key):
            return [replace(one, health=Health.UNCLEAR) if one.health is Health.BAD else one for one in told]
        return told

    def _entry(self, name: str, key: str, value: Any, counts: Counts, depth: int) -> list[Component]:  # noqa: ANN401  # any JSON value
        if isinstance(value, dict):
            return self._or_trouble(name, key, value, self._object(name, value, counts, depth))
        if isinstance(value, list):
            return self._or_trouble(name, key, value, self.of_list(name, value, counts, depth))
        if name in self._declared.known:
            return [Component(name=name, says=value, health=declared_health(key, value))]
        if isinstance(value, bool):
            return self._flag(name, key, value, counts)
        return self._or_trouble(name, key, value, scalar_component(name, key, value, counts))

    def _flag(self, name: str, key: str, value: bool, counts: Counts) -> list[Component]:  # noqa: FBT001  # what is read
        """Return the component of a flag: in a map of components any key is one, elsewhere a known key."""
        health = flag_health(key, value)
        if health is None and bool in counts and flag_health(key, not value) is None:
            health = health_of(value)
        if health is None:
            self.neutral.append(f"{name} = {shown(value)}")
            return []
        return [Component(name=name, says=value, health=health)]

    def _or_trouble(self, name: str, key: str, value: Any, listed: list[Component]) -> list[Component]:  # noqa: ANN401  # any JSON value
        """Return the components, or else one for the value of an error key: not empty, it is unclear."""
        name = name or key
        is_told = any(component.is_known for component in listed)
        if plain(key) not in TROUBLE or is_told or self._ignored.owner(name):
            return listed
        is_declared = self._declared.owner(name) is not None
        health = trouble_health(value)
        return [Component(name=name, says=value, health=health)] if health is not Health.GOOD or is_declared else []

    def _object(self, name: str, table: Mapping[str, Any], counts: Counts, depth: int) -> list[Component]:
        """Return a component with its parts, or a group of components."""
        if plain(name.rpartition(".")[2]) in WISHES and dict not in counts:
            self.neutral += [f"{name}.{key} = {shown(value)}" for key, value in table.items() if is_scalar(value)]
            return []
        said = self.own_word(table, name)
        if said.overall is not None:
            parts = self._parts(name, table, _deeper(depth))
            decided = said.overall is not Health.GOOD and explains(parts, said.overall)
            return parts if decided else [_component(name, said), *parts]
        inner = self._entries(name, table.items(), counts - {bool}, _deeper(depth))
        if any(component.is_known for component in inner):
            return inner
        is_one = dict in counts or self._declared.owner(name)
        return [Component(name=name, says=table, health=Health.UNKNOWN)] if is_one else []

    def _parts(self, name: str, table: Mapping[str, Any], depth: int) -> list[Component]:
        """Return the parts of a component that has its own word; only words of health count there."""
        listed = list[Component]()
        for key, value in table.items():
            if is_map(key, value) and plain(key) not in TROUBLE:
                listed += self._mapped_parts(name, value, ANY if is_listing(key) else Counts(), depth)
            elif not self._is_word(key, value):
                told = self._entries(name, [(key, value)], Counts(), depth)
                listed += [replace(one, health=Health.UNCLEAR) if one.says is False else one for one in told]
        return [component for component in listed if component.is_known]

    def _mapped_parts(self, name: str, value: Any, counts: Counts, depth: int) -> list[Component]:  # noqa: ANN401  # any JSON value
        if isinstance(value, list):
            return self.of_list(name, value, counts, depth)
        word = self.own_word(value, name)
        own = [_component(name, word)] if word.is_known else []
        rest = [(key, inner) for key, inner in value.items() if not self._is_word(key, inner)]
        return own + self._entries(name, rest, counts, depth)

    def _name(self, prefix: str, key: str) -> str:
        """Return the component's name: "database" for `database_status`."""
        whole = f"{prefix}.{key}" if prefix else key
        return whole if whole in self._declared.known else without_mark(whole)

    def _is_word(self, key: str, value: Any) -> bool:  # noqa: ANN401  # any JSON value
        return plain(key) in WORDS and is_scalar(value) and key not in self._declared.known


def _component(name: str, said: HealthDocument) -> Component:
    return Component(name=name, says=said.word, health=Health.UNKNOWN if said.overall is None else said.overall)


def _deeper(depth: int) -> int:
    if depth >= _DEEPEST:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"components in more than {_DEEPEST} levels")
    return depth + 1
