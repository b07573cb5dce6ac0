"""A control speaks for our network only with an answer that nobody on the way would give."""

from __future__ import annotations

import httpx
import pytest
from builders import mocked

from probekit.config.settings import ControlUrl
from probekit.engine.controls import answer_of_any
from probekit.transport.client import Http
from probekit.transport.resolver import Resolver

PLAIN, SECURE = "http://status.test/ok", "https://status.test/ok"


@pytest.mark.parametrize(
    ("url", "declared", "status", "location", "answers"),
    [
        (PLAIN, None, 200, "", True),
        (PLAIN, None, 204, "", True),
        (PLAIN, None, 301, "https://status.test/ok", True),
        (PLAIN, None, 302, "/other", True),
        (PLAIN, None, 302, "http://portal.test/", False),
        (PLAIN, None, 302, "", True),
        (PLAIN, None, 302, "http://[", False),
        (PLAIN, None, 404, "", False),
        (PLAIN, None, 403, "", False),
        (PLAIN, None, 502, "", False),
        (PLAIN, None, 511, "", False),
        (PLAIN, 418, 418, "", True),
        (PLAIN, 418, 200, "", False),
        (SECURE, None, 200, "", True),
        (SECURE, None, 404, "", True),
        (SECURE, None, 302, "https://elsewhere.test/", True),
        (SECURE, None, 500, "", False),
        (SECURE, None, 407, "", False),
        (SECURE, 503, 503, "", True),
    ],
)
async def test_which_answer_is_a_control_s_own(url, declared, status, location, answers) -> None:
    headers = {"Location": location} if status // 100 == 3 else {}
    http = Http(
        run="test",
        resolver=Resolver(look_up=lambda _endpoint: ("192.0.2.1",)),
        send=mocked(httpx.MockTransport(lambda _request: httpx.Response(status, headers=headers))),
    )

    assert await answer_of_any([ControlUrl(url=url, status=declared)], http, 1.0) is answers


async def test_one_of_several_is_enough_and_none_is_too_few() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200 if request.url.host == "status.test" else 502)

    http = Http(
        run="test",
        resolver=Resolver(look_up=lambda _endpoint: ("192.0.2.1",)),
        send=mocked(httpx.MockTransport(answer)),
    )
    alive, dead = ControlUrl(url=PLAIN), ControlUrl(url="http://dead.test/")

    assert await answer_of_any([dead, alive], http, 1.0)
    assert not await answer_of_any([dead, dead], http, 1.0)
