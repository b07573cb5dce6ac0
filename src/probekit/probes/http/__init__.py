"""Does one URL answer well, and how fast?"""

from __future__ import annotations

from typing import Final

from probekit.probe import (
    MADE_UP,
    Allowance,
    Answer,
    Context,
    Exact,
    Failure,
    Kind,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
    http_endpoint,
)
from probekit.probes._support.claims import broken, in_words
from probekit.probes._support.own_word import TOLD, OwnWord, beside_assertions, implied
from probekit.probes._support.page import is_html, require_content, require_no_error_page
from probekit.probes._support.questions import doubt_of_question
from probekit.probes._support.request import ALLOWANCE, Request
from probekit.probes._support.suggestion import seen
from probekit.probes.http.settings import HttpProbe

_PATH: Final = "look at path and base_url, or at --url"
_MOVED: Final = "follow = 1 follows it within its origin, or name that place in path and base_url"


async def measure(config: HttpProbe, context: Context) -> Readings:
    """One request on a new connection; nobody there is `up = 0`, a refusal to talk to us is no reading."""
    url, request = config.target(context.base_url), config.request(context, config.place)
    question = context.http.question(url, config.method, config.asks_beside())
    try:
        answer = await context.http.get_fresh(
            url,
            max_age=config.max_age,
            method=config.method,
            headers=request.headers,
            content=request.content,
            follow=config.follow,
        )
    except ProbeFailedError as error:
        if error.reason is not Reason.UNREACHABLE:
            raise
        return Readings(error.detail, up=Exact(0))
    answer.require_answer(config.statuses)
    readings = _numbers(answer, context)
    if not answer.is_success and answer.status not in config.statuses:
        doubt = doubt_of_question(context, answer, question, _MOVED if answer.redirect else _PATH)
        if doubt:
            readings.values["status"] = Failure(reason=Reason.BAD_RESPONSE, detail=doubt)
        if doubt or not config.statuses:
            why = doubt or f"the body of a {answer.status} is not read"
            readings.values["failed_assertions"] = Failure(reason=Reason.BAD_RESPONSE, detail=why)
            return readings
    try:
        said = await _judged(config, context, answer, request)
    except ProbeFailedError as error:
        unread = Failure(reason=error.reason, detail=error.detail)
        readings.values |= {"up": unread, "failed_assertions": unread}
        return readings
    if not said.failed:
        readings.answered = frozenset({question})
    return _with_word(readings, said, config, answer)


def _with_word(readings: Readings, said: OwnWord, config: HttpProbe, answer: Answer) -> Readings:
    """The readings with what the body says, and how much that is."""
    readings.values["failed_assertions"] = Exact(len(said.failed))
    if weak := "" if said.failed else _weakness(config, answer):
        readings.notes["weak"] = weak
    if config.assertions:
        readings.notes["assertions"] = f"{len(config.assertions) - len(said.failed)} of {len(config.assertions)} hold"
    if said.neutral:
        readings.notes["neutral"] = ", ".join(said.neutral[:TOLD])
    if config.catch_all:
        readings.summary += ", of a server that answers every path: only the declared assertions count"
    if said.failed:
        readings.summary += f": {in_words(said.failed)}"
    return readings


def _weakness(config: HttpProbe, answer: Answer) -> str:
    """Why a pass says little of health; empty where it does not."""
    if config.page and is_html(answer):
        return "a page of HTML, of which only the status counts"
    if config.any_body or config.claims_an_answer_only:
        return "its rule proves that the process answers, not that it is well"
    return ""


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
    if not (answer.is_success or answer.redirect) and (line := seen(answer)):
        readings.summary += f": {line}"
    if answer.redirect:
        readings.summary += f", which points to {answer.redirect} and was not followed"
    return readings


async def _judged(config: HttpProbe, context: Context, answer: Answer, request: Request) -> OwnWord:
    """What does not hold, in words; ProbeFailedError where that cannot be told."""
    if await _answers_anything(config, context, answer, request):
        detail = "this server answers anything: a path that cannot exist gets the same answer"
        hint = "if it must, catch_all = true with assertions that tell health"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}; {hint}")
    failed = broken(config.assertions, answer, context.now())
    if failed or config.any_body:
        return OwnWord(failed)
    if config.assertions:
        if answer.is_success and not config.claims_body:
            require_no_error_page(answer)
        return beside_assertions(answer, config.ignore)
    if config.page and is_html(answer):
        require_content(answer)
        return OwnWord()
    return implied(answer, config.ignore)


async def _answers_anything(config: HttpProbe, context: Context, answer: Answer, request: Request) -> bool:
    """Whether paths that cannot exist get the same answer; only a GET for them can be compared with it."""
    if not config.asks_made_up_paths:
        return False
    url, has_body = config.target(context.base_url), config.method != "HEAD"
    return await context.http.answers_anything(
        url, answer, headers=request.headers, follow=config.follow, has_body=has_body
    )


def _requests(config: HttpProbe) -> int:
    """The requests of one measurement, each with the redirects that it may follow."""
    return (1 + MADE_UP * config.asks_made_up_paths) * (1 + config.follow)


def _limits(config: HttpProbe) -> tuple[str, ...]:
    """Where an assertion claims a status, that says which is good."""
    status = () if config.statuses else ("status == 200",)
    return ("up == 1", *status, "failed_assertions == 0")


def _allowed_by(config: HttpProbe) -> dict[str, Allowance]:
    return dict.fromkeys(KIND.metric_names, ALLOWANCE) if config.writes else {}


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
    remembers=True,
    requests=_requests,
    default_limits=_limits,
    claims=lambda config: {"status": config.statuses} if config.statuses else {},
    allowed_by=_allowed_by,
    writes=lambda config: config.writes,
    example="""\
kind = "http"
path = "/health"
assertions = [{ path = "$.status", equals = "ok" }]  # without it a 2xx and the body's own status word are read
""",
    safety="it only reads; a POST, PUT, PATCH or DELETE is sent to the target for each measurement, which is one an "
    "attempt, where canary-write is allowed",
)
