"""The public interface of kinds: settings, the context of a measurement, readings and failures."""

from __future__ import annotations

from probekit.model.measurement import Failure, ProbeFailedError, Reason
from probekit.model.plan import Versions
from probekit.model.readings import (
    Complement,
    CumulativeCount,
    ErrorRate,
    Exact,
    Histogram,
    LatencySample,
    Mean,
    Quantile,
    Share,
    Summary,
)
from probekit.probe.kind import ANY_PROBE, ConfigT, ConfiguredKind, Kind, Load
from probekit.probe.measuring import Allowance, Context, Metric, Readings, Role, Window
from probekit.probe.settings import (
    MADE_UP,
    TUNING,
    Duration,
    FreshConfig,
    HttpConfig,
    MadeUpPathConfig,
    ProbeConfig,
    RepeatedConfig,
    SecretRef,
    Settings,
    UrlPath,
    Where,
    http_endpoint,
    is_duration,
)
from probekit.transport.response import Answer
from probekit.transport.urls import Address, Endpoint

__all__ = [
    "ANY_PROBE",
    "MADE_UP",
    "TUNING",
    "Address",
    "Allowance",
    "Answer",
    "Complement",
    "ConfigT",
    "ConfiguredKind",
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
    "Role",
    "SecretRef",
    "Settings",
    "Share",
    "Summary",
    "UrlPath",
    "Versions",
    "Where",
    "Window",
    "http_endpoint",
    "is_duration",
]
