"""A kind: its settings, what it gives, how it measures."""

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
