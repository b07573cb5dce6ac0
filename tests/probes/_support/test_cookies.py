"""Set-Cookie as browsers read it: what SimpleCookie drops is there, and deletions set nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from probekit.probes._support.cookies import cookies, moment

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "name", "attributes"),
    [
        ("sid=1", "sid", {}),
        ("sid=1; Secure; HttpOnly; SameSite=Lax", "sid", {"secure": "", "httponly": "", "samesite": "Lax"}),
        ("sid=1;secure;HTTPONLY", "sid", {"secure": "", "httponly": ""}),
        ("sid=1; Secure=false", "sid", {"secure": "false"}),  # there is there
        (" sid = a=b ; Path = / ", "sid", {"path": "/"}),
        ("sid=1; SameSite=None; SameSite=Lax", "sid", {"samesite": "Lax"}),  # the last one counts
        ('state={"a": "b, c"}; Secure; Partitioned', "state", {"secure": "", "partitioned": ""}),
        ("sid=Secure, HttpOnly", "sid", {}),  # a word in the value is no attribute
        ("sid=", "sid", {}),
        ("sid=1; ; Secure;", "sid", {"": "", "secure": ""}),
    ],
)
def test_a_cookie_and_its_attributes(line, name, attributes) -> None:
    (cookie,) = cookies([line])

    assert (cookie.name, cookie.attributes) == (name, attributes)


@pytest.mark.parametrize(
    ("line", "size", "dropped"),
    [
        ("sid=1; Path=/; Secure", 4, False),
        (f" sid = {'x' * 4093} ; Secure", 4096, False),
        (f"sid={'x' * 4094}", 4097, True),
        (f"{'n' * 4096}=", 4096, False),
        (f"{'n' * 4096}=1", 4097, True),
        (f"sid=1; Path=/{'x' * 9000}", 4, False),  # attributes do not count
        ("sid=" + "é".encode().decode("latin-1"), 5, False),  # as an answer's headers are read
    ],
)
def test_a_cookie_of_more_than_4096_bytes_is_dropped(line, size, dropped) -> None:
    (cookie,) = cookies([line])

    assert (cookie.size, cookie.is_dropped) == (size, dropped)


def test_an_attribute_of_more_than_1024_bytes_is_not_read() -> None:
    (cookie,) = cookies([f"sid=1; Path=/; Path=/{'x' * 1024}; Domain={'x' * 1024}"])

    assert cookie.attributes == {"path": "/", "domain": "x" * 1024}


@pytest.mark.parametrize("line", ["", "sid", "=value", " =1; Secure", "sid; a=b"])
def test_a_line_without_a_name_sets_none(line) -> None:
    assert cookies([line]) == ()


@pytest.mark.parametrize(
    ("attributes", "deleted"),
    [
        ("Max-Age=0", True),
        ("Max-Age=-1", True),
        ("Max-Age=00", True),
        ("Max-Age=60", False),
        ("Max-Age=soon", False),
        ("Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", False),
        ("Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT", True),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
        ("Expires=Thu, 01-Jan-70 00:00:01 GMT", True),
        ("Expires=Mon, 23 Nov 2026 10:30:00 GMT", True),
        ("Expires=Mon, 23 Nov 2026 10:30:01 GMT", False),
        ("Expires=0", False),
        ("", False),
    ],
)
def test_a_cookie_that_is_over_is_a_deletion(attributes, deleted) -> None:
    (cookie,) = cookies([f"sid=1; {attributes}"])

    assert cookie.is_deletion(NOW) is deleted


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sun Nov  6 08:49:37 1994", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("6 november 69 8:9:7", datetime(2069, 11, 6, 8, 9, 7, tzinfo=UTC)),
        ("Sun, 30 Feb 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 24:00:00 GMT", None),
        ("Sun, 06 Nov 0000 08:49:37 GMT", datetime(2000, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sun, 06 Nov 1600 08:49:37 GMT", None),
        ("06 Nov 1994", None),
        ("soon", None),
    ],
)
def test_dates_in_the_forms_that_browsers_read(text, date) -> None:
    assert moment(text) == date


PIECES = st.sampled_from(["sid", "=", ";", " ", "Expires", "Max-Age", "Jan", "08:49:37", "99", "1994", "-", "é", '"'])


@given(st.lists(st.one_of(st.text(), st.lists(PIECES).map("".join))))
def test_no_text_breaks_the_reading(lines) -> None:
    found = cookies(lines)

    assert len(found) <= len(lines)
    assert all(cookie.name and cookie.is_deletion(NOW) in (True, False) for cookie in found)
