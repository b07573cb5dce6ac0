"""`init --header`: a reference, sent to the URL's origin only; its value is in no output."""

from __future__ import annotations

from pathlib import Path

import pytest

from probekit.config.loader import load

SECRET = "Bearer 7f3a9c51e2d84b60"
OK = (200, "application/json", '{"status": "ok"}')


def test_a_header_is_sent_and_written_as_a_reference(init, site, monkeypatch) -> None:
    monkeypatch.setenv("HEALTH_AUTH", SECRET)
    server = site({"/health": OK})

    result = init(server.url, "--header", "Authorization=HEALTH_AUTH", "--header", "X-Tenant=HEALTH_AUTH")

    assert result.returncode == 0, result.stderr
    assert {headers.get("Authorization") for _, headers in server.requests} == {SECRET}
    text = Path("probes.toml").read_text()
    assert (
        '[env.prod.connect.headers]\nAuthorization = { env = "HEALTH_AUTH" }\nX-Tenant = { env = "HEALTH_AUTH" }'
        in text
    )
    headers = load(Path("probes.toml")).targets["prod"].environment.connect.headers
    assert {name: str(value) for name, value in headers.items()} == {
        "Authorization": "$HEALTH_AUTH",
        "X-Tenant": "$HEALTH_AUTH",
    }
    assert "7f3a9c51" not in text + result.stderr


def test_the_value_may_stand_in_the_env_file_beside_the_file_that_is_written(init, site) -> None:
    Path("site").mkdir()
    Path("site/.env").write_text(f'HEALTH_AUTH="{SECRET}"\n')
    server = site({"/health": OK})

    assert init(server.url, "--header", "Authorization=HEALTH_AUTH", "--output", "site/probes.toml").returncode == 0

    assert server.requests[0][1]["Authorization"] == SECRET


def test_another_origin_never_sees_it(init, site, monkeypatch) -> None:
    monkeypatch.setenv("HEALTH_AUTH", SECRET)
    other = site({"everything": OK})
    server = site({"everything": (302, "text/plain", "", {"Location": other.url})})

    init(server.url, "--header", "Authorization=HEALTH_AUTH")

    assert other.requests == []


def test_a_value_that_the_target_sends_back_is_in_no_output(init, site, monkeypatch) -> None:
    monkeypatch.setenv("HEALTH_AUTH", SECRET)
    echo = (200, "application/json", f'{{"phase": "{SECRET}", "version": "1-7f3a9c51e2d84b60"}}')
    pages = {
        "/health": echo,
        "/version": echo,
        "/": (302, "text/plain", "", {"Location": "http://x.test/7f3a9c51e2d84b60"}),
    }

    result = init(site(pages).url, "--header", "Authorization=HEALTH_AUTH")

    assert result.returncode == 0, result.stderr
    assert "7f3a9c51" not in Path("probes.toml").read_text() + result.stderr
    assert "[secret]" in Path("probes.toml").read_text()


def test_a_value_that_is_missing_is_told_before_any_request(init, site, monkeypatch) -> None:
    monkeypatch.delenv("HEALTH_AUTH", raising=False)
    server = site({"/health": OK})

    result = init(server.url, "--header", "Authorization=HEALTH_AUTH")

    assert (result.returncode, server.requests) == (64, [])
    assert (
        "nothing was written: the variable HEALTH_AUTH is not set or empty; set it in the environment or in .env"
        in result.stderr
    )


def test_a_value_that_cannot_stand_in_a_header_is_told_without_it(init, site, monkeypatch) -> None:
    monkeypatch.setenv("HEALTH_AUTH", "split\nhere-1234567890")

    result = init(site({"/health": OK}).url, "--header", "Authorization=HEALTH_AUTH")

    assert result.returncode == 64
    assert "the secret for header Authorization has characters other than printable ASCII" in result.stderr
    assert "split" not in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["Authorization: Bearer 7f3a9c51e2d84b60"], "expected NAME=ENV"),
        (["Authorization=Bearer 7f3a9c51e2d84b60"], "expected NAME=ENV"),
        (["=HEALTH_AUTH"], "expected NAME=ENV"),
        (["Authorization="], "expected NAME=ENV"),
        (["Bad Name=HEALTH_AUTH"], "expected NAME=ENV"),
        (["X" * 200 + "=HEALTH_AUTH"], "expected NAME=ENV"),
        (["Host=HEALTH_AUTH"], "probekit sets header Host itself"),
        (["X-Key=A", "x-key=B"], "given more than once"),
    ],
)
def test_what_is_no_reference_is_refused_and_never_quoted(init, words, told) -> None:
    result = init("http://127.0.0.1:1", *(part for word in words for part in ("--header", word)))

    assert result.returncode == 64
    assert told in result.stderr
    assert "7f3a9c51" not in result.stderr


def test_headers_that_do_not_help_are_told(init, site, monkeypatch) -> None:
    monkeypatch.setenv("HEALTH_AUTH", SECRET)

    init(site({"/health": (403, "text/plain", "no")}).url, "--header", "Authorization=HEALTH_AUTH")

    text = Path("probes.toml").read_text()
    assert 'Authorization = { env = "HEALTH_AUTH" }\n# Access is denied even with these headers.' in text
    assert "HEALTH_AUTHORIZATION" not in text
