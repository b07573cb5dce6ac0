"""Every fault the target can be given: one sentence for people, one function that plants it.

A new fault is one row of `_FAULTS`; `--help` and the tests read the same table.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import chain, cycle, repeat
from types import MappingProxyType

GOOD = "good"  # the certificates that HTTPS may serve
EXPIRED = "expired"
OTHER_HOST = "other-host"
VERSION = "2.3.1"
_OLD_VERSION = "2.3.0"


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """What the running target does, as far as a fault can change it."""

    serve_certificate: Callable[[str], None]  # by its name in certificates.py, from the next connection on
    health: Iterator[HTTPStatus] = field(default_factory=lambda: repeat(HTTPStatus.OK))  # of the next GETs of /health
    is_hanging: bool = False
    version: str = VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    sentence: str
    plant: Callable[[Behaviour], None]


def plant(name: str, behaviour: Behaviour) -> None:
    """Change the behaviour as the fault of this name says; KeyError where there is none."""
    _FAULTS[name].plant(behaviour)


def mend(behaviour: Behaviour) -> None:
    """Make the behaviour good again."""
    behaviour.serve_certificate(GOOD)
    behaviour.health = repeat(HTTPStatus.OK)
    behaviour.is_hanging = False
    behaviour.version = VERSION


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
    }
)

FAULTS: Mapping[str, str] = MappingProxyType({name: fault.sentence for name, fault in _FAULTS.items()})
