"""Words, claims and conditions say of health what their keys make of them."""

from __future__ import annotations

import pytest

from probekit.probes._support.health_words import Health, condition_health, flag_health, health_of, without_mark

GOOD, UNCLEAR, UNKNOWN, BAD = Health


@pytest.mark.parametrize(
    ("value", "health"),
    [
        ("UP", GOOD),
        ("Healthy.", GOOD),
        ("alive!", GOOD),
        ("out of service", BAD),
        ("error: connection refused", BAD),
        ("not-ready", BAD),
        ("degraded", UNCLEAR),
        ("unknown", UNKNOWN),
        ("banana", UNKNOWN),
        ("true", UNKNOWN),
        (True, GOOD),
        (False, BAD),
        (None, UNKNOWN),
        (200, UNKNOWN),
        (503, UNKNOWN),  # a number alone is a measure: only at a status key may it be a status
    ],
)
def test_a_value_says_good_bad_unclear_or_nothing(value, health) -> None:
    assert health_of(value) is health


@pytest.mark.parametrize(
    ("key", "when_true", "when_false"),
    [
        ("database", GOOD, BAD),
        ("primaryDb", GOOD, BAD),
        ("redis", GOOD, BAD),
        ("orders_ok", GOOD, BAD),
        ("cache-connected", GOOD, BAD),
        ("maintenance", UNCLEAR, None),
        ("maintenance_mode", UNCLEAR, None),
        ("readOnly", UNCLEAR, None),
        ("sealed", UNCLEAR, None),
        ("standby", UNCLEAR, None),
        ("timed_out", BAD, None),
        ("cache_down", BAD, None),
        ("debug", None, None),
        ("use_cache", None, None),
        ("cache_enabled", None, None),
        ("initialized", None, None),
        ("needsDbUpgrade", None, None),
    ],
)
def test_a_claim_says_what_its_key_makes_of_it(key, when_true, when_false) -> None:
    assert [flag_health(key, value) for value in (True, False)] == [when_true, when_false]


@pytest.mark.parametrize(
    ("kind", "status", "health"),
    [
        ("Ready", "True", GOOD),
        ("Ready", "False", BAD),
        ("Ready", "Unknown", UNCLEAR),
        ("Available", "true", GOOD),
        ("DiskPressure", "False", GOOD),
        ("DiskPressure", "True", BAD),
        ("NetworkUnavailable", "False", GOOD),
        ("Degraded", "False", GOOD),
        ("ReplicaFailure", "True", BAD),
        ("Progressing", "False", None),
        ("PIDPressure", "False", GOOD),
        ("Conflicted", "False", None),
        ("Conflicted", "True", None),
        ("ReadonlyFilesystem", "True", BAD),
    ],
)
def test_a_condition_is_read_by_its_polarity(kind, status, health) -> None:
    assert condition_health(kind, status) is health


@pytest.mark.parametrize(
    ("key", "component"),
    [
        ("database_status", "database"),
        ("cacheState", "cache"),
        ("queue ok", "queue"),
        ("status", "status"),
        ("up", "up"),
    ],
)
def test_a_key_with_a_mark_speaks_of_a_component(key, component) -> None:
    assert without_mark(key) == component
