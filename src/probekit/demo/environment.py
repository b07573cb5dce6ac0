"""The configuration of the embedded target as an environment of probes.toml."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from string import Template
from typing import Final

from probekit.demo.target import Target

ERROR_RATE: Final = "deploy.performance.error-rate"
SCOPE: Final = (
    "pre.security.tls-days-left",
    "pre.infra.tls-deployed",
    "deploy.services.settle-time",
    "deploy.services.health-endpoint",
    "deploy.services.infrastructure-health",
    "deploy.services.database-connectivity",
    "deploy.services.cache-connectivity",
    "deploy.smoke.core-endpoints",
    "deploy.smoke.smoke-response-times",
    "deploy.performance.p95-latency",
    ERROR_RATE,
    "post.database.data-integrity",
    "post.database.no-orphans",
    "post.database.indexes-valid",
    "post.database.foreign-keys-verified",
    "post.database.no-blocked-sessions",
    "post.performance.api-response-times",
    "post.performance.no-slow-queries",
    "post.performance.pool-headroom",
    "post.performance.cache-hit-rate",
    "post.security.cors",
    "post.security.headers",
    "post.security.rate-limiting",
)

_ENVIRONMENT: Final = Template("""\
[env.demo]
base_url = "$base_url"
scope = [
$scope]
control = ["$control_url"]
allow = ["canary-write", "load"]
timeout = "2s"                           # short times, so that the demo takes seconds
settle = "1s"
spread = "2s"
attempt_interval = "1s"
block = "1s"
window = "$window"
vantage = "the target's own machine"

[env.demo.connect]
ca = "$ca"
resolve = { "$authority" = "127.0.0.1" }
headers = { "X-Demo-Key" = { file = "$key" } }

[env.demo.limits]
"deploy.services.settle-time" = { expect = ["settled >= 1 s"], reason = "this target is ready as soon as it answers" }

[env.demo.probes.release]
kind = "release"
path = "/api/version"
expect = "$version"

[env.demo.probes.health]
kind = "http"
path = "/health"

[env.demo.probes.infrastructure]
kind = "infrastructure_health"
path = "/api/infrastructure/health"
components = { database = "database", cache = "cache", disk = "required", queue = "optional" }

[env.demo.probes.routes]
kind = "routes"
routes = [{ path = "/api/orders" }, { path = "/api/search?q=tea" }, { path = "/api/me", expect = 401 }]

[env.demo.probes.api]                    # $requests requests, enough to decide "less than 0.1 % errors"
kind = "latency"
rate = $rate
routes = [{ path = "/api/orders" }, { path = "/api/search?q=tea" }]

[env.demo.probes.database]
kind = "postgres"
dsn = { file = "$dsn" }

[env.demo.probes.database-integrity]
kind = "postgres"
dsn = { file = "$dsn" }
orphans = [{ child = "purchase.account_id", parent = "account.id" }]

[env.demo.probes.database-integrity.invariants]
"no order is for less than nothing" = "SELECT count(*) FROM purchase WHERE total_cents < 0"
"every order has a quantity" = "SELECT count(*) FROM purchase WHERE quantity < 1"

[env.demo.probes.database-load]
kind = "postgres"
dsn = { file = "$dsn" }

[env.demo.probes.cache]
kind = "redis"
url = { file = "$cache" }

[env.demo.probes.cache-load]
kind = "redis"
url = { file = "$cache" }

[env.demo.probes.cors]
kind = "cors"
path = "/api/version"
origins = ["https://app.example.test"]

[env.demo.probes.security-headers]
kind = "security_headers"
api = "/api/version"
plain_url = "$plain_url"

[env.demo.probes.rate-limit]
kind = "rate_limit"
path = "/api/version"
limit = 30
per = "10s"
sliding = true
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Duration and rate of the requests to the routes, with a scope that this sample can decide."""

    seconds: int = 30
    rate: int = 110
    scope: tuple[str, ...] = SCOPE


SHORT: Final = Sampling(seconds=6, rate=50, scope=tuple(item for item in SCOPE if item != ERROR_RATE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The URLs of a target and the folder of its secrets."""

    base_url: str
    plain_url: str
    control_url: str
    version: str
    folder: Path

    @property
    def dsn_file(self) -> Path:
        """The file with the DSN of the database role for probes."""
        return self.folder / "database-url"

    @property
    def cache_file(self) -> Path:
        """The file with the URL of the cache user for probes."""
        return self.folder / "cache-url"


def write(target: Target, sampling: Sampling = Sampling()) -> Path:  # frozen
    """Write probes.toml and its secrets for the running target into its folder; return its path."""
    place = replace(place_of(target), folder=target.folder.absolute())
    for file, secret in ((place.dsn_file, target.probe_dsn), (place.cache_file, target.probe_cache_url)):
        file.touch(0o600)
        file.write_text(secret, "utf-8")
    config = place.folder / "probes.toml"
    config.write_text(text(place, sampling), "utf-8")
    return config


def place_of(target: Target) -> Place:
    """The place of the running target."""
    return Place(
        base_url=target.base_url,
        plain_url=target.plain_url,
        control_url=target.control_url,
        version=target.version,
        folder=target.folder,
    )


def text(place: Place, sampling: Sampling = Sampling()) -> str:  # frozen
    """The environment `demo` for a target at that place."""
    return _ENVIRONMENT.substitute(
        base_url=place.base_url,
        plain_url=f"{place.plain_url}/",
        control_url=place.control_url,
        version=place.version,
        authority=place.base_url.removeprefix("https://"),
        scope="".join(f'    "{item}",\n' for item in sampling.scope),
        window=f"{sampling.seconds}s",
        rate=sampling.rate,
        requests=f"{sampling.seconds * sampling.rate:,}",
        ca=place.folder / "ca.pem",
        key=place.folder / "key",
        dsn=place.dsn_file,
        cache=place.cache_file,
    )
