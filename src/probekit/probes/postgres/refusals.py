"""Who is to blame when PostgreSQL opens no session, or breaks off a reading?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import psycopg

from probekit.probe import ProbeFailedError, Reason
from probekit.probes.postgres.client_certificate import ClientCertificate
from probekit.probes.postgres.words import plain

NO_CERTIFICATE: Final = ClientCertificate()
_NOTHING: Final[Mapping[str, float]] = MappingProxyType({})


class RefusedError(ProbeFailedError):
    """There is no session; what the refusal itself tells stands all the same."""

    def __init__(self, reason: Reason, detail: str, facts: Mapping[str, float] = _NOTHING) -> None:
        super().__init__(reason, detail)
        self.facts = {"up": 0.0, **facts} if reason is Reason.UNREACHABLE else dict(facts)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """How one is recognised; libpq gives a refused connection no SQLSTATE, only its text."""

    texts: str  # a pattern
    reason: Reason
    summary: str
    facts: Mapping[str, float] = field(default_factory=dict)


_CERTIFICATE: Final = _Refusal(  # in libpq's words, and in OpenSSL's for the alerts of RFC 8446 section 6.2
    r"valid client certificate|alert (certificate|bad certificate|unsupported certificate|unknown ca|access denied)",
    Reason.TURNED_AWAY,
    "it demands a client certificate",
)
_FULL: Final = {"connections_used": 100.0}
_REFUSALS: Final = (
    _Refusal(
        r"does not match host name|certificate verify failed|could not get server's host name",
        Reason.UNTRUSTED,
        "its certificate does not verify",
    ),
    _Refusal(
        r"root certificate file .* does not exist",
        Reason.MISSING_FILE,
        "the DSN asks to verify the certificate and names no CA (sslrootcert=FILE, sslrootcert=system or connect.ca)",
    ),
    _Refusal(
        r"root certificate file|could not (read|load|open) .*(certificate|private key)|private key file",
        Reason.MISSING_FILE,
        "a certificate that the DSN asks for cannot be read",
    ),
    _Refusal(
        r"does not support SSL", Reason.UNTRUSTED, "it speaks no TLS, and the DSN asks for it", {"encrypted": 0.0}
    ),
    _CERTIFICATE,
    _Refusal(
        r"SSL error: .*\balert\b",  # who sends one is there
        Reason.TURNED_AWAY,
        "it refuses the TLS handshake, perhaps for want of a client certificate (connect.client_cert)",
    ),
    _Refusal(r"too many connections for role", Reason.TURNED_AWAY, "the DSN's own role has no connection left"),
    _Refusal(
        r"too many clients already|remaining connection slots are reserved|too many connections for database"
        r"|no more connections allowed",
        Reason.UNREACHABLE,
        "it has no connection left",
        _FULL,
    ),
    _Refusal(
        r"the database system is|not currently accepting connections|cannot connect to invalid database"
        r'|database ".*" is disabled'  # PgBouncer's DISABLE
        r"|pgbouncer cannot connect|server login (failed|has been failing)|server_login_retry"
        r"|query_wait_timeout",  # PgBouncer 1.18 says so too when its server is down: no proof that it is full
        Reason.UNREACHABLE,
        "it takes no sessions",
    ),
    _Refusal(
        r"session is (not )?read-only|server is (not )?in hot standby mode",
        Reason.BAD_RESPONSE,
        "no server has the role that the DSN's target_session_attrs asks for",
        {"up": 1.0, "expected_role": 0.0},
    ),
    _Refusal(
        r'database ".*" does not exist|no such database',
        Reason.REFUSED_CREDENTIALS,
        "it has no such database",
        {"expected_database": 0.0},
    ),
    _Refusal(
        r"authentication failed|no password supplied|no pg_hba\.conf entry|pg_hba\.conf rejects|no such user"
        r'|role ".*" (does not exist|is not permitted to log in)|permission denied for database|auth failed'
        r"|authentication method .* not supported|tenant or user not found",
        Reason.REFUSED_CREDENTIALS,
        "it refuses the DSN's credentials",
    ),
    _Refusal(
        r"failed to resolve host|could not translate host name", Reason.UNRESOLVED, "the DSN's host does not resolve"
    ),
    _Refusal(
        r"connection refused|connection reset|closed the connection unexpectedly|timed out"
        r"|timeout expired|connection socket closed|broken pipe|ssl syscall error|eof detected",
        Reason.UNREACHABLE,
        "it does not answer",
    ),
    _Refusal(
        r"network is unreachable|no route to host|cannot assign requested address|too many open files"
        r"|operation not permitted|could not create socket|permission denied\n"
        r"|no such file or directory",  # no socket file: a server that ends takes it along, a wrong mount has none
        Reason.NO_NETWORK,
        "this machine cannot connect there",
    ),
    _Refusal(
        r"invalid response to SSL negotiation|expected authentication request|unsupported frontend protocol"
        r"|protocol|ssl error|lost synchronization",
        Reason.UNREACHABLE,
        "it does not speak the protocol that the DSN asks for",
    ),
)


def of_session(
    error: psycopg.Error | TimeoutError, where: str, seconds: float, certificate: ClientCertificate = NO_CERTIFICATE
) -> RefusedError:
    """Why there is no session, by what the error's text says."""
    if isinstance(error, TimeoutError | psycopg.errors.ConnectionTimeout):
        return RefusedError(Reason.UNREACHABLE, f"no session with {where} within {seconds:g} s")
    text = str(error)
    for refusal in _REFUSALS:
        if not re.search(refusal.texts, text, re.IGNORECASE):
            continue
        said = plain(_essence(text, refusal.texts))
        if refusal is _CERTIFICATE:
            demanded = certificate.demanded(where, said)
            return RefusedError(demanded.reason, demanded.detail)
        return RefusedError(refusal.reason, f"{where}: {refusal.summary}: {said}", refusal.facts)
    said = plain(_essence(text))
    # in a language or of a kind that we do not know: it may as well be our own fault
    return RefusedError(Reason.BAD_RESPONSE, f"{where} opens no session, for a reason that we do not know: {said}")


