"""Read a certificate: its names, its dates, and the strength of its key and signature."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256

from probekit.probe import ProbeFailedError, Reason

_DAY: Final = 86400.0
_WEAK_HASHES: Final = ("md5", "sha1")
_RSA_BITS: Final = 2048  # NIST SP 800-57 part 1, table 2: 112 bits of security
_EC_BITS: Final = 224


def certificate_of(der: bytes) -> x509.Certificate:
    """Parse a certificate.

    Raises:
        ProbeFailedError: `bad_response`: it cannot be parsed.
    """
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise ProbeFailedError(Reason.BAD_RESPONSE, "a certificate in the chain cannot be parsed") from error


def days_left(certificate: x509.Certificate, now: datetime) -> float:
    """Return the days until it expires, as a fraction; negative where it has expired or is not valid yet."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    left = end - now if now >= start else now - start
    return left.total_seconds() / _DAY


def out_of_dates(certificate: x509.Certificate, now: datetime) -> str:
    """Return that it has expired or is not valid yet; empty where it is valid (RFC 5280 section 4.1.2.5)."""
    if now < certificate.not_valid_before_utc:
        return f"is not valid before {date_text(certificate.not_valid_before_utc)}"
    return f"expired on {date_text(certificate.not_valid_after_utc)}" if now > certificate.not_valid_after_utc else ""


def date_text(moment: datetime) -> str:
    """Return a moment in UTC, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def family_of(certificate: x509.Certificate) -> str:
    """Return the signature family of its key: RSA, ECDSA, EdDSA, DSA, or "unknown"."""
    key = _key(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ECDSA"
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return "EdDSA"
    return "DSA" if isinstance(key, dsa.DSAPublicKey) else "unknown"


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of its DER, in hex."""
    return certificate.fingerprint(SHA256()).hex()


def names_of(certificate: x509.Certificate) -> str:
    """Return the names of the certificate, else its subject."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        text = ", ".join(str(name.value) for name in list(names)[:3])
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        text = ""
    return text or certificate.subject.rfc4514_string() or "a certificate without a name"


def common_name(name: x509.Name) -> str:
    """Return the first common name of a subject or an issuer, else the whole name."""
    found: Sequence[x509.NameAttribute[Any]] = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def is_weak_key(certificate: x509.Certificate) -> bool:
    """Return whether its key has less than 112 bits of security."""
    key = _key(certificate)
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        return key.key_size < _RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < _EC_BITS


def is_weak_signature(certificate: x509.Certificate) -> bool:
    """Return whether it is signed with a broken hash; a root's own signature is not verified and does not count."""
    algorithm = certificate.signature_hash_algorithm
    return certificate.issuer != certificate.subject and algorithm is not None and algorithm.name in _WEAK_HASHES


def _key(certificate: x509.Certificate) -> CertificatePublicKeyTypes:
    try:
        return certificate.public_key()
    except (ValueError, TypeError) as error:
        raise ProbeFailedError(Reason.BAD_RESPONSE, "a certificate's key cannot be parsed") from error
