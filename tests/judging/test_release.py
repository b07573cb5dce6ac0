"""Which release is served, and what a version that cannot be read means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probekit.judging.release import release_of
from probekit.model.measurement import Reason
from probekit.model.plan import Versions
from probekit.model.verdict import Served, Stage


@pytest.fixture
def measurement(make):
    def one(value, version=None):
        seen = make.measurement(other_versions=value)
        return replace(seen, version=version)

    return one


TWO = Versions(expected=("2",))


@pytest.mark.parametrize(
    ("measurements", "served"),
    [
        ([(0, "2"), (0, "2")], Served.EXPECTED),
        ([(0, "2"), (1, "1")], Served.OTHER),  # one address of two
        ([(1, "1"), (Reason.UNREACHABLE, None)], Served.OTHER),
        ([(0, "2"), (Reason.UNREACHABLE, None)], Served.EXPECTED),
        ([(0, "2"), (0, "2"), (Reason.BAD_RESPONSE, None)], Served.EXPECTED),
        ([(0, "2"), (Reason.BAD_RESPONSE, None), (Reason.BAD_RESPONSE, None)], Served.UNREADABLE),
        ([(Reason.UNREACHABLE, None)] * 2, Served.DOWN),
        ([(Reason.UNRESOLVED, None)], Served.DOWN),
        ([(Reason.BAD_RESPONSE, None)], Served.UNREADABLE),
        ([(Reason.UNREACHABLE, None), (Reason.BAD_RESPONSE, None)], Served.UNREADABLE),
        ([(Reason.UNTRUSTED, None)], Served.UNREADABLE),
        ([(Reason.ACCESS_DENIED, None)], Served.UNREADABLE),
        ([], Served.UNREADABLE),
    ],
)
def test_every_answer_before_and_after_counts(measurement, measurements, served) -> None:
    release = release_of([measurement(*one) for one in measurements], TWO, guarded=True)

    assert release.served is served
    assert release.because


def test_an_address_of_which_no_answer_tells_a_version_is_named(measurement) -> None:
    hidden = replace(measurement(Reason.BAD_RESPONSE), address="10.0.0.2:443")

    release = release_of([measurement(0, "2"), measurement(0, "2"), hidden], TWO, guarded=True)

    assert release.served is Served.UNREADABLE
    assert "most answers of 10.0.0.2:443 name no version" in release.because


def test_answers_that_tell_no_version_are_told_beside_those_that_do(measurement) -> None:
    seen = [measurement(0, "2"), measurement(0, "2"), measurement(Reason.UNREACHABLE)]

    release = release_of(seen, TWO, guarded=True)

    assert (release.served, release.because) == (Served.EXPECTED, "2 is served, 1 of 3 answers name no version")


def test_another_version_is_named_before_the_expected_one(measurement) -> None:
    release = release_of([measurement(1, "1.9"), measurement(0, "2")], TWO, guarded=True)

    assert release.versions == ("1.9", "2")
    assert release.because == "1.9 is served, 2 expected"


@pytest.mark.parametrize(
    ("versions", "seen", "served", "because"),
    [
        (Versions(expected=("2", "3")), "23", Served.EXPECTED, "2 is served by 1 of 2 answers, 3 is served by 1 of 2"),
        (Versions(expected=("2",), allowed=("1",)), "1112", Served.EXPECTED, "1 is served by 3 of 4 answers, 2 is"),
        (
            Versions(expected=("2",), allowed=("1",)),
            "11",
            Served.UNREADABLE,
            "2 is expected and in none of the answers: 1 is",
        ),
        (Versions(expected=("2",), allowed=("1",)), "120", Served.OTHER, "0 is served, 2 expected"),
        (Versions(expected=("2", "3")), "1", Served.OTHER, "1 is served, 2 or 3 expected"),
        (Versions(rolled_back=("2",)), "12", Served.OTHER, "2 is still served although it was rolled back"),
        (Versions(rolled_back=("2",)), "11", Served.UNASKED, "version check: off, no version is expected (1"),
        (Versions(expected=("1",), rolled_back=("2",)), "11", Served.EXPECTED, "1 is served"),
        (Versions(expected=("1",), rolled_back=("2",)), "12", Served.OTHER, "2 is still served"),
    ],
)
def test_a_version_that_is_allowed_is_never_wrong_and_never_enough(
    measurement, versions, seen, served, because
) -> None:
    release = release_of([measurement(0, version) for version in seen], versions, guarded=True)

    assert release.served is served
    assert release.because.startswith(because)


@pytest.mark.parametrize(
    ("stage", "hint"),
    [
        (Stage.BEFORE, "no earlier deployment is on record"),
        (Stage.AFTER, "set 'expect', or --release"),
        (Stage.ROLLED_BACK, "name the restored release with --release"),
    ],
)
def test_what_would_name_the_version_that_is_due_depends_on_the_stage(measurement, stage, hint) -> None:
    release = release_of([measurement(0, "2")], Versions(), guarded=True, stage=stage)

    assert f"no version is expected (2 is served): {hint}" in release.because


@pytest.mark.parametrize(
    ("versions", "guarded", "told"),
    [
        (Versions(), True, "version check: off, no version is expected (2 is served)"),
        (Versions(), False, "version check: off, no probe 'release' reads the served version"),
        (TWO, False, "reads the served version; 2 only names the record"),
    ],
)
def test_without_a_probe_or_a_version_the_check_is_off_and_that_is_told(measurement, versions, guarded, told) -> None:
    seen = [measurement(Reason.MISSING_SETTING, "2")] if guarded else []

    release = release_of(seen, versions, guarded=guarded)

    assert release.served is Served.UNASKED
    assert told in release.because
