"""Is the rate limit declared, and does it trip where it is declared?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from time import perf_counter
from typing import Final, Literal

from pydantic import Field

from probekit.probe import (
    Answer,
    Context,
    Duration,
    Exact,
    Failure,
    HttpConfig,
    Kind,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
    http_endpoint,
)

LIMITS: Final = ("ratelimit", "ratelimit-policy", "ratelimit-limit", "x-ratelimit-limit", "x-rate-limit-limit")
_RESETS: Final = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")
_TOO_MANY: Final = 429
_MOST: Final = 60  # requests of a burst: a limit beyond that is not tried


class RateLimit(HttpConfig):
    """One route, and the limit that it should keep."""

    kind: Literal["rate_limit"]
    limit: int | None = Field(None, ge=1, description="requests that pass before it trips; none: only what is declared")
    per: Duration | None = Field(None, gt=0, description="the period of the limit")
    sliding: bool = Field(default=False, description="its window slides, so that a burst cannot fall into two")
    identity: Literal["anonymous", "configured"] = Field(
        "anonymous", description="connect.headers may be exempt from it"
    )


async def measure(config: RateLimit, context: Context) -> Readings:
    """Read what an answer declares and, where load is allowed, send a burst that ends ten percent beyond the limit."""
    url, start = config.target(context.base_url), perf_counter()
    most = _burst(config, context)
    answers: list[Answer] = []
    while len(answers) < max(1, most) and not (answers and answers[-1].status == _TOO_MANY):
        answer = await context.http.get(url, anonymous=config.identity == "anonymous")
        if answer.denies_access and answer.status != _TOO_MANY:
            raise answer.access_denied()
        if answer.is_server_error:
            number = len(answers) + 1
            detail = f"request {number} was refused with {answer.status} by {answer.address}; a limit answers 429"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
        answers.append(answer)
    seconds = perf_counter() - start
    tripped = _tripped(config, answers, seconds, context.now()) if most else _untried(config, context)
    declared = any(answer.header(name) for answer in answers for name in LIMITS) or _retry_after(answers, context.now())
    return Readings(_summary(answers, seconds), declared=Exact(bool(declared)), tripped=tripped)


def _burst(config: RateLimit, context: Context) -> int:
    """Requests of the burst; 0 where none may be sent."""
    most = config.limit + max(1, config.limit // 10) if config.limit else 0
    return most if "load" in context.allow and most <= _MOST else 0


def _untried(config: RateLimit, context: Context) -> Failure:
    if config.limit is None:
        return Failure(
            reason=Reason.MISSING_SETTING, detail="only a burst can tell: set 'limit' and allow = [\"load\"]"
        )
    if "load" not in context.allow:
        return Failure(reason=Reason.MISSING_SETTING, detail="only a burst can tell, and load is not allowed here")
    detail = f"a limit of {config.limit} is beyond what a burst may try ({_MOST} requests)"
    return Failure(reason=Reason.BUDGET_SPENT, detail=detail)


def _tripped(config: RateLimit, answers: Sequence[Answer], seconds: float, now: datetime) -> Exact | Failure:
    """1 when it tripped and says when to come back; 0 only where the whole burst fell into one window."""
    if answers[-1].status == _TOO_MANY:
        if len(answers) == 1:
            detail = "the first request was refused already: somebody else used the limit up"
            return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
        return Exact(_retry_after(answers, now) is not None)
    left = next((number for name in _RESETS if (number := _number(answers[0].header(name))) is not None), None)
    one_window = config.per is not None and seconds < config.per and (config.sliding or (left or 0) > seconds)
    if one_window:
        return Exact(0)
    detail = "it did not trip, but the burst may have fallen into two windows: set 'per', and 'sliding' where it is so"
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)


def _retry_after(answers: Sequence[Answer], now: datetime) -> float | None:
    """Seconds that the last answer asks to wait: a number or a date (RFC 9110 section 10.2.3)."""
    text = answers[-1].header("retry-after") if answers[-1].status == _TOO_MANY else None
    if text is None:
        return None
    if (number := _number(text)) is not None:
        return number
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (TypeError, ValueError, OverflowError):  # TypeError: a date without a zone
        return None


def _number(text: str | None) -> float | None:
    digits = (text or "").strip()
    return float(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None  # noqa: PLR2004  # decades


def _summary(answers: Sequence[Answer], seconds: float) -> str:
    if answers[-1].status == _TOO_MANY:
        wait = answers[-1].header("retry-after")
        when = f"Retry-After {wait[:40]}" if wait else "no Retry-After"
        return f"request {len(answers)} was refused with 429, {when}"
    return f"{len(answers)} requests in {seconds:.1f} s, none refused"


KIND = Kind(
    config=RateLimit,
    fills=("rate-limit",),
    metrics=(
        Metric(name="declared", unit="", high=1, help="1: the answers say what the limit is"),
        Metric(name="tripped", unit="", high=1, help="1: a burst met a 429 with Retry-After at the limit"),
    ),
    measure=measure,
    turn="final",
    endpoint=http_endpoint,
    requests=lambda config: min(_MOST, config.limit + max(1, config.limit // 10)) if config.limit else 1,
    example="""\
kind = "rate_limit"
path = "/api/version"
limit = 30
per = "10s"
""",
    safety="it only reads; the burst, ten percent beyond the limit and 60 requests at most, takes load to be allowed",
)
