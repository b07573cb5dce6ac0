"""Which release is served, and what a version that cannot be read means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probekit.judging.release import release_of
from probekit.model.measurement import Reason
from probekit.model.verdict import Served


@pytest.fixture
def measurement(make):
    def one(value, version=None):
        seen = make.measurement(other_versions=value)
        return replace(seen, version=version)

    return one


@pytest.mark.parametrize(
    ("measurements", "served"),
    [
        ([(0, "2"), (0, "2")], Served.EXPECTED),
        ([(0, "2"), (1, "1")], Served.OTHER),  # one address of two
        ([(1, "1"), (Reason.UNREACHABLE, None)], Served.OTHER),
        ([(0, "2"), (Reason.UNREACHABLE, None)], Served.EXPECTED),
        ([(Reason.UNREACHABLE, None)] * 2, Served.DOWN),
        ([(Reason.UNRESOLVED, None)], Served.DOWN),
        ([(0, "2"), (Reason.BAD_RESPONSE, None)], Served.UNREADABLE),
        ([(Reason.UNTRUSTED, None)], Served.UNREADABLE),
        ([(Reason.TURNED_AWAY, None)], Served.UNREADABLE),
    ],
)
def test_every_look_before_and_after_counts(measurement, measurements, served) -> None:
    release = release_of([measurement(*one) for one in measurements], "2")

    assert release.served is served
    assert release.because


def test_another_version_is_named(measurement) -> None:
    release = release_of([measurement(1, "1.9")], "2")

    assert release.versions == ("1.9",)
    assert release.because.startswith("1.9 is served, expected 2")


def test_nothing_expected_is_no_guard_and_is_said(measurement) -> None:
    release = release_of([measurement(Reason.MISSING_SETTING, "2")], None)

    assert (release.served, release.versions) == (Served.UNASKED, ("2",))
    assert "no version is expected" in release.because


def test_nothing_read_believes_the_record_and_says_so() -> None:
    release = release_of([], "2")

    assert release.served is Served.UNASKED
    assert "the record is believed" in release.because
    assert "do not add up" in release.because
