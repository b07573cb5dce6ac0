"""The settings of kind `rate_limit`, and the size and the time of a burst that follow from them."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from probekit.probe import Duration, HttpConfig
from probekit.probes._support.statuses import Statuses

MOST: Final = 1000  # requests of a burst; a limit that needs more is not tried
LONGEST: Final = 60.0  # seconds of a burst, and of a quiet period
QUIET_MARGIN: Final = 1.0  # seconds beyond the quiet period: limiters count in whole seconds
REFILL_MARGIN: Final = 1.5  # times the mean time between two requests of the limit
_SMOOTH: Final = 3  # times 'burst': the throttle must be about twice as fast as the limit
_TOLERANCE: Final = 10  # percent of the limit, one request at least


class RateLimit(HttpConfig):
    """One route and its rate limit."""

    kind: Literal["rate_limit"]
    limit: int | None = Field(
        None,
        ge=1,
        description="The requests of a period that pass before the limit trips; without it only headers are read.",
    )
    per: Duration | None = Field(None, gt=0, description="The period of the limit.")
    burst: int | None = Field(
        None,
        ge=1,
        description="The requests that a smooth limit (leaky or token bucket) lets pass at once; it refills at the "
        "rate limit / per.",
    )
    sliding: bool = Field(
        default=False, description="Whether the window slides, so that a burst cannot fall into two windows."
    )
    status: Annotated[int, Field(ge=400, le=599, strict=True)] = Field(
        429, description="The status of a refusal; nginx uses 503 unless limit_req_status is set."
    )
    expect: Statuses = Field(
        (), description="The expected status, or a list of them, of an answer below the limit; by default any 2xx."
    )
    identity: Literal["anonymous", "configured"] = Field(
        "anonymous",
        description='"configured" sends connect.headers, which may exempt probekit from the limit; "anonymous" does '
        "not.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.burst is not None and (self.limit is None or self.per is None):
            message = "'burst' needs 'limit' and 'per', the rate at which it refills: set both"
            raise ValueError(message)
        if self.status in self.expect:
            message = f"{self.status} is the status of a refusal: remove it from 'expect', or change 'status'"
            raise ValueError(message)
        return self

    @property
    def most(self) -> int:
        """The most requests of a burst; 0 without a limit."""
        if self.limit is None:
            return 0
        return self.limit + _tolerance(self.limit) if self.burst is None else _SMOOTH * self.burst + 2

    @property
    def longest(self) -> float:
        """The most seconds of a burst: requests spread over more than one period cannot trip a window."""
        return LONGEST if self.burst is not None or self.per is None else min(self.per, LONGEST)

    @property
    def refill(self) -> float | None:
        """Requests a second that the limit allows in the long run; None if its period is unknown."""
        return self.limit / self.per if self.limit and self.per else None

    @property
    def recovery(self) -> float | None:
        """Seconds without requests after which the whole limit is available again; None if its period is unknown."""
        if self.per is None or self.refill is None:
            return None
        return self.per if self.burst is None else max(self.per, self.burst / self.refill)

    @property
    def seconds(self) -> float:
        """The most seconds of a measurement with bursts: two bursts, the quiet period and one more request.

        If the quiet period is unknown or longer than 60 s, there is one burst.
        """
        if self.refill is None or self.recovery is None or self.recovery > LONGEST:
            return self.longest
        return 2 * self.longest + LONGEST + QUIET_MARGIN + REFILL_MARGIN / self.refill

    def is_early(self, passed: int, seconds: float) -> bool:
        """Whether a refusal after `passed` requests in `seconds` comes clearly before the limit."""
        allowed = self._allowed(seconds)
        return passed < allowed - _tolerance(allowed)

    def is_beyond(self, passed: int, seconds: float) -> bool:
        """Whether `passed` requests in `seconds` are clearly more than the limit allows."""
        allowed = self._allowed(seconds)
        first = self.burst is not None  # nginx lets one request pass in addition to its burst
        return passed >= allowed + _tolerance(allowed) + first

    def _allowed(self, seconds: float) -> int:
        """Requests that pass in `seconds`: the limit of a window, or the size of a bucket plus its refill."""
        if self.burst is None:
            return self.limit or 0
        return int(self.burst + (self.refill or 0.0) * seconds)


def _tolerance(count: int) -> int:
    return max(1, count * _TOLERANCE // 100)
