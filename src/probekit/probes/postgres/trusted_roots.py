"""Whose certificates libpq believes, by the TLS mode that holds (PostgreSQL 18, section 32.19)."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from psycopg.pq import Conninfo

from probekit.files import is_file
from probekit.probe import ProbeFailedError, Reason
from probekit.transport.trust import Trust

_BUNDLE: Final = "ca-certificates.crt"  # of Debian, in the folder of all its roots
_SYSTEM: Final = "system"  # the store of the system; libpq takes verify-full alone beside it, and by default


def with_defaults(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The DSN's parameters before libpq's own variables and defaults."""
    defaults = {one.keyword.decode(): one.val.decode() for one in Conninfo.get_defaults() if one.val}
    return defaults | {name: str(value) for name, value in parameters.items()}


def _store_of_the_system() -> str:
    """The file of this machine's roots, where OpenSSL looks for it, or where Debian has it without a link there."""
    paths = ssl.get_default_verify_paths()
    beside = Path(paths.capath or "", _BUNDLE)
    return paths.cafile or (str(beside) if paths.capath and is_file(beside) else _SYSTEM)


def trusted_roots(parameters: Mapping[str, Any], trust: Trust) -> dict[str, str]:
    """What libpq is to be told beside the DSN: connect.ca where a mode verifies and nothing else names a CA.

    The libpq of psycopg's wheels looks for the system's store where it was built. So the store that Python finds on
    this machine is named instead.

    Raises:
        ProbeFailedError: `missing_secret`: the DSN asks for the system's store and a mode that does not verify.
    """
    known = with_defaults(parameters)
    mode = known.get("sslmode", "")
    if known.get("sslrootcert") == _SYSTEM:
        mode = parameters.get("sslmode") or os.environ.get("PGSSLMODE") or "verify-full"
        if mode != "verify-full":
            detail = f"sslrootcert=system takes no sslmode={mode}; write sslmode=verify-full"
            raise ProbeFailedError(Reason.MISSING_SECRET, detail)
        return {"sslmode": mode, "sslrootcert": _store_of_the_system()}
    if trust.ca and mode.startswith("verify-") and not known.get("sslrootcert"):
        return {"sslrootcert": str(trust.ca)}
    return {}
