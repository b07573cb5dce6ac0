"""The public interface of kinds: settings, the context of a measurement, readings and failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from math import inf
from pathlib import Path
from typing import Annotated, Final, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.fields import FieldInfo

from probekit.model import quantity
from probekit.model.history import History
from probekit.model.layer import Layer
from probekit.model.measurement import Failure, ProbeFailedError, Reason
from probekit.model.plan import Turn, Versions
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
    Summary,
)
from probekit.transport.client import ProbeClient
from probekit.transport.resolver import Resolved
from probekit.transport.response import Answer
from probekit.transport.urls import Address, Endpoint, endpoint_of, url_problem

__all__ = [
    "MADE_UP",
    "Address",
    "Allowance",
    "Answer",
    "Complement",
    "Context",
    "CumulativeCount",
    "Duration",
    "Endpoint",
    "ErrorRate",
    "Exact",
    "Failure",
    "FreshConfig",
    "Histogram",
    "HttpConfig",
    "Kind",
    "LatencySample",
    "Load",
    "MadeUpPathConfig",
    "Mean",
    "Metric",
    "ProbeConfig",
    "ProbeFailedError",
    "Quantile",
    "Readings",
    "Reason",
    "RepeatedConfig",
    "SecretRef",
    "Share",
    "Summary",
    "Versions",
    "Where",
    "Window",
]


def _seconds(value: object) -> float:
    if not isinstance(value, str):
        message = 'write a number and a unit (ms, s, min, h, d), such as "30s"'
        raise ValueError(message)  # noqa: TRY004  # pydantic reports ValueErrors only
    return quantity.duration(value)


Duration = Annotated[  # "30s" in a file, seconds in Python
    float,
    BeforeValidator(_seconds),
    WithJsonSchema({"type": "string", "pattern": quantity.DURATION_PATTERN}),
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

    kind: str = Field(description="Which kind reads this table.")


class RepeatedConfig(ProbeConfig):
    """The table of a kind that measures several times in an attempt where its probe claims reachability."""

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
        if self.url and (problem := url_problem(self.url)):
            message = f"'url' cannot be asked: {problem}"
            raise ValueError(message)
        return self

    def target(self, base_url: str) -> str:
        """The whole URL."""
        return self.url or base_url.rstrip("/") + (self.path or "")

    @property
    def place(self) -> str:
        """The path or the URL, as written, without its query."""
        return (self.path or self.url or "").partition("?")[0]


class HttpConfig(Where, ProbeConfig):
    """A table that names one URL."""


class FreshConfig(Settings):
    """The table of a kind that asks what is true now."""

    max_age: Duration = Field(
        5.0, ge=0, description="how old (its header Age) an answer may be; an older one tells nothing of now"
    )


class MadeUpPathConfig(Settings):
    """The table of a kind that believes no server which answers anything alike."""

    made_up_path: bool = Field(
        default=True, description="whether the server is asked for two paths that cannot exist, once a run"
    )


MADE_UP: Final = 2  # requests for paths that cannot exist, once per origin and run


def http_endpoint(config: Where, base_url: str) -> Endpoint:
    """Where a kind that names one URL connects to."""
    return endpoint_of(config.target(base_url))


Allowance = Literal["canary-write", "load"]  # what an environment may allow beside reading
Role = Literal["reached", "answered"]  # reached: 1 the target answered, 0 it did not; answered: any number says it did


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number that a kind gives."""

    name: str
    unit: str
    help: str
    role: Role | None = None  # what it says of the target's reachability
    quantile: float | None = None  # of a percentile, whose limit is one on the share of what is slower
    is_share: bool = False
    in_window: bool = False  # a window gives it, where the kind has single measurements too
    timed: bool = False  # whether this process timed it, so that the lag of its event loop may be in it
    low: float = 0.0  # the least that a reading can be, in its unit
    high: float = inf  # the most


