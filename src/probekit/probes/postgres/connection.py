"""Open a connection, and bound the time of its work."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Coroutine
from dataclasses import replace
from time import perf_counter
from typing import Any, Final, TypeVar

import psycopg
from psycopg.rows import DictRow, dict_row

from probekit.probe import Reason
from probekit.probes.postgres.refusals import RefusedError, of_session
from probekit.probes.postgres.target import Target

NAME: Final = "probekit"  # also in the comments of queries/*.sql
_LONGEST_CONNECT: Final = 5.0

Connection = psycopg.AsyncConnection[DictRow]
_Result = TypeVar("_Result")


async def connect(target: Target, limit: float) -> tuple[Connection, float]:
    """Return a connection and the seconds it took.

    A certificate of connect.client_cert that the server does not accept is an error: libpq would go on without TLS
    (sslmode=prefer), and the session would not be encrypted because of it.

    Raises:
        RefusedError: no session was opened.
    """
    if target.certificate.may_cost_tls:
        try:
            return await _connect_once(replace(target, parameters=target.parameters | {"sslmode": "require"}), limit)
        except RefusedError as refused:
            if refused.reason not in (
                Reason.UNTRUSTED,
                Reason.REFUSED_CREDENTIALS,
            ):  # no TLS, or not with this certificate
                raise
    return await _connect_once(target, limit)


async def _connect_once(target: Target, limit: float) -> tuple[Connection, float]:
    """Return a connection and the seconds it took; each address is tried once, as libpq does."""
    seconds, start = min(limit, _LONGEST_CONNECT), perf_counter()
    addresses = str(target.parameters.get("hostaddr") or "").count(",") + 1
    own = {
        "client_encoding": "utf8",  # otherwise psycopg returns bytes from a SQL_ASCII database
        "application_name": NAME,
        "connect_timeout": max(2, int(seconds / addresses)),  # a silent address leaves time for the next
    }
    try:
        async with asyncio.timeout(seconds):
            connection = await psycopg.AsyncConnection.connect(
                autocommit=True,
                prepare_threshold=None,  # a transaction pooler would answer 42P05
                row_factory=dict_row,
                **(target.parameters | own),
            )
    except (psycopg.Error, TimeoutError) as error:
        raise refusal(error, target, seconds) from None  # its repr holds the password
    return connection, perf_counter() - start


def refusal(error: psycopg.Error | TimeoutError, target: Target, seconds: float) -> RefusedError:
    """Return why there is no session; a host that does not resolve may be up and have the required role."""
    refused = of_session(error, target.where, seconds, target.certificate)
    unresolved = target.unresolved
    if unresolved is None or not (refused.reason is Reason.UNREACHABLE or "expected_role" in refused.facts):
        return refused
    answered = {"up": 1.0} if refused.facts.get("up") else {}
    return RefusedError(unresolved.reason, f"{refused.detail}; {unresolved.detail}", answered)


async def bounded(connection: Connection, work: Coroutine[Any, Any, _Result], seconds: float) -> _Result:
    """Return the result of the work; the connection is closed where it takes too long or is cancelled.

    psycopg would ask the server to cancel and wait for its reply, which a silent server never sends.

    Raises:
        TimeoutError: the work took longer than `seconds`.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        is_late = not task.done()
    finally:
        if not task.done():
            _hang_up(connection)
            await asyncio.wait({task})
            task.exception()  # retrieves the error of the closed connection
    if is_late:
        raise TimeoutError
    return task.result()


def _hang_up(connection: Connection) -> None:
    """Shut the socket down under libpq, which then reports a lost connection."""
    with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
