"""Origins as browsers send them, and foreign ones that a careless comparison accepts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Annotated, Final
from uuid import uuid4

from pydantic import AfterValidator

from probekit.transport.urls import has_host, origin_of

NO_ORIGIN: Final = "none"  # instead of origins: no foreign origin is allowed
ANY_ORIGIN: Final = "*"  # instead of origins: every origin is allowed, without credentials
_FOREIGN: Final = 24  # foreign origins tried in one measurement
_ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]+)?")
_OWN_PORTS: Final = (("http", ":80"), ("https", ":443"))


def _parts(origin: str) -> tuple[str, str, str]:
    """Scheme, host, and the port with its colon where there is one."""
    found = _ORIGIN.fullmatch(origin)
    scheme, host, port = found.groups("") if found else ("", "", "")
    is_web = scheme in ("http", "https")
    if not found or (scheme, port) in _OWN_PORTS or (is_web and not has_host(origin)):
        message = (
            f"'{origin}' is not an origin as browsers send it: write it in lower case, without a path and without the "
            'default port, such as "https://app.example.com"'
        )
        raise ValueError(message)
    return scheme, host, port


def _as_sent(origin: str) -> str:
    _parts(origin)
    return origin


def _as_sent_or_word(origin: str) -> str:
    return origin if origin in (NO_ORIGIN, ANY_ORIGIN) else _as_sent(origin)


Origin = Annotated[str, AfterValidator(_as_sent)]
OriginOrWord = Annotated[str, AfterValidator(_as_sent_or_word)]


def is_origin(text: str) -> bool:
    """Whether a value of Access-Control-Allow-Origin is an origin as a browser could send it."""
    return bool(_ORIGIN.fullmatch(text))


def own_origin(url: str) -> str:
    """The origin of a URL, as browsers send it."""
    scheme, where = origin_of(url)
    host = f"[{where.host}]".lower() if ":" in where.host else where.host
    port = f":{where.port}"
    return f"{scheme}://{host}{'' if (scheme, port) in _OWN_PORTS else port}"


def unknown_origin() -> str:
    """A random origin, which no server can have in its configuration."""
    return f"https://{uuid4().hex[:12]}.test"


def look_alikes(origins: Sequence[str], foreign: Iterable[str] = (), *, own: str = "") -> tuple[str, ...]:
    """Foreign origins to try, at most 24: null, an unknown one, the declared ones, and the worst mutations of each.

    The target's own origin is excluded, because its pages need no permission.
    """
    by_turns = [
        origin for turn in zip_longest(*map(_mutations, origins)) for origin in turn if origin not in (None, own)
    ]
    tried = dict.fromkeys(["null", unknown_origin(), *foreign, *by_turns])
    return tuple(origin for origin in tried if origin not in origins)[:_FOREIGN]


def _mutations(origin: str) -> Iterator[str]:
    scheme, host, port = _parts(origin)
    if not host.startswith("["):
        yield f"{scheme}://{host}.evil.test{port}"  # startswith
        yield f"{scheme}://evil{host}{port}"  # endswith
        yield f"{scheme}://{host.replace('.', 'x', 1)}{port}"  # a regular expression with bare dots
        yield f"{scheme}://evil.{host}{port}"
    yield f"{'http' if scheme == 'https' else 'https'}://{host}{port}"
    yield f"{scheme}://{host}{':8443' if port != ':8443' else ':9443'}"
