"""A URL with http: items that need https do not apply at loopback and private addresses, and bar a go at others."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from probekit.config.by_url import of_url, url_mistake
from probekit.config.target import Target
from probekit.model.plan import Plan
from probekit.planning.plan import plan
from probekit.probe import ConfiguredKind
from probekit.transport.resolver import Resolver
from probekit.workflows import by_url
from probekit.workflows.by_url import without_https

NEED_HTTPS = {"pre.security.tls-days-left", "pre.infra.tls-deployed", "post.security.headers"}


def asked(url: str) -> tuple[Plan[ConfiguredKind], Target]:
    """The plan of a URL, and its target."""
    target = of_url(url).targets["url"]
    return plan(target), target


def test_what_looks_like_a_variable_in_a_url_is_none(monkeypatch) -> None:
    monkeypatch.setenv("HOME", "/home")

    (path,) = {
        one.source.config.model_dump()["path"]
        for one in asked("http://a.test/${HOME}")[1].probes
        if one.probe == "health"
    }

    assert path == "/${HOME}"


def resolver(*addresses: str) -> Resolver:
    return Resolver(look_up=lambda _endpoint: addresses)


@pytest.mark.parametrize(
    ("host", "addresses", "kind"),
    [
        ("127.0.0.1:8080", (), "loopback"),
        ("127.9.9.9", (), "loopback"),
        ("0.0.0.0:8080", (), "loopback"),
        ("[::1]:8080", (), "loopback"),
        ("[::ffff:127.0.0.1]", (), "loopback"),
        ("10.1.2.3", (), "private"),
        ("172.31.0.1", (), "private"),
        ("192.168.0.1", (), "private"),
        ("169.254.1.1", (), "private"),
        ("[fd00::1]", (), "private"),
        ("[fe80::1]", (), "private"),
        ("localhost", ("127.0.0.1", "::1"), "loopback"),
        ("app.internal", ("10.0.0.1", "10.0.0.2"), "private"),
        ("app.internal", ("127.0.0.1", "10.0.0.2"), "private"),
        ("app.internal", ("fe80::1%eth0",), "private"),
    ],
)
async def test_what_needs_https_does_not_apply_at_loopback_and_private_addresses(host, addresses, kind) -> None:
    url = f"http://{host}/health"

    found = await without_https(*asked(url), resolver=resolver(*addresses))

    assert found.not_applicable == dict.fromkeys(NEED_HTTPS, f"http on a {kind} address")
    assert not found.uncovered


@pytest.mark.parametrize(
    ("host", "addresses", "told"),
    [
        ("203.0.113.7", (), "http on a public address"),
        ("172.32.0.1", (), "http on a public address"),
        ("100.64.0.1", (), "http on a public address"),
        ("[2001:db8::1]", (), "http on a public address"),
        ("[::ffff:203.0.113.7]", (), "http on a public address"),
        ("localhost.example.com", ("203.0.113.7",), "http on a public address"),
        ("app.example.com", ("10.0.0.1", "203.0.113.7"), "http on a public address"),
        ("app.example.com", (), "http on a public address"),
    ],
)
async def test_what_needs_https_stays_and_bars_a_go_at_any_other_address(host, addresses, told) -> None:
    url = f"http://{host}/health"

    found = await without_https(*asked(url), resolver=resolver(*addresses))

    assert not found.not_applicable
    assert found.uncovered.keys() == NEED_HTTPS
    assert all(
        why == f"{told}: this item needs https, and a go is impossible without it" for why in found.uncovered.values()
    )


async def test_a_name_that_does_not_resolve_is_not_taken_for_a_private_one() -> None:
    def fail(_endpoint):
        raise OSError

    url = "http://app.internal/health"
    found = await without_https(*asked(url), resolver=Resolver(look_up=fail))

    assert not found.not_applicable
    assert all("a name that does not resolve" in why for why in found.uncovered.values())


async def test_a_resolver_that_keeps_silent_is_waited_for_within_bounds(monkeypatch) -> None:
    monkeypatch.setattr(by_url, "_LONGEST", 0.01)
    over = threading.Event()
    url = "http://app.internal/health"

    def keep_silent(_endpoint):
        over.wait()
        return ()

    found = await asyncio.wait_for(without_https(*asked(url), resolver=Resolver(look_up=keep_silent)), 5)
    over.set()

    assert found.uncovered.keys() == NEED_HTTPS


async def test_what_lacks_a_probe_for_another_reason_stays_without_one() -> None:
    """An item that no probe answers is not excused by http."""
    whole, target = asked("http://127.0.0.1/health")
    health = "deploy.services.health-endpoint"

    found = await without_https(replace(whole, uncovered={**whole.uncovered, health: "no probe"}), target, Resolver())

    assert found.uncovered == {health: "no probe"}
    assert found.not_applicable.keys() == NEED_HTTPS


async def test_https_is_asked_no_resolver_and_loses_nothing() -> None:
    def fail(_endpoint):
        raise AssertionError

    whole, target = asked("https://app.internal/health")

    assert await without_https(whole, target, Resolver(look_up=fail)) is whole
    assert not whole.uncovered


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("app.example.com/health", "it has no scheme; write https://app.example.com/health, or http:// without TLS"),
        ("localhost:8080", "it has no scheme; write https://localhost:8080"),
        ("ana:secret-pw@app.example.com", "it has no scheme; write https://HOST/PATH"),
        ("", "it has no scheme; write https://HOST/PATH"),
        ("ftp://app.example.com/", "its scheme is neither https nor http"),
        (
            "https://ana:secret-pw@app.example.com/",
            "it contains a user name; remove it and send a credential with --header",
        ),
        ("https://app.example.com/?token=secret-pw", "it has a query; remove it"),
        ("https://app.example.com/#secret-pw", "it has a fragment (#), which is never sent; remove it"),
        ("https:///health", "its host is missing"),
        ("https://app.example.com:99999/", "its port is not a number from 1 to 65535"),
        ("https://app.example.com/a b", "it contains a space; write %20"),
        ("https://app.example.com/\udcff", "it contains a character that is not printable"),
        ("https://app.example.com/a\nb", "it contains a character that is not printable"),
    ],
)
def test_a_url_that_cannot_be_verified_is_told_what_is_wrong_and_shows_no_secret(url, told) -> None:
    found = url_mistake(url)

    assert found.startswith(told)
    assert "secret" not in found


@pytest.mark.parametrize(
    "url", ["https://app.example.com", "HTTP://127.0.0.1:8080/a@b", 'https://h/a"b\\c', "https://bücher.example/ä"]
)
def test_a_url_is_verified_as_it_is_written(url, tmp_path) -> None:
    assert url_mistake(url) == ""
    config = of_url(url, ca=tmp_path / 'a"b.pem', headers={"X-Key": "KEY"})

    environment = config.targets["url"].environment
    path = config.targets["url"].probes[0].source.config.model_dump()["path"]
    assert (environment.base_url + path).lower() == (url if "/" in url.partition("://")[2] else f"{url}/").lower()
    assert environment.connect.ca == tmp_path / 'a"b.pem'
    assert environment.connect.headers["X-Key"].env == "KEY"
