"""How a connection is opened, and how its work is bounded."""

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

NAME: Final = "probekit"  # the marks in queries/*.sql say it too
_LONGEST_CONNECT: Final = 5.0

Connection = psycopg.AsyncConnection[DictRow]
_Result = TypeVar("_Result")


async def connect(target: Target, patience: float) -> tuple[Connection, float]:
    """A connection and the seconds it took.

    A certificate of connect.client_cert that the server does not accept is an error: libpq would go on without TLS
    (sslmode=prefer), and the session would not be encrypted because of it.

    Raises:
        RefusedError: there is none.
    """
    if target.certificate.may_cost_tls:
        try:
            return await _connect_once(replace(target, parameters=target.parameters | {"sslmode": "require"}), patience)
        except RefusedError as refused:
            if refused.reason not in (Reason.UNTRUSTED, Reason.REFUSED_CREDENTIALS):  # no TLS there, or none for us
                raise
    return await _connect_once(target, patience)


async def _connect_once(target: Target, patience: float) -> tuple[Connection, float]:
    """A connection and the seconds it took; every address once, as libpq does, and nothing again."""
    seconds, start = min(patience, _LONGEST_CONNECT), perf_counter()
    addresses = str(target.parameters.get("hostaddr") or "").count(",") + 1
    own = {
        "client_encoding": "utf8",  # of a SQL_ASCII database psycopg gives bytes otherwise
        "application_name": NAME,
        "connect_timeout": max(2, int(seconds / addresses)),  # one that is silent leaves time for the next
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
    """Why there is no session; a host that does not resolve here may be up, and have the role that is asked for."""
    refused = of_session(error, target.where, seconds, target.certificate)
    unresolved = target.unresolved
    if unresolved is None or not (refused.reason is Reason.UNREACHABLE or "expected_role" in refused.facts):
        return refused
    answered = {"up": 1.0} if refused.facts.get("up") else {}
    return RefusedError(unresolved.reason, f"{refused.detail}; {unresolved.detail}", answered)


async def bounded(connection: Connection, work: Coroutine[Any, Any, _Result], seconds: float) -> _Result:
    """The work's result; whoever is not done in time, or not wanted any more, loses the connection.

    psycopg asks the server to cancel instead, and waits for its consent: a silent one would hold us.

    Raises:
        TimeoutError: the time was over.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        is_late = not task.done()
    finally:
        if not task.done():
            _hang_up(connection)
            await asyncio.wait({task})
            task.exception()  # which tells of the lost connection
    if is_late:
        raise TimeoutError
    return task.result()


def _hang_up(connection: Connection) -> None:
    """End the socket under libpq, which then notices by itself."""
    with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
