"""Parse the URL of a cache, in the forms that applications write."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote

from probekit.probe import Endpoint, ProbeFailedError, Reason, SecretRef
from probekit.transport.urls import SocketFile, endpoint_in

_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_LONGEST_PATH: Final = 103 if sys.platform == "darwin" else 107  # bytes, unix(4) and unix(7)
_URL: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*):(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(
    r"(?:redis|valkey)(?:(?P<tls>s?)(?:[+-](?P<nodes>sentinel|cluster))?|[+-](?P<file>unix|socket))"
    r"|(?P<bare_file>unix|socket)|(?P<bare_nodes>sentinel)"
)
_SCHEMES: Final = "redis, rediss, unix, redis+sentinel, rediss+sentinel, redis+cluster or rediss+cluster"
_ANOTHER: Final = re.compile(r";(?=[a-z+]+://)")  # Celery's list of sentinels is one of URLs
_UNENCODED: Final = re.compile(r"[^/]*//[^/?#@]*[/?#].*@")  # / ? or # before the @
_ENCODE: Final = "; if its user or password contains / ? or #, write %2F, %3F or %23"
_DATABASE: Final = ("db", "virtual_host", "database")  # of redis-py, Celery, Lettuce
_MASTER: Final = ("service_name", "master_name", "sentinelMasterId", "master")
_NO_MASTER: Final = "it lacks the master of its sentinels: add /MASTER after the last HOST:PORT, or set sentinel_master"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """User, password and database of a session."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUrl:
    """The parts of a URL."""

    places: tuple[Endpoint | SocketFile, ...]  # the first that accepts a connection is used
    is_secure: bool
    login: Login
    master: str | None = None  # set: the places are sentinels of this master
    sentinel_login: Login = Login()


def url_of(text: str, kept: SecretRef, sentinel_master: str | None = None) -> RedisUrl:
    """Parse the URL of a secret.

    Args:
        text: the URL.
        kept: the reference to it, for the message.
        sentinel_master: the master's name, where a setting gives it.

    Raises:
        ProbeFailedError: `missing_setting`: the URL is invalid; the message names the part and quotes none of it.
    """
    try:
        return _parsed(text, sentinel_master)
    except ValueError as error:
        hint = _ENCODE if _UNENCODED.match(text) else ""
        detail = f"{kept} does not hold a valid Redis URL: {error}{hint}"
        raise ProbeFailedError(Reason.MISSING_SETTING, detail) from None  # its cause may hold a part of the URL


def _parsed(text: str, sentinel_master: str | None) -> RedisUrl:
    if text.strip()[:1] in ("'", '"'):
        raise ValueError("it is enclosed in quotation marks; remove them")
    first, *others = _ANOTHER.split(text)
    found = _URL.fullmatch(first) if text.isprintable() else None
    scheme = _SCHEME.fullmatch(found["scheme"].lower()) if found else None
    if found is None or scheme is None:
        raise ValueError(f"its scheme must be {_SCHEMES}")
    is_sentinel = "sentinel" in (scheme["nodes"], scheme["bare_nodes"])
    if found["fragment"] is not None and not is_sentinel:
        raise ValueError("it contains '#'")
    userinfo, _, hosts = (found["authority"] or "").rpartition("@")
    user, _, password = userinfo.partition(":")
    query = {name: values[0] for name, values in parse_qs(found["query"] or "").items()}
    who = {"user": unquote(user) or query.get("username"), "password": unquote(password) or query.get("password")}
    if scheme["file"] or scheme["bare_file"]:
        login = Login(database=_database(query, ()), **who)
        return RedisUrl(places=(_file(found["path"], hosts),), is_secure=False, login=login)
    segments = [unquote(segment) for segment in found["path"].split("/") if segment]
    if not is_sentinel:
        if sentinel_master:
            raise ValueError("sentinel_master is set, but its scheme is not redis+sentinel")
        each = hosts.split(",") if scheme["nodes"] else [hosts]
        places = tuple(endpoint_in(host, _PORT) for host in each)
        login = Login(database=_database(query, segments), **who)
        return RedisUrl(places=places, is_secure=bool(scheme["tls"]), login=login)
    names = [segment for segment in segments if not _is_number(segment)]
    return RedisUrl(
        places=tuple(endpoint_in(host, _SENTINEL_PORT) for host in (*hosts.split(","), *_more_hosts(others))),
        is_secure=bool(scheme["tls"]),
        login=Login(database=_database(query, [segment for segment in segments if _is_number(segment)]), **who),
        master=_master(query, [*names, unquote(found["fragment"] or "")], sentinel_master),
        sentinel_login=Login(user=query.get("sentinel_username"), password=query.get("sentinel_password")),
    )


def _more_hosts(urls: list[str]) -> list[str]:
    """Return the hosts of further URLs in a list of sentinels; their other parts are ignored."""
    found = [_URL.fullmatch(url) for url in urls]
    return [(one["authority"] or "").rpartition("@")[2] if one else "" for one in found]


def _file(path: str, hosts: str) -> SocketFile:
    path = unquote(path)
    if hosts or not path.startswith("/"):
        raise ValueError("the path of its socket file must begin after three slashes, as in unix:///run/redis.sock")
    if not path.isprintable() or len(path.encode()) > _LONGEST_PATH:
        raise ValueError(f"the path of its socket file must have at most {_LONGEST_PATH} bytes, all printable")
    return SocketFile(path)


def _database(query: dict[str, str], segments: tuple[str, ...] | list[str]) -> int:
    """Return the number of the database: of the query, else of the path."""
    named = [query[name].strip("/") for name in _DATABASE if name in query]
    written = (named or list(segments))[:2]
    if len(written) > 1 or not all(_is_number(text) for text in written):
        raise ValueError("its database must be a number, as in redis://HOST:PORT/0")
    return int(written[0]) if written else 0


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len("99999")


def _master(query: dict[str, str], written: list[str], setting: str | None) -> str:
    """Return the one name of the master, from the URL or the setting."""
    names = dict.fromkeys(filter(None, (*written, *(query.get(name) for name in _MASTER), setting)))
    if len(names) > 1:
        raise ValueError("it names more than one master for its sentinels")
    if not names:
        raise ValueError(_NO_MASTER)
    return next(iter(names))
