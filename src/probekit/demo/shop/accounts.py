"""Who somebody is: passwords as scrypt hashes, a signed token after login."""

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

import jwt

_COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MiB, some 40 ms
_AUDIENCE = "demo-shop"
_LIFETIME = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person that proved to be somebody."""

    name: str
    role: str


def hashed(password: str) -> str:
    """The salt and the hash to keep instead of a password."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


def is_password(password: str, kept: str) -> bool:
    """Whether a password is the one whose hash was kept."""
    salt, _, expected = kept.partition("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(expected))


def token(identity: Identity, secret: bytes, *, now: dt.datetime) -> str:
    """A signed token that says who it was given to."""
    claims = {"sub": identity.name, "role": identity.role, "aud": _AUDIENCE, "iat": now, "exp": now + _LIFETIME}
    return jwt.encode(claims, secret, algorithm="HS256")


def identity_of(bearer: str, secret: bytes) -> Identity | None:
    """Who a token was given to, None unless it is ours, for us and still valid."""
    try:
        claims = jwt.decode(
            bearer,
            secret,
            algorithms=["HS256"],
            audience=_AUDIENCE,
            options={"require": ["sub", "role", "aud", "exp"]},
        )
    except jwt.InvalidTokenError:
        return None
    return Identity(name=claims["sub"], role=claims["role"])


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)
