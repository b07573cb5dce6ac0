"""Does one URL answer well, and how fast?"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

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
from probekit.probes._support.assertions import DECLARE, Assertion, broken
from probekit.probes._support.health_words import Health, bad_part, health_of, said_by
from probekit.probes._support.json import keys, shown


class HttpProbe(HttpConfig, RepeatedConfig, FreshConfig, MadeUpPathConfig):
    """One URL and what its answer must be like."""

    kind: Literal["http"]
    method: Literal["GET", "HEAD"] = Field("GET", description="how it is asked")
    follow: int = Field(0, ge=0, le=5, description="redirects that are followed, within the same origin only")
    assertions: tuple[Assertion, ...] = Field((), description="what the body must hold")
    body: Literal["any"] | None = Field(None, description='"any": a 2xx is enough, whatever the body says')
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
        return broken(config.assertions, answer.body)
    word = _status_word(answer)
    health = health_of(word)
    if health.is_doubtful:
        detail = f"its status {shown(word)} is no word we know; {DECLARE}"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    if health is Health.GOOD and (part := bad_part(said_by(answer))):
        detail = (
            f"its status is {shown(word)}, but its part {shown(part)} is not: kind infrastructure_health reads parts"
        )
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return [] if health is Health.GOOD else [f"its status is {shown(word)}"]


async def _answers_anything(config: HttpProbe, context: Context, answer: Answer) -> bool:
    if config.catch_all or not config.made_up_path:
        return False
    url, has_body = config.target(context.base_url), config.method != "HEAD"
    return await context.http.answers_anything(url, answer, follow=config.follow, has_body=has_body)


def _status_word(answer: Answer) -> str:
    """The one word that the body says of itself: JSON's `status`, or the whole of a short plain text."""
    if not answer.body.strip():
        raise ProbeFailedError(Reason.BAD_RESPONSE, 'the body is empty; body = "any" accepts it')
    document = said_by(answer)
    word = document.get("status") if isinstance(document, dict) else document
    if not isinstance(word, str):
        detail = f"no status in it; {keys(document)}; {DECLARE}"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return word


KIND = Kind(
    config=HttpProbe,
    fills=("health",),
    metrics=(
        Metric(
            name="up",
            unit="",
            high=1,
            role="reached",
            help="1: it answered; 0: it refused, reset, kept silent or spoke no HTTP",
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
