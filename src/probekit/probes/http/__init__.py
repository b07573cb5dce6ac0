"""Does one URL answer well, and how fast?"""

from __future__ import annotations

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
from probekit.probes._support.assertions import Assertion, broken
from probekit.probes._support.own_word import TOLD, OwnWord, beside_assertions, implied
from probekit.probes._support.questions import doubt_of_question

_PATH: Final = "look at path and base_url"
_MOVED: Final = "follow = 1 follows it within its origin, or name that place in path and base_url"


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
    question = context.http.question(url, config.method)
    try:
        answer = await context.http.get_fresh(url, max_age=config.max_age, method=config.method, follow=config.follow)
    except ProbeFailedError as error:
        if error.reason is not Reason.UNREACHABLE:
            raise
        return Readings(error.detail, up=Exact(0))
    answer.require_answer()
    readings = _numbers(answer, context)
    if not answer.is_success:
        unread = Failure(reason=Reason.BAD_RESPONSE, detail=f"the body of a {answer.status} is not read")
        readings.values["failed_assertions"] = unread
        if doubt := doubt_of_question(context, answer, question, _MOVED if answer.redirect else _PATH):
            readings.values["status"] = Failure(reason=Reason.BAD_RESPONSE, detail=doubt)
        return readings
    try:
        said = await _judged(config, context, answer)
    except ProbeFailedError as error:
        unread = Failure(reason=error.reason, detail=error.detail)
        readings.values |= {"up": unread, "failed_assertions": unread}
        return readings
    readings.values["failed_assertions"] = Exact(len(said.failed))
    if not said.failed:
        readings.answered = frozenset({question})
    if said.neutral:
        readings.notes["neutral"] = ", ".join(said.neutral[:TOLD])
    if config.catch_all:
        readings.summary += ", of a server that answers every path: only the declared assertions count"
    if said.failed:
        readings.summary += f": {'; '.join(said.failed)}"
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


async def _judged(config: HttpProbe, context: Context, answer: Answer) -> OwnWord:
    """What does not hold, in words; ProbeFailedError where that cannot be told."""
    if await _answers_anything(config, context, answer):
        detail = "this server answers anything: a path that cannot exist gets the same answer"
        hint = "if it must, catch_all = true with assertions that tell health"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}; {hint}")
    if config.body == "any":
        return OwnWord()
    if config.assertions:
        failed = broken(config.assertions, answer.body)
        return OwnWord(failed) if failed else beside_assertions(answer, config.ignore)
    return implied(answer, config.ignore)


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
    each_address=True,
    default_limits=lambda _: ("up == 1", "status == 200", "failed_assertions == 0"),
    remembers=True,
    requests=1 + MADE_UP,
    example="""\
kind = "http"
path = "/health"
assertions = [{ path = "$.status", equals = "ok" }]  # without it a 2xx and the body's own status word are read
""",
)
