"""Read the health of the components that a target depends on, as the target itself reports it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from probekit.model.numbers import count
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
from probekit.probes._support.health_document import Component, HealthDocument, Names, explains
from probekit.probes._support.health_reader import read_health
from probekit.probes._support.health_words import Health, said_by
from probekit.probes._support.json import compile_path, keys, shown
from probekit.probes._support.questions import doubt_of_question

Need = Literal["required", "optional"]


def _need_or_probe(word: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*(\.[\w-]+)?", word, re.ASCII):
        message = f'"{word}" is neither "required" nor "optional" nor the name of a probe'
        raise ValueError(message)
    return word


_Name = Annotated[str, StringConstraints(min_length=1)]
_NeedOrProbe = Annotated[str, AfterValidator(_need_or_probe)]
_OPTIONAL: Final = 'if the target does not need it, set components = { NAME = "optional" }'
_DECLARE: Final = 'declare the components that it must list: components = { NAME = "required" }'
_PATH: Final = "check path and base_url"
_SHOWN: Final = 8  # components that a line of evidence names


class InfrastructureHealth(HttpConfig, RepeatedConfig, FreshConfig, MadeUpPathConfig):
    """One URL that reports the health of each component."""

    kind: Literal["infrastructure_health"]
    components: dict[_Name, _NeedOrProbe] = Field(
        {},
        description='Each component with "required", "optional", or the name of a probe that measures it, which makes '
        "it required.",
    )
    ignore: tuple[_Name, ...] = Field((), description="Components and keys of the answer that do not count.")
    at: str | None = Field(
        None,
        description="The place of the component map as a JSONPath (RFC 9535), if it is not recognised.",
    )

    @field_validator("at")
    @classmethod
    def _is_a_path(cls, at: str | None) -> str | None:
        if at:
            compile_path(at)
        return at

    @property
    def mapped(self) -> Mapping[str, str]:
        """The components that another probe measures directly, with the probe's name."""
        return {name: word for name, word in self.components.items() if word not in ("required", "optional")}

    @property
    def names(self) -> Names:
        """The declared components."""
        return Names(tuple(self.components))

    def need(self, name: str) -> Need | None:
        """Whether the component is required or optional; None if it is not declared."""
        owner = self.names.owner(name)
        if owner is None:
            return None
        return "optional" if self.components[owner] == "optional" else "required"


async def measure(config: InfrastructureHealth, context: Context) -> Readings:
    """Send one request on a new connection; an unreachable target gives `up = 0`, denied access gives no reading."""
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
        detail = f"{where}: this server answers anything: a path that cannot exist gets the same answer; {_PATH}"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    question = context.http.question(url)
    if doubt := doubt_of_question(context, answer, question, _PATH):
        raise ProbeFailedError(Reason.BAD_RESPONSE, doubt)
    try:
        said = _said(config, answer)
    except ProbeFailedError as error:
        raise ProbeFailedError(error.reason, f"{where}: {error.detail}") from error
    readings = _readings(config, answer, said)
    if answer.is_success:
        readings.answered = frozenset({question})
    return readings


def _said(config: InfrastructureHealth, answer: Answer) -> HealthDocument:
    """Return the health document of an answer; a 3xx, 4xx or 5xx is bad, whatever its body says.

    Raises:
        ProbeFailedError: `bad_response`: the body is not a health document of a known shape.
    """
    if answer.is_server_error:
        try:
            said = _read(config, answer)
        except ProbeFailedError:
            return HealthDocument(overall=Health.BAD, word=None)
        is_known = any(one.health in (Health.GOOD, Health.BAD) for one in said.listed)
        return HealthDocument(overall=Health.BAD, word=said.word, listed=said.listed if is_known else ())
    return _read(config, answer) if answer.is_success else HealthDocument(overall=Health.BAD, word=None)


def _read(config: InfrastructureHealth, answer: Answer) -> HealthDocument:
    document = said_by(answer)
    said = read_health(document, at=config.at, declared=config.names, ignored=Names(config.ignore))
    if said.is_silent:
        word = "" if said.overall is None else f"its status {shown(said.word)} is neither good nor bad, and "
        line = f"check at = {config.at!r}" if config.at else f'set the place: at = "{_likely_place(document)}"'
        detail = f"{word}no health of components found; {keys(document)}; {line}"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return said


def _likely_place(document: Any) -> str:  # noqa: ANN401  # any JSON value
    """The likely place of the components, as a JSONPath to suggest."""
    known = document if isinstance(document, dict) else {}
    maps = [key for key, value in known.items() if isinstance(value, dict | list)]
    return next((f"$.{key}" for key in maps if re.fullmatch(r"[A-Za-z_]\w{0,40}", key, re.ASCII)), "$....")


