"""Measure how fast and how reliably routes answer requests that are sent on a fixed schedule (open loop)."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from probekit.probe import (
    Answer,
    Context,
    ErrorRate,
    Failure,
    Kind,
    MadeUpPathConfig,
    Metric,
    ProbeConfig,
    ProbeFailedError,
    Quantile,
    Readings,
    Reason,
    Where,
    Window,
    http_endpoint,
)
from probekit.probes._support.comparing import has_words
from probekit.probes._support.questions import doubt_of_question
from probekit.probes.latency.lines import FEW, Lines
from probekit.probes.latency.sender import Sender
from probekit.probes.latency.tally import Schedule
from probekit.probes.latency.throttled import throttled

_EXPECT: Final = "check the path, or set expect to the right status"


class Route(Where):
    """One route that is timed."""

    expect: list[int] = Field([200], min_length=1, description="The expected statuses; any other counts as an error.")
    contains: str | None = Field(
        None,
        min_length=1,
        description="Words that the text of an answer must contain, whole and not negated; else it counts as an error.",
    )

    def is_answered_by(self, answer: Answer) -> bool:
        """Whether the answer has an expected status and the expected words."""
        if answer.status not in self.expect:
            return False
        return self.contains is None or has_words(answer.text, self.contains)


class Latency(ProbeConfig, MadeUpPathConfig):
    """The routes, and the rate of requests over all of them."""

    kind: Literal["latency"]
    routes: list[Route] = Field(min_length=1, max_length=50, description="The routes, requested in turn.")
    rate: float = Field(
        5.0,
        gt=0,
        le=500,
        allow_inf_nan=False,
        description="Requests a second over all routes; throttle and budget limit them unless load is allowed.",
    )

    @model_validator(mode="after")
    def _one_host(self) -> Self:
        if len({route.url is None for route in self.routes}) > 1:
            message = "routes have both 'path' and 'url': use paths only, or URLs of one host only"
            raise ValueError(message)
        return self


def _rate(config: Latency, seconds: float, budget: int | None) -> float:
    """Requests a second: as configured, limited by the budget."""
    return config.rate if budget is None else min(config.rate, budget / seconds)


async def sample(config: Latency, context: Context) -> AsyncGenerator[Readings, None]:
    """Send requests on an absolute schedule, round robin over the routes, and time them from the intended start.

    A closed loop would wait for a slow answer before the next request, and so miss the delays that users had.
    The load begins with the first answer, and stops while the target does not answer (see `pacing`).
    """
    if context.window is None:
        raise ProbeFailedError(Reason.BUG, "the latency kind needs a window")
    seconds = context.window.block * context.window.least
    rate = _rate(config, seconds, context.budget)
    schedule = Schedule(
        rate=rate,
        starts=max(1, round(rate * seconds)),
        blocks=context.window.least,
        routes=len(config.routes),
        block=context.window.block,
    )
    urls = [route.target(context.base_url) for route in config.routes]
    places = max(FEW, round(rate * context.timeout)) if "load" in context.allow else FEW
    lines = Lines(context.http, urls[0], min(places, schedule.starts))
    sender = Sender(
        schedule=schedule, routes=config.routes, urls=urls, places=places, lines=lines, timeout=context.timeout
    )
    async with aclosing(lines):
        with _steady_memory():
            await sender.run()
    asked = [context.http.question(url) for url in urls]
    doubt = await _doubt_of_routes(config, context, sender.first)
    readings = await _readings(sender, context, context.window, asked, doubt)
    readings.answered = frozenset(() if doubt else (asked[number] for number in sender.first))
    yield readings


async def _readings(sender: Sender, context: Context, window: Window, asked: Sequence[str], doubt: str) -> Readings:
    """Return the readings of the sample, or failures if the rate or the requests themselves may have caused its errors.

    With doubtful answers there are no durations and the error rate cannot pass, but failed requests still count.
    Doubtful answers do not show that a question was ever answered well.
    """
    sample = sender.tally.sample()
    never = {number: answer for number, answer in sender.odd.items() if doubt or number not in sender.first}
    doubts = (doubt_of_question(context, answer, asked[number], _EXPECT) for number, answer in never.items())
    unread = None
    if detail := next(filter(None, doubts), None):
        unread = Failure(reason=Reason.BAD_RESPONSE, detail=detail)
    elif detail := await throttled(sender, context, window):
        unread = Failure(reason=Reason.ACCESS_DENIED, detail=detail)
    elif doubt and not any(sample.failures):
        unread = Failure(reason=Reason.BAD_RESPONSE, detail=doubt)
    untimed = Failure(reason=Reason.BAD_RESPONSE, detail=doubt) if doubt and not unread else unread
    return Readings(
        _summary(sender),
        p50=untimed or Quantile(sample, 0.5),
        p95=untimed or Quantile(sample, 0.95),
        p99=untimed or Quantile(sample, 0.99),
        error_rate=unread or ErrorRate(sample, doubt),
    )


def _summary(sender: Sender) -> str:
    schedule = sender.schedule
    seconds = schedule.block * schedule.blocks
    seen = f"{sender.sent} of {schedule.starts} requests sent, {schedule.rate:g} a second over {seconds:g} s"
    if sender.held:
        seen += f", {sender.held} held back while the target or their route did not answer"
    return f"{seen}, ended early: all requests failed" if sender.is_dead else seen


async def _doubt_of_routes(config: Latency, context: Context, first: Mapping[int, Answer]) -> str:
    """Why the answers may not come from the routes: one is equal to the answer for a path that cannot exist."""
    for number, answer in first.items():
        route = config.routes[number]
        if not config.made_up_path or route.contains or not answer.is_success:
            continue
        if await context.http.answers_anything(route.target(context.base_url), answer):
            detail = f"{answer.address} answers anything: a path that cannot exist gets the answer of {route.place}"
            hint = 'if that is intended, set contains = "..." to words of this route only'
            return f"{detail}; {hint}"
    return ""


@contextmanager
def _steady_memory() -> Iterator[None]:
    """Turn garbage collection off during the sampling: a pause of this process would look like one of the target."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


KIND = Kind(
    config=Latency,
    fills=("api",),
    default_limits=lambda _: ("p95 < 500 ms",),
    metrics=(
        Metric(
            name="p50",
            unit="ms",
            help="The time within which half of the requests were answered, from the intended start.",
            quantile=0.5,
        ),
        Metric(
            name="p95",
            unit="ms",
            help="The time within which 95 % of the requests were answered; failed requests count as slower than all.",
            quantile=0.95,
        ),
        Metric(
            name="p99",
            unit="ms",
            help="The time within which 99 % of the requests were answered; failed requests count as slower than all.",
            quantile=0.99,
        ),
        Metric(
            name="error_rate",
            unit="%",
            help="Share of the requests with an unexpected status or without a response.",
            is_share=True,
        ),
    ),
    sample=sample,
    turn="exclusive",
    endpoint=lambda config, base_url: http_endpoint(config.routes[0], base_url),
    requests_per_window=lambda config, seconds, budget: round(_rate(config, seconds, budget) * seconds),
    requests=300,  # without load; the plan computes the number from the settings
    example="""\
kind = "latency"
rate = 5  # requests a second; more than 300 in a window need allow = ["load"]
routes = [{ path = "/api/orders" }, { path = "/api/search?q=tea" }]
""",
    safety=(
        "Only reads; without load, at most 300 requests in all its windows, within the budget, 4 in flight; if 10 % "
        "are answered with 503, 44 more requests, one a second; one request a block to a target that does not answer; "
        "up to two more windows for an item that is still undecided."
    ),
)
