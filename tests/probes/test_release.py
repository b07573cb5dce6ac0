"""Which version does an address serve? Equality at a place, never a search."""

from __future__ import annotations

import httpx
import pytest
from builders import NOW, mocked
from pydantic import ValidationError

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.model.plan import Versions
from probekit.model.readings import Exact
from probekit.probe import Context
from probekit.probes.release import KIND, ReleaseProbe
from probekit.transport.client import Http
from probekit.transport.urls import Address, Endpoint

ADDRESS = Address(Endpoint("app.test", 443), "192.0.2.1")


@pytest.fixture
def read():
    async def one(body, *, status=200, expected=("2.3.1",), allowed=(), **settings):
        transport = httpx.MockTransport(lambda _request: httpx.Response(status, content=body))
        measurement = Http(run="test", send=mocked(transport)).probe_client(address=ADDRESS, timeout=1)
        context = Context(
            base_url="https://app.test",
            timeout=1,
            http=measurement,
            reveal=str,
            now=lambda: NOW,
            address=ADDRESS,
            versions=Versions(expected=expected, allowed=allowed),
        )
        return await KIND.measure(ReleaseProbe(kind="release", path="/version", **settings), context)

    return one


@pytest.mark.parametrize(
    ("body", "settings", "others"),
    [
        (b'{"version": "2.3.1"}', {}, 0),
        (b'{"version": "2.3.10"}', {}, 1),
        (b'{"version": "12.3.1"}', {}, 1),
        (b'{"build": {"tag": "2.3.1"}}', {"at": "$.build.tag"}, 0),
        (b"2.3.1\n", {"at": "text"}, 0),
        (b"\xef\xbb\xbf2.3.1\n", {"at": "text"}, 0),
        (b'\xef\xbb\xbf{"version": "2.3.1"}', {}, 0),
        (b"v2.3.1", {"at": "text"}, 1),
    ],
)
async def test_the_version_is_compared_whole(read, body, settings, others) -> None:
    readings = await read(body, **settings)

    assert readings.values["other_versions"] == Exact(others)
    assert readings.version in body.decode()


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"{}", 200, Reason.BAD_RESPONSE),
        (b'{"version": null}', 200, Reason.BAD_RESPONSE),
        (b'{"version": 2.3}', 200, Reason.BAD_RESPONSE),
        (b'{"version": ""}', 200, Reason.BAD_RESPONSE),
        (b"<html>2.3.1</html>", 200, Reason.BAD_RESPONSE),
        (b'{"version": "' + b"9" * 300 + b'"}', 200, Reason.BAD_RESPONSE),
        (b'{"status": "down"}', 503, Reason.UNREACHABLE),
        (b"<h1>502 Bad Gateway</h1>", 502, Reason.UNREACHABLE),
        (b'{"version": "2.3.1"}', 404, Reason.BAD_RESPONSE),
        (b'{"version": "2.3.1"}', 302, Reason.BAD_RESPONSE),
        (b'{"version": "2.3.1"}', 403, Reason.ACCESS_DENIED),
    ],
)
async def test_what_is_no_version_is_no_reading(read, body, status, reason) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await read(body, status=status)

    assert caught.value.reason is reason


async def test_a_sick_target_may_tell_its_version(read) -> None:
    assert (await read(b'{"status": "down", "version": "2.3.1"}', status=503)).version == "2.3.1"
    with pytest.raises(ProbeFailedError) as caught:
        await read(b"Service Unavailable", status=503, at="text")
    assert caught.value.reason is Reason.UNREACHABLE


async def test_a_page_is_no_version_even_where_the_whole_body_is_one(read) -> None:
    with pytest.raises(ProbeFailedError):
        await read(b"<html>2.3.1</html>", at="text")


@pytest.mark.parametrize(("version", "others"), [("2.3.1", 0), ("2.3.2", 0), ("2.3.0", 0), ("2.2.9", 1)])
async def test_several_versions_may_be_expected_and_others_allowed_beside_them(read, version, others) -> None:
    readings = await read(f'{{"version": "{version}"}}'.encode(), expected=("2.3.1", "2.3.2"), allowed=("2.3.0",))

    assert readings.values["other_versions"] == Exact(others)


async def test_without_an_expected_version_the_served_one_is_told_and_nothing_compared(read) -> None:
    readings = await read(b'{"version": "2.3.1"}', expected=())

    assert readings.version == "2.3.1"
    assert readings.values["other_versions"].reason is Reason.MISSING_SETTING


def test_the_settings_name_the_expected_version_and_a_valid_place() -> None:
    one, many = ({"expect": "2"}, {"expect": ["2", "3"], "also": ["1"]})
    settings = [ReleaseProbe(kind="release", path="/", **keys) for keys in (one, many)]

    assert list(map(KIND.versions, settings)) == [
        Versions(expected=("2",)),
        Versions(expected=("2", "3"), allowed=("1",)),
    ]
    with pytest.raises(ValidationError, match="RFC 9535"):
        ReleaseProbe(kind="release", path="/", at="version")
