"""Failures of `up` and `settled` are phrased as what happened."""

from __future__ import annotations

import pytest

from probekit.model.limit import parse_limit
from probekit.model.phrases import plain_failure, plain_value


@pytest.mark.parametrize(
    ("limit", "value", "summary", "phrase"),
    [
        ("up == 1", 0.0, "connection refused by 10.0.0.1:443", "connection refused by 10.0.0.1:443"),
        ("up == 1", 0.0, "", "no response"),
        ("up == 1", 1.0, "all is well", ""),
        ("up == 1", None, "not measured", ""),
        ("settled >= 30 s", 5.037, "", "only 5 s since the deployment (minimum 30 s)"),
        ("settled >= 2 min", 1.5, "", "only 90 s since the deployment (minimum 2 min)"),
        ("settled >= 30 s", None, "", ""),
        ("status == 200", 503.0, "503 from 10.0.0.1", ""),
    ],
)
def test_a_failure_is_phrased_where_its_number_says_too_little(limit, value, summary, phrase) -> None:
    assert plain_failure(parse_limit(limit), value, summary) == phrase


@pytest.mark.parametrize(
    ("limit", "value", "word"),
    [("up == 1", 0.0, "down"), ("up == 1", 1.0, "up"), ("up == 1", 0.5, ""), ("replicas == 1", 1.0, "")],
)
def test_reachability_is_a_word(limit, value, word) -> None:
    assert plain_value(parse_limit(limit), value) == word