def _essence(text: str, about: str = "") -> str:
    """The last line about something, else the last, without libpq's address in front and its advice behind."""
    lines = [line for line in text.splitlines() if line and not line.startswith(("\t", "Either provide"))]
    telling = [line for line in lines if re.search(about, line, re.IGNORECASE)] or lines
    return re.sub(r"^.*?connection to server .*? failed: ", "", telling[-1] if telling else "")


class ReadingError(ProbeFailedError):
    """A reading in an open session failed; the SQLSTATE says why, empty where the session broke off."""

    def __init__(self, reason: Reason, detail: str, state: str = "") -> None:
        super().__init__(reason, f"{detail} ({state})" if state else detail)
        self.state = state


_TIMES: Final = {"57014": "statement_timeout", "55P03": "lock_timeout", "25P03": "idle_in_transaction_session_timeout"}
_GONE: Final = ("08", "57P")  # connection exceptions; the server shuts down or crashed
_DENIED: Final = "42501"
_ABOUT_NAMES: Final = "42"  # syntax and access: such a text names tables and columns, and holds no row's content


def of_reading(error: psycopg.Error | UnicodeDecodeError) -> ReadingError:
    """Why a reading in an open session failed; the server's text only where it cannot hold what stands in a row."""
    if isinstance(error, UnicodeDecodeError):
        return ReadingError(Reason.BAD_RESPONSE, "a name in it is not in the encoding that the database claims")
    state = error.sqlstate or ""
    if isinstance(error, psycopg.OperationalError) and (not state or state.startswith(_GONE)):
        return ReadingError(Reason.UNREACHABLE, "the session broke off", state)
    if state in _TIMES:
        return ReadingError(Reason.TIMEOUT, f"stopped by {_TIMES[state]}", state)
    said = error.diag.message_primary if state.startswith(_ABOUT_NAMES) else None
    reason = Reason.NOT_PERMITTED if state == _DENIED else Reason.BAD_RESPONSE
    return ReadingError(reason, plain(said or type(error).__name__), state)
