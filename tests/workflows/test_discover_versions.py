"""Where the JSON of a running system tells its version."""

from __future__ import annotations

import json
from typing import Any

import pytest

from probekit.transport.response import Answer, Phases
from probekit.transport.urls import Address, Endpoint
from probekit.workflows.discover.versions import version_in

PHASES = Phases(connect=0.0, tls=None, first_byte=0.0, response=0.0, total=0.0, arrived=0.0, local_delay=0.0)


def told(document: Any, *, is_its_place: bool = False, status: int = 200) -> tuple[str, str] | None:
    body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
    where = Address(Endpoint("app.test", 80), "127.0.0.1")
    answer = Answer(url="http://app.test/", address=where, status=status, headers=(), body=body, phases=PHASES)
    return version_in(answer, is_its_place=is_its_place)


@pytest.mark.parametrize(
    ("document", "place", "version"),
    [
        ({"version": "2.3.1"}, "$.version", "2.3.1"),
        ({"version": "main-7f3a9c5"}, "$.version", "main-7f3a9c5"),
        ({"version": {"number": "8.1.0", "lucene_version": "9.7.0"}}, "$.version.number", "8.1.0"),
        ({"build": {"version": "1.4.0", "java": {"version": "17.0.2"}}}, "$.build.version", "1.4.0"),
        ({"java": {"version": "17.0.2"}, "build": {"version": "1.4.0"}}, "$.build.version", "1.4.0"),
        ({"status": "success", "data": {"version": "2.42.0", "goVersion": "go1.19"}}, "$.data.version", "2.42.0"),
        ({"major": "1", "gitVersion": "v1.27.1", "goVersion": "go1.20"}, "$.gitVersion", "v1.27.1"),
        ({"etcdserver": "3.4.23", "etcdcluster": "3.4.0"}, "$.etcdserver", "3.4.23"),
        ({"couchdb": "Welcome", "version": "3.3.2"}, "$.version", "3.3.2"),
        ({"latest_version": "9.9", "server_version": "1.2"}, "$.server_version", "1.2"),
        ({"status": "pass", "version": "1", "releaseId": "1.2.2"}, "$.releaseId", "1.2.2"),  # health+json
        ({"version": "1", "releaseId": "7f3a9c5"}, "$.version", "1"),
        ({"commitSha": "7f3a9c5", "pkgVersion": "1.5.0"}, "$.pkgVersion", "1.5.0"),  # Meilisearch
        ({"version": "1.2", "data": {"version": "3.4"}}, "$.version", "1.2"),
    ],
)
def test_a_version_is_found_by_its_keys(document, place, version) -> None:
    assert told(document) == (place, version)


@pytest.mark.parametrize(
    ("document", "place", "version"),
    [
        ("1.2.3\n", "text", "1.2.3"),
        ('"0.4.24"', "$", "0.4.24"),
        ({"ollama": "0.1.2"}, "$.ollama", "0.1.2"),
    ],
)
def test_at_a_path_of_versions_a_number_needs_no_telling_key(document, place, version) -> None:
    assert told(document, is_its_place=True) == (place, version)
    assert told(document) is None


@pytest.mark.parametrize(
    "document",
    [
        *({}, [], "", "null", "no", {"version": ""}, {"version": None}, {"version": 3}, {"version": "a\nb"}),
        *({"version": "<b>"}, {"version": "9" * 100}, {"java": {"version": "17.0.2"}}, {"release": "stable"}),
        *({"a": "1.2", "b": "1.3"}, {"latest_version": "1.2"}, {"a b": {"version": "1.2"}}),
        {"data": {"data": {"data": {"data": {"version": "1.2"}}}}},
        {**{f"k{number}": number for number in range(2000)}, "version": "1.2"},
    ],
    ids=lambda one: str(one)[:40],
)
def test_what_is_no_version_is_none(document) -> None:
    assert told(document, is_its_place=True) is None


def test_an_error_tells_no_version() -> None:
    assert told({"version": "1.2"}, is_its_place=True, status=503) is None