def components(answer: Answer) -> dict[str, Need]:
    """The components that an answer lists, without their parts; unhealthy ones of a healthy whole are optional.

    Raises:
        ProbeFailedError: the body is not a health document of a known shape.
    """
    said = _said(InfrastructureHealth(kind="infrastructure_health", path="/"), answer)
    listed = [one.name for one in said.listed]
    own = Names(listed)
    names = dict.fromkeys(name for name in listed if own.owners(name)[:1] == [name])
    unwell = {own.owners(one.name)[0] for one in said.listed if one.health is not Health.GOOD}
    return {name: "optional" if name in unwell and said.overall is not Health.BAD else "required" for name in names}


def _readings(config: InfrastructureHealth, answer: Answer, said: HealthDocument) -> Readings:
    required = [component for component in said.listed if config.need(component.name) == "required"]
    undeclared = [component for component in said.listed if config.need(component.name) is None]
    present = {owner for component in said.listed for owner in config.names.owners(component.name)}
    bare = not said.listed and said.overall is not Health.GOOD  # it lists nothing, so nothing is missing
    missing = [] if bare else [name for name in config.components if name not in present]
    notes = {"url": answer.url, "content type": answer.media_type or "none"}
    if said.neutral:
        notes["neutral"] = ", ".join(said.neutral[:_SHOWN])
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


def _unhealthy_required(
    config: InfrastructureHealth, said: HealthDocument, required: Sequence[Component]
) -> Exact | Failure:
    """The number of required components that are bad; 1 if the whole is bad and no component is.

    If none is listed and none is declared, there is no reading.
    """
    if said.overall is Health.GOOD and not said.listed and not config.components:
        return Failure(reason=Reason.BAD_RESPONSE, detail=f"no component is listed and none is declared; {_DECLARE}")
    if explains(said.listed, said.overall):
        return _count({config.names.owner(component.name) for component in _bad(required)}, required)
    if said.overall is not Health.BAD:
        return _doubt("its status", said.word)
    # An optional component with an unknown word may be the only unhealthy one.
    optional = [component for component in said.listed if config.need(component.name) == "optional"]
    unread = next((component for component in optional if component.health.is_doubtful), None)
    return _doubt(f"optional {shown(unread.name)}", unread.says) if unread else Exact(1)


def _count(bad: set[str] | set[str | None], among: Sequence[Component]) -> Exact | Failure:
    """The number of bad components; a failure if none is bad and the word of one is unclear."""
    doubtful = next((component for component in among if component.health.is_doubtful), None)
    return _doubt(shown(doubtful.name), doubtful.says) if doubtful and not bad else Exact(len(bad))


def _doubt(who: str, says: Any) -> Failure:  # noqa: ANN401  # any JSON value
    detail = f"{who} reports {shown(says)}, which is neither good nor bad; {_OPTIONAL}"
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)


def _bad(components: Sequence[Component]) -> list[Component]:
    return [component for component in components if component.health is Health.BAD]


def _summary(config: InfrastructureHealth, said: HealthDocument, missing: Sequence[str]) -> str:
    """The answer in one line of evidence, worst components first."""
    unwell = sorted((one for one in said.listed if one.health is not Health.GOOD), key=lambda one: -one.health)
    summary = [
        f"{shown(one.name)} ({config.need(one.name) or 'undeclared'}) reports {shown(one.says)}" for one in unwell
    ]
    summary = [*dict.fromkeys(summary), *(f"{shown(name)} is missing" for name in missing)]
    if said.word is not None and said.overall is not Health.GOOD:
        summary.insert(0, f"its status is {shown(said.word)}")
    if not said.listed:
        summary.append("no component is listed")
    more = [f"and {len(summary) - _SHOWN} more"] if len(summary) > _SHOWN else []
    names = {component.name for component in said.listed}
    return f": {'; '.join(summary[:_SHOWN] + more)}" if summary else f", {count(len(names), 'component')}, all healthy"


KIND = Kind(
    config=InfrastructureHealth,
    fills=("infrastructure",),
    default_limits=lambda _: (
        "up == 1",
        "unhealthy_required == 0",
        "unhealthy_undeclared == 0",
        "missing_components == 0",
    ),
    metrics=(
        Metric(
            name="up",
            unit="",
            high=1,
            role="reached",
            help="1: the target answered; 0: it refused or reset the connection, or did not answer.",
        ),
        Metric(
            name="unhealthy_required",
            unit="",
            help="Required components that are unhealthy; 1 if the whole is unhealthy and no component is.",
        ),
        Metric(
            name="unhealthy_undeclared",
            unit="",
            help="Unhealthy components that the configuration does not declare.",
        ),
        Metric(
            name="missing_components",
            unit="",
            help="Components that the configuration declares and the answer does not list.",
        ),
    ),
    measure=measure,
    reports_on=lambda config: frozenset(config.mapped.values()),
    endpoint=http_endpoint,
    remembers=True,
    requests=1 + MADE_UP,
    example="""\
kind = "infrastructure_health"
path = "/api/infrastructure/health"
components = { database = "database", cache = "cache", disk = "required", mail = "optional" }
""",
)
