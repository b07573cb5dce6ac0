"""A file of certificates that cannot be used is told by what is wrong with it, and never in OpenSSL's own text."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.trust import Trust

PART = "a part of it is missing or damaged"
NO_CERTIFICATE = "it contains no certificate"
_CA = trustme.CA()
_ONE, _OTHER = _CA.issue_cert("a.example.com"), _CA.issue_cert("b.example.com")
KEY, CERTIFICATE = _ONE.private_key_pem.bytes(), _ONE.cert_chain_pems[0].bytes()
LOCKED = load_pem_private_key(KEY, None).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
)


@pytest.mark.parametrize(
    ("setting", "content", "told"),
    [
        ("ca", b"", NO_CERTIFICATE),
        ("ca", b"hello\n" * 99, NO_CERTIFICATE),
        ("ca", KEY, NO_CERTIFICATE),
        ("ca", ssl.PEM_cert_to_DER_cert(CERTIFICATE.decode()), NO_CERTIFICATE),
        ("ca", CERTIFICATE[:400], PART),
        ("ca", CERTIFICATE.replace(b"MII", b"!!!", 1), PART),
        ("client_cert", b"", PART),
        ("client_cert", KEY, PART),
        ("client_cert", CERTIFICATE, PART),
        ("client_cert", KEY[:100] + CERTIFICATE, PART),
        ("client_cert", _OTHER.private_key_pem.bytes() + CERTIFICATE, "its key does not match its certificate"),
        ("client_cert", LOCKED + CERTIFICATE, "its key is encrypted"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, setting: str, content: bytes, told: str) -> None:
    file = tmp_path / "file.pem"
    file.write_bytes(content)
    settings: dict[str, Path] = {setting: file}

    with pytest.raises(ProbeFailedError) as caught:
        Trust(**settings).verifying()

    assert caught.value.reason is Reason.MISSING_FILE
    assert f"{file} cannot be {'read' if setting == 'ca' else 'used'}: {told}; " in caught.value.detail
    assert "_ssl.c" not in caught.value.detail
