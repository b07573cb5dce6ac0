"""Which of the components that a target stands on does it call healthy?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from probekit.probe import (
    MADE_UP,
    Answer,
    Context,
    Exact,
    Failure,
    FreshConfig,
    HttpConfig,
    Kind,
    MadeUpPathConfig,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
    RepeatedConfig,
    http_endpoint,
)
from probekit.probes._support.health_words import Health, health_of, said_by
from probekit.probes._support.json import compile_path, find, keys, shown

Need = Literal["required", "optional"]


def _need_or_probe(word: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*(\.[\w-]+)?", word, re.ASCII):
        message = f'"{word}" is neither "required" nor "optional" nor the name of a probe'
        raise ValueError(message)
    return word


_Name = Annotated[str, StringConstraints(min_length=1)]
_NeedOrProbe = Annotated[str, AfterValidator(_need_or_probe)]
_OPTIONAL: Final = 'if it is none that you need, components = { NAME = "optional" }'
_MOST: Final = 200  # components of one map
_DEEPEST: Final = 8  # levels of components within components
_TOLD: Final = 8  # components that a line of evidence names


class InfrastructureHealth(HttpConfig, RepeatedConfig, FreshConfig, MadeUpPathConfig):
    """One URL that tells the health of each component."""

    kind: Literal["infrastructure_health"]
    components: dict[_Name, _NeedOrProbe] = Field(
        {},
        description='component to "required", "optional", or the name of the probe that looks at it, which requires it',
    )
    at: str | None = Field(
        None, description="where the component map is, as a JSONPath of RFC 9535, if it is not recognised"
    )

    @field_validator("at")
    @classmethod
    def _is_a_path(cls, at: str | None) -> str | None:
        if at:
            compile_path(at)
        return at

    @property
    def mapped(self) -> Mapping[str, str]:
        """Components that a probe of ours looks at directly, with that probe's name."""
        return {name: word for name, word in self.components.items() if word not in ("required", "optional")}

    def owners(self, name: str) -> list[str]:
        """The declared components that this one is, or is a part of, the innermost last."""
        around = [known for known in self.components if f"{name}.".startswith(tuple(known + mark for mark in ".:/"))]
        return sorted(around, key=len)

    def owner(self, name: str) -> str | None:
        """The innermost of its owners, which counts it."""
        return next(reversed(self.owners(name)), None)

    def need(self, name: str) -> Need | None:
        """What was declared of the component; None: nothing."""
        owner = self.owner(name)
        if owner is None:
            return None
        return "optional" if self.components[owner] == "optional" else "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Component:
    """One component as an answer lists it."""

    name: str
    says: Any  # any JSON value
    health: Health

    @property
    def is_known(self) -> bool:
        """Whether it says a word of health."""
        return self.health is not Health.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What an answer says of the whole and of each component."""

    word: Any = None  # any JSON value
    overall: Health | None = None  # None: it says nothing of the whole
    listed: Sequence[_Component] = ()

    @property
    def is_known(self) -> bool:
        """Whether it says a word of health of the whole."""
        return self.overall not in (None, Health.UNKNOWN)


async def measure(config: InfrastructureHealth, context: Context) -> Readings:
    """One request on a new connection; nobody there is `up = 0`, a refusal to talk to us is no reading."""
    url = config.target(context.base_url)
    try:
        answer = await context.http.get_fresh(url, max_age=config.max_age)
    except ProbeFailedError as error:
        if error.reason is not Reason.UNREACHABLE:
            raise
        return Readings(error.detail, up=Exact(0))
    where = f"{answer.status} from {answer.address}"
    answer.require_answer()
    if config.made_up_path and answer.is_success and await context.http.answers_anything(url, answer):
        detail = f"{where}: this server answers anything: a path that cannot exist gets the same answer"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    try:
        said = _said(config, answer)
    except ProbeFailedError as error:
        raise ProbeFailedError(error.reason, f"{where}: {error.detail}") from error
    return _readings(config, answer, said)


def _said(config: InfrastructureHealth, answer: Answer) -> _Said:
    """What the answer says; a 5xx is bad whatever stands in it.

    Raises:
        ProbeFailedError: `bad_response`: it is no health answer, or of a shape that we do not know.
    """
    if answer.is_server_error:
        try:
            said = _read(config, said_by(answer))
        except ProbeFailedError:
            return _Said(overall=Health.BAD, word=None)
        return _Said(overall=Health.BAD, word=said.word, listed=said.listed)
    if not answer.is_success:
        where = f" (it points to {answer.redirect})" if answer.redirect else ""
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"no answer about health{where}")
    return _read(config, said_by(answer))


def components(answer: Answer) -> tuple[str, ...]:
    """The components that an answer lists, without their parts.

    Raises:
        ProbeFailedError: it is no health answer, or of a shape that we do not know.
    """
    names = [one.name for one in _said(InfrastructureHealth(kind="infrastructure_health", path="/"), answer).listed]
    parts = {name for name in names for other in names if name != other and name.startswith((f"{other}.", f"{other}:"))}
    return tuple(dict.fromkeys(name for name in names if name not in parts))


def _readings(config: InfrastructureHealth, answer: Answer, said: _Said) -> Readings:
    required = [component for component in said.listed if config.need(component.name) == "required"]
    undeclared = [component for component in said.listed if config.need(component.name) is None]
    present = {owner for component in said.listed for owner in config.owners(component.name)}
    bare = not said.listed and said.overall is not Health.GOOD  # it lists nothing, so nothing is missing
    missing = [] if bare else [name for name in config.components if name not in present]
    notes = {"url": answer.url, "content type": answer.media_type or "none"}
    if config.mapped:
        notes["mapped"] = ", ".join(f"{shown(name)} = {probe}" for name, probe in config.mapped.items())
    return Readings(
        f"{answer.status} from {answer.address}{_summary(config, said, missing)}",
        notes,
        up=Exact(1),
        unhealthy_required=_unhealthy_required(config, said, required),
        unhealthy_undeclared=_count({component.name for component in _bad(undeclared)}, undeclared),
        missing_components=Exact(len(missing)),
    )


def _unhealthy_required(config: InfrastructureHealth, said: _Said, required: Sequence[_Component]) -> Exact | Failure:
    """The required components that are bad; where the whole is bad and no component is, one."""
    if _explains(said.listed, said.overall):
        return _count({config.owner(component.name) for component in _bad(required)}, required)
    if said.overall is not Health.BAD:
        return _doubt("its status", said.word)
    # An optional component whose word we cannot read may be all that is wrong.
    optional = [component for component in said.listed if config.need(component.name) == "optional"]
    unread = next((component for component in optional if component.health.is_doubtful), None)
    return _doubt(f"optional {shown(unread.name)}", unread.says) if unread else Exact(1)


def _count(bad: set[str] | set[str | None], among: Sequence[_Component]) -> Exact | Failure:
    """How many are bad; no number where none is and the word of one is unclear."""
    doubtful = next((component for component in among if component.health.is_doubtful), None)
    return _doubt(shown(doubtful.name), doubtful.says) if doubtful and not bad else Exact(len(bad))


def _doubt(who: str, says: Any) -> Failure:  # noqa: ANN401  # any JSON value
    detail = f"{who} says {shown(says)}, which is neither good nor bad; {_OPTIONAL}"
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)


def _bad(components: Sequence[_Component]) -> list[_Component]:
    return [component for component in components if component.health is Health.BAD]


def _explains(components: Sequence[_Component], health: Health | None) -> bool:
    """Whether the health of a whole needs no more words than those of its components."""
    if health is None or health is Health.GOOD or _bad(components):
        return True
    return health is not Health.BAD and any(component.health.is_doubtful for component in components)


def _summary(config: InfrastructureHealth, said: _Said, missing: Sequence[str]) -> str:
    """What a line of evidence says of the answer, worst components first."""
    unwell = sorted((one for one in said.listed if one.health is not Health.GOOD), key=lambda one: -one.health)
    summary = [f"{shown(one.name)} ({config.need(one.name) or 'undeclared'}) says {shown(one.says)}" for one in unwell]
    summary = [*dict.fromkeys(summary), *(f"{shown(name)} is missing" for name in missing)]
    if said.word is not None and said.overall is not Health.GOOD:
        summary.insert(0, f"its status is {shown(said.word)}")
    if not said.listed:
        summary.append("it lists no component")
    more = [f"and {len(summary) - _TOLD} more"] if len(summary) > _TOLD else []
    names = {component.name for component in said.listed}
    return f": {'; '.join(summary[:_TOLD] + more)}" if summary else f", {len(names)} components, none unwell"


# What follows reads the dialects by their shape: Spring Boot actuator, ASP.NET, health+json, django-health-check,
# NestJS terminus, flat and nested maps, lists, a word.

_WORDS: Final = frozenset((
    "status", "state", "health", "healthy", "ok", "ready", "up", "alive", "available", "success", "connected", "passed",
    "overall", "overallstatus", "healthstatus", "ishealthy", "isready", "isalive", "isok",
))  # fmt: skip
_NAMES: Final = ("name", "component", "service", "check", "key", "id")
_MAPS: Final = frozenset(
    ("components", "checks", "results", "entries", "dependencies", "services", "healthchecks", "subsystems")
)
_WRAPPERS: Final = frozenset(("data", "result", "response", "health", "status"))
_REMARKS: Final = frozenset(("details", "info", "error", "errors"))  # components, or anything else
_ABOUT: Final = frozenset((
    "version", "name", "service", "app", "application", "env", "environment", "region", "zone", "host", "hostname",
    "instance", "node", "pod", "release", "build", "commit", "sha", "revision", "branch", "message", "description",
    "output", "notes", "title", "type", "detail", "debug", "mode",
))  # fmt: skip
_ABOUT_ENDINGS: Final = frozenset(
    ("at", "ms", "id", "url", "uri", "version", "time", "timestamp", "date", "seconds", "duration", "uptime", "latency")
)
_MARK: Final = re.compile(
    r"(?<=.)[\s_-](status|state|health|ok|healthy|ready|up|connected)$|(?<=[a-z0-9])(Status|State|Health)$"
)
_PART: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+")

_Counts = frozenset[type]  # of which type a value is a component's even when it says nothing of health
_SCALAR: Final = _Counts((str, bool, int, float, type(None)))
_ANY: Final = _Counts((*_SCALAR, dict, list))
_TEXT: Final = _Counts((str, bool))  # a number beside the word of the whole is a measure


def _read(config: InfrastructureHealth, document: Any) -> _Said:  # noqa: ANN401  # any JSON value
    """What the document says of the whole and of each component.

    Raises:
        ProbeFailedError: `bad_response`: it says neither.
    """
    place = find(config.at, document) if config.at else document
    reader = _Reader(config)
    if isinstance(place, dict):
        said = reader.whole(place)
    elif isinstance(place, list):
        said = _Said(listed=reader.of_list("", place, _ANY))
    else:
        said = _Said(word=place, overall=health_of(place)) if isinstance(place, str) else _Said()
    if config.at and isinstance(document, dict) and (around := _own_word(document)).is_known:
        said = _worse(said, around)
    is_clear = said.overall in (Health.GOOD, Health.BAD)
    if not is_clear and not any(component.is_known for component in said.listed):
        word = "" if said.overall is None else f"its status {shown(said.word)} is neither good nor bad, and "
        line = f"; it is not at {config.at}" if config.at else f'; say where it is: at = "{_likely_place(document)}"'
        detail = f"{word}no health of components in it; {keys(document)}{line}"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return said


def _likely_place(document: Any) -> str:  # noqa: ANN401  # any JSON value
    known = document if isinstance(document, dict) else {}
    maps = [key for key, value in known.items() if isinstance(value, dict | list)]
    return next((f"$.{key}" for key in maps if re.fullmatch(r"[A-Za-z_]\w{0,40}", key, re.ASCII)), "$....")


class _Reader:
    """Finds the components in a document."""

    def __init__(self, config: InfrastructureHealth) -> None:
        self._config = config

    def whole(self, table: Mapping[str, Any], depth: int = 0) -> _Said:
        """What a document, or a part of it that stands for the whole, says: its own word, its maps, what is beside."""
        own, depth = _own_word(table), _deeper(depth)
        maps = {key: self._map(key, value, depth) for key, value in table.items() if _is_map(key, value)}
        rest = [(key, value) for key, value in table.items() if key not in maps and not self._is_word(key, value)]
        listed = [component for inner in maps.values() for component in inner.listed]
        beside = _Counts() if listed else _SCALAR if own.overall is None else _TEXT
        alone = self._entries("", rest, beside, depth)
        if any(component.is_known or self._config.owner(component.name) for component in alone):
            listed = [*alone, *listed]
        worst = reduce(_worse, maps.values(), own)
        return _Said(word=worst.word, overall=worst.overall, listed=listed)

    def _map(self, key: str, value: Any, depth: int) -> _Said:  # noqa: ANN401  # any JSON value
        counts = _ANY if _plain(key) in _MAPS else _Counts()
        if isinstance(value, list):
            return _Said(listed=self.of_list("", value, counts, depth))
        if _plain(key) in _WRAPPERS:
            return self.whole(value, depth=depth)
        return _Said(listed=self._entries("", value.items(), counts, depth))

    def of_list(self, name: str, items: Sequence[Any], counts: _Counts, depth: int = 0) -> list[_Component]:
        """The components of a list: each by its name, those without one under the list's own."""
        listed = self._entries(name, _pairs(items), counts, _deeper(depth))
        nameless = [item for item in items if isinstance(item, dict) and _name_of(item) is None]
        words = [_own_word(item) for item in nameless]
        listed += [_component(name or "(nameless)", said) for said in words if said.overall is not None]
        if not listed and name and (list in counts or self._config.owner(name)):
            return [_Component(name=name, says=items, health=Health.UNKNOWN)]
        return listed

    def _entries(self, prefix: str, pairs: Iterable[tuple[str, Any]], counts: _Counts, depth: int) -> list[_Component]:
        listed = list[_Component]()
        for key, value in pairs:
            name = self._name(prefix, key)
            if isinstance(value, dict):
                listed += self._object(name, value, counts, depth)
            elif isinstance(value, list):
                listed += self.of_list(name, value, counts, depth)
            elif self._config.owner(name):
                listed.append(_Component(name=name, says=value, health=health_of(value)))
            else:
                listed += _scalar(name, key, value, counts)
            if len(listed) > _MOST:  # before the body's megabyte of them costs a second of the run's one loop
                raise ProbeFailedError(Reason.BAD_RESPONSE, f"more than {_MOST} components")
        return listed

    def _object(self, name: str, table: Mapping[str, Any], counts: _Counts, depth: int) -> list[_Component]:
        """A component with its parts, or a group of components."""
        said = _own_word(table)
        if said.overall is not None:
            parts = self._parts(name, table, _deeper(depth))
            decided = said.overall is not Health.GOOD and _explains(parts, said.overall)
            return parts if decided else [_component(name, said), *parts]
        inner = self._entries(name, table.items(), counts, _deeper(depth))
        if any(component.is_known for component in inner):
            return inner
        is_one = dict in counts or self._config.owner(name)
        return [_Component(name=name, says=table, health=Health.UNKNOWN)] if is_one else []

    def _parts(self, name: str, table: Mapping[str, Any], depth: int) -> list[_Component]:
        """The components within one that has a word of its own: objects that have one, too; the rest is detail."""
        listed = list[_Component]()
        for key, value in table.items():
            inner = _pairs(value) if _is_map(key, value) or isinstance(value, list) else [(key, value)]
            for part, summary in inner:
                if isinstance(summary, dict) and _own_word(summary).overall is not None:
                    listed += self._object(f"{name}.{part}", summary, _Counts(), depth)
        return listed

    def _name(self, prefix: str, key: str) -> str:
        """The component's name: "database" for `database_status`."""
        whole = f"{prefix}.{key}" if prefix else key
        return whole if whole in self._config.components else _MARK.sub("", whole)

    def _is_word(self, key: str, value: Any) -> bool:  # noqa: ANN401  # any JSON value
        return _plain(key) in _WORDS and type(value) in _SCALAR and key not in self._config.components


