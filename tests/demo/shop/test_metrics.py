from __future__ import annotations

from probekit.demo.shop.metrics import Metrics


def test_the_text_has_cumulative_buckets_and_a_total() -> None:
    metrics = Metrics()
    metrics.count("GET", "/health", 200, 0.004)
    metrics.count("GET", "/health", 503, 0.3)
    metrics.cache["hit"] += 1

    lines = metrics.text().splitlines()

    assert 'http_requests_total{method="GET",route="/health",status="200"} 1' in lines
    assert 'http_requests_total{method="GET",route="/health",status="503"} 1' in lines
    assert 'http_request_duration_seconds_bucket{route="/health",le="0.005"} 1' in lines
    assert 'http_request_duration_seconds_bucket{route="/health",le="0.25"} 1' in lines
    assert 'http_request_duration_seconds_bucket{route="/health",le="0.5"} 2' in lines
    assert 'http_request_duration_seconds_bucket{route="/health",le="+Inf"} 2' in lines
    assert 'http_request_duration_seconds_sum{route="/health"} 0.304000' in lines
    assert 'http_request_duration_seconds_count{route="/health"} 2' in lines
    assert 'cache_lookups_total{result="hit"} 1' in lines
    assert 'cache_lookups_total{result="miss"} 0' in lines
    assert 'cache_lookups_total{result="bypass"} 0' in lines
