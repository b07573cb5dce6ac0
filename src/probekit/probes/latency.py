"""How fast do routes answer, and how often not at all, when requests leave on schedule whatever the last one did?"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from probekit.probe import (
    Context,
    ErrorRate,
    Kind,
    LatencySample,
    MadeUpPathConfig,
    Metric,
    ProbeConfig,
    ProbeFailedError,
    Quantile,
    Readings,
    Reason,
    Where,
    http_endpoint,
)
from probekit.transport.client import KeepAliveConnection
from probekit.transport.response import Answer

_TIMED_OUT: Final = 408
_FEW: Final = 4  # in flight where no load is allowed
_AHEAD: Final = 0.005  # seconds before its moment that a request is made up, so that this does not delay it
_DEAD: Final = 3  # blocks in a row of nothing but failures: the target is down, do not hammer it


class Route(Where):
    """One route that is timed."""

    expect: list[int] = Field([200], min_length=1, description="statuses that are an answer; any other is an error")
    contains: str | None = Field(
        None, min_length=1, description="what the text of an answer must hold; without it an answer is an error"
    )

    def is_answered_by(self, answer: Answer) -> bool:
        """Whether that is an answer of the route."""
        if answer.status not in self.expect:
            return False
        return self.contains is None or self.contains.encode() in answer.body


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


@dataclass(slots=True)
class _Tally:
    """What came of the requests, by the block in which they were to leave."""

    blocks: int
    values: list[list[int]] = field(init=False)
    delays: list[list[int]] = field(init=False)
    failures: list[int] = field(init=False)
    due: list[int] = field(init=False)  # starts of the schedule

    def __post_init__(self) -> None:
        self.values, self.delays = [[] for _ in range(self.blocks)], [[] for _ in range(self.blocks)]
        self.failures, self.due = [0] * self.blocks, [0] * self.blocks

    def sample(self) -> LatencySample:
        """The evidence; what was due and neither answered nor failed never left."""
        sent = [len(values) + failed for values, failed in zip(self.values, self.failures, strict=True)]
        return LatencySample(
            tuple(map(tuple, self.values)),
            tuple(map(tuple, self.delays)),
            tuple(self.failures),
            tuple(due - left for due, left in zip(self.due, sent, strict=True)),
        )

    def is_dead(self, block: int) -> bool:
        """Whether the last blocks up to this one saw nothing but failures."""
        last = range(block - _DEAD + 1, block + 1)
        return last[0] >= 0 and all(self.failures[n] and not self.values[n] for n in last)


def _rate(config: Latency, seconds: float, budget: int | None) -> float:
    """Requests a second: as configured, but no more in all than may be sent."""
    return config.rate if budget is None else min(config.rate, budget / seconds)


async def sample(config: Latency, context: Context) -> AsyncGenerator[Readings, None]:
    """Send on an absolute schedule, round robin over the routes, and time from the intended start.

    A closed loop would wait for a slow answer before it asks again, and so never see what users of that time saw.
    """
    if context.window is None:
        raise ProbeFailedError(Reason.BUG, "the latency kind needs a window")
    seconds = context.window.block * context.window.least
    may_load = "load" in context.allow
    rate = _rate(config, seconds, context.budget)
    urls = [route.target(context.base_url) for route in config.routes]
    tally, starts = _Tally(context.window.least), round(rate * seconds)
    for number in range(starts):
        tally.due[number * tally.blocks // starts] += 1
    async with AsyncExitStack() as lines:
        slots = max(_FEW, round(rate * context.timeout)) if may_load else _FEW
        opened = [await context.http.keep_alive(urls[0]) for _ in range(min(slots, starts))]
        for line in opened:
            lines.push_async_callback(line.close)
        sender = _Sender(config=config, urls=urls, rate=rate, starts=starts, tally=tally)
        with _steady_memory():
            await sender.run(opened, context.timeout)
    await _require_routes(config, context, sender.first)
    sample = tally.sample()
    seen = f"{sum(sample.failed().trials)} of {starts} requests left, {rate:g} a second over {seconds:g} s"
    yield Readings(
        seen + (", ended early: nothing but failures" if sender.dead else ""),
        p50=Quantile(sample, 0.5),
        p95=Quantile(sample, 0.95),
        p99=Quantile(sample, 0.99),
        error_rate=ErrorRate(sample),
    )


async def _require_routes(config: Latency, context: Context, first: Mapping[int, Answer]) -> None:
    """Go on only where the routes answer otherwise than paths that cannot exist: else these are no durations of theirs.

    Raises:
        ProbeFailedError: `bad_response`: a route is answered as such a path is.
    """
    for number, answer in first.items():
        route = config.routes[number]
        if not config.made_up_path or route.contains or not answer.is_success:
            continue
        if await context.http.answers_anything(route.target(context.base_url), answer):
            detail = f"{answer.address} answers anything: a path that cannot exist gets the answer of {route.place}"
            hint = 'if it must, say what tells them apart: contains = "..."'
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}; {hint}")


@dataclass(slots=True, kw_only=True)
class _Sender:
    """Sends each request at its moment; a line that is busy then is our own delay, where only few may be in flight."""

    config: Latency
    urls: list[str]
    rate: float
    starts: int
    tally: _Tally
    dead: bool = False
    first: dict[int, Answer] = field(default_factory=dict)  # of each route, by its number
    _begin: float = 0.0
    _numbers: Iterator[int] = field(default_factory=lambda: iter(()))

    async def run(self, lines: list[KeepAliveConnection], timeout: float) -> None:  # noqa: ASYNC109  # of one exchange
        """Until every request of the schedule has left, or one timeout after its end."""
        self._begin = asyncio.get_running_loop().time() + 0.05
        self._numbers = iter(range(self.starts))
        last = self.starts / self.rate + 2 * timeout
        try:
            async with asyncio.timeout(last), asyncio.TaskGroup() as group:
                for line in lines:
                    group.create_task(self._work(line))
        except TimeoutError:
            pass  # what has not left by now is counted as unsent
        except ExceptionGroup as group_of_errors:
            raise group_of_errors.exceptions[0] from None

    async def _work(self, line: KeepAliveConnection) -> None:
        loop = asyncio.get_running_loop()
        for number in self._numbers:
            at, intended = number % len(self.urls), self._begin + number / self.rate
            await _sleep_until(intended - _AHEAD)
            send, route = line.prepare(self.urls[at]), self.config.routes[at]
            await _sleep_until(intended)
            if self.dead:
                return
            block = number * self.tally.blocks // self.starts
            began = loop.time()
            answer = await _answered(send, route)
            if answer is not None:
                phases = answer.phases
                self.first.setdefault(at, answer)
                delay = max(0.0, began - intended) + phases.local_delay
                self.tally.values[block].append(round(max(delay, phases.arrived - intended) * 1e6))
                self.tally.delays[block].append(round(delay * 1e6))
            else:
                self.tally.failures[block] += 1
                self.dead = self.tally.is_dead(block - 1)


async def _sleep_until(moment: float) -> None:
    if (left := moment - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(left)


async def _answered(send: Callable[[], Awaitable[Answer]], route: Route) -> Answer | None:
    """An answer of the route; being turned away ends all, for it says nothing of the route."""
    try:
        answer = await send()
    except ProbeFailedError as error:
        if error.reason in (Reason.UNREACHABLE, Reason.TIMEOUT):
            return None
        raise
    answer.require_answer([*route.expect, _TIMED_OUT])  # one that it did not wait for is an error among others
    return answer if route.is_answered_by(answer) else None


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
    safety="it only reads; 300 requests at most in all its windows, within the budget, and 4 in flight, unless load is "
    "allowed; a window that leaves an item undecided is followed by up to two more",
)
