"""The settings of a rate limit, and what follows from them for a burst."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from probekit.probe import Duration, HttpConfig
from probekit.probes._support.statuses import Statuses

MOST: Final = 1000  # requests of a burst: a limit that takes more is not tried
LONGEST: Final = 60.0  # seconds of a burst, and of a quiet period
QUIET_MARGIN: Final = 1.0  # seconds beyond the quiet period: limiters count in whole seconds
REFILL_MARGIN: Final = 1.5  # times the mean time between two requests of the limit
_SMOOTH: Final = 3  # times 'burst': the throttle must be about twice as quick as the limit
_TOLERANCE: Final = 10  # percent of the limit, one request at least


class RateLimit(HttpConfig):
    """One route, and the limit that it should keep."""

    kind: Literal["rate_limit"]
    limit: int | None = Field(
        None, ge=1, description="Requests of a period that pass before it trips; without it only headers are read."
    )
    per: Duration | None = Field(None, gt=0, description="The period of the limit.")
    burst: int | None = Field(
        None,
        ge=1,
        description="Requests that a smooth limit (leaky or token bucket) lets pass at once; limit / per refills it.",
    )
    sliding: bool = Field(default=False, description="The window slides, so that a burst cannot fall into two.")
    status: Annotated[int, Field(ge=400, le=599, strict=True)] = Field(
        429, description="The status of a refusal; nginx refuses with 503 unless limit_req_status says otherwise."
    )
    expect: Statuses = Field(
        (), description="The status, or a list of those, of an answer that is not refused; any 2xx if not given."
    )
    identity: Literal["anonymous", "configured"] = Field(
        "anonymous", description="Who asks: connect.headers may be exempt from the limit."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.burst is not None and (self.limit is None or self.per is None):
            message = "'burst' needs 'limit' and 'per', by which it refills"
            raise ValueError(message)
        if self.status in self.expect:
            message = f"{self.status} is the status of a refusal: it cannot be expected"
            raise ValueError(message)
        return self

    @property
    def most(self) -> int:
        """Requests that a burst takes at most; 0 where no limit is set."""
        if self.limit is None:
            return 0
        return self.limit + _tolerance(self.limit) if self.burst is None else _SMOOTH * self.burst + 2

    @property
    def longest(self) -> float:
        """Seconds that a burst takes at most: requests that are spread over a whole period trip no window."""
        return LONGEST if self.burst is not None or self.per is None else min(self.per, LONGEST)

    @property
    def refill(self) -> float | None:
        """Requests a second that the limit allows in the long run; None where its period is unknown."""
        return self.limit / self.per if self.limit and self.per else None

    @property
    def recovery(self) -> float | None:
        """Seconds without requests after which all of the limit is there again; None where its period is unknown."""
        if self.per is None or self.refill is None:
            return None
        return self.per if self.burst is None else max(self.per, self.burst / self.refill)

    @property
    def seconds(self) -> float:
        """Seconds that a measurement with bursts takes at most: two of them, the quiet period and one request more.

        Where the quiet period would be longer than may be waited, or is unknown, there is one burst.
        """
        if self.refill is None or self.recovery is None or self.recovery > LONGEST:
            return self.longest
        return 2 * self.longest + LONGEST + QUIET_MARGIN + REFILL_MARGIN / self.refill

    def is_early(self, passed: int, seconds: float) -> bool:
        """Whether a refusal after so many requests in so many seconds comes clearly before the limit."""
        allowed = self._allowed(seconds)
        return passed < allowed - _tolerance(allowed)

    def is_beyond(self, passed: int, seconds: float) -> bool:
        """Whether so many requests in so many seconds are clearly more than the limit allows."""
        allowed = self._allowed(seconds)
        first = self.burst is not None  # nginx lets one request pass beside its burst
        return passed >= allowed + _tolerance(allowed) + first

    def _allowed(self, seconds: float) -> int:
        """Requests that pass in so many seconds: a window's limit, or what a bucket holds and gets meanwhile."""
        if self.burst is None:
            return self.limit or 0
        return int(self.burst + (self.refill or 0.0) * seconds)


def _tolerance(count: int) -> int:
    return max(1, count * _TOLERANCE // 100)
