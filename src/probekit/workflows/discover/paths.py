"""The usual paths of health, version and metrics, in the order in which they are tried."""

from __future__ import annotations

from typing import Final

HEALTH: Final = (
    *("/health", "/healthz", "/api/health", "/api/healthz", "/actuator/health", "/health/ready", "/health/live"),
    *("/readyz", "/ready", "/livez", "/-/ready", "/-/healthy", "/-/ping", "/api/v1/health", "/healthcheck"),
    *("/_cluster/health", "/v1/sys/health", "/v1/health/ready", "/v2/health/ready", "/v2/health/live"),
    *("/minio/health/ready", "/minio/health/live", "/admin/info/ping", "/_up", "/api/health/checks/alarms"),
    *("/debug/health", "/status", "/ping", "/up"),
)
BELOW: Final = ("/health", "/healthz", "/api/health", "/actuator/health")  # below the path of an application
PARTS: Final = ("/actuator/health", "/api/infrastructure/health", "/health/detailed", "/health/details", "/health/full")
VERSIONS: Final = (
    *("/version", "/api/version", "/api/v1/version", "/api/server/version", "/actuator/info", "/info"),
    *("/version.json", "/api/v1/status/buildinfo"),
)
V2: Final = "/v2"  # the metadata of a model server (KServe), which has its health below it
METRICS: Final = "/metrics"
SPRING_METRICS: Final = "/actuator/prometheus"
