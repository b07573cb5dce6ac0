"""The faults of the embedded target: a sentence for users, the change in the shop, and the change in its stores.

A new fault is one row of `_FAULTS`; `--help` and the tests read the same table. The shop's process changes itself; the
process that started the servers changes the stores.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import chain, count, cycle, repeat
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from probekit.demo.certificate_names import DAYS_LEFT, EXPIRED, GOOD, OTHER_HOST, SOON_EXPIRING

if TYPE_CHECKING:  # psycopg is slow to import, and `--help` reads the table
    from probekit.demo.stores import Stores

VERSION = "2.3.1"
_OLD_VERSION = "2.3.0"
_DELAY = 0.6  # seconds
_BASE_DELAY = 0.12  # seconds
_ERRORS_EVERY = 30
_GOOD_BEFORE = 4  # requests before the first error: even a few measurements meet one
_SEED = 20261125  # makes a difference between two targets reproducible
_T = TypeVar("_T")
_WITHHELD = frozenset({"Content-Security-Policy", "X-Content-Type-Options"})


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """The behaviour of the running target that faults can change."""

    serve_certificate: Callable[[str], None]  # by its name in certificates.py, from the next connection on
    health: Iterator[HTTPStatus] = field(
        default_factory=lambda: repeat(HTTPStatus.OK)
    )  # statuses of the next GETs of /health
    is_hanging: bool = False
    version: str = VERSION
    core: Iterator[HTTPStatus] = field(
        default_factory=lambda: repeat(HTTPStatus.OK)
    )  # statuses of the next lists and searches
    delay: Iterator[float] = field(
        default_factory=lambda: repeat(0.0)
    )  # seconds of delay of the next lists and searches
    withheld: frozenset[str] = frozenset()  # names of omitted headers
    is_page: bool = False  # whether both health endpoints answer with an HTML page
    lets_in_any_origin: bool = False
    is_unlimited: bool = False
    key: Callable[[str], str] = str  # the cache key of an answer
    components: Mapping[str, bool] = field(default_factory=dict)  # reported states that override the real ones


def _nothing(_changed: object) -> None:
    """The change of a fault that changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    sentence: str
    plant: Callable[[Behaviour], None] = _nothing
    plant_share: Callable[[Behaviour, float], None] | None = None  # share of requests, at random, or of a delay
    most: float = 1  # maximum of that share
    harm: "Callable[[Stores], None]" = _nothing


def parsed(written: str) -> tuple[str, float | None]:
    """The name and the share of a fault such as errors or errors=1%; without a share, None.

    Raises:
        ValueError: the fault is unknown, or the share is not valid.
    """
    name, equals, percent = written.partition("=")
    if name not in _FAULTS:
        message = f"unknown fault {name!r}; the faults are {', '.join(_FAULTS)}"
        raise ValueError(message)
    if not equals:
        return name, None
    fault = _FAULTS[name]
    share = float(percent[:-1]) / 100 if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?%", percent) else None
    if fault.plant_share is None or share is None or share > fault.most:
        shared = " or ".join(f"{name}=1%" for name, fault in _FAULTS.items() if fault.plant_share)
        message = f"{written!r} is not valid: only some faults take a share, written as {shared}"
        raise ValueError(message)
    return name, share


def plant(written: str, behaviour: Behaviour) -> None:
    """Apply a fault to the behaviour; ValueError for an unknown one."""
    name, share = parsed(written)
    fault = _FAULTS[name]
    if share is not None and fault.plant_share:
        fault.plant_share(behaviour, share)
    else:
        fault.plant(behaviour)


def harm(written: str, stores: "Stores") -> None:
    """Apply a fault to the stores; ValueError for an unknown one."""
    _FAULTS[parsed(written)[0]].harm(stores)


def repair(behaviour: Behaviour) -> None:
    """Restore the normal behaviour."""
    behaviour.serve_certificate(GOOD)
    behaviour.health = repeat(HTTPStatus.OK)
    behaviour.is_hanging = False
    behaviour.version = VERSION
    behaviour.core = repeat(HTTPStatus.OK)
    behaviour.delay = repeat(0.0)
    behaviour.withheld = frozenset()
    behaviour.is_page = False
    behaviour.lets_in_any_origin = False
    behaviour.is_unlimited = False
    behaviour.key = str
    behaviour.components = {}


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
    behaviour.delay = repeat(_DELAY)


def _slow_share(behaviour: Behaviour, share: float) -> None:
    behaviour.delay = _now_and_then(share, _DELAY, 0.0)


def _now_and_then(share: float, bad: _T, good: _T) -> Iterator[_T]:
    rng = Random(_SEED)  # noqa: S311  # not for a secret
    while True:
        yield bad if rng.random() < share else good


def _slow_half(behaviour: Behaviour) -> None:
    behaviour.delay = cycle((0.0, _DELAY))


def _base_delay(behaviour: Behaviour) -> None:
    behaviour.delay = repeat(_BASE_DELAY)


def _base_delay_share(behaviour: Behaviour, share: float) -> None:
    behaviour.delay = repeat(_BASE_DELAY * share)


def _soon_expiring_certificate(behaviour: Behaviour) -> None:
    behaviour.serve_certificate(SOON_EXPIRING)


