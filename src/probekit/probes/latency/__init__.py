"""How fast do routes answer, and how often not at all, when requests leave on schedule whatever the last one did?"""

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

_EXPECT: Final = "look at the path, or say which status is due: expect"


class Route(Where):
    """One route that is timed."""

    expect: list[int] = Field([200], min_length=1, description="statuses that are an answer; any other is an error")
    contains: str | None = Field(
        None,
        min_length=1,
        description="Words that the text of an answer must hold, whole and not negated; else it is an error.",
    )

    def is_answered_by(self, answer: Answer) -> bool:
        """Whether that is an answer of the route."""
        if answer.status not in self.expect:
            return False
        return self.contains is None or has_words(answer.text, self.contains)


class Latency(ProbeConfig, MadeUpPathConfig):
    """Which routes, and how many requests a second over all of them."""

    kind: Literal["latency"]
    routes: list[Route] = Field(min_length=1, max_length=50, description="the routes, asked in turn")
    rate: float = Field(
        5.0,
        gt=0,
        le=500,
        allow_inf_nan=False,
        description="requests a second, over all routes, within throttle and budget unless load is allowed",
    )

    @model_validator(mode="after")
    def _one_host(self) -> Self:
        if len({route.url is None for route in self.routes}) > 1:
            message = "name either paths or URLs of one host, not both"
            raise ValueError(message)
        return self


def _rate(config: Latency, seconds: float, budget: int | None) -> float:
    """Requests a second: as configured, but no more in all than may be sent."""
    return config.rate if budget is None else min(config.rate, budget / seconds)


async def sample(config: Latency, context: Context) -> AsyncGenerator[Readings, None]:
    """Send on an absolute schedule, round robin over the routes, and time from the intended start.

    A closed loop would wait for a slow answer before it asks again, and so never see what users of that time saw.
    The load begins with the first answer, and stops while the target keeps silent (see `pacing`).
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
    """The sample's, unless its failures are the fault of its rate, or of what it asks.

    Where its answers are in doubt there are no durations, and no pass of the error rate; what failed has failed. Such
    answers do not show that a question was ever answered well.
    """
    sample = sender.tally.sample()
    never = {number: answer for number, answer in sender.odd.items() if doubt or number not in sender.first}
    doubts = (doubt_of_question(context, answer, asked[number], _EXPECT) for number, answer in never.items())
    unread = None
    if detail := next(filter(None, doubts), None):
        unread = Failure(reason=Reason.BAD_RESPONSE, detail=detail)
    elif detail := await throttled(sender, context, window):
        unread = Failure(reason=Reason.TURNED_AWAY, detail=detail)
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
    seen = f"{sender.sent} of {schedule.starts} requests left, {schedule.rate:g} a second over {seconds:g} s"
    if sender.held:
        seen += f", {sender.held} were held while the target or their route kept silent"
    return f"{seen}, ended early: nothing but failures" if sender.is_dead else seen


async def _doubt_of_routes(config: Latency, context: Context, first: Mapping[int, Answer]) -> str:
    """Why these may be no answers of the routes: one of them is answered as paths are that cannot exist."""
    for number, answer in first.items():
        route = config.routes[number]
        if not config.made_up_path or route.contains or not answer.is_success:
            continue
        if await context.http.answers_anything(route.target(context.base_url), answer):
            detail = f"{answer.address} answers anything: a path that cannot exist gets the answer of {route.place}"
            hint = 'if it must, say what tells them apart: contains = "..."'
            return f"{detail}; {hint}"
    return ""


@contextmanager
def _steady_memory() -> Iterator[None]:
    """No garbage collection while it is timed: a pause of ours would look like one of theirs."""
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
        Metric(name="p50", unit="ms", help="half of the requests took less, from the intended start", quantile=0.5),
        Metric(
            name="p95", unit="ms", help="95 % of the requests took less; failures are slower than all", quantile=0.95
        ),
        Metric(name="p99", unit="ms", help="99 % of the requests took less", quantile=0.99),
        Metric(
            name="error_rate",
            unit="%",
            help="share of the requests with an unexpected status, or no answer",
            is_share=True,
        ),
    ),
    sample=sample,
    turn="exclusive",
    endpoint=lambda config, base_url: http_endpoint(config.routes[0], base_url),
    requests_per_window=lambda config, seconds, budget: round(_rate(config, seconds, budget) * seconds),
    requests=300,  # without load; the plan tells how many by the settings
    example="""\
kind = "latency"
rate = 5  # requests a second; more than 300 in a window take allow = ["load"]
routes = [{ path = "/api/orders" }, { path = "/api/search?q=tea" }]
""",
    safety=(
        "it only reads; 300 requests at most in all its windows, within the budget, and 4 in flight, unless load is "
        "allowed; where 10 % are answered 503 it asks 44 more, one a second; a silent target gets one a block; a "
        "window that leaves an item undecided is followed by up to two more"
    ),
)
