"""The public interface of kinds: settings, the context of a measurement, readings and failures."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.fields import FieldInfo

from probekit.model import quantity
from probekit.model.history import History
from probekit.model.measurement import Failure, ProbeFailedError, Reason
from probekit.model.plan import Turn
from probekit.model.readings import (
    Complement,
    CumulativeCount,
    ErrorRate,
    Exact,
    Histogram,
    LatencySample,
    Mean,
    Quantile,
    Reading,
    Share,
)
from probekit.transport.client import ProbeClient
from probekit.transport.resolver import Resolved
from probekit.transport.response import Answer
from probekit.transport.urls import Address, Endpoint, endpoint_of, has_host

__all__ = [
    "Address",
    "Answer",
    "Complement",
    "Context",
    "CumulativeCount",
    "Duration",
    "Endpoint",
    "ErrorRate",
    "Exact",
    "Failure",
    "Histogram",
    "HttpConfig",
    "Kind",
    "LatencySample",
    "Mean",
    "Metric",
    "ProbeConfig",
    "ProbeFailedError",
    "Quantile",
    "Readings",
    "Reason",
    "SecretRef",
    "Share",
    "Where",
    "Window",
]


def _seconds(value: object) -> float:
    if not isinstance(value, str):
        message = 'write a number and a unit (ms, s, min, h, d), such as "30s"'
        raise ValueError(message)  # noqa: TRY004  # pydantic reports ValueErrors only
    return quantity.duration(value)


Duration = Annotated[  # "30s" in a file, seconds in Python
    float, BeforeValidator(_seconds), WithJsonSchema({"type": "string", "pattern": quantity.DURATION_PATTERN})
]


def is_duration(field: FieldInfo) -> bool:
    """Whether a setting is a Duration."""
    return any(isinstance(mark, BeforeValidator) and mark.func is _seconds for mark in field.metadata)


class Settings(BaseModel):
    """A table of probes.toml: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class SecretRef(Settings):
    """Where a secret is kept: `{ env = "NAME" }` or `{ file = "PATH" }`, never the secret itself."""

    env: str | None = Field(
        None, min_length=1, description="the environment variable (or the line in .env) that holds it"
    )
    file: Path | None = Field(None, description="the file that holds it; one newline at its end is left out")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            message = 'name one place, { env = "NAME" } or { file = "PATH" }'
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        return f"${self.env}" if self.env else str(self.file)


class ProbeConfig(Settings):
    """What every probe's table may say."""

    kind: str = Field(description="which plugin reads it")
    repeat: int = Field(
        8, ge=2, le=64, description="Measurements of the first attempt, where the probe claims reachability."
    )


