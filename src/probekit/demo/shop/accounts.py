"""Authentication: passwords as scrypt hashes, a signed token after login."""

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
    """An authenticated user."""

    name: str
    role: str


def hashed(password: str) -> str:
    """The salt and hash of a password, to store."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


def is_password(password: str, kept: str) -> bool:
    """Whether a password matches the stored hash."""
    salt, _, expected = kept.partition("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(expected))


def token(identity: Identity, secret: bytes, *, now: dt.datetime) -> str:
    """A signed token for an identity."""
    claims = {"sub": identity.name, "role": identity.role, "aud": _AUDIENCE, "iat": now, "exp": now + _LIFETIME}
    return jwt.encode(claims, secret, algorithm="HS256")


def identity_of(bearer: str, secret: bytes) -> Identity | None:
    """The identity of a token; None unless the shop issued it for itself and it is still valid."""
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
