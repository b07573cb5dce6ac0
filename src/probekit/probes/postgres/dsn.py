"""Translate a DSN as applications write it into libpq's parameters.

Frameworks and drivers add schemes (SQLAlchemy, Django) and parameters (Prisma, asyncpg, pgx, node-postgres) that libpq
refuses. Those of pools, caches and time limits concern the application alone and are left out; those of TLS and of the
schema are translated; every other one is an error. The message names the part and never quotes a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from probekit.redaction import Redactor

_SCHEMES: Final = ("postgresql", "postgres", "postgis", "psql", "pgsql")
_URL: Final = re.compile(r"([^/?#\s=]+)://(.*)", re.DOTALL)
_DRIVER: Final = re.compile(r"\+\w+$")  # postgresql+asyncpg
_NO_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})|%00")
_OF_THE_APPLICATION: Final = frozenset({
    # Prisma
    "connection_limit", "pool_timeout", "pgbouncer", "socket_timeout", "statement_cache_size",
    # SQLAlchemy and asyncpg
    "prepared_statement_cache_size", "prepared_statement_name_func", "command_timeout", "timeout", "async_fallback",
    "max_cached_statement_lifetime", "max_cacheable_statement_size", "pool_size", "max_overflow", "pool_recycle",
    "pool_pre_ping",
    # Django
    "conn_max_age", "conn_health_checks", "atomic_requests", "autocommit", "disable_server_side_cursors",
    # pgx and lib/pq
    "pool_max_conns", "pool_min_conns", "pool_min_idle_conns", "pool_max_conn_lifetime", "pool_max_conn_idle_time",
    "pool_max_conn_lifetime_jitter", "pool_health_check_period", "statement_cache_capacity",
    "description_cache_capacity", "default_query_exec_mode", "statement_cache_mode", "binary_parameters",
    # Active Record, node-postgres and poolers of Supabase
    "pool", "prepared_statements", "checkout_timeout", "reaping_frequency", "idle_timeout", "advisory_locks",
    "encoding", "max", "uselibpqcompat", "supa", "workaround",
    # settings of the application's session
    "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone", "jit",
    "default_transaction_isolation",
})  # fmt: skip
_SEARCH_PATHS: Final = ("search_path", "currentschema", "schema_search_path")  # lists; Prisma's schema is one name
_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_TLS: Final = {  # the values of `ssl` and `sslmode` in asyncpg's and node-postgres' words
    **{mode: mode for mode in _MODES},
    **dict.fromkeys(("true", "1", "no-verify"), "require"),
    **dict.fromkeys(("false", "0"), "disable"),
}
_REPLACEMENTS: Final = {
    "sslaccept": "write sslmode=verify-full and sslrootcert=FILE (or sslrootcert=system)",
    "sslidentity": "write sslcert=FILE and sslkey=FILE, both in PEM",
}
_HOST: Final = re.compile(r"(?:\[(?P<ipv6>[^\]]*)\]|(?P<name>[^:]*))(?::(?P<port>\d*))?")
_PLAIN: Final = "/:,"  # characters of hosts that need no escape in a query
_FORM: Final = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
_PERCENT: Final = "percent-encode its % : / ? # @ and spaces"


class DsnError(ValueError):
    """A text is not a valid DSN; the message names the invalid part and holds no value of it."""


@dataclass(frozen=True, slots=True)
class Dsn:
    """The content of a DSN: libpq's parameters, and a search path that replaces the role's own."""

    parameters: dict[str, Any] = field(repr=False)
    search_path: str = ""


def read_dsn(text: str) -> Dsn:
    """Read a URL or libpq's own keyword=value form.

    Raises:
        DsnError: it is neither, or has a parameter that libpq does not know.
    """
    if text.strip()[:1] in ("'", '"'):
        raise DsnError("it is enclosed in quotation marks; remove them")
    url = _URL.fullmatch(text.strip())
    if url and _DRIVER.sub("", url[1].lower()) not in _SCHEMES:
        raise DsnError(f"its scheme is not postgresql; write {_FORM}")
    dsn = _of_url(url[2]) if url else Dsn(_by_libpq(text))
    ports = str(dsn.parameters.get("port") or "").split(",")
    if not all(not port or (port.isdecimal() and 0 < int(port) < 1 << 16) for port in ports):
        raise DsnError(f"its port is not a number from 1 to 65535; if this is part of the password, {_PERCENT}")
    if dsn.parameters.get("sslmode", "prefer") not in _MODES:
        raise DsnError(f"its sslmode must be one of {', '.join(_MODES)}")
    return dsn


def _of_url(rest: str) -> Dsn:
    """Parse the part after the scheme as libpq does: user and password end at the first @."""
    head, at, tail = rest.partition("@")
    has_credentials = at and "/" not in head
    credentials, place = (head, tail) if has_credentials else ("", rest)
    user, _, password = credentials.partition(":")
    before, _, query = place.partition("?")
    host, _, database = before.partition("/")
    if "@" in before or (at and not has_credentials):
        raise DsnError(f"its user or password contains @ or /; {_PERCENT}")
    for part, text in (("user", user), ("password", password), ("host", host), ("database", database)):
        _require_escapes(text, part)
    pairs, search_path = _translated(query, unquote(password))
    return Dsn(_by_libpq(f"postgresql://{credentials}{'@' if at else ''}{before}?{'&'.join(pairs)}"), search_path)


def _translated(query: str, password: str) -> tuple[Sequence[str], str]:
    """Return the parameters that libpq accepts, as written in a URL, and the search path."""
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    kept: list[str] = []
    hosts: list[str] = []
    modes: dict[str, str] = {}
    search_path = ""
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        lower = unquote(name).lower()
        _require_escapes(value, f"parameter {_shown(name, password)}")
        if lower == "schema":
            search_path = value and '"{}"'.format(unquote(value).replace('"', '""'))
        elif lower in _SEARCH_PATHS:
            search_path = unquote(value)
        elif lower == "host":
            hosts.append(value)
        elif lower in ("ssl", "sslmode"):
            modes[lower] = f"sslmode={_TLS.get(value.lower(), 'unknown')}"
        elif name in known:
            kept.append(pair)
        elif not _is_left_out(lower, value):
            instead = _REPLACEMENTS.get(lower, "remove it")
            raise DsnError(f"libpq does not accept its parameter {_shown(name, password)}; {instead}")
    mode = modes.get("sslmode", modes.get("ssl"))  # ssl=true must not replace verify-full
    return [*kept, *([mode] if mode else []), *_of_hosts(hosts)], search_path


def _is_left_out(name: str, value: str) -> bool:
    return name in _OF_THE_APPLICATION or (name == "sslaccept" and value.lower() == "accept_invalid_certs")


def _of_hosts(values: Sequence[str]) -> Sequence[str]:
    """Translate SQLAlchemy's host=A:PORT&host=B:PORT; libpq accepts no port there and uses only the last host."""
    pairs = [_host_and_port(unquote(value)) for value in values]
    hosts, ports = ([pair[at] for pair in pairs] for at in (0, 1))
    lists = [f"host={quote(','.join(hosts), safe=_PLAIN)}"] if hosts else []
    return [*lists, f"port={','.join(ports)}"] if any(ports) else lists


def _host_and_port(text: str) -> tuple[str, str]:
    """Return the two parts of HOST:PORT; an IPv6 address without brackets has no port."""
    found = _HOST.fullmatch(text)
    return (found["ipv6"] or found["name"], found["port"] or "") if found else (text, "")


def _require_escapes(text: str, part: str) -> None:
    if _NO_ESCAPE.search(text):
        raise DsnError(f"its {part} contains a % that does not begin an escape; write %25")


def _shown(name: str, password: str) -> str:
    """Return a parameter's name in quotes, unless it may be a part of the password."""
    redactor = Redactor()
    redactor.learn(password)
    return redactor.clean(repr(name)) if re.fullmatch(r"[A-Za-z][\w.-]{0,40}", name) else "with an invalid name"


def _by_libpq(text: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(text))
    except psycopg.ProgrammingError:
        raise DsnError(f"it is neither a URL nor KEYWORD=VALUE pairs of libpq; write {_FORM}") from None  # it is quoted