class Readings:
    """What one measurement gave: a reading or a failure per metric, one line for a verdict, and notes for a reader."""

    def __init__(
        self,
        summary: str = "",
        notes: Mapping[str, str] | None = None,
        /,
        **values: Reading | CumulativeCount | Failure,
    ) -> None:
        self.values = values
        self.summary = summary
        self.notes = dict(notes or {})
        self.version: str | None = None  # that the target serves, where the kind reads it
        self.answered: frozenset[str] = frozenset()  # questions that were answered as they should be


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
    versions: Versions = field(default_factory=Versions)  # that may be served
    settling_since: datetime | None = None  # what `settled` counts from
    allow: frozenset[str] = frozenset()  # what the environment allows beside reading
    window: Window | None = None  # of a sampling
    budget: int | None = None  # requests that it may send; None: as many as its settings say
    environment: str = ""  # the environment's name
    stage: str = ""  # of the deployment: before, after, or rolled-back
    release: str = ""  # that the run is about
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep  # lets seconds of `now` pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one measurement sends and takes where load is allowed."""

    requests: int
    seconds: float  # at most, in addition to the timeout of one exchange


ANY_PROBE: Final = "*"  # in `Kind.fills`, of a kind whose settings name its metrics
ConfigT = TypeVar("ConfigT", bound=ProbeConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[ConfigT]):
    """A plugin: its settings, what it gives, how it measures.

    A kind has a `measure`, a `sample`, or both. Where it has both, its samples are taken by probes that the checklist
    measures in the background.
    """

    config: type[ConfigT]
    metrics: tuple[Metric, ...]
    layer: Layer = "application"  # that it reads
    fills: tuple[str, ...] = ()  # probes of a checklist, the one it fills best first
    measure: Callable[[ConfigT, Context], Awaitable[Readings]] | None = None  # one measurement
    sample: Callable[[ConfigT, Context], AsyncGenerator[Readings, None]] | None = None  # a window, `Readings` by block
    turn: Turn = "concurrent"  # "exclusive" after all others, "final" after the release guard
    endpoint: Callable[[ConfigT, str], Endpoint] | None = None  # settings and base URL to where it connects
    is_http: bool = True  # it asks by HTTP, so `connect.headers` go with its requests to base_url's origin
    connects: Callable[[ConfigT], bool] | None = None  # settings to whether it connects to that endpoint; else always
    each_address: bool = False  # every resolved address is an instance of its own
    passive: bool = False  # it reads what the target counts of everybody's requests, and sends none of its own
    reported: bool = False  # its numbers are what a program says, and nothing that was measured here
    remembers: bool = False  # it tells which questions were answered well: they are asked when a deployment begins
    enabled_by_default: Callable[[str], bool] | None = None  # whether it runs for this base URL without a table
    versions: Callable[[ConfigT], Versions] | None = None  # settings to the versions that may be served
    metrics_for: Callable[[ConfigT], frozenset[str]] | None = None  # settings to the metrics they give; else all
    default_limits: Callable[[ConfigT], tuple[str, ...]] | None = None  # settings to what a probe of one's own expects
    claims: Callable[[ConfigT], Mapping[str, tuple[float, ...]]] | None = None  # settings to values that they accept
    allowed_by: Callable[[ConfigT], Mapping[str, Allowance]] | None = None  # settings to metrics that take an allowance
    unread: Callable[[ConfigT, str], Mapping[str, str]] | None = (
        None  # settings and base URL to metrics never read, and why
    )
    of_record: bool = False  # it reads probekit's own record alone, so its readings are known before a run
    reports_on: Callable[[ConfigT], frozenset[str]] | None = None  # settings to the probes of whose state it tells
    counters: Callable[[ConfigT], frozenset[str]] | None = None  # settings to the metrics read as a `CumulativeCount`
    unsized: Callable[[ConfigT], frozenset[str]] | None = None  # settings to metrics without the size of a sample
    writes: Callable[[ConfigT], bool] | None = (
        None  # settings to whether a measurement changes the target: see `repeat`
    )
    exchanges: Callable[[ConfigT], int] | None = None  # settings to a measurement's exchanges one after another; else 1
    timeout_for: Callable[[ConfigT], float | None] | None = None  # settings to the seconds of one measurement
    in_flight: int = 4  # measurements at once; 1 where each is a session that a server holds room for
    requests: int | Callable[[ConfigT], int] = 1  # that one measurement sends at most
    least_requests: Callable[[ConfigT], int] | None = None  # that one sends to its endpoint where all is well; else 1
    requests_per_window: Callable[[ConfigT, float, int | None], int] | None = None  # settings, seconds, budget
    load: Callable[[ConfigT], Load | None] | None = None  # settings to a measurement's load; None: it is as without
    example: str  # its table in probes.toml, from `kind` on
    example_for: Callable[[str, Sequence[str], frozenset[str]], str] | None = None  # a probe, its metrics, its samples
    privileges: str = "none"  # the least that it needs at the target
    safety: str = "it only reads"  # what it does there

    def fills_probe(self, probe: str) -> bool:
        """Whether the kind says that it can fill that probe of a checklist."""
        return ANY_PROBE in self.fills or probe in self.fills

    @property
    def metric_names(self) -> frozenset[str]:
        """The names of its metrics."""
        return frozenset(metric.name for metric in self.metrics)

    def configure(self, table: Mapping[str, object]) -> ConfiguredKind:
        """The kind with the settings of one table.

        Raises:
            pydantic.ValidationError: the table does not fit.
        """
        config = self.config.model_validate(table)
        connects = self.connects is None or self.connects(config)
        writes = self.writes is not None and self.writes(config)
        return ConfiguredKind(
            name=config.kind,
            config=config,
            metrics=self.metrics,
            layer=self.layer,
            provided=self.metrics_for(config) if self.metrics_for else self.metric_names,
            default_limits=self.default_limits(config) if self.default_limits else (),
            claims=self.claims(config) if self.claims else {},
            allowed_by=self.allowed_by(config) if self.allowed_by else {},
            unread=partial(self.unread, config) if self.unread else None,
            of_record=self.of_record,
            counters=self.counters(config) if self.counters else frozenset(),
            unsized=self.unsized(config) if self.unsized else frozenset(),
            reports_on=self.reports_on(config) if self.reports_on else frozenset(),
            measure=partial(self.measure, config) if self.measure else None,
            sample=partial(self.sample, config) if self.sample else None,
            endpoint=partial(self.endpoint, config) if self.endpoint and connects else None,
            requests=self.requests if isinstance(self.requests, int) else self.requests(config),
            least_requests=self.least_requests(config) if self.least_requests else 1,
            requests_per_window=partial(self.requests_per_window, config) if self.requests_per_window else None,
            load=self.load(config) if self.load else None,
            timeout=self.timeout_for(config) if self.timeout_for else None,
            versions=self.versions(config) if self.versions else Versions(),
            reads_version=self.versions is not None,
            repeat=config.repeat if isinstance(config, RepeatedConfig) and not writes else 1,
            writes=writes,
            exchanges=self.exchanges(config) if self.exchanges else 1,
            turn=self.turn,
            is_http=self.is_http,
            each_address=self.each_address and connects and not writes,
            passive=self.passive,
            reported=self.reported,
            remembers=self.remembers,
            in_flight=self.in_flight,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredKind:
    """A kind with its settings: all that a plan and a run need of it, whatever the type of the settings."""

    name: str
    config: ProbeConfig
    metrics: tuple[Metric, ...]
    layer: Layer
    provided: frozenset[str]  # names of the metrics that these settings give
    default_limits: tuple[str, ...]  # what a probe of one's own expects where its table says nothing
    claims: Mapping[str, tuple[float, ...]]  # metrics of which the settings say which values are good
    allowed_by: Mapping[str, Allowance]  # metrics that are read only where the environment allows this
    unread: Callable[[str], Mapping[str, str]] | None
    of_record: bool
    counters: frozenset[str]
    unsized: frozenset[str]  # that come without the size of their sample
    reports_on: frozenset[str]
    measure: Callable[[Context], Awaitable[Readings]] | None
    sample: Callable[[Context], AsyncGenerator[Readings, None]] | None
    endpoint: Callable[[str], Endpoint] | None
    requests: int
    least_requests: int
    requests_per_window: Callable[[float, int | None], int] | None
    load: Load | None
    timeout: float | None
    versions: Versions
    reads_version: bool  # it holds a version against the expected one
    repeat: int
    writes: bool  # a measurement changes the target: one is taken an attempt, at one address
    exchanges: int  # of one measurement, one after another at most
    turn: Turn
    is_http: bool
    each_address: bool
    passive: bool
    reported: bool
    remembers: bool
    in_flight: int

    def of_role(self, *roles: Role) -> frozenset[str]:
        """The metrics that say whether the target was reached, in one of these ways."""
        return frozenset(metric.name for metric in self.metrics if metric.role in roles)