def _page(behaviour: Behaviour) -> None:
    behaviour.is_page = True


def _open_cors(behaviour: Behaviour) -> None:
    behaviour.lets_in_any_origin = True


def _no_limit(behaviour: Behaviour) -> None:
    behaviour.is_unlimited = True


def _cold_cache(behaviour: Behaviour) -> None:
    numbers = count()
    behaviour.key = lambda name: f"{name}:{next(numbers)}"


def _optional_down(behaviour: Behaviour) -> None:
    behaviour.components = {"queue": False}


def _swallowed_cache_error(behaviour: Behaviour) -> None:
    behaviour.components = {"cache": True}


def _lying_infrastructure(behaviour: Behaviour) -> None:
    behaviour.components = {"database": True}


def _errors(behaviour: Behaviour) -> None:
    before, after = repeat(HTTPStatus.OK, _GOOD_BEFORE), repeat(HTTPStatus.OK, _ERRORS_EVERY - _GOOD_BEFORE - 1)
    behaviour.core = cycle((*before, HTTPStatus.INTERNAL_SERVER_ERROR, *after))


def _errors_share(behaviour: Behaviour, share: float) -> None:
    behaviour.core = _now_and_then(share, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.OK)


def _missing_headers(behaviour: Behaviour) -> None:
    behaviour.withheld = _WITHHELD


_FAULTS: Mapping[str, _Fault] = MappingProxyType(
    {
        "hang": _Fault(sentence="/health accepts requests and never responds", plant=_hang),
        "expired-cert": _Fault(
            sentence="HTTPS serves a certificate for localhost that expired yesterday", plant=_expired_certificate
        ),
        "wrong-host-cert": _Fault(
            sentence="HTTPS serves a valid certificate for another host name", plant=_wrong_host_certificate
        ),
        "old-version": _Fault(sentence=f"/api/version returns {_OLD_VERSION} instead of {VERSION}", plant=_old_version),
        "half-broken": _Fault(sentence="every second GET of /health returns 503", plant=_half_broken),
        "one-stray-error": _Fault(sentence="the third GET of /health returns 503, once", plant=_one_stray_error),
        "slow": _Fault(
            sentence=f"list and search take {_DELAY * 1000:.0f} ms longer", plant=_slow, plant_share=_slow_share
        ),
        "errors": _Fault(
            sentence=f"every {_ERRORS_EVERY}th request to list or search returns 500",
            plant=_errors,
            plant_share=_errors_share,
        ),
        "missing-headers": _Fault(
            sentence="Content-Security-Policy and X-Content-Type-Options are missing from all responses",
            plant=_missing_headers,
        ),
        "orphans": _Fault(
            sentence="the database has orders of users that do not exist", harm=lambda stores: stores.plant_orphans()
        ),
        "soon-expiring-cert": _Fault(
            sentence=f"HTTPS serves a certificate that expires in {DAYS_LEFT} days", plant=_soon_expiring_certificate
        ),
        "html-error-page": _Fault(
            sentence="/health and the infrastructure health return 200 with an HTML page", plant=_page
        ),
        "open-cors": _Fault(sentence="CORS allows every origin to read responses with credentials", plant=_open_cors),
        "no-rate-limit": _Fault(sentence="the rate limit is off: no client ever gets 429", plant=_no_limit),
        "cold-cache": _Fault(sentence="every cache lookup is a miss", plant=_cold_cache),
        "slow-half": _Fault(
            sentence=f"every second list and search takes {_DELAY * 1000:.0f} ms longer", plant=_slow_half
        ),
        "base-delay": _Fault(
            sentence=f"list and search take {_BASE_DELAY * 1000:.0f} ms longer, which is still within the limits",
            plant=_base_delay,
            plant_share=_base_delay_share,
            most=5,
        ),
        "component-optional-down": _Fault(
            sentence="the infrastructure health reports the queue, an optional component, as down", plant=_optional_down
        ),
        "invalid-index": _Fault(
            sentence="a unique index whose build failed is left invalid", harm=lambda stores: stores.spoil_index()
        ),
        "blocked-lock": _Fault(
            sentence="a session has waited 6 s for a lock of another session", harm=lambda stores: stores.block()
        ),
        "cache-full": _Fault(
            sentence="Valkey's memory is full and eviction is off; the shop hides the error",
            plant=_swallowed_cache_error,
            harm=lambda stores: stores.fill_cache(),
        ),
        "readonly-database": _Fault(
            sentence="PostgreSQL runs as a read-only standby", harm=lambda stores: stores.demote_database()
        ),
        "infrastructure-lies": _Fault(
            sentence="PostgreSQL is down, the infrastructure health reports it as up, the cache serves answers",
            plant=_lying_infrastructure,
            harm=lambda stores: stores.stop_database(keep_answers=True),
        ),
        "cache-down": _Fault(
            sentence="Valkey refuses connections; list and search read from PostgreSQL",
            harm=lambda stores: stores.stop_cache(),
        ),
        "database-down": _Fault(
            sentence="PostgreSQL refuses connections; list and search return 503",
            plant=_database_down,
            harm=lambda stores: stores.stop_database(),
        ),
    }
)

FAULTS: Mapping[str, str] = MappingProxyType({name: fault.sentence for name, fault in _FAULTS.items()})
