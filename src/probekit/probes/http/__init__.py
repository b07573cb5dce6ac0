"""Request one URL, verify its answer and time it."""

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

_PATH: Final = "check path and base_url, or --url"
_MOVED: Final = "set follow = 1 to follow it within its origin, or set path and base_url to that place"


async def measure(config: HttpProbe, context: Context) -> Readings:
    """Send one request on a new connection; an unreachable target gives `up = 0`, denied access gives no reading."""
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
            why = doubt or f"the body of a {answer.status} is not checked"
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
    """Add what the body says about health, and how much that shows."""
    readings.values["failed_assertions"] = Exact(len(said.failed))
    if weak := "" if said.failed else _weakness(config, answer):
        readings.notes["weak"] = weak
    if config.assertions:
        readings.notes["assertions"] = f"{len(config.assertions) - len(said.failed)} of {len(config.assertions)} hold"
    if said.neutral:
        readings.notes["neutral"] = ", ".join(said.neutral[:TOLD])
    if config.catch_all:
        readings.summary += "; the server answers every path, so only the declared assertions count"
    if said.failed:
        readings.summary += f": {in_words(said.failed)}"
    return readings


def _weakness(config: HttpProbe, answer: Answer) -> str:
    """Why a pass says little about health; empty if it says enough."""
    if config.page and is_html(answer):
        return "only the status of an HTML page counts"
    if config.any_body or config.claims_an_answer_only:
        return "the rule shows that the process answers, not that it is healthy"
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
        readings.summary += f", a redirect to {answer.redirect} that was not followed"
    return readings


async def _judged(config: HttpProbe, context: Context, answer: Answer, request: Request) -> OwnWord:
    """Return the assertions that do not hold, in words.

    Raises:
        ProbeFailedError: the answer is inconclusive.
    """
    if await _answers_anything(config, context, answer, request):
        detail = "this server answers anything: a path that cannot exist gets the same answer"
        hint = "if that is intended, set catch_all = true and assertions that verify health"
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
    """Whether paths that cannot exist get the same answer; it can be compared only with a GET for them."""
    if not config.asks_made_up_paths:
        return False
    url, has_body = config.target(context.base_url), config.method != "HEAD"
    return await context.http.answers_anything(
        url, answer, headers=request.headers, follow=config.follow, has_body=has_body
    )


def _requests(config: HttpProbe) -> int:
    """The requests of one measurement, each with the redirects that may be followed."""
    return (1 + MADE_UP * config.asks_made_up_paths) * (1 + config.follow)


def _limits(config: HttpProbe) -> tuple[str, ...]:
    """The default limits; an assertion about the status replaces the limit on it."""
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
            help="1: the target answered; 0: it refused or reset the connection, or did not answer.",
        ),
        Metric(name="status", unit="", low=100, high=599, help="The status of the final answer."),
        Metric(
            name="failed_assertions",
            unit="",
            help="Assertions about the answer that do not hold: the declared ones, or else the implied one about the "
            "body's own status.",
        ),
        Metric(
            name="first_byte",
            unit="ms",
            help="Time from the request sent to the first byte of the answer, on an open connection.",
            timed=True,
        ),
        Metric(
            name="response_time",
            unit="ms",
            help="Time from the request sent to the last byte of the answer, on an open connection.",
            timed=True,
        ),
        Metric(name="total", unit="ms", help="Time of the whole exchange, connection included.", timed=True),
        Metric(name="dns", unit="ms", help="Time to resolve the name, once per probe.", timed=True),
        Metric(name="connect", unit="ms", help="Time to open the TCP connection.", timed=True),
        Metric(name="tls", unit="ms", help="Time of the TLS handshake.", timed=True),
        Metric(name="bytes", unit="", help="Size of the body after decompression."),
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
assertions = [{ path = "$.status", equals = "ok" }]  # by default: a 2xx, and a good status in the body
""",
    safety="Only reads; with method POST, PUT, PATCH or DELETE, and canary-write allowed, each attempt sends one such "
    "request.",
)
