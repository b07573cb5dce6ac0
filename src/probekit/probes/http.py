"""Does one URL answer well, and how fast?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

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
from probekit.probes._support.assertions import DECLARE, DECLARE_TEXT, Assertion, broken
from probekit.probes._support.health_document import HealthDocument, Names
from probekit.probes._support.health_reader import read_health
from probekit.probes._support.health_words import Health, said_by, said_leniently
from probekit.probes._support.json import keys, shown

_TOLD: Final = 6  # words that a line of evidence names


class HttpProbe(HttpConfig, RepeatedConfig, FreshConfig, MadeUpPathConfig):
    """One URL and what its answer must be like."""

    kind: Literal["http"]
    method: Literal["GET", "HEAD"] = Field("GET", description="how it is asked")
    follow: int = Field(0, ge=0, le=5, description="redirects that are followed, within the same origin only")
    assertions: tuple[Assertion, ...] = Field((), description="what the body must hold")
    body: Literal["any"] | None = Field(None, description='"any": a 2xx is enough, whatever the body says')
    ignore: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        (), description="keys and components of the body that say nothing of its health"
    )
    catch_all: bool = Field(
        default=False, description="this server answers every path alike: only a declared assertion can pass"
    )

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if self.method == "HEAD" and self.body is None:
            message = 'a HEAD has no body that could say something good: body = "any" says that its status is enough'
            raise ValueError(message)
        if self.catch_all and not self.assertions:
            message = "catch_all says that every path is answered: add the assertions that tell health from it"
            raise ValueError(message)
        if self.ignore and self.body:
            message = 'body = "any" reads no body: ignore does not go with it'
            raise ValueError(message)
        if self.assertions and self.body:
            message = 'assertions read the body: they do not go with body = "any"'
            raise ValueError(message)
        return self


async def measure(config: HttpProbe, context: Context) -> Readings:
    """One request on a new connection; nobody there is `up = 0`, a refusal to talk to us is no reading."""
    url = config.target(context.base_url)
    try:
        answer = await context.http.get_fresh(url, max_age=config.max_age, method=config.method, follow=config.follow)
    except ProbeFailedError as error:
        if error.reason is not Reason.UNREACHABLE:
            raise
        return Readings(error.detail, up=Exact(0))
    answer.require_answer()
    readings = _numbers(answer, context)
    if not answer.is_success:
        readings.values["failed_assertions"] = Failure(
            reason=Reason.BAD_RESPONSE, detail=f"the body of a {answer.status} is not read"
        )
        return readings
    try:
        failed = await _failed_assertions(config, context, answer)
    except ProbeFailedError as error:
        unread = Failure(reason=error.reason, detail=error.detail)
        readings.values |= {"up": unread, "failed_assertions": unread}
        return readings
    readings.values["failed_assertions"] = Exact(len(failed))
    if neutral := _neutral(config, answer):
        readings.notes["neutral"] = neutral
    if config.catch_all:
        readings.summary += ", of a server that answers every path: only the declared assertions count"
    if failed:
        readings.summary += f": {'; '.join(failed)}"
    return readings


def _numbers(answer: Answer, context: Context) -> Readings:
    phases = answer.phases
    readings = Readings(
        f"{answer.status} from {answer.address}",
        {"url": answer.url, "content type": answer.media_type or "none"},
        up=Exact(1),
        status=Exact(answer.status),
        first_byte=Exact(phases.first_byte * 1000),
        response_time=Exact(phases.response * 1000),
        total=Exact(phases.total * 1000),
        connect=Exact(phases.connect * 1000),
        bytes=Exact(len(answer.body)),
    )
    if context.resolved:
        readings.values["dns"] = Exact(context.resolved.seconds * 1000)
    if phases.tls is not None:
        readings.values["tls"] = Exact(phases.tls * 1000)
    if answer.redirect:
        readings.summary += f", which points to {answer.redirect} and was not followed"
    return readings


async def _failed_assertions(config: HttpProbe, context: Context, answer: Answer) -> list[str]:
    """What does not hold, in words; ProbeFailedError where that cannot be told."""
    if await _answers_anything(config, context, answer):
        detail = "this server answers anything: a path that cannot exist gets the same answer"
        hint = "if it must, catch_all = true with assertions that tell health"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}; {hint}")
    if config.body == "any":
        return []
    if config.assertions:
        failed = broken(config.assertions, answer.body)
        if not failed:
            _require_no_bad_word(config, answer)
        return failed
    return implied(answer, config.ignore)


def implied(answer: Answer, ignore: Sequence[str] = ()) -> list[str]:
    """What a body says of itself, where nothing is declared: all its words must be good.

    Raises:
        ProbeFailedError: `bad_response`: it says nothing of health, or its words disagree.
    """
    if not answer.body.strip():
        raise ProbeFailedError(Reason.BAD_RESPONSE, 'the body is empty; body = "any" accepts it')
    hint = DECLARE if re.match(rb'[{"]|\[(?![-+])', answer.body.strip()) else DECLARE_TEXT  # `[+]ping ok` is no list
    try:
        document = said_by(answer)
        said = read_health(document, ignored=Names(ignore))
    except ProbeFailedError as error:
        raise ProbeFailedError(error.reason, f"{error.detail}; {hint}") from error
    if said.overall is None and said.is_silent:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"no status in it; {keys(document)}; {hint}")
    if said.overall is not None and said.overall.is_doubtful:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"its status {shown(said.word)} is no word we know; {hint}")
    if said.overall is Health.BAD and said.best is not Health.GOOD:
        return [f"its status is {shown(said.word)}"]
    if doubts := _doubts(_unwell(said)):
        raise ProbeFailedError(Reason.BAD_RESPONSE, doubts)
    return []


def doubted(answer: Answer) -> tuple[str, ...]:
    """What of a body is not plainly well beside a good word: what `ignore` would have to name."""
    try:
        return tuple(dict.fromkeys(name for name, _ in _unwell(read_health(said_by(answer)))))
    except ProbeFailedError:
        return ()


def _require_no_bad_word(config: HttpProbe, answer: Answer) -> None:
    """Beside declared assertions that hold only an explicit bad word counts.

    Raises:
        ProbeFailedError: `bad_response`: the body says one, or more than is read.
    """
    document = said_leniently(answer)
    if document is None:
        return
    said = read_health(document, ignored=Names(config.ignore))
    if doubts := _doubts(_bad(said)):
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"the declared assertions hold, but {doubts}")


def _neutral(config: HttpProbe, answer: Answer) -> str:
    """The claims of the body that say nothing of health."""
    if config.body == "any" or b"false" not in answer.body:
        return ""
    try:
        return ", ".join(read_health(said_leniently(answer)).neutral[:_TOLD])
    except ProbeFailedError:
        return ""


def _bad(said: HealthDocument) -> list[tuple[str, str]]:
    """Each word that is bad, with its key or component."""
    words = [(key, shown(says)) for key, says, health in said.words if health is Health.BAD]
    return [*words, *((one.name, shown(one.says)) for one in said.listed if one.health is Health.BAD)]


def _unwell(said: HealthDocument) -> list[tuple[str, str]]:
    """Each word that is not good: bad, unclear, or in a map of components none that is known.

    "UNKNOWN" is a word of Spring Boot's there, for what it does not judge.
    """
    unclear = [
        (one.name, shown(one.says))
        for one in said.listed
        if one.health is Health.UNCLEAR
        or (one.health is Health.UNKNOWN and one.is_mapped and isinstance(one.says, str) and one.says != "UNKNOWN")
    ]
    return [*_bad(said), *unclear]


def _doubts(unwell: Sequence[tuple[str, str]]) -> str:
    """The words that contradict a good answer, with the line that lets them pass; nothing where there is none."""
    unwell = list(dict.fromkeys(unwell))
    if not unwell:
        return ""
    told = ", ".join(f"{shown(name)} says {says}" for name, says in unwell[:_TOLD])
    more = f" and {len(unwell) - _TOLD} more" if len(unwell) > _TOLD else ""
    names = ", ".join(dict.fromkeys(shown(name) for name, _ in unwell[:_TOLD]))
    return f"{told}{more}; what does not count: ignore = [{names}]"


async def _answers_anything(config: HttpProbe, context: Context, answer: Answer) -> bool:
    if config.catch_all or not config.made_up_path:
        return False
    url, has_body = config.target(context.base_url), config.method != "HEAD"
    return await context.http.answers_anything(url, answer, follow=config.follow, has_body=has_body)


KIND = Kind(
    config=HttpProbe,
    fills=("health",),
    metrics=(
        Metric(
            name="up",
            unit="",
            high=1,
            role="reached",
            help="1: it answered; 0: it refused, reset or kept silent",
        ),
        Metric(name="status", unit="", low=100, high=599, help="the status of the final answer"),
        Metric(
            name="failed_assertions", unit="", help="declared (else implied) claims about the body that do not hold"
        ),
        Metric(
            name="first_byte",
            unit="ms",
            help="from the request sent to the answer's first byte, on an open connection",
            timed=True,
        ),
        Metric(
            name="response_time",
            unit="ms",
            help="from the request sent to the answer's last byte, on an open connection",
            timed=True,
        ),
        Metric(name="total", unit="ms", help="the whole exchange, connection included", timed=True),
        Metric(name="dns", unit="ms", help="resolving the name, once per probe", timed=True),
        Metric(name="connect", unit="ms", help="opening the TCP connection", timed=True),
        Metric(name="tls", unit="ms", help="the TLS handshake", timed=True),
        Metric(name="bytes", unit="", help="size of the body after decompression"),
    ),
    measure=measure,
    endpoint=http_endpoint,
    requests=1 + MADE_UP,
    example="""\
kind = "http"
path = "/health"
assertions = [{ path = "$.status", equals = "ok" }]  # without it a 2xx and the body's own status word are read
""",
)
