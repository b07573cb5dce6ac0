"""Every fault the target can be given: one sentence for people, what plants it in the shop, what does to its stores.

A new fault is one row of `_FAULTS`; `--help` and the tests read the same table. The shop's process plants in itself;
the process that started the servers, and may stop them, does the rest.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import chain, cycle, repeat
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # psycopg is dear to import, and `--help` reads the table
    from probekit.demo.stores import Stores

GOOD = "good"  # the certificates that HTTPS may serve
EXPIRED = "expired"
OTHER_HOST = "other-host"
VERSION = "2.3.1"
_OLD_VERSION = "2.3.0"
_DELAY = 0.6  # seconds
_ERRORS_EVERY = 30
_GOOD_BEFORE = 4  # requests before the first of them: a few looks already meet one
_WITHHELD = frozenset({"Content-Security-Policy", "X-Content-Type-Options"})


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """What the running target does, as far as a fault can change it."""

    serve_certificate: Callable[[str], None]  # by its name in certificates.py, from the next connection on
    health: Iterator[HTTPStatus] = field(default_factory=lambda: repeat(HTTPStatus.OK))  # of the next GETs of /health
    is_hanging: bool = False
    version: str = VERSION
    core: Iterator[HTTPStatus] = field(default_factory=lambda: repeat(HTTPStatus.OK))  # of the next lists and searches
    delay: float = 0.0  # seconds that list and search wait
    withheld: frozenset[str] = frozenset()  # names of headers


def _nothing(_changed: object) -> None:
    """What a fault does where it changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    sentence: str
    plant: Callable[[Behaviour], None] = _nothing
    harm: "Callable[[Stores], None]" = _nothing


def plant(name: str, behaviour: Behaviour) -> None:
    """Change the behaviour as the fault of this name says; KeyError where there is none."""
    _FAULTS[name].plant(behaviour)


def harm(name: str, stores: "Stores") -> None:
    """Do to the stores what the fault of this name says; KeyError where there is none."""
    _FAULTS[name].harm(stores)


def mend(behaviour: Behaviour) -> None:
    """Make the behaviour good again."""
    behaviour.serve_certificate(GOOD)
    behaviour.health = repeat(HTTPStatus.OK)
    behaviour.is_hanging = False
    behaviour.version = VERSION
    behaviour.core = repeat(HTTPStatus.OK)
    behaviour.delay = 0.0
    behaviour.withheld = frozenset()


def _hang(behaviour: Behaviour) -> None:
    behaviour.is_hanging = True


def _expired_certificate(behaviour: Behaviour) -> None:
    behaviour.serve_certificate(EXPIRED)


def _wrong_host_certificate(behaviour: Behaviour) -> None:
    behaviour.serve_certificate(OTHER_HOST)


def _old_version(behaviour: Behaviour) -> None:
    behaviour.version = _OLD_VERSION


def _half_broken(behaviour: Behaviour) -> None:
    behaviour.health = cycle((HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE))


def _one_stray_error(behaviour: Behaviour) -> None:
    stray = (HTTPStatus.OK, HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)
    behaviour.health = chain(stray, repeat(HTTPStatus.OK))


def _database_down(behaviour: Behaviour) -> None:
    behaviour.core = repeat(HTTPStatus.SERVICE_UNAVAILABLE)


def _slow(behaviour: Behaviour) -> None:
    behaviour.delay = _DELAY


def _errors(behaviour: Behaviour) -> None:
    before, after = repeat(HTTPStatus.OK, _GOOD_BEFORE), repeat(HTTPStatus.OK, _ERRORS_EVERY - _GOOD_BEFORE - 1)
    behaviour.core = cycle((*before, HTTPStatus.INTERNAL_SERVER_ERROR, *after))


def _missing_headers(behaviour: Behaviour) -> None:
    behaviour.withheld = _WITHHELD


_FAULTS: Mapping[str, _Fault] = MappingProxyType(
    {
        "hang": _Fault(sentence="/health accepts the request and never answers", plant=_hang),
        "expired-cert": _Fault(
            sentence="HTTPS serves a certificate for localhost that expired yesterday", plant=_expired_certificate
        ),
        "wrong-host-cert": _Fault(
            sentence="HTTPS serves a valid certificate for another host name", plant=_wrong_host_certificate
        ),
        "old-version": _Fault(sentence=f"/api/version says {_OLD_VERSION}, not {VERSION}", plant=_old_version),
        "half-broken": _Fault(sentence="every second GET of /health answers 503", plant=_half_broken),
        "one-stray-error": _Fault(sentence="the third GET of /health answers 503, once", plant=_one_stray_error),
        "slow": _Fault(sentence=f"list and search take {_DELAY * 1000:.0f} ms more", plant=_slow),
        "errors": _Fault(sentence=f"every {_ERRORS_EVERY}th request to list or search answers 500", plant=_errors),
        "missing-headers": _Fault(
            sentence="Content-Security-Policy and X-Content-Type-Options are on no answer", plant=_missing_headers
        ),
        "orphans": _Fault(
            sentence="orders are there of users that do not exist", harm=lambda stores: stores.plant_orphans()
        ),
        "cache-down": _Fault(
            sentence="Valkey refuses connections; list and search answer from PostgreSQL",
            harm=lambda stores: stores.stop_cache(),
        ),
        "database-down": _Fault(
            sentence="PostgreSQL refuses connections; list and search answer 503",
            plant=_database_down,
            harm=lambda stores: stores.stop_database(),
        ),
    }
)

FAULTS: Mapping[str, str] = MappingProxyType({name: fault.sentence for name, fault in _FAULTS.items()})
