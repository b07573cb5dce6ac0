"""Translate errors of libpq and PostgreSQL into the reason why a session or a reading failed."""

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
    """No session was opened; `facts` holds the readings that the refusal itself gives."""

    def __init__(self, reason: Reason, detail: str, facts: Mapping[str, float] = _NOTHING) -> None:
        super().__init__(reason, detail)
        self.facts = {"up": 0.0, **facts} if reason is Reason.UNREACHABLE else dict(facts)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A refusal and the texts that identify it: libpq gives no SQLSTATE for a refused connection."""

    texts: str  # a regular expression
    reason: Reason
    summary: str
    facts: Mapping[str, float] = field(default_factory=dict)


_CERTIFICATE: Final = _Refusal(  # in libpq's words, and in OpenSSL's for the alerts of RFC 8446 section 6.2
    r"valid client certificate|alert (certificate|bad certificate|unsupported certificate|unknown ca|access denied)",
    Reason.ACCESS_DENIED,
    "a client certificate is required",
)
_FULL: Final = {"connections_used": 100.0}
_REFUSALS: Final = (
    _Refusal(
        r"does not match host name|certificate verify failed|could not get server's host name",
        Reason.UNTRUSTED,
        "the server's certificate is not trusted",
    ),
    _Refusal(
        r"root certificate file .* does not exist",
        Reason.MISSING_FILE,
        "the DSN verifies the certificate but names no CA (set sslrootcert=FILE, sslrootcert=system or connect.ca)",
    ),
    _Refusal(
        r"root certificate file|could not (read|load|open) .*(certificate|private key)|private key file",
        Reason.MISSING_FILE,
        "a certificate file of the DSN cannot be read",
    ),
    _Refusal(r"does not support SSL", Reason.UNTRUSTED, "no TLS support, which the DSN requires", {"encrypted": 0.0}),
    _CERTIFICATE,
    _Refusal(
        r"SSL error: .*\balert\b",  # the server is up: it sent the alert
        Reason.ACCESS_DENIED,
        "TLS handshake refused; a client certificate may be required (connect.client_cert)",
    ),
    _Refusal(
        r"too many connections for role", Reason.ACCESS_DENIED, "the connection limit of the DSN's role is reached"
    ),
    _Refusal(
        r"too many clients already|remaining connection slots are reserved|too many connections for database"
        r"|no more connections allowed",
        Reason.UNREACHABLE,
        "no connection slot is left",
        _FULL,
    ),
    _Refusal(
        r"the database system is|not currently accepting connections|cannot connect to invalid database"
        r'|database ".*" is disabled'  # PgBouncer's DISABLE
        r"|pgbouncer cannot connect|server login (failed|has been failing)|server_login_retry"
        r"|query_wait_timeout",  # PgBouncer 1.18 also sends this when its server is down, so it may not be full
        Reason.UNREACHABLE,
        "no sessions are accepted",
    ),
    _Refusal(
        r"session is (not )?read-only|server is (not )?in hot standby mode",
        Reason.BAD_RESPONSE,
        "no server has the role that the DSN's target_session_attrs requires",
        {"up": 1.0, "expected_role": 0.0},
    ),
    _Refusal(
        r'database ".*" does not exist|no such database',
        Reason.REFUSED_CREDENTIALS,
        "the DSN's database does not exist",
        {"expected_database": 0.0},
    ),
    _Refusal(
        r"authentication failed|no password supplied|no pg_hba\.conf entry|pg_hba\.conf rejects|no such user"
        r'|role ".*" (does not exist|is not permitted to log in)|permission denied for database|auth failed'
        r"|authentication method .* not supported|tenant or user not found",
        Reason.REFUSED_CREDENTIALS,
        "access denied, check the DSN's user and password",
    ),
    _Refusal(
        r"failed to resolve host|could not translate host name", Reason.UNRESOLVED, "the DSN's host does not resolve"
    ),
    _Refusal(
        r"connection refused|connection reset|closed the connection unexpectedly|timed out"
        r"|timeout expired|connection socket closed|broken pipe|ssl syscall error|eof detected",
        Reason.UNREACHABLE,
        "unreachable",
    ),
    _Refusal(
        r"network is unreachable|no route to host|cannot assign requested address|too many open files"
        r"|operation not permitted|could not create socket|permission denied\n"
        r"|no such file or directory",  # no socket file: a stopped server removes it, and a wrong mount has none
        Reason.NO_NETWORK,
        "the runner cannot connect",
    ),
    _Refusal(
        r"invalid response to SSL negotiation|expected authentication request|unsupported frontend protocol"
        r"|protocol|ssl error|lost synchronization",
        Reason.UNREACHABLE,
        "the server does not speak the protocol that the DSN requires",
    ),
)


def of_session(
    error: psycopg.Error | TimeoutError, where: str, seconds: float, certificate: ClientCertificate = NO_CERTIFICATE
) -> RefusedError:
    """Return why there is no session, from the error's text."""
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
    # an unknown language or error: the runner may be at fault as well
    return RefusedError(Reason.BAD_RESPONSE, f"{where}: no session, for an unrecognised reason: {said}")


def _essence(text: str, about: str = "") -> str:
    """Return the last line that matches `about`, else the last line, without libpq's address and advice."""
    lines = [line for line in text.splitlines() if line and not line.startswith(("\t", "Either provide"))]
    telling = [line for line in lines if re.search(about, line, re.IGNORECASE)] or lines
    return re.sub(r"^.*?connection to server .*? failed: ", "", telling[-1] if telling else "")


class ReadingError(ProbeFailedError):
    """A reading in an open session failed; `state` is its SQLSTATE, empty where the session was lost."""

    def __init__(self, reason: Reason, detail: str, state: str = "") -> None:
        super().__init__(reason, f"{detail} ({state})" if state else detail)
        self.state = state


_TIMES: Final = {"57014": "statement_timeout", "55P03": "lock_timeout", "25P03": "idle_in_transaction_session_timeout"}
_GONE: Final = ("08", "57P")  # connection exceptions; shutdown or crash of the server
_DENIED: Final = "42501"
_ABOUT_NAMES: Final = "42"  # syntax and access: these texts name tables and columns, and hold no content of rows


def of_reading(error: psycopg.Error | UnicodeDecodeError) -> ReadingError:
    """Return why a reading in an open session failed; with the server's text where it cannot hold content of rows."""
    if isinstance(error, UnicodeDecodeError):
        return ReadingError(Reason.BAD_RESPONSE, "a name is not in the encoding of the database")
    state = error.sqlstate or ""
    if isinstance(error, psycopg.OperationalError) and (not state or state.startswith(_GONE)):
        return ReadingError(Reason.UNREACHABLE, "the session was lost", state)
    if state in _TIMES:
        return ReadingError(Reason.TIMEOUT, f"stopped by {_TIMES[state]}", state)
    said = error.diag.message_primary if state.startswith(_ABOUT_NAMES) else None
    reason = Reason.NOT_PERMITTED if state == _DENIED else Reason.BAD_RESPONSE
    return ReadingError(reason, plain(said or type(error).__name__), state)
