"""Read what the headers of an answer state about a rate limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from probekit.probe import Answer

LIMITS: Final = ("ratelimit", "ratelimit-policy", "ratelimit-limit", "x-ratelimit-limit", "x-rate-limit-limit")
_RESETS: Final = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")
_LONGEST: Final = 1000  # characters of a header that are read
_REQUESTS: Final = ("", "request", "requests")  # units of a quota (draft-ietf-httpapi-ratelimit-headers-10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A number of requests in a number of seconds; `seconds` is None if the header does not state it."""

    requests: int
    seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.requests} requests" + (f" in {self.seconds:g} s" if self.seconds is not None else "")


def declares_limit(answer: Answer) -> bool:
    """Whether a header states a limit."""
    return any(answer.header(name) for name in LIMITS)


def smaller_quota(answer: Answer, limit: int, per: float | None) -> Quota | None:
    """The smallest quota of the headers that allows fewer requests than the limit; None if there is none.

    A quota with a shorter period than the limit's is a separate limit.
    """
    smaller = [
        quota
        for quota in _quotas(answer)
        if quota.requests < limit and (quota.seconds is None or per is None or quota.seconds >= per)
    ]
    return min(smaller, key=lambda quota: quota.requests, default=None)


def retry_after(answer: Answer, now: datetime) -> float | None:
    """The seconds to wait by Retry-After, a number or a date (RFC 9110 section 10.2.3); None if it is not valid."""
    text = answer.header("retry-after")
    if text is None:
        return None
    if (number := _number(text)) is not None:
        return number
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (TypeError, ValueError, OverflowError):  # TypeError: a date without a zone
        return None


def reset(answer: Answer) -> float:
    """Seconds until the window ends, by the headers; 0 if none states it."""
    return next((number for name in _RESETS if (number := _number(answer.header(name))) is not None), 0.0)


def _quotas(answer: Answer) -> set[Quota]:
    """The quotas of all headers; a quota without a period is dropped if the same one occurs with a period.

    Formats are `30`, `10, 10;w=1, 50;w=60`, `limit=30, remaining=2, reset=7` and `"default";q=30;w=10`.
    """
    found = {quota for name, text in answer.headers if name.lower() in LIMITS for quota in _listed(text[:_LONGEST])}
    with_period = {quota.requests for quota in found if quota.seconds is not None}
    return {quota for quota in found if quota.seconds is not None or quota.requests not in with_period}


def _listed(text: str) -> Iterator[Quota]:
    for entry in text.split(","):
        first, *rest = (part.strip() for part in entry.split(";"))
        settings = {
            key.strip(): value.strip(' "') for key, _, value in (part.partition("=") for part in (first, *rest))
        }
        requests = next(
            (
                number
                for text in (settings.get("q"), settings.get("limit"), first)
                if (number := _number(text)) is not None
            ),
            None,
        )
        if requests is not None and settings.get("qu", "") in _REQUESTS:
            yield Quota(requests=int(requests), seconds=_number(settings.get("w")))


def _number(text: str | None) -> float | None:
    digits = (text or "").strip()
    return float(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None  # noqa: PLR2004  # decades
