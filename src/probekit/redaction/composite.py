"""Split a composite secret (a header, a DSN, a JSON document, a key file) into the parts that are secret."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

SHORT: Final = 8  # characters: a shorter secret also hides ordinary words, so probekit warns of it
_TOKEN: Final = 16  # characters: a shorter part of a web address is an ordinary path

# RFC 9110 section 11.1 (scheme and credentials), with unregistered schemes that are in use.
_AUTHORIZATION: Final = re.compile(
    r"(?P<scheme>bearer|token|basic|api-?key|key|jwt|negotiate|digest|bot) +(?P<rest>\S.*)", re.IGNORECASE | re.DOTALL
)
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.:-]*)://(?P<rest>.*)", re.DOTALL)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_QUOTES: Final = " \t\"'"  # around a URL, left by environment files of containers
_SENSITIVE: Final = re.compile(
    r"pass|pw(?:d|\b)|secret|token|credential|auth|signature|^sig$|^key$|(?:api|access|account|private|shared)[\s_-]?\w*key",
    re.IGNORECASE,
)
_HOSTS: Final = frozenset({"host", "hostname", "hostaddr", "server", "address", "addr", "endpoint", "data source"})
_PLACES: Final = _HOSTS | {"dbname", "database", "initial catalog", "service", "port"}  # keys that only a DSN has
# libpq's keyword=value form (PostgreSQL, "Connection Strings"); in ADO.NET's, between semicolons, names have spaces
_PAIR: Final = re.compile(r"\s*(?P<name>[A-Za-z][A-Za-z_.-]*)\s*=\s*(?P<value>'(?:\\.|[^'\\])*'|[^\s']\S*)(?=\s|\Z)")
_HOST: Final = re.compile(r"(?:\[(?P<ipv6>[\w:.%]+)\]|(?P<name>[\w.%~-]*))(?::\d*)?")
_PIECE: Final = re.compile(r"\s*(?P<name>[A-Za-z][A-Za-z_. -]*?)\s*=\s*(?P<value>.*?)\s*", re.DOTALL)


class Parts(NamedTuple):
    """The secret parts of a text, and the hosts in it, which are not secret."""

    secrets: frozenset[str]
    hosts: frozenset[str] = frozenset()


def parts_of(text: str) -> Parts:
    """Return the parts of a secret; without a known form, the whole text except URL schemes."""
    for read in (_of_json, _of_lines, _of_authorization, _of_url, _of_pairs):
        found = read(text)
        if found is not None:
            return Parts(found.secrets - {""}, found.hosts - {""})
    pieces = frozenset(piece for piece in _SCHEME.split(text) if len(piece) >= SHORT)
    return Parts(pieces or frozenset({text}) - {""})


def _of_lines(text: str) -> Parts | None:
    """The lines of a key file, without the first and last line of PEM (RFC 7468), which are the same in every file."""
    breaks = r"\r\n|\r|\n|\\n" if "-----BEGIN" in text else r"\r\n|\r|\n"
    lines = [line.strip() for line in re.split(breaks, text)]
    if len(lines) == 1:
        return None
    found = [parts_of(line) for line in lines if len(line) >= SHORT and not line.startswith("-----")]
    return _joined(found) if found else None


def _of_authorization(text: str) -> Parts | None:
    """The credentials after the scheme and their parts; for Basic (RFC 7617) also user and password."""
    match = _AUTHORIZATION.fullmatch(text)
    if match is None:
        return None
    if match["scheme"].lower() != "basic":
        return Parts(parts_of(match["rest"]).secrets | {match["rest"]})
    try:
        decoded = b64decode(match["rest"], validate=True).decode("utf-8", "surrogateescape")
    except ValueError:
        decoded = ""
    user, _, password = decoded.partition(":")
    return Parts(frozenset({match["rest"], password, user if len(user) >= SHORT else ""}))


def _of_json(text: str) -> Parts | None:
    """The values with secret names; in a document without such names, every long text except places."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        leaves = list(_leaves(json.loads(text, strict=False)))
    except (ValueError, RecursionError):
        return None
    hosts = frozenset[str]().union(*(_hosts(value) for name, value, _ in leaves if name in _HOSTS))
    named = [_of_lines(value) or Parts(frozenset({value})) for _, value, is_sensitive in leaves if is_sensitive]
    inner = [parts_of(value) for _, value, is_sensitive in leaves if not is_sensitive]
    inner = [parts for parts in inner if parts.hosts or len(parts.secrets) > 1]
    if named or inner:
        found = _joined([*named, *inner])
        return Parts(found.secrets, found.hosts | hosts)
    long = frozenset(value for name, value, _ in leaves if name not in _PLACES and len(value) >= SHORT)
    return Parts(long, hosts) if long or hosts else None


