"""A kind: the settings, the metrics and the measurement of a plugin."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

from probekit.model.layer import Layer
from probekit.model.plan import Turn, Versions
from probekit.probe.measuring import Allowance, Context, Metric, Readings, Role
from probekit.probe.settings import ProbeConfig, RepeatedConfig
from probekit.transport.urls import Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The requests and the time of one measurement where load is allowed."""

    requests: int
    seconds: float  # at most, in addition to the timeout of one exchange


ANY_PROBE: Final = "*"  # in `Kind.fills`: the settings of the kind name its metrics, so it fills any probe
ConfigT = TypeVar("ConfigT", bound=ProbeConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[ConfigT]):
    """A plugin: its settings, its metrics and its measurement.

    A kind has a `measure`, a `sample`, or both. Where it has both, its samples are taken by probes that the checklist
    measures in the background.
    """

    config: type[ConfigT]
    metrics: tuple[Metric, ...]
    layer: Layer = "application"  # the layer that it reads
    fills: tuple[str, ...] = ()  # probes of a checklist, the one it fills best first
    measure: Callable[[ConfigT, Context], Awaitable[Readings]] | None = None  # one measurement
    sample: Callable[[ConfigT, Context], AsyncGenerator[Readings, None]] | None = None  # a window, `Readings` by block
    turn: Turn = "concurrent"  # "exclusive" runs after all others, "final" after the release guard
    endpoint: Callable[[ConfigT, str], Endpoint] | None = None  # settings and base URL to where it connects
    is_http: bool = True  # it uses HTTP, so `connect.headers` go with its requests to base_url's origin
    connects: Callable[[ConfigT], bool] | None = None  # settings to whether it connects to that endpoint; else always
    each_address: bool = False  # every resolved address is a separate instance
    passive: bool = False  # it reads the target's counts of all clients' requests, and sends no such request
    reported: bool = False  # its numbers are reported by a program, not measured by probekit
    remembers: bool = False  # it names the questions that were answered well; they are asked when a deployment begins
    enabled_by_default: Callable[[str], bool] | None = None  # base URL to whether it runs without a table
    versions: Callable[[ConfigT], Versions] | None = None  # settings to the versions that may be served
    metrics_for: Callable[[ConfigT], frozenset[str]] | None = None  # settings to the metrics they give; else all
    default_limits: Callable[[ConfigT], tuple[str, ...]] | None = None  # settings to default limits of a user's probe
    claims: Callable[[ConfigT], Mapping[str, tuple[float, ...]]] | None = None  # settings to accepted values, by metric
    allowed_by: Callable[[ConfigT], Mapping[str, Allowance]] | None = None  # settings to metrics that need an allowance
    unread: Callable[[ConfigT, str], Mapping[str, str]] | None = (
        None  # settings and base URL to the metrics that are never read, each with the reason
    )
    of_record: bool = False  # it reads only probekit's own record, so its readings are known before a run
    reports_on: Callable[[ConfigT], frozenset[str]] | None = None  # settings to the probes whose state it reports
    counters: Callable[[ConfigT], frozenset[str]] | None = None  # settings to the metrics read as a `CumulativeCount`
    unsized: Callable[[ConfigT], frozenset[str]] | None = None  # settings to metrics without the size of a sample
    writes: Callable[[ConfigT], bool] | None = (
        None  # settings to whether a measurement changes the target: see `repeat`
    )
    exchanges: Callable[[ConfigT], int] | None = None  # settings to exchanges of a measurement in sequence; else 1
    timeout_for: Callable[[ConfigT], float | None] | None = None  # settings to the seconds of one measurement
    in_flight: int = 4  # measurements at once; 1 where each takes a session slot of a server
    requests: int | Callable[[ConfigT], int] = 1  # that one measurement sends at most
    least_requests: Callable[[ConfigT], int] | None = None  # that one sends to a healthy endpoint; else 1
    requests_per_window: Callable[[ConfigT, float, int | None], int] | None = None  # settings, seconds, budget
    load: Callable[[ConfigT], Load | None] | None = None  # settings to a measurement's load; None: load changes nothing
    example: str  # its table in probes.toml, from `kind` on
    example_for: Callable[[str, Sequence[str], frozenset[str]], str] | None = None  # a probe, its metrics, its samples
    privileges: str = "none"  # the least privileges that it needs at the target
    safety: str = "Only reads."  # its effect on the target

    def fills_probe(self, probe: str) -> bool:
        """Whether the kind can fill that probe of a checklist."""
        return ANY_PROBE in self.fills or probe in self.fills

    @property
    def metric_names(self) -> frozenset[str]:
        """The names of the metrics."""
        return frozenset(metric.name for metric in self.metrics)

    def configure(self, table: Mapping[str, object]) -> ConfiguredKind:
        """Return the kind with the settings of one table.

        Raises:
            pydantic.ValidationError: a setting of the table is missing, unknown or invalid.
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
    """A kind with its settings, as a plan and a run use it; the type of the settings no longer matters."""

    name: str
    config: ProbeConfig
    metrics: tuple[Metric, ...]
    layer: Layer
    provided: frozenset[str]  # names of the metrics that these settings give
    default_limits: tuple[str, ...]  # of a user's probe whose table sets no limits
    claims: Mapping[str, tuple[float, ...]]  # the values that the settings accept, by metric
    allowed_by: Mapping[str, Allowance]  # the allowance that a metric needs
    unread: Callable[[str], Mapping[str, str]] | None
    of_record: bool
    counters: frozenset[str]
    unsized: frozenset[str]  # metrics without the size of their sample
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
    reads_version: bool  # it compares the version that is served with the expected one
    repeat: int
    writes: bool  # a measurement changes the target, so an attempt takes one, at one address
    exchanges: int  # of one measurement, in sequence, at most
    turn: Turn
    is_http: bool
    each_address: bool
    passive: bool
    reported: bool
    remembers: bool
    in_flight: int

    def of_role(self, *roles: Role) -> frozenset[str]:
        """The metrics with one of these roles."""
        return frozenset(metric.name for metric in self.metrics if metric.role in roles)
