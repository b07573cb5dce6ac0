"""Counters and a histogram of the shop's own requests, in Prometheus' text format."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds


@dataclass(slots=True)
class Metrics:
    """The counts since the start."""

    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)  # method, route, status
    buckets: Counter[tuple[str, float]] = field(default_factory=Counter)  # route, upper bound
    seconds: dict[str, float] = field(default_factory=dict)  # route
    cache: Counter[str] = field(default_factory=Counter)  # hit, miss, bypass

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self.requests[method, route, status] += 1
        self.seconds[route] = self.seconds.get(route, 0.0) + seconds
        self.buckets.update((route, bound) for bound in (*_BOUNDS, float("inf")) if seconds <= bound)

    def text(self) -> str:
        """All metrics in the text format for a scrape."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield "# HELP http_requests_total Requests answered."
        yield "# TYPE http_requests_total counter"
        for (method, route, status), count in sorted(self.requests.items()):
            yield f'http_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
        yield "# HELP http_request_duration_seconds Time from the request's headers to the end of the answer."
        yield "# TYPE http_request_duration_seconds histogram"
        for route in sorted(self.seconds):
            for bound in (*_BOUNDS, float("inf")):
                le = "+Inf" if bound == float("inf") else f"{bound:g}"
                yield f'http_request_duration_seconds_bucket{{route="{route}",le="{le}"}} {self.buckets[route, bound]}'
            yield f'http_request_duration_seconds_sum{{route="{route}"}} {self.seconds[route]:.6f}'
            yield f'http_request_duration_seconds_count{{route="{route}"}} {self.buckets[route, float("inf")]}'
        yield "# HELP cache_lookups_total Look-ups in the cache by their result."
        yield "# TYPE cache_lookups_total counter"
        for result in ("hit", "miss", "bypass"):
            yield f'cache_lookups_total{{result="{result}"}} {self.cache[result]}'