def _leaves(value: Any, name: str = "", is_sensitive: bool = False) -> Iterator[tuple[str, str, bool]]:  # noqa: ANN401, FBT001, FBT002  # any JSON value; of a recursion
    """Each text and number with its name, and whether that name or one above it marks a secret."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, key.lower(), is_sensitive or bool(_SENSITIVE.search(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, name, is_sensitive)
    elif isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield name, str(value), is_sensitive


def _of_url(text: str) -> Parts | None:
    """The password and secret parameters of a URL; for http and https also the parts as long as a token.

    An invalid host may be part of a password and is secret, too.
    """
    match = _URL.fullmatch(text.strip(_QUOTES))
    if match is None:
        return None
    is_web = match["scheme"].lower() in ("http", "https")
    before = match["rest"].partition("?")[0]
    authority = re.split("[/?#]", before, maxsplit=1)[0]
    places = (authority, before, match["rest"]) if is_web else (before, match["rest"])  # '/' and '?' may be unescaped
    userinfo, _, where = next((place for place in places if "@" in place), authority).rpartition("@")
    user, colon, password = userinfo.partition(":")
    parameters = [piece.partition("=") for piece in re.split("[?&;]", match["rest"])]
    found = {password, *(value for name, _, value in parameters if _SENSITIVE.search(name))}
    if is_web:
        pieces = [*before.split("/")[1:], *(value for _, _, value in parameters)]
        found |= {piece for piece in pieces if len(piece) >= _TOKEN and re.search(r"\d", piece)}
        found |= set() if colon or len(user) < SHORT else {user}
    where = re.split("[/?#&;]", where, maxsplit=1)[0]
    found |= {one for one in where.split(",") if not _HOST.fullmatch(one)}
    return Parts(frozenset(found), _hosts(where))


def _of_pairs(text: str) -> Parts | None:
    """The passwords of a DSN in pairs; a cookie or other pairs are secret as a whole.

    A cookie may also have the name of a place: between semicolons every long value except places is secret.
    """
    is_in_pieces = ";" in text
    pairs = _pieces(text) if is_in_pieces else _words(text)
    secrets = frozenset(value for name, value in pairs if _SENSITIVE.search(name))
    places = [(name.lower(), value) for name, value in pairs if name.lower() in _PLACES]
    if not places:
        return Parts(secrets | {text}) if secrets else None
    if is_in_pieces:
        secrets |= {value for name, value in pairs if name.lower() not in _PLACES and len(value) >= SHORT}
    inner = [found for _, value in places if (found := _of_url(value))]
    hosts = [_hosts(value) for name, value in places if name in _HOSTS]
    return _joined([Parts(secrets, frozenset[str]().union(*hosts)), *inner])


def _words(text: str) -> list[tuple[str, str]]:
    """The pairs of a text that consists of pairs between spaces; else empty."""
    pairs, end = [], 0
    while match := _PAIR.match(text, end):
        value = match["value"]
        value = re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL) if value.startswith("'") else value
        pairs.append((match["name"], value.strip('",')))
        end = match.end()
    return pairs if not text[end:].strip() else []


def _pieces(text: str) -> list[tuple[str, str]]:
    """The pairs of a text that consists of pairs between semicolons; else empty."""
    found = [_PIECE.fullmatch(piece) for piece in text.split(";") if piece.strip()]
    return [(match["name"], match["value"].strip("\"'")) for match in found if match] if all(found) else []


def _hosts(where: str) -> frozenset[str]:
    """The hosts of a list of HOST:PORT."""
    found = [match for one in where.split(",") if (match := _HOST.fullmatch(one))]
    return frozenset(match["ipv6"] or match["name"] for match in found) - {""}


def _joined(found: list[Parts]) -> Parts:
    join: Callable[..., frozenset[str]] = frozenset[str]().union
    return Parts(join(*(one.secrets for one in found)), join(*(one.hosts for one in found)))
