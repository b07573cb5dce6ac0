"""Of a composite secret the parts that are secret are known, and nothing else of it is hidden."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from probekit.redaction import HIDDEN, Redactor
from probekit.redaction.composite import parts_of

TOKEN = "s3cr3tTOKENabcdef0123456789"
PASSWORD = "hunter2-Correct-Horse"
BASIC = b64encode(f"svc:{PASSWORD}".encode()).decode()
LONG_USER = b64encode(f"service-account:{PASSWORD}".encode()).decode()
LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
KEY = f"-----BEGIN PRIVATE KEY-----\n{LINE}\n{LINE[::-1]}\n-----END PRIVATE KEY-----"
SENTRY = "d41d8cd98f00b204e9800998ecf8427e"


@pytest.mark.parametrize(
    ("secret", "parts"),
    [
        (TOKEN, {TOKEN}),
        (f"Bearer {TOKEN}", {TOKEN}),
        (f"bearer  {TOKEN}", {TOKEN}),
        (f"Token {TOKEN}", {TOKEN}),
        (f"ApiKey {TOKEN}", {TOKEN}),
        (f'Token token="{TOKEN}", nonce="x"', {f'token="{TOKEN}", nonce="x"', TOKEN}),
        (f"Basic {BASIC}", {BASIC, PASSWORD}),
        (f"Basic {LONG_USER}", {LONG_USER, PASSWORD, "service-account"}),
        ("Basic no-base64!", {"no-base64!"}),
        ("correct horse battery staple", {"correct horse battery staple"}),  # no scheme
        (f"session={TOKEN}", {f"session={TOKEN}"}),
        (f"theme=dark; session={TOKEN}", {f"theme=dark; session={TOKEN}"}),
        (f"{TOKEN}==", {f"{TOKEN}=="}),
        ("a=" * 10_000, {"a=" * 10_000}),
        (KEY, {LINE, LINE[::-1]}),
        (KEY.replace("\n", "\r\n"), {LINE, LINE[::-1]}),
        (KEY.replace("\n", "\\n"), {LINE, LINE[::-1]}),  # as one line of a .env
        ("pw\nx", {"pw\nx"}),
        (f"postgresql://probe:{PASSWORD}@db.test:5432/shop", {PASSWORD}),
        (f"postgresql+psycopg://probe:{PASSWORD}@db.test/shop?sslmode=require", {PASSWORD}),
        (f"jdbc:postgresql://db.test/shop?user=probe&password={PASSWORD}", {PASSWORD}),
        ("postgresql://probe:p@ss/w+rd@db.test/shop", {"p@ss/w+rd"}),  # nothing in it is escaped
        ("postgresql://probe@db.test/shop", set()),
        ("redis://cache.test:6379/0", set()),
        (f"rediss://:{PASSWORD}@cache.test:6379/0", {PASSWORD}),
        (f"redis+sentinel://:{PASSWORD}@one.test:26379,two.test:26379/main/0", {PASSWORD}),
        (f"unix:///run/cache.sock?db=0&password={PASSWORD}", {PASSWORD}),
        (f"http://probe:{PASSWORD}@proxy.test:3128", {PASSWORD}),
        ("http://proxy.test:3128", set()),
        (f"https://{SENTRY}@o1.ingest.test/42", {SENTRY}),
        (f"https://hooks.test/services/T0/{SENTRY}", {SENTRY}),
        (f"host=db.test user=probe password={PASSWORD} dbname=shop", {PASSWORD}),
        (r"host=db.test password='it\'s a secret' dbname=shop", {"it's a secret"}),
        ("host=db.test dbname=shop", set()),
        (f"Server=db.test;Database=shop;User Id=probe;Password={PASSWORD};", {PASSWORD}),
        (f"Endpoint=sb://bus.test/;SharedAccessKeyName=probe-key;SharedAccessKey={TOKEN}", {TOKEN, "probe-key"}),
        (json.dumps({"host": "db.test", "username": "probe", "password": PASSWORD, "port": 5432}), {PASSWORD}),
        (json.dumps({"db": {"credentials": [PASSWORD, {"x": TOKEN}]}, "name": "production"}), {PASSWORD, TOKEN}),
        (json.dumps({"url": f"postgresql://probe:{PASSWORD}@db.test/shop", "port": 1}), {PASSWORD}),
        (json.dumps({"type": "service_account", "private_key": KEY}, indent=1), {LINE, LINE[::-1]}),
        (json.dumps({"pin_token": 12345678}), {"12345678"}),
        (json.dumps({"host": "database.test", "user": "probe", "pw": PASSWORD}), {PASSWORD}),
        (json.dumps({"host": "database.test", "dbname": "production", "for_probe": TOKEN}), {TOKEN}),
        (json.dumps({"endpoint": f"amqp://probe:{PASSWORD}@queue.test/"}), {PASSWORD}),
        (f"server=web1; sid={TOKEN}", {TOKEN}),  # a cookie with the name of a place
        (f"server=web1; csrf_token={PASSWORD}; sid={TOKEN}", {PASSWORD, TOKEN}),
        (f"Bearer server={TOKEN}", {f"server={TOKEN}"}),
        (
            f'Digest username="probe", server="a", response="{TOKEN}"',
            {f'username="probe", server="a", response="{TOKEN}"'},
        ),
        (f"dbname=postgresql://probe:{PASSWORD}@db.test/shop", {PASSWORD}),
        (f"sqlserver://db.test:1433;user=probe;password={PASSWORD}", {PASSWORD}),
        (f"postgresql://db.test/shop?user=me@corp&password={PASSWORD}", {PASSWORD}),
        (f"postgresql://probe:{PASSWORD}", {f"probe:{PASSWORD}"}),  # no host
        (f"redis://:{PASSWORD}", {f":{PASSWORD}"}),
        (json.dumps([TOKEN, "a"]), {TOKEN}),
        ('{"broken": ', {'{"broken": '}),
        ("[" * 100_000, {"[" * 100_000}),
        ("", set()),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_the_parts_of_a_secret(secret, parts) -> None:
    assert parts_of(secret).secrets == parts


@pytest.mark.parametrize(
    ("secret", "hosts"),
    [
        (f"postgresql://probe:{PASSWORD}@db.test:5432/shop", {"db.test"}),
        (f"redis://:{PASSWORD}@[::1]:6379/0", {"::1"}),
        (f"redis+sentinel://:{PASSWORD}@one.test:26379,two.test:26379/main/0", {"one.test", "two.test"}),
        ("redis://cache.test", {"cache.test"}),
        (f"host=db.test password={PASSWORD}", {"db.test"}),
        (f"Server=db.test,1433;Password={PASSWORD}", {"db.test", "1433"}),
        (f"Endpoint=sb://bus.test:5671/;SharedAccessKey={PASSWORD}", {"bus.test"}),
        (f"postgresql://db.test/shop?user=me@corp&password={PASSWORD}", {"corp"}),
        (f"postgresql://probe:{PASSWORD}", set()),
        (json.dumps({"host": "db.test", "password": PASSWORD}), {"db.test"}),
        (json.dumps({"endpoint": f"amqp://probe:{PASSWORD}@queue.test/"}), {"queue.test"}),
        (TOKEN, set()),
    ],
)
def test_the_hosts_in_a_secret(secret, hosts) -> None:
    assert parts_of(secret).hosts == hosts


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("postgresql+psycopg://probe:s3cret-w%40rd@production.test/shop", "postgresql+psycopg://production.test"),
        ("redis://cache.production.test:6379/0", "connection refused by redis://cache.production.test:6379/0"),
        ("redis://:production@cache.production.test:6379/0", "connection refused by cache.production.test:6379"),
        ("https://app.test/", "https://app.test/ answers"),
        (
            '"postgresql://probe:s3cret-w%40rd@production.test/shop"',
            "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        ),
        (" 'redis://:s3cret-word@cache.production.test'\t", "redis://cache.production.test:6379"),
        (
            "DATABASE_URL=postgresql://probe:s3cret-w%40rd@db/shop",
            "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        ),
        ("<postgresql+asyncpg://probe:s3cret-w%40rd@db/shop>", "postgresql+asyncpg:// is read"),
        (f"Bearer {TOKEN}", "send Authorization: Bearer TOKEN"),
    ],
)
def test_an_address_and_a_scheme_are_no_secret(secret, text) -> None:
    redactor = Redactor()
    redactor.learn(secret)

    assert redactor.clean(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        f"postgresql://db.test/shop?user=me@corp&password={PASSWORD}",
        f"jdbc:postgresql://db.test:5432/shop?password={PASSWORD}&user=me@corp",
        f"postgresql://probe:{PASSWORD}",
        f"sqlserver://db.test:1433;user=probe;password={PASSWORD}",
        f"amqp://probe:{PASSWORD}@queue.test/",
        json.dumps({"endpoint": f"amqp://probe:{PASSWORD}@queue.test/"}),
    ],
)
def test_a_secret_that_is_quoted_as_it_stands_tells_no_password(secret) -> None:
    redactor = Redactor()
    redactor.learn(secret)

    cleaned = redactor.clean(f"{secret} cannot be read, {PASSWORD} neither")

    assert PASSWORD not in cleaned
    assert PASSWORD[-8:] not in cleaned


@pytest.mark.parametrize(
    "url", ["postgresql://probekit:s3cret-w%40rd@db.test:5432/shop", "redis://probekit:s3cret-w%40rd@cache.test/0"]
)
def test_a_url_is_known_by_its_password_as_it_is_written_and_decoded(url) -> None:
    redactor = Redactor()
    redactor.learn(url)

    cleaned = redactor.clean(f"no connection with {url}: s3cret-w@rd, s3cret-w%40rd, cret-w@rd (cut)")

    assert cleaned == (f"no connection with {url.replace('s3cret-w%40rd', HIDDEN)}: {HIDDEN}, {HIDDEN}, {HIDDEN} (cut)")
