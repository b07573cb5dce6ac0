"""One session with a server, over a connection of our own."""

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

_MOST: Final = 1 << 20  # bytes of a session: INFO has some 10 kB, CLUSTER NODES of 1,000 nodes some 250


class _Bounded:
    """A reader as redis-py uses it, up to a bound: it takes any length that a server declares."""

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

    async def read(self, length: int) -> bytes:  # of hiredis, where that is installed
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
    """redis-py's protocol on a line that is already open: who is called, and who is trusted, is settled before."""

    def __init__(self, line: Connection, login: Login) -> None:
        super().__init__(
            db=login.database,
            username=login.user,
            password=login.password,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
            protocol=2,  # HELLO is neither known to old servers nor allowed to every user
            socket_timeout=None,  # one deadline stands around the session
            socket_connect_timeout=None,
        )
        self.driver_info = None  # CLIENT SETINFO: an ACL would log its refusal
        self.lib_name = self.lib_version = None  # the same before redis-py 7.2
        self._line: Connection | None = line

    async def _connect(self) -> None:
        if self._line is None:
            raise exceptions.ConnectionError("the line was lost")
        self._reader = _Bounded(self._line.reader, self._line.address)  # type: ignore[assignment]  # all that is used of it
        self._writer, self._line = self._line.writer, None


class Session:
    """One open connection and the moment at which it must be over."""

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
        """Whether the last exchange left a connection."""
        return bool(self._talk.is_connected)

    async def sign_in(self) -> None:
        """Give user and password and select the database, as the URL says."""
        try:
            await self._exchange("the sign-in")
        except RefusedError as error:
            if error.word in MEANINGS:
                raise
            detail = f"{self.address} refused database {self._login.database} of the URL, or the sign-in before it"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail) from error
        login = self._login
        self._has_answered = bool(login.user or login.password or login.database)  # else nothing was sent so far

    async def call(self, *command: str) -> Any:  # noqa: ANN401  # what the protocol can carry
        """The server's answer to one command.

        Raises:
            ProbeFailedError: `timeout` or `unreachable`: there was none; `not_permitted`; `refused_credentials`.
            RefusedError: the answer is another error.
        """
        return await self._exchange(command[0], *command)

    async def info(self) -> Mapping[str, str]:
        """The fields of INFO."""
        answer = await self.call("INFO")
        if not isinstance(answer, bytes):
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"{self.address} answers INFO with something else")
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
            detail = f"no answer to {step} from {self.address} within {self._timeout:g} s"
            raise ProbeFailedError(Reason.TIMEOUT, detail) from error
        except (exceptions.RedisError, OSError, ValueError, RecursionError) as error:
            # ValueError: letters where a number is due; RecursionError: lists in lists
            raise self._trouble(error, step) from None  # see RefusedError

    def _trouble(self, error: Exception, step: str) -> ProbeFailedError:
        """Who is to blame for an error reply, a lost line or an answer in another protocol."""
        address = self.address
        if isinstance(error, exceptions.AuthenticationError | exceptions.AuthenticationWrongNumberOfArgsError):
            text = (
                "refused the URL's user or password" if self._login.password else "wants a password, the URL has none"
            )
            return ProbeFailedError(Reason.REFUSED_CREDENTIALS, f"{address} {text}")
        if isinstance(error, exceptions.NoPermissionError):
            return ProbeFailedError(Reason.NOT_PERMITTED, f"{address} does not permit our user {step}")
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
            detail = f"{self.address} is in protected mode: it talks to its own machine only"
            return ProbeFailedError(Reason.TURNED_AWAY, detail)
        return RefusedError(word, step, self.address)


def _system_error(error: BaseException | None) -> OSError | None:
    """The error of the socket or of TLS under redis-py's own, None for a plain close."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error
