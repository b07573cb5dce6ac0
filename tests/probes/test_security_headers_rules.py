"""One answer against the minimum: each header, each setting, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from probekit.probes.security_headers.rules import Fault, Minimum, conflicts, faults
from probekit.transport.response import Answer, Phases
from probekit.transport.urls import Address, Endpoint

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
GOOD = {
    "Strict-Transport-Security": "max-age=15552000",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Server": "nginx",
}


def answer(*more, without=(), status=200, url="https://app.test/", body=b""):
    kept = [(name, value) for name, value in GOOD.items() if name not in without]
    return Answer(
        url=url,
        address=Address(Endpoint("app.test", 443), "192.0.2.1"),
        status=status,
        headers=(*kept, *more),
        body=body,
        phases=Phases(connect=0, tls=None, first_byte=0, response=0, total=0, arrived=0, local_delay=0),
    )


def found(*more, without=(), status=200, url="https://app.test/", body=b"", **settings):
    minimum = Minimum(kind="any", **settings)
    given = answer(*more, without=without, status=status, url=url, body=body)
    return [(fault.metric, fault.subject, fault.why) for fault in faults(minimum, given, NOW)]


def test_what_keeps_the_minimum_has_no_fault() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("Strict-Transport-Security", "Strict-Transport-Security"),
        ("X-Content-Type-Options", "X-Content-Type-Options"),
        ("Referrer-Policy", "Referrer-Policy"),
    ],
)
def test_an_absent_header_is_missing(header, subject) -> None:
    assert found(without=[header]) == [("missing", subject, "")]


def test_without_a_policy_scripts_and_frames_are_both_let_in() -> None:
    assert found(without=["Content-Security-Policy"]) == [
        ("missing", "Content-Security-Policy", ""),
        ("missing", "frame-ancestors or X-Frame-Options", ""),
    ]


@pytest.mark.parametrize(
    ("header", "value", "fault"),
    [
        (
            "Strict-Transport-Security",
            "max-age=15551999",
            ("weak", "Strict-Transport-Security", "max-age 15551999 s, minimum 15552000 s"),
        ),
        (
            "Strict-Transport-Security",
            "includeSubDomains",
            ("missing", "Strict-Transport-Security", 'browsers ignore "includeSubDomains"'),
        ),
        (
            "X-Content-Type-Options",
            "sniff",
            ("missing", "X-Content-Type-Options", 'browsers ignore "sniff"'),
        ),
        (
            "Content-Security-Policy",
            "default-src 'unsafe-inline' *; frame-ancestors 'self'",
            ("weak", "Content-Security-Policy", "allows inline scripts, scripts of any host"),
        ),
        (
            "Content-Security-Policy",
            "default-src 'self'; frame-ancestors HTTPS:",
            ("weak", "frame-ancestors", "allows every site"),
        ),
        (
            "Referrer-Policy",
            "unsafe-url",
            (
                "weak",
                "Referrer-Policy",
                "unsafe-url is not one of no-referrer, same-origin, strict-origin, strict-origin-when-cross-origin",
            ),
        ),
        (
            "Content-Security-Policy",
            "default-src 'self' 'unsafe-eval'; frame-ancestors 'self'",
            ("weak", "Content-Security-Policy", "allows strings that run as scripts"),
        ),
        ("Referrer-Policy", "none", ("missing", "Referrer-Policy", 'browsers ignore "none"')),
        ("Server", "nginx/1.25.3", ("leaking", "server", '"nginx/1.25.3"')),
        ("X-Powered-By", "PHP", ("leaking", "x-powered-by", '"PHP"')),
        ("X-AspNet-Version", "4.0", ("leaking", "x-aspnet-version", '"4.0"')),
        ("Set-Cookie", "sid=1; HttpOnly; SameSite=Lax", ("weak_cookies", 'cookie "sid"', "no Secure")),
        ("Set-Cookie", "sid=1; Secure; SameSite=Lax", ("weak_cookies", 'cookie "sid"', "no HttpOnly")),
        ("Set-Cookie", "sid=1; Secure; HttpOnly", ("weak_cookies", 'cookie "sid"', "no SameSite")),
        ("Set-Cookie", "sid=1; Secure; HttpOnly; SameSite=yes", ("weak_cookies", 'cookie "sid"', "no SameSite")),
        ("Set-Cookie", "sid=1; Secure; HttpOnly; SameSite=None", ("weak_cookies", 'cookie "sid"', "SameSite=None")),
        (
            "Set-Cookie",
            f"sid={'x' * 4094}; Secure; HttpOnly; SameSite=Lax",
            (
                "weak_cookies",
                'cookie "sid"',
                "browsers drop it: its name and value have 4097 bytes (maximum 4096)",
            ),
        ),
        ("Set-Cookie", "sid=Secure", ("weak_cookies", 'cookie "sid"', "no Secure, no HttpOnly, no SameSite")),
        (
            "Set-Cookie",
            "__Host-sid=1; Secure; HttpOnly; SameSite=Lax; Path=/; Domain=app.test",
            ("weak_cookies", 'cookie "__Host-sid"', "__Host- without Path=/, or with a Domain"),
        ),
    ],
)
def test_a_header_below_the_minimum_is_told_with_its_reason(header, value, fault) -> None:
    assert found((header, value), without=[header]) == [fault]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Strict-Transport-Security", "max-age=15552000"),  # the minimum itself
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors"),
        ("Referrer-Policy", "unsafe-url, strict-origin"),
        ("Server", "cloudflare"),
        ("X-Powered-By", ""),
        ("Set-Cookie", "sid=1; Secure; HttpOnly; SameSite=Strict"),
        ("Set-Cookie", "__Host-sid=1; Secure; HttpOnly; SameSite=Lax; Path=/"),
        ("Set-Cookie", f"sid={'x' * 4093}; Secure; HttpOnly; SameSite=Strict"),
        ("Set-Cookie", "sid=; Max-Age=0"),  # taken away
        ("Set-Cookie", f"sid={'x' * 5000}; Max-Age=0"),
        ("Set-Cookie", "nonsense"),
    ],
)
def test_a_header_that_keeps_the_minimum(header, value) -> None:
    assert found((header, value), without=[header]) == []


def test_every_cookie_is_read() -> None:
    lines = ["a=1; Secure; HttpOnly; SameSite=Lax", 'b={"x": "1,2"}; Secure', "c=1; HttpOnly; SameSite=Lax"]

    faults_ = found(*[("Set-Cookie", line) for line in lines])

    assert [subject for _, subject, _ in faults_] == ['cookie "b"', 'cookie "c"']


def test_a_report_only_policy_enforces_nothing() -> None:
    only = ("Content-Security-Policy-Report-Only", "default-src 'self'; frame-ancestors 'none'")

    assert found(only, without=["Content-Security-Policy"])[0] == (
        "missing",
        "Content-Security-Policy",
        "report-only enforces nothing",
    )


def test_the_first_line_of_hsts_counts_and_the_contradiction_is_told() -> None:
    later = ("Strict-Transport-Security", "max-age=0")

    assert found(later) == []
    assert list(conflicts(answer(later))) == [
        'Strict-Transport-Security contradicts itself: "max-age=0", "max-age=15552000"'
    ]
    assert list(conflicts(answer(("X-Content-Type-Options", "NOSNIFF")))) == []


def test_frame_ancestors_wins_over_x_frame_options() -> None:
    policy = ("Content-Security-Policy", "default-src 'self'; frame-ancestors *")
    without = ["Content-Security-Policy"]

    assert found(policy, ("X-Frame-Options", "DENY"), without=without) == [
        ("weak", "frame-ancestors", "allows every site")
    ]
    second = ("Content-Security-Policy", "frame-ancestors 'self'")
    assert found(policy, second, without=without) == []
    alone = ("Content-Security-Policy", "default-src 'self'")
    assert found(alone, ("X-Frame-Options", "DENY"), without=without) == []
    assert found(alone, ("X-Frame-Options", "ALLOW-FROM https://a.test"), without=without) == [
        ("missing", "frame-ancestors or X-Frame-Options", 'browsers ignore "ALLOW-FROM https://a.test"')
    ]


HTML = ("Content-Type", "text/html")
STRICT = b"<meta http-equiv=Content-Security-Policy content=\"default-src 'self'\">"
FRAMES = ("X-Frame-Options", "DENY")


def test_a_policy_of_the_page_is_one_of_all() -> None:
    weak = ("Content-Security-Policy", "script-src 'self' 'unsafe-eval' 'unsafe-inline'; frame-ancestors 'none'")
    eval_only = STRICT.replace(b"'self'", b"'self' 'unsafe-eval'")

    assert found(HTML, FRAMES, without=["Content-Security-Policy"], body=STRICT) == []
    assert found(HTML, weak, without=["Content-Security-Policy"], body=STRICT) == []
    assert found(HTML, weak, without=["Content-Security-Policy"], body=eval_only) == [
        ("weak", "Content-Security-Policy", "allows strings that run as scripts")
    ]
    assert found(HTML, body=eval_only) == []  # the header is strict


def test_a_policy_of_the_page_keeps_no_frames_out() -> None:
    body = STRICT.replace(b"'self'", b"'self'; frame-ancestors 'none'")

    assert found(HTML, without=["Content-Security-Policy"], body=body) == [
        ("missing", "frame-ancestors or X-Frame-Options", "browsers ignore frame-ancestors in a <meta>")
    ]


def test_a_policy_that_stands_too_late_is_told_with_its_reason() -> None:
    late = ("weak", "Content-Security-Policy", "its <meta> is after a <script>, to which it does not apply")
    outside = ("missing", "Content-Security-Policy", "browsers ignore a <meta> outside of <head>")
    script = b"<script>1</script>"

    assert found(HTML, FRAMES, without=["Content-Security-Policy"], body=script + STRICT) == [late]
    assert found(HTML, FRAMES, without=["Content-Security-Policy"], body=b"<body>" + STRICT) == [outside]
    assert found(HTML, FRAMES, without=["Content-Security-Policy"], body=STRICT + script + STRICT) == []
    assert found(HTML, body=script + STRICT) == []  # the header binds every script


def test_the_referrer_policy_of_the_page_takes_the_place_of_the_header_s() -> None:
    good, weak = b"<meta name=referrer content=no-referrer>", b"<meta name=referrer content=unsafe-url>"
    accepted = "no-referrer, same-origin, strict-origin, strict-origin-when-cross-origin"

    assert found(HTML, body=weak) == [("weak", "Referrer-Policy", f"unsafe-url (<meta>) is not one of {accepted}")]
    assert found(HTML, without=["Referrer-Policy"], body=good) == []
    assert found(HTML, ("Referrer-Policy", "unsafe-url"), without=["Referrer-Policy"], body=good) == []
    assert found(("Content-Type", "application/json"), body=weak) == []


def test_hsts_over_plain_http_is_missing() -> None:
    assert found(url="http://app.test/") == [
        ("missing", "Strict-Transport-Security", "browsers ignore it over plain http")
    ]


def test_a_redirect_is_no_document_but_its_transport_cookies_and_names_count() -> None:
    bare = ["Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Strict-Transport-Security"]

    subjects = [
        subject for _, subject, _ in found(("X-Powered-By", "PHP"), ("Set-Cookie", "a=1"), without=bare, status=302)
    ]

    assert subjects == ["Strict-Transport-Security", "x-powered-by", 'cookie "a"']


@pytest.mark.parametrize(
    ("header", "settings"),
    [
        (("Strict-Transport-Security", "max-age=1"), {"hsts": False}),
        (("Strict-Transport-Security", "max-age=3600"), {"max_age": "1 h"}),
        (("Content-Security-Policy", "frame-ancestors 'none'"), {"csp": False}),
        (("Content-Security-Policy", "default-src 'self'"), {"frames": False}),
        (
            ("Content-Security-Policy", "default-src 'self' 'unsafe-eval'; frame-ancestors"),
            {"csp_allow": ["unsafe-eval"]},
        ),
        (
            ("Content-Security-Policy", "default-src 'unsafe-eval' 'unsafe-inline' *; frame-ancestors"),
            {"csp_allow": ["'unsafe-eval'", "'unsafe-inline'", "*"]},
        ),
        (("Content-Security-Policy", "default-src data:; frame-ancestors"), {"csp_allow": ["data:"]}),
        (("X-Content-Type-Options", "sniff"), {"nosniff": False}),
        (("Referrer-Policy", "unsafe-url"), {"referrer": []}),
        (("Referrer-Policy", "unsafe-url"), {"referrer": ["Unsafe-URL"]}),
        (("Server", "awselb/2.0"), {"disclosing": ["x-powered-by"]}),
        (("Set-Cookie", "csrf=1; Secure; SameSite=Lax"), {"readable_cookies": ["csrf"]}),
        (("Set-Cookie", "sso=1; Secure; HttpOnly; SameSite=None"), {"cross_site_cookies": ["sso"]}),
    ],
)
def test_a_setting_lowers_the_minimum(header, settings) -> None:
    name, _ = header

    assert found(header, without=[name])
    assert found(header, without=[name], **settings) == []


def test_a_setting_raises_the_minimum() -> None:
    assert found(include_subdomains=True) == [("weak", "Strict-Transport-Security", "without includeSubDomains")]
    assert found(max_age="365 d")[0][0] == "weak"
    assert found(disclosing=["Server", "X-Custom"]) == []
    assert found(("x-custom", "1"), disclosing=["X-Custom"]) == [("leaking", "X-Custom", '"1"')]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"max_age": "soon"}, "is not a duration"),
        ({"max_age": 3600}, "a number and a unit"),
        ({"max_age": "-1 h"}, "is not a duration"),
        ({"referrer": ["a b"]}, "pattern"),
        ({"csp": "perhaps"}, "bool"),
        ({"csp_allow": ["'unsafe-hashes'"]}, "unsafe-eval"),
    ],
)
def test_settings_that_say_nothing_are_refused(settings, told) -> None:
    with pytest.raises(ValidationError, match=told):
        Minimum(kind="any", **settings)


def test_a_hostile_header_is_shown_escaped_and_cut() -> None:
    (fault,) = faults(Minimum(kind="any"), answer(("X-Powered-By", "\u009b31m" + "x" * 9000)), NOW)

    assert isinstance(fault, Fault)
    assert fault.why.isprintable()
    assert len(fault.why) < 100