def _component(name: str, said: _Said) -> _Component:
    health = Health.UNKNOWN if said.overall is None else said.overall
    return _Component(name=name, says=said.word, health=health)


def _scalar(name: str, key: str, value: Any, counts: _Counts) -> list[_Component]:  # noqa: ANN401  # any JSON value
    """The undeclared component that a plain value speaks of, if it does."""
    health = health_of(value)
    if _plain(key) in _ABOUT:
        return []
    if any(health_of(part) is Health.BAD for part in (key, *_PART.findall(key))):  # such as `timed_out`
        if not value:
            return []
        health = Health.BAD if value is True else health
    says_nothing = health is Health.UNKNOWN and (_PART.findall(key) or [""])[-1].casefold() in _ABOUT_ENDINGS
    is_one = type(value) in counts or (isinstance(value, str) and health is not Health.UNKNOWN)
    return [_Component(name=name, says=value, health=health)] if is_one and not says_nothing else []


def _own_word(table: Mapping[str, Any]) -> _Said:
    """The word that an object says of itself, the worst of several; beside `status` only words of health count."""
    words = [(_plain(key), value) for key, value in table.items() if _plain(key) in _WORDS and type(value) in _SCALAR]
    telling = [word for key, word in words if key == "status" or health_of(word) is not Health.UNKNOWN]
    said = [_Said(word=word, overall=health_of(word)) for word in telling or [word for _, word in words[:1]]]
    return reduce(_worse, said, _Said())