class Where(Settings):
    """One URL, as a path below the target's own or whole."""

    path: str | None = Field(None, pattern=r"^/\S*$", description="a path below the environment's base_url")
    url: str | None = Field(
        None, pattern=r"^https?://[^\s/@]+(/\S*)?$", description="a whole URL instead, for another host"
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            message = "name either 'path' or 'url'"
            raise ValueError(message)
        if self.url and not has_host(self.url):
            message = "'url' has no host, or no port that can be"
            raise ValueError(message)
        return self

    def target(self, base_url: str) -> str:
        """The whole URL."""
        return self.url or base_url.rstrip("/") + (self.path or "")


class HttpConfig(Where, ProbeConfig):
    """A table that names one URL."""


def http_endpoint(config: Any, base_url: str) -> Endpoint:  # noqa: ANN401  # the kind's own settings
    """Where a kind with an HttpConfig connects to."""
    return endpoint_of(config.target(base_url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number that a kind promises."""

    name: str
    unit: str
    help: str
    quantile: float | None = None  # of a percentile, whose limit is one on the share of what is slower
    is_share: bool = False
    timed: bool = False  # whether this process timed it, so that the lag of its event loop may be in it


class Readings:
    """What one measurement gave: a reading or a failure per metric, and notes for a reader."""

    def __init__(
        self, notes: Mapping[str, str] | None = None, /, **values: Reading | CumulativeCount | Failure
    ) -> None:
        self.values = values
        self.notes = dict(notes or {})


@dataclass(kw_only=True)
class Window:
    """The blocks of time of a sampling, by an absolute schedule: a slow reading delays none of those after it."""

    block: float  # seconds
    least: int  # blocks
    goes_on: Callable[[], bool]  # whether the run wants more than the least
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    _start: datetime | None = None
    _taken: int = 0

    async def next(self) -> bool:
        """Wait for the end of the current block; False, at once, when the window is over."""
        self._start = self._start or self.now()
        if self._taken >= self.least and not self.goes_on():
            return False
        self._taken += 1
        until = self._start + timedelta(seconds=self._taken * self.block)
        while (left := (until - self.now()).total_seconds()) > 0:
            await self.sleep(left)
        return True


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a kind may know and use in one measurement."""

    base_url: str
    timeout: float  # seconds for one exchange
    http: ProbeClient
    reveal: Callable[[SecretRef], str]
    now: Callable[[], datetime]
    address: Address | None = None  # where this measurement goes
    resolved: Resolved | None = None  # all addresses of the probe's endpoint
    wanted: frozenset[str] = frozenset()
    history: History = field(default_factory=History)
    release: str | None = None  # the expected one
    settling_since: datetime | None = None  # what `settled` counts from
    allow: frozenset[str] = frozenset()  # what the environment allows beside reading
    window: Window | None = None  # of a sampling
    budget: int | None = None  # requests that it may send; None: as many as its settings say


Measure = Callable[[Any, Context], Awaitable[Readings]]
Sampler = Callable[[Any, Context], AsyncGenerator[Readings, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A plugin: its settings, what it promises, how it measures."""

    config: type[ProbeConfig]
    metrics: tuple[Metric, ...]
    measure: Measure | None = None  # one measurement
    sample: Sampler | None = (
        None  # a window, one `Readings` a block; taken where the probe watches, or there is no measure
    )
    turn: Turn = "concurrent"  # when it runs: "exclusive" after all others, "final" after the release guard
    endpoint: Callable[[Any, str], Endpoint] | None = None  # settings and base URL to where it connects; None: nowhere
    each_address: bool = False  # every resolved address is an instance of its own
    passive: bool = False  # it reads what the target counts of everybody's requests, and sends none of its own
    enabled_by_default: Callable[[str], bool] | None = (
        None  # whether, for this base URL, it runs without a table of its own
    )
    expected_version: Callable[[Any], str | None] | None = None  # settings to the version that must be served
    metrics_for: Callable[[Any], frozenset[str]] | None = (
        None  # settings to the metrics, where they tell; else all it promises
    )
    reports_on: Callable[[Any], frozenset[str]] | None = None  # settings to the probes of whose state it tells
    in_flight: int = 4  # looks at once; 1 where each is a session that a server holds room for
    requests_per_window: Callable[[Any, float, int | None], int] | None = (
        None  # settings, seconds, budget (None: as the settings say) to requests in a window
    )
    counters: Callable[[Any], frozenset[str]] | None = (
        None  # settings to the metrics that it reads as a `CumulativeCount`
    )
    timeout_for: Callable[[Any], float | None] | None = (
        None  # settings to the seconds of one measurement; None: the environment's
    )
    requests: int | Callable[[Any], int] = 1  # that one measurement costs at most, by its settings where they tell
    example: str  # its table in probes.toml, from `kind` on, as it would stand there
    privileges: str = "none"  # the least that it needs at the target
    safety: str = "it only reads"  # what it does there

    @property
    def metric_names(self) -> frozenset[str]:
        """The names of its metrics."""
        return frozenset(metric.name for metric in self.metrics)

    def provided(self, config: Any) -> frozenset[str]:  # noqa: ANN401  # the kind's own settings
        """The metrics that a table of it gives."""
        return self.metrics_for(config) if self.metrics_for else self.metric_names

    def cost(self, config: Any) -> int:  # noqa: ANN401  # the kind's own settings
        """Requests that one measurement costs at most."""
        return self.requests if isinstance(self.requests, int) else self.requests(config)
