"""Is the URL of a cache read as the application's own library reads it, and refused by the part that is wrong?"""

from __future__ import annotations

import pytest

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probe import Endpoint, SecretRef
from probekit.probes.redis.url import Login, RedisUrl, url_of
from probekit.transport.urls import SocketFile

KEPT = SecretRef(env="CACHE_URL")
SECRET = "s3cret-of-the-cache"
SOCKET = (SocketFile("/run/cache.sock"),)
CACHE = (Endpoint("cache.test", 6379),)
TWO = (Endpoint("a.test", 26379), Endpoint("b.test", 26380))
ME = Login(user="me", password="p/w")


def plain(places=CACHE, *, is_secure=False, database=0, **given) -> RedisUrl:
    return RedisUrl(places=places, is_secure=is_secure, login=Login(database=database), **given)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("redis://cache.test", plain()),
        ("redis://cache.test/", plain()),
        ("REDIS://CACHE.test:6379/0", plain()),
        ("valkey://cache.test", plain()),
        ("rediss://cache.test", plain(is_secure=True)),
        ("valkeys://cache.test", plain(is_secure=True)),
        ("redis://cache.test:7000/3", plain((Endpoint("cache.test", 7000),), database=3)),
        ("redis://cache.test/?db=3", plain(database=3)),
        ("redis://cache.test/1?db=3&ssl_cert_reqs=none", plain(database=3)),  # as redis-py
        ("redis://cache.test?database=3", plain(database=3)),
        ("redis://[2001:db8::1]:7000", plain((Endpoint("2001:db8::1", 7000),))),
        ("redis://bücher.example", plain((Endpoint("xn--bcher-kva.example", 6379),))),
        ("redis://me:p%2Fw@cache.test", RedisUrl(places=CACHE, is_secure=False, login=ME)),
        ("redis://cache.test?username=me&password=p%2Fw", RedisUrl(places=CACHE, is_secure=False, login=ME)),
        ("redis://:p@w@cache.test", RedisUrl(places=CACHE, is_secure=False, login=Login(password="p@w"))),
        ("unix:///run/cache.sock", plain(SOCKET)),
        ("unix:/run/cache.sock", plain(SOCKET)),
        ("unix:///run/cache.sock?db=2", plain(SOCKET, database=2)),
        ("unix:///run/my%20cache.sock", plain((SocketFile("/run/my cache.sock"),))),
        ("unix://me:p%2Fw@/run/cache.sock", RedisUrl(places=SOCKET, is_secure=False, login=ME)),
        ("redis+unix:///run/cache.sock?db=2", plain(SOCKET, database=2)),
        ("redis+socket:///run/cache.sock?virtual_host=2", plain(SOCKET, database=2)),  # Celery
        ("socket:///run/cache.sock?virtual_host=/2", plain(SOCKET, database=2)),
        ("redis-socket:///run/cache.sock?database=2", plain(SOCKET, database=2)),  # Lettuce
        ("redis+sentinel://a.test,b.test:26380/shop", plain(TWO, master="shop")),
        ("redis+sentinel://a.test,b.test:26380/shop/2", plain(TWO, database=2, master="shop")),
        ("redis+sentinel://a.test,b.test:26380/2/shop", plain(TWO, database=2, master="shop")),  # python-socketio
        ("redis+sentinel://a.test,b.test:26380?service_name=shop&db=2", plain(TWO, database=2, master="shop")),
        ("rediss+sentinel://a.test,b.test:26380/shop", plain(TWO, is_secure=True, master="shop")),
        ("redis-sentinel://a.test,b.test:26380/2#shop", plain(TWO, database=2, master="shop")),  # Lettuce
        ("redis-sentinel://a.test,b.test:26380?sentinelMasterId=shop", plain(TWO, master="shop")),
        ("redis-sentinel://a.test,b.test:26380?master=shop", plain(TWO, master="shop")),  # asynq
        ("sentinel://a.test;sentinel://b.test:26380?master_name=shop", None),  # its first URL lacks the master
        ("sentinel://a.test/2?master_name=shop;sentinel://b.test:26380/2", plain(TWO, database=2, master="shop")),
        (
            "redis+sentinel://me:p%2Fw@a.test,b.test:26380/shop?sentinel_username=it&sentinel_password=pw",
            RedisUrl(
                places=TWO,
                is_secure=False,
                login=ME,
                master="shop",
                sentinel_login=Login(user="it", password="pw"),
            ),
        ),
        (
            "redis+sentinel://[::1]:1,[2001:db8::1]/shop",
            plain((Endpoint("::1", 1), Endpoint("2001:db8::1", 26379)), master="shop"),
        ),
        ("redis+cluster://a.test,b.test:7001", plain((Endpoint("a.test", 6379), Endpoint("b.test", 7001)))),
        ("rediss+cluster://cache.test/0", plain(is_secure=True)),
    ],
)
def test_a_url_in_the_forms_that_applications_write(text, url) -> None:
    if url is None:
        with pytest.raises(ProbeFailedError, match="lacks the master"):
            url_of(text, KEPT)
    else:
        assert url_of(text, KEPT) == url


