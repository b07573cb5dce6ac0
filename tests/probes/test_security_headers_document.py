"""What a page's own `<meta>` elements say, as HTML's parser and its `<meta>` element define it."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from probekit.probes.security_headers.document import Document, document
from probekit.transport.response import Answer, Phases
from probekit.transport.urls import Address, Endpoint

CSP = """<meta http-equiv="Content-Security-Policy" content="default-src 'self'">"""
SELF = {"default-src": ("'self'",)}
OUTSIDE = "browsers ignore a <meta> outside of <head>"


def read(body, media_type="text/html; charset=utf-8"):
    answer = Answer(
        url="https://app.test/",
        address=Address(Endpoint("app.test", 443), "192.0.2.1"),
        status=200,
        headers=(("Content-Type", media_type),),
        body=body if isinstance(body, bytes) else body.encode(),
        phases=Phases(connect=0, tls=None, first_byte=0, response=0, total=0, arrived=0, local_delay=0),
    )
    return document(answer)


@pytest.mark.parametrize(
    "page",
    [
        f"<!doctype html><html><head>{CSP}</head><body>hello</body></html>",
        f"\ufeff<!doctype html>\r\n<html lang=en>\n<head>\n\t<title>a <b> c</title>{CSP}",
        f"<head><meta charset=utf-8><base href=/><link rel=icon><style>p {{ a: b }}</style>{CSP}",
        f"<head><noscript><link rel=stylesheet></noscript>{CSP}",
        f"<head><template><p>hello</p></template>{CSP}",
        f"<head><!-- <p> -->{CSP}",
        f"<head></p></head>{CSP}<body>",  # a stray end tag; after the head it still becomes a child of it
        CSP,  # the head is implied
        "<meta HTTP-EQUIV=content-security-POLICY CONTENT=\"default-src 'self'\" />",
        """<meta http-equiv="Content-Security-Policy" content="default-src &#39;self&apos;">""",
        """<meta content="default-src 'self'" http-equiv="Content-Security-Policy" content="default-src *">""",
        f"\ufeff<html><head>{CSP}</head>".encode("utf-16-le"),
        f'<script type="application/ld+json">{{"a": "</p>"}}</script>{CSP}',
    ],
)
def test_a_policy_in_the_head_is_enforced(page) -> None:
    assert read(page) == Document(policies=[SELF], first=[SELF])


@pytest.mark.parametrize(
    ("page", "ignored"),
    [
        (f"<body>{CSP}", OUTSIDE),
        (f"<head></head><body>{CSP}", OUTSIDE),
        (f"<head>hello{CSP}", OUTSIDE),
        (f"<head><p>{CSP}", OUTSIDE),
        (f"<head><div></div>{CSP}</head>", OUTSIDE),
        (f"<head></head><noscript></noscript>{CSP}", OUTSIDE),
        (f"<head></body>{CSP}", OUTSIDE),
        (f"<!-- {CSP} -->", None),
        (f"<title>{CSP}</title>", None),
        (f"<script>{CSP}</script>", None),
        (f"<style>{CSP}</style>", None),
        (f"<noscript>{CSP}</noscript>", None),  # raw text where scripts run
        (f"<template><template></template>{CSP}</template>", None),
        (f"<textarea>{CSP}</textarea>", None),
        ('<meta http-equiv="Content-Security-Policy">', None),
        ('<meta http-equiv="Content-Security-Policy" content="">', None),
        ('<meta http-equiv="Content-Security-Policy" content=" ; ">', None),
        ("""<meta http-equiv="Content-Security-Policy-Report-Only" content="default-src 'self'">""", None),
        ("""<meta name="Content-Security-Policy" content="default-src 'self'">""", None),
        ("""<meta http-equiv=" Content-Security-Policy" content="default-src 'self'">""", None),
        ("""<meta http-equiv="Content-Security-Policy" content="frame-ancestors 'none'">""", "frame-ancestors"),
        ("""<meta http-equiv="Content-Security-Policy" content="sandbox">""", "sandbox"),
        ("""<meta http-equiv="Content-Security-Policy" content="report-uri /csp">""", "report-uri"),
        ("&lt;meta" + CSP[5:], None),
        (CSP[:-1], None),  # it does not end
    ],
)
def test_what_a_browser_makes_nothing_of_is_no_policy(page, ignored) -> None:
    found = read(page)

    assert (found.policies, found.first) == ([], [])
    assert len(found.ignored) == (ignored is not None)
    assert all((ignored or "") in why for why in found.ignored)


def test_a_marked_section_breaks_nothing() -> None:
    """Newer versions of html.parser read on behind it, as browsers do."""
    assert read(f"{CSP}<![x[ ]]>").policies == [SELF]
    found = read(f"<![x[ ]]>{CSP}")
    assert bool(found.policies) is not bool(found.ignored)


def test_what_counts_in_headers_only_is_left_out_of_a_policy() -> None:
    content = "default-src 'self'; Frame-Ancestors 'none'; sandbox; report-uri /csp"

    found = read(f'<meta http-equiv="Content-Security-Policy" content="{content}">')

    assert found.policies == [SELF]
    assert [*found.ignored] == [
        f"browsers ignore {name} in a <meta>" for name in ("report-uri", "frame-ancestors", "sandbox")
    ]


def test_every_policy_is_read_and_a_comma_separates_none() -> None:
    second = """<meta http-equiv="Content-Security-Policy" content="img-src 'self', script-src *">"""

    assert read(CSP + second).policies == [SELF, {"img-src": ("'self',", "script-src", "*")}]


@pytest.mark.parametrize(
    ("script", "is_before"),
    [
        ("<script>1</script>", True),
        ("<script src=/a.js></script>", True),
        ("<script type=module src=/a.js></script>", True),
        ('<script type=" text/JavaScript "></script>', True),
        ("<script type=application/ld+json>1</script>", False),
        ("<script type=text/template>1</script>", False),
        ("<template><script>1</script></template>", False),
    ],
)
def test_a_script_before_a_policy_is_not_bound_by_it(script, is_before) -> None:
    found = read(script + CSP)

    assert found.policies == [SELF]
    assert found.first == ([] if is_before else [SELF])
    assert read(CSP + script).first == [SELF]


@pytest.mark.parametrize(
    ("page", "policy"),
    [
        ("<meta name=referrer content=no-referrer>", "no-referrer"),
        ("<meta name=REFERRER content=Same-Origin>", "same-origin"),
        ("<body><p>hello</p><meta name=referrer content=unsafe-url>", "unsafe-url"),  # it counts wherever it stands
        ("<meta name=referrer content=no-referrer><meta name=referrer content=origin>", "origin"),
        ("<meta name=referrer content=no-referrer><meta name=referrer content=none>", "no-referrer"),
        ("<meta name=referrer content=never>", "no-referrer"),
        ("<meta name=referrer content=default>", "strict-origin-when-cross-origin"),
        ("<meta name=referrer content=always>", "unsafe-url"),
        ("<meta name=referrer content=origin-when-crossorigin>", "origin-when-cross-origin"),
        ('<meta name=referrer content="no-referrer, origin">', None),  # unlike the header
        ("<meta name=referrer content=''>", None),
        ("<meta name=referrer>", None),
        ("<meta http-equiv=referrer-policy content=no-referrer>", None),
        ("<template><meta name=referrer content=no-referrer></template>", None),
        ("<!-- <meta name=referrer content=no-referrer> -->", None),
    ],
)
def test_the_last_known_referrer_policy_of_the_page_counts(page, policy) -> None:
    assert read(page).referrer == policy


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "image/svg+xml", ""])
def test_what_is_no_page_has_no_meta(media_type) -> None:
    assert read(CSP, media_type) == Document()
    assert read(CSP, "application/xhtml+xml").policies == [SELF]


def test_a_page_is_read_within_bounds() -> None:
    padding = f"<!--{'x' * (1 << 18)}-->"

    assert read(CSP + padding).policies == [SELF]
    assert read(padding + CSP) == Document()


@pytest.mark.parametrize("piece", ["<a ", "<!--", "<a b=", "<a b='", '<a b="x" ', "</", "<?", "<![if ", "<", "&#"])
def test_tags_that_never_end_are_left_unread(piece, monkeypatch) -> None:
    """html.parser takes quadratic time for them only where it is told that this is the end."""
    monkeypatch.setattr("html.parser.HTMLParser.close", None)

    assert read(CSP + piece * 40_000).policies == [SELF]


TAGS = ["<head>", "</head>", "<body>", "<title>", "</title>", "<template>", "</template>", "<script>", "</script>"]
MARKS = ["<!--", "-->", "<![", "<?", "&#x", '"', "'", "<meta name=referrer content=", ">", "x", " ", "\0"]
PIECES = st.sampled_from([CSP, *TAGS, *MARKS])


@given(st.lists(st.one_of(PIECES, st.text(max_size=5))).map("".join))
def test_no_page_breaks_the_reading(page) -> None:
    found = read(CSP + page)

    assert found.policies[0] == SELF
    assert len(found.first) <= len(found.policies)
