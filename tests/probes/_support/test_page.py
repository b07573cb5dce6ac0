"""Pages of HTML that are answered with 200 and call themselves an error, or a form to sign in."""

from __future__ import annotations

from time import process_time

import pytest

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes._support.page import is_html, require_content, require_no_error_page
from probekit.transport.response import Answer, Phases
from probekit.transport.urls import Address, Endpoint


def page(body: str, media_type: str = "text/html") -> Answer:
    return Answer(
        url="https://app.test/",
        address=Address(Endpoint("app.test", 443), "192.0.2.1"),
        status=200,
        headers=(("Content-Type", media_type),),
        body=body.encode(),
        phases=Phases(connect=0, tls=None, first_byte=0, response=0, total=0, arrived=0, local_delay=0),
    )


def titled(title: str) -> Answer:
    return page(f"<!doctype html><html><head><title>{title}</title></head><body><p>text</p></body></html>")


ERRORS = (
    "502 Bad Gateway",
    "503 Service Temporarily Unavailable",
    "Error",
    "Error 503 Backend fetch failed",
    "404 - Not Found",
    "HTTP Status 500 \u2013 Internal Server Error",
    "Page not found | Shop",
    "Shop: Internal Server Error",
    "Whitelabel Error Page",
    "Application error",
    "OperationalError at /",
    "Something went wrong!",
    "We&#39;re sorry, but something went wrong (500)",
    "Site under maintenance",
    "Access Denied",
    "Error establishing a database connection",
)
SIGN_INS = ("Log in", "Login", "Shop - Sign in", "Sign in to your account", "Please log in", "Login page | Intranet")
CONTENT = (
    "Shop",
    "Error tracking for teams",
    "500 Startups",
    "404 Media",
    "Gateway to the Alps",
    "How to handle exceptions",
    "Blog in English",
    "Unavailable colours and where to find them",
)


@pytest.mark.parametrize("title", ERRORS)
def test_a_page_that_calls_itself_an_error_is_none(title) -> None:
    for answer in (titled(title), page(f"<html><title>Shop</title><body><h1 class='a'><b>{title}</b></h1></body>")):
        for require in (require_no_error_page, require_content):
            with pytest.raises(ProbeFailedError, match="is an error page: its title or heading is") as caught:
                require(answer)
            assert caught.value.reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize(
    "answer",
    [
        *map(titled, SIGN_INS),
        page("<html><title>Shop</title><form><input name=p type=password></form>"),
        page('<html><title>Shop</title><form><input type="PASSWORD"></form>'),
    ],
)
def test_a_page_to_sign_in_is_no_content_and_no_error(answer) -> None:
    require_no_error_page(answer)
    with pytest.raises(ProbeFailedError, match="a sign-in page"):
        require_content(answer)


@pytest.mark.parametrize("title", CONTENT)
def test_other_pages_are_content(title) -> None:
    require_content(titled(title))


def test_what_a_browser_does_not_show_is_not_read() -> None:
    hidden = '<h1>502 Bad Gateway</h1><input type="password">'
    require_content(page(f"<html><!-- {hidden} --><script>'{hidden}'</script><title>Shop</title></html>"))


@pytest.mark.parametrize(
    ("body", "media_type", "expected"),
    [
        ("<p>text</p>", "text/html", True),
        ("<!-- a --> <!DOCTYPE html><p>text</p>", "", True),
        ("<error>down</error>", "application/xml", False),
        ('{"status": "down"}', "text/html", False),
        ("ERROR", "text/html", False),
        ("", "text/html", False),
    ],
)
def test_only_markup_is_a_page(body, media_type, expected) -> None:
    assert is_html(page(body, media_type)) is expected


@pytest.mark.parametrize(
    "body", ["<!-- -->" * 8000, "<h1>" * 16000, "<h1></h1" + " " * 60000, "<input type " * 5000, "<script>" * 8000]
)
def test_a_hostile_page_is_read_in_no_time(body) -> None:
    began = process_time()
    require_content(page(body))

    assert process_time() - began < 2
