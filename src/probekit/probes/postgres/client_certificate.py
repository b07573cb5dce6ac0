"""Which client certificate does libpq present, and what does a server say that accepts none?"""

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
    """What is presented to a server that asks, and by which setting."""

    parameters: Mapping[str, str] = field(default_factory=dict)  # for libpq, beside those of the DSN
    setting: str = ""  # empty: none is presented
    file: Path | None = None  # of a setting of libpq's own, which passes over a file that does not exist
    withheld: str = ""  # why that of connect.client_cert is not presented
    may_cost_tls: bool = False  # libpq goes on without TLS where the server does not accept it

    def demanded(self, where: str, said: str) -> ProbeFailedError:
        """Why there is no session with a server that demands a certificate."""
        if self.file is not None and not is_file(self.file):
            detail = f"{where} demands a client certificate: {self.setting} names {self.file}, which is no file"
            return ProbeFailedError(Reason.MISSING_FILE, detail)
        return CertificateDemandedError(where, presented=self.setting, withheld=self.withheld, alert=said)


def client_certificate(parameters: Mapping[str, Any], trust: Trust) -> ClientCertificate:
    """The certificate of the DSN or of libpq's variables, else that of connect.client_cert.

    Raises:
        ProbeFailedError: `missing_file`: connect.client_cert names no certificate and key.
    """
    known = with_defaults(parameters)
    if known.get("sslcert") or known.get("sslkey"):
        setting = "the DSN's sslcert (it holds before connect.client_cert)"
        return ClientCertificate(setting=setting, file=Path(known.get("sslcert") or known["sslkey"]))
    mode = known.get("sslmode")
    if trust.client_cert is None or mode == "disable":
        return ClientCertificate()
    trust.unverifying()  # says where the file is of no use; libpq would ask for a passphrase, or pass over it
    if not _is_private(trust.client_cert):
        detail = f"libpq takes no key that other users may read; chmod 600 {trust.client_cert} (connect.client_cert)"
        return ClientCertificate(withheld=detail)
    file = str(trust.client_cert)
    return ClientCertificate(
        parameters={"sslcert": file, "sslkey": file}, setting="connect.client_cert", may_cost_tls=mode == "prefer"
    )


def _is_private(file: Path) -> bool:
    """Whether libpq takes a key of this owner and mode (PostgreSQL 18, section 32.19.2)."""
    status = file.stat()
    others = (S_IWGRP | S_IXGRP | S_IRWXO) if status.st_uid == 0 else (S_IRWXG | S_IRWXO)
    return not status.st_mode & others
