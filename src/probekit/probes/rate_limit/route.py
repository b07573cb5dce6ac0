"""Send requests to the limited route: one, or a burst until one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from probekit.model.numbers import count
from probekit.probe import Answer, Context, Failure, ProbeFailedError, Reason
from probekit.probes._support.statuses import in_words, is_expected
from probekit.probes.rate_limit.headers import declares_limit, reset
from probekit.probes.rate_limit.settings import REFILL_MARGIN, RateLimit

_SHOWN: Final = 40  # characters of a header
_LEAST_REFUSAL: Final = 400  # the lowest status that 'status' accepts


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Requests in sequence, at the pace of the throttle; all except the last have good answers."""

    first: Answer
    last: Answer
    sent: int
    passed: int  # good answers
    seconds: float  # from the first request to the last answer
    refused: bool  # whether it ended with the declared refusal
    declares_limit: bool  # whether a header of any answer states the limit

    @property
    def is_odd(self) -> bool:
        """Whether the last answer is neither good nor the declared refusal."""
        return self.passed < self.sent and not self.refused

    def is_in_window(self, config: RateLimit) -> bool:
        """Whether the whole burst fell into one window of the limit; always true for a bucket, which has no window."""
        if config.burst is not None:
            return True
        is_one = config.sliding or reset(self.first) > self.seconds  # the end of the window, by the first answer
        return config.per is not None and self.seconds < config.per and is_one

    def __str__(self) -> str:
        if not self.refused:
            return f"{count(self.sent, 'request')} in {self.seconds:.1f} s, none refused"
        wait = self.last.header("retry-after")
        when = f"Retry-After {wait[:_SHOWN]}" if wait else "no Retry-After"
        return f"request {self.sent} was refused with {self.last.status}, {when}"


class LimitedRoute:
    """The route with the limit."""

    def __init__(self, config: RateLimit, context: Context) -> None:
        self.config = config
        self.context = context

    async def ask(self, headers: Mapping[str, str] | None = None) -> Answer:
        """Send one request."""
        url = self.config.target(self.context.base_url)
        return await self.context.http.get(url, headers=headers, anonymous=self.config.identity == "anonymous")

    def is_good(self, answer: Answer) -> bool:
        """Whether it is an expected answer below the limit."""
        return is_expected(answer.status, self.config.expect) and not answer.is_challenge

    def is_refusal(self, answer: Answer) -> bool:
        """Whether it is the declared refusal."""
        return answer.status == self.config.status and not answer.is_challenge

    async def one(self) -> Burst:
        """Send a single request."""
        return await self._send(1)

    async def burst(self) -> Burst:
        """Send requests until one has no good answer, or until they are clearly more than the limit allows."""
        return await self._send(self.config.most)

    async def _send(self, most: int) -> Burst:
        config, start = self.config, self.context.now()
        first = last = await self.ask()
        sent, declares, seconds = 1, declares_limit(first), self._since(start)
        while self.is_good(last) and sent < most and seconds < config.longest and not config.is_beyond(sent, seconds):
            last = await self.ask()
            sent, declares, seconds = sent + 1, declares or declares_limit(last), self._since(start)
        return Burst(
            first=first,
            last=last,
            sent=sent,
            passed=sent if self.is_good(last) else sent - 1,
            seconds=seconds,
            refused=self.is_refusal(last),
            declares_limit=declares,
        )

    def _since(self, start: datetime) -> float:
        return (self.context.now() - start).total_seconds()

    async def refills(self) -> bool:
        """Whether a request passes when a smooth limit has refilled by one; a limit with a window refuses it."""
        await self.context.sleep(REFILL_MARGIN / (self.config.refill or 1.0))
        return self.is_good(await self.ask())

    def odd(self, burst: Burst) -> Failure:
        """The failure of a burst whose last answer is unexpected."""
        answer, number, config = burst.last, burst.sent, self.config
        if number == 1 and answer.denies_access:
            error: ProbeFailedError = answer.access_denied()
            return Failure(reason=error.reason, detail=error.detail)
        reason = Reason.ACCESS_DENIED if answer.denies_access else Reason.BAD_RESPONSE
        may_be_limit = answer.status >= _LEAST_REFUSAL and answer.status != config.status
        verb = "refused" if may_be_limit else "answered"
        seen = f"request {number} was {verb} with {answer.status} by {answer.address}"
        due = f"expected {in_words(config.expect)} or, at the limit, {config.status}"
        hint = f"if it is the limit, set status = {answer.status}; " if may_be_limit else ""
        hint += "if it is a good answer, add it to 'expect'"
        return Failure(reason=reason, detail=f"{seen}, {due}: {hint}")
