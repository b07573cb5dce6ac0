from __future__ import annotations

import datetime as dt

import jwt
import pytest

from probekit.demo.shop.accounts import Identity, hashed, identity_of, is_password, token

ANA = Identity(name="ana", role="admin")
SECRET = b"s" * 32


def test_a_password_is_known_by_its_hash() -> None:
    kept = hashed("correct horse")

    assert is_password("correct horse", kept)
    assert not is_password("correct Horse", kept)
    assert "correct" not in kept
    assert kept != hashed("correct horse")


def test_a_token_says_who_it_was_given_to() -> None:
    given = token(ANA, SECRET, now=dt.datetime.now(dt.UTC))

    assert identity_of(given, SECRET) == ANA


@pytest.mark.parametrize(
    "bearer",
    [
        token(ANA, b"t" * 32, now=dt.datetime.now(dt.UTC)),
        token(ANA, SECRET, now=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=16)),
        jwt.encode({"sub": "ana", "role": "admin", "aud": "another", "exp": 2**31}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "ana", "aud": "demo-shop", "exp": 2**31}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "ana", "role": "admin", "aud": "demo-shop"}, SECRET, algorithm="HS256"),
        "",
    ],
    ids=["forged", "expired", "foreign", "no role", "no end", "empty"],
)
def test_a_token_that_is_not_ours_now_is_nobodys(bearer: str) -> None:
    assert identity_of(bearer, SECRET) is None
