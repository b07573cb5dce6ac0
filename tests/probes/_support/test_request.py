"""A request that cannot be sent as it is written is refused, and no message holds a word of a secret."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from probekit.probes._support.request import RequestConfig

HIDDEN = "hunter2"
POST = {"method": "POST"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"method": "get"}, "'GET', 'HEAD'"),
        ({"method": "CONNECT"}, "'GET', 'HEAD'"),
        ({"headers": {"Host": "a"}}, "probekit sets the header Host itself"),
        ({"headers": {"content-length": "1"}}, "probekit sets the header content-length itself"),
        ({"headers": {"Connection": "close"}}, "sets the header"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "sets the header"),
        ({"headers": {"Expect": "100-continue"}}, "sets the header"),
        ({"headers": {"Cache-Control": "max-age=60"}}, "sets the header"),
        ({"headers": {"Host": {"env": "A"}}}, "sets the header"),
        ({"headers": {"Authorization": HIDDEN}}, "the header Authorization carries a credential: use a reference"),
        ({"headers": {"proxy-authorization": HIDDEN}}, "carries a credential"),
        ({"headers": {"Cookie": HIDDEN}}, "carries a credential"),
        ({"headers": {"X-Api-Key": HIDDEN}}, "carries a credential"),
        ({"headers": {"X-CSRFToken": HIDDEN}}, "carries a credential"),
        ({"headers": {"Client-Secret": HIDDEN}}, "carries a credential"),
        ({"headers": {"X-Password": HIDDEN}}, "carries a credential"),
        ({"headers": {"X A": "1"}}, "a header's name may have only letters"),
        ({"headers": {"": "1"}}, "a header's name may have only letters"),
        ({"headers": {"X-A\n": "1"}}, "a header's name may have only letters"),
        ({"headers": {"X-Ä": "1"}}, "a header's name may have only letters"),
        ({"headers": {"X-A": f"{HIDDEN}\r\nX-B: 1"}}, "the value of header X-A contains a character"),
        ({"headers": {"X-A": f"{HIDDEN}\0"}}, "contains a character"),
        ({"headers": {"X-A": f"{HIDDEN}é"}}, "contains a character"),
        ({"headers": {"X-A": "x" * 8193}}, "longer than 8192"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "one header is listed twice"),
        ({"headers": {f"X-{n}": "1" for n in range(51)}}, "51 headers, at most 50 are allowed"),
        ({"headers": {"X-A": 1}}, "must be a text or a reference"),
        ({"headers": {"X-A": {"env": "A", "file": "b"}}}, "must be a text or a reference"),
        ({"headers": {"X-A": {"value": HIDDEN}}}, "must be a text or a reference"),
        ({"body": HIDDEN}, 'GET sends no body: body needs method = "POST"'),
        ({"method": "HEAD", "form": {"a": "1"}}, "HEAD sends no body: form needs"),
        ({"method": "OPTIONS", "json": {}}, "OPTIONS sends no body: json needs"),
        ({**POST, "body": "1", "json": {}}, "body and json: a request has only one body"),
        ({**POST, "json": {}, "form": {"a": "1"}}, "json and form: a request has only one body"),
        ({**POST, "body": 1}, "must be a text or a reference"),
        ({**POST, "body": "é" * 40_000}, "larger than 64 KiB"),
        ({**POST, "form": {"a": "%" * 30_000}}, "larger than 64 KiB"),
        ({**POST, "json": {"a": ["x" * 70_000]}}, "larger than 64 KiB"),
        ({**POST, "form": {"password": HIDDEN}}, "'password' is a secret: use a reference"),
        ({**POST, "form": {"client_secret": HIDDEN}}, "is a secret"),
        ({**POST, "form": {"a": 1}}, "must be a text or a reference"),
        (
            {**POST, "json": {"user": {"password": HIDDEN}}},
            "'password' is a secret: keep the whole document as a secret",
        ),
        ({**POST, "json": {"accessToken": [HIDDEN]}}, "'accessToken' is a secret"),
        ({**POST, "json": '{"api_key": "hunter2"}'}, "'api_key' is a secret"),
        ({**POST, "json": {"password": {"env": "A"}}}, "json cannot hold references"),
        ({**POST, "json": [{"file": "a"}]}, "json cannot hold references"),
        ({**POST, "json": {"day": date(2026, 3, 1)}}, "json cannot hold dates"),
        ({**POST, "json": {"n": float("nan")}}, "json accepts only finite numbers"),
        ({**POST, "json": "{not json"}, "json as a text must be a JSON document"),
        ({**POST, "json": "[" * 100_000}, "nested too deeply"),
        ({**POST, "json": 1}, "json must be a table, a list, or the text"),
    ],
)
def test_a_request_that_cannot_be_sent_is_refused(settings, told) -> None:
    with pytest.raises(ValidationError) as caught:
        RequestConfig.model_validate(settings)

    messages = [error["msg"] for error in caught.value.errors()]
    assert any(told in message for message in messages)
    assert not any(HIDDEN in message for message in messages)


@pytest.mark.parametrize(
    "settings",
    [
        {"headers": {"Accept": "text/plain", "User-Agent": "x", "X-Empty": "", "Monkey": {"env": "A"}}},
        {**POST, "form": {"token_type_hint": "access", "password": "", "password_reset": "yes"}},
        {**POST, "json": {"password_reset": True, "token": 1, "env": "prod", "file": "a"}},
        {**POST, "json": '{"env": "prod"}'},
        {**POST, "body": '{"password": ...'},
    ],
)
def test_what_is_no_secret_is_sent_as_it_is_written(settings) -> None:
    RequestConfig.model_validate(settings)
