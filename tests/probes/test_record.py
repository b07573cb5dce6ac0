"""A document says what it is of and when it was made; what it does not say stays unknown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probekit.model.record import Record
from probekit.probes._support.record import RecordPlaces, record_in

PLACES = RecordPlaces.model_validate({})
MADE = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
DIGEST = f"sha256:{'a' * 64}"


def test_every_fact_is_read() -> None:
    document = {
        "release": "2.3.1",
        "commit": "3F2A9C1",
        "digest": DIGEST,
        "made": "2026-11-28T12:00:00+02:00",
        "by": "trivy 0.58",
        "place": "https://ci.test/1",
    }

    assert record_in(document, PLACES, "scan") == Record(
        release="2.3.1", commit="3f2a9c1", digest=DIGEST, made=MADE, by="trivy 0.58", place="https://ci.test/1"
    )


@pytest.mark.parametrize("document", [{}, [], None, 3, "text", {"release": None}, {"critical": 0}])
def test_what_a_document_does_not_say_is_unknown(document) -> None:
    assert record_in(document, PLACES, "scan") == Record(by="scan")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("release", 2.3, "a text of one line"),
        ("release", "2.3\n", "a text of one line"),
        ("release", "", "a text of one line"),
        ("release", "1" * 201, "a text of one line"),
        ("release", ["2.3.1"], "a text of one line"),
        ("commit", "main", "a commit of 7 to 64"),
        ("commit", 1234567, "a commit of 7 to 64"),
        ("digest", "sha256:abc", "sha256: and 64"),
        ("made", "yesterday", "a time with a zone"),
        ("made", "2026-11-28T10:00:00", "a time with a zone"),
        ("made", "2026-11-28", "a time with a zone"),
        ("made", "0001-01-01T00:00:00+23:59", "a time with a zone"),
        ("made", True, "a time with a zone"),
        ("made", -1, "a time with a zone"),
        ("made", 1_764_324_000_000, "a time with a zone"),
        ("made", 1e300, "a time with a zone"),
        ("by", {}, "a text of one line"),
        ("place", 1, "a text of one line"),
    ],
)
def test_a_fact_of_another_form_is_unknown_and_says_so(name, value, expected) -> None:
    found = record_in({name: value}, PLACES, "scan")

    assert getattr(found, name) in (None, "", "scan")
    assert found.unreadable.startswith(f"{name} at $.{name} is ")
    assert expected in found.unreadable


@pytest.mark.parametrize("value", [MADE.timestamp(), int(MADE.timestamp()), "2026-11-28T10:00:00Z", "20261128T100000Z"])
def test_a_time_is_written_in_several_ways(value) -> None:
    assert record_in({"made": value}, PLACES, "").made == MADE


def test_a_place_that_the_settings_name_must_exist() -> None:
    places = RecordPlaces.model_validate({"release": "$.meta.version"})

    assert record_in({"meta": {"version": "2"}, "release": "1"}, places, "").release == "2"
    assert "$.meta.version" in record_in({"release": "1"}, places, "").unreadable


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({"release": "2.3.1", "commit": 1234567}, {}),
        ({"release": 2.3, "commit": "3f2a9c1"}, {}),
        ({"release": "2.3.1", "commit": "3f2a9c1", "digest": "md5:1"}, {}),
        ({"release": "2.3.1"}, {"commit": "$.sha"}),
    ],
)
def test_a_record_with_one_unreadable_fact_is_of_no_release(document, places) -> None:
    found = record_in(document | {"made": MADE.timestamp()}, RecordPlaces.model_validate(places), "")

    assert (found.subject, found.made) == ("", MADE)
    assert found.unreadable


def test_a_release_counts_though_the_time_cannot_be_read() -> None:
    found = record_in({"release": "2.3.1", "made": "yesterday"}, PLACES, "")

    assert (found.release, found.made) == ("2.3.1", None)
