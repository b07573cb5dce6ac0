"""Is an address taken as applications write it, and refused by the part that is wrong?"""

from __future__ import annotations

import pytest

from probekit.config.connect import Connect
from probekit.transport.resolver import Resolver, name_of
from probekit.transport.urls import Endpoint, endpoint_in, endpoint_of, has_host, url_problem


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("app.test:443", Endpoint("app.test", 443)),
        ("APP.test:443", Endpoint("app.test", 443)),
        ("my_cache:6380", Endpoint("my_cache", 6380)),
        ("app.test", Endpoint("app.test", 6379)),
        ("app.test:", Endpoint("app.test", 6379)),
        ("192.0.2.1:1", Endpoint("192.0.2.1", 1)),
        ("[2001:DB8::1]:65535", Endpoint("2001:db8::1", 65535)),
        ("[::1]", Endpoint("::1", 6379)),
        ("[fe80::1%eth0]:6379", Endpoint("fe80::1%eth0", 6379)),
        ("bücher.example:80", Endpoint("xn--bcher-kva.example", 80)),
        ("BÜCHER.example:80", Endpoint("xn--bcher-kva.example", 80)),
        ("b%C3%BCcher.example:80", Endpoint("xn--bcher-kva.example", 80)),
        ("straße.example:80", Endpoint("xn--strae-oqa.example", 80)),  # by IDNA 2008, not strasse
        ("日本語.example:80", Endpoint("xn--wgv71a119e.example", 80)),
    ],
)
def test_an_endpoint_as_it_is_asked_for(written, endpoint) -> None:
    assert endpoint_in(written, 6379) == endpoint


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("", "its host is missing"),
        (":443", "its host is missing"),
        ("app.test", "its port is missing"),
        ("app.test:", "its port is missing"),
        ("app.test:s3cret", "its port is not a number from 1 to 65535"),
        ("app.test:0", "its port is not a number from 1 to 65535"),
        ("app.test:65536", "its port is not a number from 1 to 65535"),
        ("app.test:000065536", "its port is not a number from 1 to 65535"),
        ("app.test:" + "9" * 5000, "its port is not a number from 1 to 65535"),
        ("app.test:٣", "its port is not a number from 1 to 65535"),  # a digit, and no ASCII
        ("app.test:+80", "its port is not a number from 1 to 65535"),
        ("s3 cret:443", "its host is neither a name nor an IP address"),
        ("s3cret@app.test:443", "its host is neither a name nor an IP address"),
        ("s3cret/:443", "its host is neither a name nor an IP address"),
        ("☃.test:443", "its host is neither a name nor an IP address"),
        ("[::s3cret]:443", "its host is neither a name nor an IP address"),
        ("[]:443", "its host is neither a name nor an IP address"),
        ("[::1:443", "its host is neither a name nor an IP address; write an IPv6 address in [ ]"),
        ("::1:443", "its host is neither a name nor an IP address; write an IPv6 address in [ ]"),
    ],
)
def test_the_part_that_is_wrong_is_named_without_a_word_of_it(written, part) -> None:
    with pytest.raises(ValueError, match="its") as caught:
        endpoint_in(written)

    assert str(caught.value) == part


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://app.test", ""),
        ("https://app.test:8443/path?a=b:c@d#e", ""),
        ("https://me:p%40w@app.test/", ""),
        ("https://bücher.example/", ""),
        ("https://[2001:db8::1]:443/", ""),
        ("https://app.test?@other.test", ""),
        ("app.test", "it does not begin with SCHEME://HOST"),
        ("https:app.test", "it does not begin with SCHEME://HOST"),
        ("https://", "its host is missing"),
        ("https:///path", "its host is missing"),
        ("https://app.test:/", ""),
        ("https://app.test:99999/", "its port is not a number from 1 to 65535"),
        ("https://app test/", "its host is neither a name nor an IP address"),
        ("https://☃.test/", "its host is neither a name nor an IP address"),
        ("https://app.test/\n", "it contains a character that is not printable"),
        ("https://app.test/" + "x" * 8_000, "it is longer than 8000 characters"),
    ],
)
def test_the_part_of_a_url_that_is_wrong(url, problem) -> None:
    assert url_problem(url) == problem
    assert has_host(url) == (not problem)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("bücher.example:443", "https://bücher.example/"),
        ("Bücher.Example:443", "https://xn--bcher-kva.example/"),
        ("xn--bcher-kva.example:443", "https://bücher.example/"),
        ("XN--BCHER-KVA.example:443", "https://BÜCHER.example:443/"),
        ("straße.example:80", "http://straße.example/"),
        ("[2001:db8::1]:443", "https://[2001:DB8::1]/"),
        ("10.0.0.5:6379", "http://10.0.0.5:6379/"),
    ],
)
async def test_a_fixed_address_is_found_however_the_host_is_written(written, url) -> None:
    def never(_endpoint):
        raise AssertionError

    resolver = Resolver(fixed=Connect(resolve={written: "192.0.2.7"}).resolve, look_up=never)

    resolved = await resolver.resolve(endpoint_of(url))

    assert [address.ip for address in resolved.addresses] == ["192.0.2.7"]
    assert not resolver.fixed.keys() - resolver.asked  # it is not called unused


@pytest.mark.parametrize("host", ["bücher.example", "xn--bcher-kva.example", "BÜCHER.EXAMPLE"])
def test_an_endpoint_that_a_kind_made_itself_has_the_same_name(host) -> None:
    assert name_of(Endpoint(host, 443)) == "xn--bcher-kva.example:443"


def test_a_host_that_cannot_be_has_a_name_of_its_own() -> None:
    assert name_of(Endpoint("☃.Test", 443)) == "☃.test:443"
