"""A session with a server, in redis-py's protocol over probekit's own connection."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from redis import exceptions
from redis.asyncio import Connection as RedisConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from probekit.probe import Address, ProbeFailedError, Reason
from probekit.probes.redis.refusals import MEANINGS, RefusedError, word_of
from probekit.probes.redis.url import Login
from probekit.transport.connection import Connection
from probekit.transport.urls import SocketFile

_MOST: Final = 1 << 20  # bytes of a session: INFO has some 10 kB, CLUSTER NODES of 1,000 nodes some 250 kB


class _Bounded:
    """A reader for redis-py with a bound on the bytes read: redis-py accepts any length that a server declares."""

    def __init__(self, reader: asyncio.StreamReader, address: Address | SocketFile) -> None:
        self._reader = reader
        self._address = address
        self._left = _MOST

    async def readexactly(self, length: int) -> bytes:
        self._take(length)
        return await self._reader.readexactly(length)

    async def readline(self) -> bytes:
        line = await self._reader.readline()
        self._take(len(line))
        return line

    async def read(self, length: int) -> bytes:  # used by hiredis, where it is installed
        data = await self._reader.read(length)
        self._take(len(data))
        return data

    def at_eof(self) -> bool:
        return self._reader.at_eof()

    def _take(self, length: int) -> None:
        self._left -= length
        if self._left < 0:
            detail = f"{self._address} sends more than {_MOST >> 20} MiB in one session"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail)


class _Talk(RedisConnection):
    """redis-py's protocol on a connection that is already open."""

    def __init__(self, line: Connection, login: Login) -> None:
        super().__init__(
            db=login.database,
            username=login.user,
            password=login.password,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
            protocol=2,  # HELLO is neither known to old servers nor allowed to every user
            socket_timeout=None,  # the whole session has one deadline
            socket_connect_timeout=None,
        )
        self.driver_info = None  # CLIENT SETINFO: an ACL would log its refusal
        self.lib_name = self.lib_version = None  # the same before redis-py 7.2
        self._line: Connection | None = line

    async def _connect(self) -> None:
        if self._line is None:
            raise exceptions.ConnectionError("the connection was lost")
        self._reader = _Bounded(self._line.reader, self._line.address)  # type: ignore[assignment]  # has what redis-py uses of it
        self._writer, self._line = self._line.writer, None


class Session:
    """An open connection with its deadline."""

    def __init__(self, line: Connection, login: Login, timeout: float) -> None:
        self.line = line
        self.address = line.address
        self._login = login
        self._talk = _Talk(line, login)
        self._timeout = timeout
        self._has_answered = False
        self._deadline = asyncio.get_running_loop().time() + timeout - line.connect - (line.tls or 0.0)

    @property
    def is_open(self) -> bool:
        """Whether the connection is still open after the last exchange."""
        return bool(self._talk.is_connected)

    async def sign_in(self) -> None:
        """Sign in with the URL's user and password, and select its database."""
        try:
            await self._exchange("the sign-in")
        except RefusedError as error:
            if error.word in MEANINGS:
                raise
            detail = f"{self.address} refused database {self._login.database} of the URL, or the sign-in"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail) from error
        login = self._login
        self._has_answered = bool(login.user or login.password or login.database)  # otherwise nothing was sent so far

    async def call(self, *command: str) -> Any:  # noqa: ANN401  # what the protocol can carry
        """Return the server's answer to one command.

        Raises:
            ProbeFailedError: `timeout` or `unreachable`: no answer; `not_permitted`; `refused_credentials`.
            RefusedError: the answer is another error.
        """
        return await self._exchange(command[0], *command)

    async def info(self) -> Mapping[str, str]:
        """Return the fields of INFO."""
        answer = await self.call("INFO")
        if not isinstance(answer, bytes):
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"{self.address} does not answer INFO with a text")
        lines = (line.partition(":") for line in answer.decode("utf-8", "replace").splitlines())
        return {name: value for name, colon, value in lines if colon}

    async def close(self) -> None:
        """Close at once, whatever the state."""
        await self._talk.disconnect(nowait=True)
        await self.line.close()

    async def _exchange(self, step: str, *command: str) -> Any:  # noqa: ANN401  # see call
        try:
            async with asyncio.timeout_at(self._deadline):
                await self._talk.connect()  # type: ignore[no-untyped-call]  # redis-py has no type there
                if not command:
                    return None
                await self._talk.send_command(*command)
                answer = await self._talk.read_response()
                self._has_answered = True
                return answer
        except TimeoutError as error:
            detail = f"no response to {step} from {self.address} within {self._timeout:g} s"
            raise ProbeFailedError(Reason.TIMEOUT, detail) from error
        except (exceptions.RedisError, OSError, ValueError, RecursionError) as error:
            # ValueError: letters instead of a number; RecursionError: lists nested too deeply
            raise self._failure(error, step) from None  # see RefusedError

    def _failure(self, error: Exception, step: str) -> ProbeFailedError:
        """Return the failure for an error reply, a lost connection or another protocol."""
        address = self.address
        if isinstance(error, exceptions.AuthenticationError | exceptions.AuthenticationWrongNumberOfArgsError):
            text = (
                "refused the URL's user or password"
                if self._login.password
                else "requires a password: add it to the URL"
            )
            return ProbeFailedError(Reason.REFUSED_CREDENTIALS, f"{address} {text}")
        if isinstance(error, exceptions.NoPermissionError):
            return ProbeFailedError(Reason.NOT_PERMITTED, f"{address} does not permit {step} to the URL's user")
        if isinstance(error, exceptions.ConnectionError) and "max number of clients" in str(error):
            return ProbeFailedError(Reason.UNREACHABLE, f"{address} has no client slot left")
        if isinstance(error, exceptions.ResponseError | exceptions.BusyLoadingError):
            return self._refusal(word_of(error), step)
        if isinstance(error, exceptions.ConnectionError | OSError):
            refused = None if self._has_answered else self.line.refusal(_system_error(error))
            return refused or ProbeFailedError(Reason.UNREACHABLE, f"{address} closed the connection at {step}")
        return ProbeFailedError(Reason.UNREACHABLE, f"{address} does not speak the Redis protocol")

    def _refusal(self, word: str, step: str) -> ProbeFailedError:
        if word == "DENIED":
            detail = f"{self.address} is in protected mode and accepts only local connections"
            return ProbeFailedError(Reason.ACCESS_DENIED, detail)
        return RefusedError(word, step, self.address)


def _system_error(error: BaseException | None) -> OSError | None:
    """Return the error of the socket or of TLS under redis-py's own; None for a plain close."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error
