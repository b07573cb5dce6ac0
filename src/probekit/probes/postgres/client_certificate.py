"""The client certificate that libpq presents, and the error where a server does not accept it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_IRWXG, S_IRWXO, S_IWGRP, S_IXGRP
from typing import Any

from probekit.files import is_file
from probekit.probe import ProbeFailedError, Reason
from probekit.probes.postgres.trusted_roots import with_defaults
from probekit.transport.trust import CertificateDemandedError, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """The certificate for a server that demands one, and the setting that names it."""

    parameters: Mapping[str, str] = field(default_factory=dict)  # for libpq, in addition to the DSN's
    setting: str = ""  # empty: none is presented
    file: Path | None = None  # of libpq's own setting; libpq ignores a file that does not exist
    withheld: str = ""  # why connect.client_cert is not presented
    may_cost_tls: bool = False  # libpq goes on without TLS where the server does not accept it

    def demanded(self, where: str, said: str) -> ProbeFailedError:
        """Return the error of a session that a server refuses without a valid certificate."""
        if self.file is not None and not is_file(self.file):
            detail = f"{where} requires a client certificate: {self.setting} names {self.file}, which is not a file"
            return ProbeFailedError(Reason.MISSING_FILE, detail)
        return CertificateDemandedError(where, presented=self.setting, withheld=self.withheld, alert=said)


def client_certificate(parameters: Mapping[str, Any], trust: Trust) -> ClientCertificate:
    """Return the certificate of the DSN or of libpq's variables, else that of connect.client_cert.

    Raises:
        ProbeFailedError: `missing_file`: connect.client_cert does not name a certificate with its key.
    """
    known = with_defaults(parameters)
    if known.get("sslcert") or known.get("sslkey"):
        setting = "the DSN's sslcert (takes precedence over connect.client_cert)"
        return ClientCertificate(setting=setting, file=Path(known.get("sslcert") or known["sslkey"]))
    mode = known.get("sslmode")
    if trust.client_cert is None or mode == "disable":
        return ClientCertificate()
    trust.unverifying()  # raises where the file is unusable; libpq would ask for a passphrase, or ignore it
    if not _is_private(trust.client_cert):
        detail = (
            f"libpq refuses a key that other users may read: run chmod 600 {trust.client_cert} (connect.client_cert)"
        )
        return ClientCertificate(withheld=detail)
    file = str(trust.client_cert)
    return ClientCertificate(
        parameters={"sslcert": file, "sslkey": file}, setting="connect.client_cert", may_cost_tls=mode == "prefer"
    )


def _is_private(file: Path) -> bool:
    """Return whether libpq accepts a key of this owner and mode (PostgreSQL 18, section 32.19.2)."""
    status = file.stat()
    others = (S_IWGRP | S_IXGRP | S_IRWXO) if status.st_uid == 0 else (S_IRWXG | S_IRWXO)
    return not status.st_mode & others
