"""What was found of a running system; every text in it is the target's, to be escaped where it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from probekit.probes._support.suggestion import Claim
from probekit.probes.infrastructure_health import Need


class Standing(IntEnum):
    """How far an answer serves as a health answer, the best first."""

    UNDERSTOOD = 0  # whether it is well or not
    MIXED = 1  # good as a whole, with parts that are not
    UNREAD = 2  # a document or a text in no dialect that is known
    FAILING = 3  # a server error whose body is in no dialect that is known
    WEAK = 4  # it proves that a process answers
    DENIED = 5  # it needs credentials
    PAGE = 6  # a page of HTML


@dataclass(frozen=True, kw_only=True)
class HealthFound:
    """The answer of one health path."""

    path: str
    standing: Standing
    status: int = 0
    claims: tuple[Claim, ...] = ()  # that hold of it; kind http reads what is understood without any by itself
    doubt: str = ""  # why it is no pass now, in words
    ignorable: tuple[str, ...] = ()  # parts of a mixed answer that are not plainly well
    body: str = ""  # its beginning, where it is not understood
    suggestion: Claim = field(default_factory=dict)  # a claim to be completed, where it is not understood

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.path} {self._words()}"

    def _words(self) -> str:
        match self.standing:
            case Standing.UNDERSTOOD:
                return f"is understood; not healthy now: {self.doubt}" if self.doubt else "is understood"
            case Standing.MIXED:
                return f"is understood, and no pass as it is: {self.doubt}"
            case Standing.FAILING:
                return f"is found and not understood; not healthy now: {self.doubt}"
            case Standing.WEAK:
                return "is weak: it proves that the process answers, not that it is well"
            case Standing.DENIED:
                return f"needs credentials: {self.doubt}"
            case Standing.UNREAD | Standing.PAGE:
                return f"is found and not understood: {self.doubt}; complete its claim in the file"


@dataclass(kw_only=True)
class Discovery:
    """What was found; what was not is None or empty."""

    base_url: str
    health: HealthFound | None = None
    tried: list[str] = field(default_factory=list)  # paths that were asked for health
    refusal: str = ""  # how access is denied to every path, where no health was found
    infrastructure: str | None = None  # the path
    components: Mapping[str, Need] = field(default_factory=dict)
    version: tuple[str, str, str] | None = None  # path, place, value
    page: str | None = None  # the path that / leads to within its origin
    certificate: str | None = None
    limits: tuple[str, ...] = ()  # headers that tell a rate limit
    plain_url: str | None = None  # that leads to https
    metrics: str | None = None  # the path of a page in Prometheus' text format
    notes: list[str] = field(default_factory=list)  # what to know beside it
