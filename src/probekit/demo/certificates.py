"""Certificates of a temporary authority: the valid one, and those for faults."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import trustme

from probekit.demo.certificate_names import DAYS_LEFT, EXPIRED, GOOD, OTHER_HOST, SOON_EXPIRING

STORE = "store"  # PostgreSQL's own

_YEAR = dt.timedelta(days=365)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """The files of an authority and its certificates, each with key and chain in PEM."""

    authority: Path
    leaves: Mapping[str, Path]


def issue(folder: Path, *, authority: Path, now: dt.datetime) -> Certificates:
    """Write an authority's certificate and one file for each certificate; the authority's key stays in memory."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(authority)
    leaves = {
        GOOD: ca.issue_cert("localhost", not_before=now - _DAY, not_after=now + _YEAR),
        EXPIRED: ca.issue_cert("localhost", not_before=now - 31 * _DAY, not_after=now - _DAY),
        SOON_EXPIRING: ca.issue_cert("localhost", not_before=now - _DAY, not_after=now + DAYS_LEFT * _DAY),
        OTHER_HOST: ca.issue_cert("other.example.test", not_before=now - _DAY, not_after=now + _YEAR),
        STORE: ca.issue_cert("localhost", "127.0.0.1", not_before=now - _DAY, not_after=now + _YEAR),
    }
    folder.mkdir(mode=0o700)
    files = {name: folder / f"{name}.pem" for name in leaves}
    for name, leaf in leaves.items():
        files[name].touch(mode=0o600)
        leaf.private_key_and_cert_chain_pem.write_to_path(files[name])
    return Certificates(authority=authority, leaves=MappingProxyType(files))