def _worse(one: _Said, other: _Said) -> _Said:
    """The first, with the second's word where that is worse."""
    if other.overall is None or (one.overall is not None and one.overall >= other.overall):
        return one
    return _Said(word=other.word, overall=other.overall, listed=one.listed)


def _pairs(value: Any) -> list[tuple[str, Any]]:  # noqa: ANN401  # any JSON value
    """What is in a map or a list, by name."""
    if isinstance(value, dict):
        return list(value.items())
    return [(name, item) for item in value if isinstance(item, dict) and (name := _name_of(item)) is not None]


def _name_of(item: Mapping[str, Any]) -> str | None:
    return next((item[key] for key in _NAMES if isinstance(item.get(key), str) and item[key]), None)


def _is_map(key: str, value: Any) -> bool:  # noqa: ANN401  # any JSON value
    return isinstance(value, dict | list) and _plain(key) in _MAPS | _WRAPPERS | _REMARKS


def _plain(key: str) -> str:
    return re.sub(r"[\s_-]", "", key).casefold()


def _deeper(depth: int) -> int:
    if depth >= _DEEPEST:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"components in more than {_DEEPEST} levels")
    return depth + 1


KIND = Kind(
    config=InfrastructureHealth,
    fills=("infrastructure",),
    metrics=(
        Metric(
            name="up",
            unit="",
            high=1,
            role="reached",
            help="1: it answered; 0: it refused, reset, kept silent or spoke no HTTP",
        ),
        Metric(
            name="unhealthy_required",
            unit="",
            help="required components that are bad; 1 where the whole is bad and no component is",
        ),
        Metric(name="unhealthy_undeclared", unit="", help="bad components that the configuration does not name"),
        Metric(name="missing_components", unit="", help="components that it names and the answer does not list"),
    ),
    measure=measure,
    reports_on=lambda config: frozenset(config.mapped.values()),
    endpoint=http_endpoint,
    requests=1 + MADE_UP,
    example="""\
kind = "infrastructure_health"
path = "/api/infrastructure/health"
components = { database = "database", cache = "cache", disk = "required", mail = "optional" }
""",
)