@pytest.mark.parametrize("text", ["sentinel://a.test;sentinel://b.test:26380", "redis+sentinel://a.test,b.test:26380/"])
def test_the_master_may_be_named_beside_the_url(text) -> None:
    assert url_of(text, KEPT, "shop") == plain(TWO, master="shop")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (SECRET, "its scheme must be redis, rediss, unix"),
        ("", "its scheme must be"),
        (f"http://:{SECRET}@cache.test", "its scheme must be"),
        (f"rediss+unix://:{SECRET}@/run/cache.sock", "its scheme must be"),
        (f"redis://:{SECRET}@cache.test\n", "its scheme must be"),
        (f'"redis://:{SECRET}@cache.test"', "it is enclosed in quotation marks; remove them"),
        (f"redis://:{SECRET}@", "its host is missing"),
        (f"redis:/{SECRET}", "its host is missing"),
        (f"redis://:{SECRET}@cache test", "its host is neither a name nor an IP address"),
        (f"redis://:{SECRET}@[cache.test", "its host is neither a name nor an IP address"),
        (f"redis://:{SECRET}@a.test,b.test", "its host is neither a name nor an IP address"),
        (f"redis://:{SECRET}@cache.test:port", "its port is not a number from 1 to 65535"),
        (f"redis://:{SECRET}@cache.test:99999", "its port is not a number from 1 to 65535"),
        (f"redis://:{SECRET}@cache.test:0", "its port is not a number from 1 to 65535"),
        (f"redis://:{SECRET}@cache.test/zero", "its database must be a number"),
        (f"redis://:{SECRET}@cache.test/-1", "its database must be a number"),
        (f"redis://:{SECRET}@cache.test/1/2", "its database must be a number"),
        (f"redis://:{SECRET}@cache.test?db={SECRET}", "its database must be a number"),
        (f"redis://:{SECRET}@cache.test/" + "9" * 5000, "its database must be a number"),
        (f"redis://:{SECRET}@cache.test#1", "it contains '#'"),
        (f"redis://:{SECRET}#1@cache.test", "it contains '#'; if its user or password contains / ? or #, write %2F"),
        (f"redis://:{SECRET}/1@cache.test", "its host is missing; if its user or password contains / ? or #"),
        (f"redis://:{SECRET}?1@cache.test", "its host is missing; if its user or password contains / ? or #"),
        (f"unix://:{SECRET}@run/cache.sock", "must begin after three slashes"),
        (f"unix:{SECRET}", "must begin after three slashes"),
        ("unix://", "must begin after three slashes"),
        (f"unix:///{SECRET * 9}", "must have at most"),
        (f"unix:///{SECRET}%00", "all printable"),
        (f"redis+sentinel://:{SECRET}@a.test", "it lacks the master of its sentinels"),
        (f"redis+sentinel://:{SECRET}@a.test/0", "it lacks the master of its sentinels"),
        (f"redis+sentinel://:{SECRET}@a.test/{SECRET}/other", "names more than one master"),
        (f"redis+sentinel://:{SECRET}@a.test/{SECRET}?master={SECRET}2", "names more than one master"),
        (f"redis+sentinel://:{SECRET}@a.test,:1/shop", "its host is missing"),
        (f"redis+sentinel://:{SECRET}@a.test/shop/1/2", "its database must be a number"),
        (f"redis+cluster://:{SECRET}@a.test,b.test:x", "its port is not a number"),
    ],
)
def test_the_part_that_is_wrong_is_named_and_nothing_of_the_url_is_shown(text, part) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        url_of(text, KEPT)

    assert caught.value.reason is Reason.MISSING_SETTING
    assert caught.value.detail.startswith("$CACHE_URL does not hold a valid Redis URL: ")
    assert part in caught.value.detail
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_master_beside_a_url_that_is_none_of_sentinels() -> None:
    with pytest.raises(ProbeFailedError, match="sentinel_master is set"):
        url_of(f"redis://:{SECRET}@cache.test", KEPT, "shop")


def test_a_password_is_in_no_repr() -> None:
    url = url_of(f"redis+sentinel://:{SECRET}@a.test/shop?sentinel_password={SECRET}", KEPT)

    assert SECRET not in repr(url)
