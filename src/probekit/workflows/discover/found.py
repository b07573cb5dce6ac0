"""The result of a discovery; its texts come from the target and are escaped when they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from probekit.probes._support.suggestion import Claim
from probekit.probes.infrastructure_health import Need


class Standing(IntEnum):
    """How well an answer serves as a health answer, the best first."""

    UNDERSTOOD = 0  # healthy or not
    MIXED = 1  # healthy as a whole, with unhealthy parts
    UNREAD = 2  # a document or a text in an unknown dialect
    FAILING = 3  # a server error whose body is in an unknown dialect
    WEAK = 4  # it shows only that a process responds
    DENIED = 5  # it needs credentials
    PAGE = 6  # a page of HTML


@dataclass(frozen=True, kw_only=True)
class HealthFound:
    """The answer of one health path."""

    path: str
    standing: Standing
    status: int = 0
    claims: tuple[Claim, ...] = ()  # assertions that it passes; kind http needs none for an answer that it understands
    doubt: str = ""  # why it does not pass now, in words
    ignorable: tuple[str, ...] = ()  # parts of a mixed answer that are not clearly healthy
    body: str = ""  # its beginning, if it is not understood
    suggestion: Claim = field(default_factory=dict)  # an assertion to complete, if it is not understood

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.path} {self._words()}"

    def _words(self) -> str:
        match self.standing:
            case Standing.UNDERSTOOD:
                return f"is understood; not healthy now: {self.doubt}" if self.doubt else "is understood"
            case Standing.MIXED:
                return f"is understood, but does not pass: {self.doubt}"
            case Standing.FAILING:
                return f"was found but not understood; not healthy now: {self.doubt}"
            case Standing.WEAK:
                return "is weak: it shows that the process responds, not that it is healthy"
            case Standing.DENIED:
                return f"needs credentials: {self.doubt}"
            case Standing.UNREAD | Standing.PAGE:
                return f"was found but not understood: {self.doubt}; complete its assertion in the file"


@dataclass(kw_only=True)
class Discovery:
    """What was found; anything not found is None or empty."""

    base_url: str
    health: HealthFound | None = None
    tried: list[str] = field(default_factory=list)  # paths that were tried for health
    refusal: str = ""  # how access is denied to every path, if no health was found
    infrastructure: str | None = None  # the path
    components: Mapping[str, Need] = field(default_factory=dict)
    version: tuple[str, str, str] | None = None  # path, place, value
    page: str | None = None  # the path that / leads to within its origin
    certificate: str | None = None
    limits: tuple[str, ...] = ()  # headers that state a rate limit
    plain_url: str | None = None  # that redirects to https
    metrics: str | None = None  # the path of a page in Prometheus' text format
    notes: list[str] = field(default_factory=list)  # notes for the user
