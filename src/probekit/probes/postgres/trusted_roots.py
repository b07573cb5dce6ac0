"""The root certificates that libpq trusts, by its TLS mode (PostgreSQL 18, section 32.19)."""

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

_BUNDLE: Final = "ca-certificates.crt"  # Debian's file, in the folder of all its roots
_SYSTEM: Final = "system"  # the system's store; libpq allows only verify-full with it, and defaults to it


def with_defaults(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the DSN's parameters, completed by libpq's own variables and defaults."""
    defaults = {one.keyword.decode(): one.val.decode() for one in Conninfo.get_defaults() if one.val}
    return defaults | {name: str(value) for name, value in parameters.items()}


def _store_of_the_system() -> str:
    """Return the file of this machine's roots: at OpenSSL's default path, or at Debian's."""
    paths = ssl.get_default_verify_paths()
    beside = Path(paths.capath or "", _BUNDLE)
    return paths.cafile or (str(beside) if paths.capath and is_file(beside) else _SYSTEM)


def trusted_roots(parameters: Mapping[str, Any], trust: Trust) -> dict[str, str]:
    """Return parameters to add to the DSN's: connect.ca where the mode verifies and nothing else names a CA.

    The libpq of psycopg's wheels looks for the system's store at the path of the machine where it was built, so the
    store that Python finds on this machine is passed instead.

    Raises:
        ProbeFailedError: `missing_secret`: the DSN combines the system's store with a mode that does not verify.
    """
    known = with_defaults(parameters)
    mode = known.get("sslmode", "")
    if known.get("sslrootcert") == _SYSTEM:
        mode = parameters.get("sslmode") or os.environ.get("PGSSLMODE") or "verify-full"
        if mode != "verify-full":
            detail = f"sslrootcert=system does not allow sslmode={mode}; write sslmode=verify-full"
            raise ProbeFailedError(Reason.MISSING_SECRET, detail)
        return {"sslmode": mode, "sslrootcert": _store_of_the_system()}
    if trust.ca and mode.startswith("verify-") and not known.get("sslrootcert"):
        return {"sslrootcert": str(trust.ca)}
    return {}
