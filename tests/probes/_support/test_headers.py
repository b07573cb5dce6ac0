"""Each protective header says what browsers make of it, and nothing that is sent breaks the reading."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given, strategies as st

from probekit.probes._support import headers as grammar
from probekit.probes._support.headers import ANY_HOST, DATA, EVAL, INLINE

HALF_A_YEAR = 15_552_000


def csp(*values):
    return [("Content-Security-Policy", value) for value in values]


@pytest.mark.parametrize(
    ("line", "max_age", "subdomains"),
    [
        ("max-age=15552000", HALF_A_YEAR, False),
        ("MAX-AGE=15552000; includesubdomains; preload", HALF_A_YEAR, True),
        ('includeSubDomains ; max-age="15552000"', HALF_A_YEAR, True),
        ("max-age = 15552000 ;; ", HALF_A_YEAR, False),
        ("max-age=0", 0, False),
        ("max-age=015552000", HALF_A_YEAR, False),
        ('max-age=15552000; later="a;b\\"; includeSubDomains"', HALF_A_YEAR, False),  # a quoted value is no directive
        (f"max-age={'9' * 5000}", 10**15 - 1, False),
    ],
)
def test_hsts_is_read_by_directives(line, max_age, subdomains) -> None:
    assert grammar.hsts(line) == grammar.Hsts(max_age=max_age, include_subdomains=subdomains)


@pytest.mark.parametrize(
    "line",
    [
        *(
            "",
            ";",
            "includeSubDomains",
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=1e9",
            "max-age=1.5",
            "max-age=abc",
        ),
        "max-age=15552000; max-age=15552000",
        "max-age=15552000; includeSubDomains; includesubdomains",
        "max-age=15552000; includeSubDomains=1",
        "max-age=15552000, max-age=15552000",
        "max-age=15552000 includeSubDomains",
        "not-max-age=15552000",
        'max-age=15552000; x="',
        "max-age=١٥٥٥٢٠٠٠",
    ],
)
def test_an_invalid_hsts_line_is_none(line) -> None:
    assert grammar.hsts(line) is None


@pytest.mark.parametrize(
    ("values", "nosniff"),
    [
        (["nosniff"], True),
        (["NoSniff"], True),
        (["nosniff, foo"], True),
        (["nosniff", "foo"], True),
        (["foo, nosniff"], False),
        (["foo", "nosniff"], False),
        ([", nosniff"], False),
        (["nosniff;"], False),
        (["'nosniff'"], False),
        ([""], False),
        ([], False),
    ],
)
def test_the_first_member_decides_on_nosniff(values, nosniff) -> None:
    assert grammar.is_nosniff([("x-content-TYPE-options", value) for value in values]) is nosniff


@pytest.mark.parametrize(
    ("values", "refuses"),
    [
        (["DENY"], True),
        (["sameorigin"], True),
        (["DENY", "DENY"], True),
        (["DENY, SAMEORIGIN"], True),
        (["ALLOWALL", "FOO"], True),
        (["FOO", "BAR"], False),
        (["ALLOW-FROM https://a.test"], False),
        (["ALLOWALL"], False),
        ([""], False),
        ([], False),
    ],
)
def test_x_frame_options_as_html_reads_it(values, refuses) -> None:
    assert grammar.refuses_frames([("X-Frame-Options", value) for value in values]) is refuses


@pytest.mark.parametrize(
    ("values", "policy"),
    [
        (["no-referrer"], "no-referrer"),
        (["no-referrer, strict-origin-when-cross-origin"], "strict-origin-when-cross-origin"),
        (["no-referrer, future-policy"], "no-referrer"),
        (["no-referrer", "unsafe-url"], "unsafe-url"),
        (["Same-Origin"], "same-origin"),
        (["none"], None),
        (["no-referrer strict-origin"], None),
        ([""], None),
        ([], None),
    ],
)
def test_the_last_known_referrer_policy_counts(values, policy) -> None:
    assert grammar.referrer_policy([("Referrer-Policy", value) for value in values]) == policy


@pytest.mark.parametrize(
    ("values", "let_in"),
    [
        (["default-src 'self'"], set()),
        (["default-src 'none'"], set()),
        (["default-src"], set()),
        (["script-src 'self'; default-src *"], set()),
        (["img-src 'self'"], {INLINE, ANY_HOST, DATA, EVAL}),
        (["frame-ancestors 'none'; upgrade-insecure-requests"], {INLINE, ANY_HOST, DATA, EVAL}),
        (["default-src 'self' 'unsafe-inline'"], {INLINE}),
        (["DEFAULT-SRC 'self' 'Unsafe-Inline'"], {INLINE}),
        (["script-src 'unsafe-inline' 'nonce-c2VjcmV0'"], set()),
        (["script-src 'unsafe-inline' 'NONCE-c2VjcmV0'"], set()),
        (["script-src 'unsafe-inline' 'sha256-c2VjcmV0Cg=='"], set()),
        (["script-src 'unsafe-inline' 'nonce-'"], {INLINE}),
        (["script-src 'unsafe-inline' nonce-c2VjcmV0"], {INLINE}),
        (["script-src 'unsafe-inline' 'md5-c2VjcmV0'"], {INLINE}),
        (["script-src 'strict-dynamic' 'nonce-c2VjcmV0' https: 'unsafe-inline' data:"], set()),
        (["script-src 'nonce-c2VjcmV0' https:"], {ANY_HOST}),
        (["script-src 'strict-dynamic' 'unsafe-inline'"], set()),
        (["script-src *"], {ANY_HOST}),
        (["script-src http://*:443/js"], {ANY_HOST}),
        (["script-src *:*"], {ANY_HOST}),
        (["script-src *.example.test"], set()),
        (["script-src 'self' data:"], {DATA}),
        (["script-src 'self'; script-src *"], set()),  # the first of equal directives counts
        (["script-src *; script-src 'self'"], {ANY_HOST}),
        (["script-src-elem *; script-src 'self'"], {ANY_HOST}),
        (["script-src-elem 'self'; script-src *"], set()),
        (["script-src-attr 'unsafe-inline'; script-src 'self'"], {INLINE}),  # event handlers
        (["script-src-elem 'self'; script-src-attr 'none'"], {EVAL}),  # nothing governs eval()
        (["script-src-elem 'self'"], {INLINE, EVAL}),  # nothing governs event handlers
        (["script-src 'self' 'unsafe-eval'"], {EVAL}),
        (["default-src 'self' 'Unsafe-Eval'"], {EVAL}),
        (["script-src 'self'; default-src 'unsafe-eval'"], set()),
        (["script-src-elem 'unsafe-eval'; script-src 'self'"], set()),  # it speaks of elements only
        (["script-src 'strict-dynamic' 'nonce-c2VjcmV0' 'unsafe-eval'"], {EVAL}),
        (["script-src 'self' 'wasm-unsafe-eval'"], set()),
        (["script-src 'self' unsafe-eval"], set()),
        (["script-src 'unsafe-eval'", "script-src 'self'"], set()),
        (["script-src 'unsafe-inline'", "script-src 'self'"], set()),  # every policy applies
        (["script-src 'unsafe-inline', script-src 'self'"], set()),
        (["script-src 'unsafe-inline' *", "script-src 'unsafe-inline'"], {INLINE}),
        (["script-src *", "script-src data:"], set()),
        (["sandbox"], set()),
        (["sandbox allow-forms allow-scripts"], {INLINE, ANY_HOST, DATA, EVAL}),
        (["script-src 'self' \u00e9; default-src 'self'"], set()),  # what is not ASCII is no directive
        (["script-src 'self' \u00e9"], {INLINE, ANY_HOST, DATA, EVAL}),
    ],
)
def test_scripts_that_a_policy_lets_in(values, let_in) -> None:
    assert grammar.open_to(grammar.policies(csp(*values))) == let_in


@pytest.mark.parametrize("values", [[], [""], [";;,;"], [" , "], ["\u00e9"]])
def test_no_directive_is_no_policy(values) -> None:
    assert grammar.policies(csp(*values)) == ()


def test_a_report_only_policy_is_none() -> None:
    assert grammar.policies([("Content-Security-Policy-Report-Only", "default-src 'self'")]) == ()


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("nginx", False),
        ("nginx/1.25.3", True),
        ("Apache/2 (Ubuntu)", True),
        ("Apache (OpenSSL 3.0.2)", True),
        ("Jetty(9.4.z)", True),
        ("Apache (Ubuntu)", False),
        ("thing/v2", True),
        ("AmazonS3", False),
        ("ECS (dcb/7F83)", False),
        ("cloudflare", False),
        ("", False),
    ],
)
def test_a_server_that_names_its_version(server, told) -> None:
    assert grammar.names_a_version(server) is told


@pytest.mark.parametrize(
    ("values", "tokens"),
    [
        (["GET, PUT"], ("GET", "PUT")),
        (["GET", "PUT"], ("GET", "PUT")),
        (["GET,,PUT,"], ("GET", "PUT")),
        (["*"], ("*",)),
        ([], ()),
        (["GET PUT"], None),
        (["GET, Bad value"], None),
    ],
)
def test_a_list_with_something_that_is_no_token_is_none(values, tokens) -> None:
    headers = [("Access-Control-Allow-Methods", value) for value in values]

    assert grammar.tokens(headers, "access-control-allow-methods") == tokens


NAMES = st.sampled_from(
    [
        *("Strict-Transport-Security", "Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options"),
        *("Referrer-Policy", "Server", "Vary", "Set-Cookie"),
    ]
)
PIECES = st.sampled_from(
    [
        *("max-age=", "1", ";", ",", '"', "\\", " ", "\t", "=", "'", "*", "script-src", "'unsafe-inline'", "'nonce-"),
        *("nosniff", "deny", "no-referrer", "\u00e9", "\x00", "\u0085", "/", "(", ")", "sandbox", "https:", "data:"),
    ]
)
VALUES = st.one_of(st.text(), st.lists(PIECES).map("".join))


@given(st.lists(st.tuples(NAMES, VALUES)))
def test_no_text_breaks_the_reading(headers) -> None:
    found = grammar.policies(headers)

    assert grammar.open_to(found) <= {INLINE, ANY_HOST, DATA, EVAL}
    assert grammar.is_nosniff(headers) in (True, False)
    assert grammar.refuses_frames(headers) in (True, False)
    assert grammar.referrer_policy(headers) != ""
    for name, value in headers:
        assert grammar.names_a_version(value) in (True, False)
        assert grammar.tokens(headers, name.lower()) != ("",)
        policy = grammar.hsts(value)
        assert policy is None or policy.max_age >= 0


@given(st.lists(VALUES, max_size=4), VALUES)
def test_another_policy_never_lets_more_in(values, further) -> None:
    before = grammar.open_to(grammar.policies(csp(*values)))
    after = grammar.open_to(grammar.policies(csp(*values, further)))

    assert after <= before


@pytest.mark.parametrize("text", ["(", '"', "a", "a/", "a=", "=", ";", "a;", "*", "https://", "'nonce-", "max-age=1;x"])
def test_a_long_hostile_header_is_read_at_once(text) -> None:
    value = text * (65_536 // len(text))
    began = perf_counter()

    grammar.hsts(value)
    grammar.names_a_version(value)
    grammar.open_to(grammar.policies(csp(value, f"script-src {value}")))
    grammar.tokens([("Vary", value)], "vary")

    assert perf_counter() - began < 2
