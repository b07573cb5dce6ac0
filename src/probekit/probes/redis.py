"""Does the cache answer and take a write, is it the server it should be, and does it hold what is looked up?"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from pydantic import Field
from redis import exceptions
from redis.asyncio import Connection as RedisConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from probekit.probe import (
    Address,
    Complement,
    Context,
    Endpoint,
    Exact,
    Failure,
    Kind,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
    RepeatedConfig,
    SecretRef,
    Share,
)
from probekit.transport.connection import Connection, open_connection

_PORT: Final = 6379
_CONNECT: Final = 5.0  # seconds at most: a cache that takes longer to accept is as good as gone
_EXPIRY: Final = "30"  # seconds after which a canary that could not be deleted goes by itself
_SILENT: Final = (Reason.UNREACHABLE, Reason.TIMEOUT)
_ALLOW: Final = 'nothing may be written: add allow = ["canary-write"] to the environment'
_ONLY_GROW: Final = ("keyspace_hits", "keyspace_misses", "total_commands_processed", "total_connections_received")
_MEANINGS: Final = {
    "ASK": "another node of the cluster keeps that key",
    "BUSY": "a script keeps it busy",
    "CLUSTERDOWN": "its cluster is down",
    "LOADING": "it is still loading its data",
    "MASTERDOWN": "its master is out of reach",
    "MISCONF": "it cannot save its data",
    "MOVED": "another node of the cluster keeps that key",
    "NOREPLICAS": "too few replicas are in reach",
    "OOM": "its memory is full",
    "READONLY": "it is a read-only replica",
}
_WORDS: Final = {  # redis-py takes the word of these off the text
    exceptions.BusyLoadingError: "LOADING",
    exceptions.MovedError: "MOVED",
    exceptions.AskError: "ASK",
    exceptions.MasterDownError: "MASTERDOWN",
    exceptions.ClusterDownError: "CLUSTERDOWN",
    exceptions.OutOfMemoryError: "OOM",
    exceptions.ReadOnlyError: "READONLY",
}


class RedisProbe(RepeatedConfig):
    """One server that speaks the Redis protocol, as the application reaches it."""

    kind: Literal["redis"]
    url: SecretRef = Field(
        description="where its URL is kept: redis:// or rediss://, with user, password and database as needed"
    )
    role: Literal["master", "replica"] = Field("master", description="what the server must be")
    prefix: str = Field(
        "probekit:", min_length=1, description="what the canary's key begins with; our user may SET, INCR and DEL there"
    )
    settings: dict[str, int | str] = Field(
        {}, description="fields of INFO and what each must be, such as maxmemory (in bytes) and maxmemory_policy"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    """What the URL says."""

    endpoint: Endpoint
    is_secure: bool
    user: str | None
    password: str | None = field(repr=False)
    database: int


class _RefusedError(ProbeFailedError):
    """The server answered with an error; its text is left out, because a server may repeat what it was sent."""

    def __init__(self, word: str, command: str, address: Address) -> None:
        meaning = f"{word}: {_MEANINGS[word]}" if word in _MEANINGS else word
        super().__init__(Reason.BAD_RESPONSE, f"{address} answers {command} with {meaning}")
        self.word = word


async def measure(config: RedisProbe, context: Context) -> Readings:
    """One session: PING, INFO and, where it is asked for and allowed, a key that is set, counted up and deleted.

    Nobody there, no client slot left, another protocol or an error instead of PONG is `up = 0`.
    """
    try:
        async with _session(config, context) as session:
            return await _readings(session, config, context)
    except ProbeFailedError as error:
        if error.reason not in _SILENT and not isinstance(error, _RefusedError):
            raise
        return Readings(error.detail, up=Exact(0))


async def sample(config: RedisProbe, context: Context) -> AsyncGenerator[Readings, None]:
    """The share of look-ups that found something, block by block, from what INFO counted in between."""
    if context.window is None:
        raise ProbeFailedError(Reason.BUG, "a sampling needs a window")
    before = await _counted(config, context)
    while await context.window.next():
        try:
            after = await _counted(config, context)
        except ProbeFailedError as error:
            yield Readings(error.detail, hit_rate=_failure(error))
            continue
        yield Readings(after.text, hit_rate=_hit_rate(before, after))
        before = after


async def _readings(session: _Session, config: RedisProbe, context: Context) -> Readings:
    ping = await _ping(session)
    readings = Readings(
        up=ping if isinstance(ping, Failure) else Exact(1),
        connect=Exact(session.line.connect * 1000),
        round_trip=ping,
    )
    if session.line.tls is not None:
        readings.values["tls"] = Exact(session.line.tls * 1000)
    facts = await _facts(session)
    readings.summary = _summary(session.address, facts)
    readings.values |= _claims(config, facts)
    if "canary" in context.wanted:
        canary, trouble = await _canary(session, config, context, facts)
        readings.values["canary"] = canary
        readings.summary += trouble and f"; {trouble}"
    return readings


async def _ping(session: _Session) -> Exact | Failure:
    """Milliseconds until PONG, or that our user may not ask."""
    start = time.perf_counter()
    try:
        answer = await session.call("PING")
    except ProbeFailedError as error:
        if error.reason is not Reason.NOT_PERMITTED:
            raise
        return _failure(error)
    if answer != b"PONG":
        raise ProbeFailedError(Reason.UNREACHABLE, f"{session.address} answers PING with something else than PONG")
    return Exact((time.perf_counter() - start) * 1000)


async def _facts(session: _Session) -> Mapping[str, str] | Failure:
    try:
        return await session.info()
    except ProbeFailedError as error:
        return _failure(error)


def _claims(config: RedisProbe, facts: Mapping[str, str] | Failure) -> dict[str, Exact | Failure]:
    """What INFO says of role, memory and settings."""
    if isinstance(facts, Failure):
        return dict.fromkeys(("expected_role", "used_memory", "differing_settings"), facts)
    return {
        "expected_role": _expected_role(config, facts),
        "used_memory": _used_memory(facts),
        "differing_settings": _differing_settings(config, facts),
    }


def _expected_role(config: RedisProbe, facts: Mapping[str, str]) -> Exact | Failure:
    role = {"master": "master", "slave": "replica"}.get(facts.get("role", ""))
    if role is None:
        return _unread("INFO names no role")
    is_cut_off = role == "replica" and facts.get("master_link_status") != "up"
    return Exact(role == config.role and not is_cut_off)


def _used_memory(facts: Mapping[str, str]) -> Exact | Failure:
    try:
        used, limit = int(facts["used_memory"]), int(facts["maxmemory"])
    except (KeyError, ValueError):
        return _unread("INFO does not tell used_memory and maxmemory")
    if not limit:
        return _unread("maxmemory is 0: the server has no limit of its own to compare with")
    return Exact(used / limit * 100)


def _differing_settings(config: RedisProbe, facts: Mapping[str, str]) -> Exact | Failure:
    if not config.settings:
        detail = 'none is declared: settings = { maxmemory_policy = "allkeys-lru" }'
        return Failure(reason=Reason.MISSING_SETTING, detail=detail)
    if unknown := [name for name in config.settings if name not in facts]:
        return _unread(f"INFO does not tell {', '.join(unknown)}")
    return Exact(sum(facts[name] != str(value) for name, value in config.settings.items()))


def _summary(address: Address, facts: Mapping[str, str] | Failure) -> str:
    """The server in a sentence: what it is, how full, and what an operator would not want to overlook."""
    if isinstance(facts, Failure):
        return f"{address} answers PING, but INFO cannot be read: {facts.detail}"
    role = {"slave": "replica"}.get(facts.get("role", ""), facts.get("role", "unknown role"))
    memory = _used_memory(facts)
    parts = [f"{address} is a {role}", f"{memory.value:.1f} % of its memory used" if isinstance(memory, Exact) else ""]
    alarms = {
        "nobody else is connected": facts.get("connected_clients") == "1",
        "its master is out of reach": facts.get("master_link_status") == "down",
        "its last snapshot failed": facts.get("rdb_last_bgsave_status") == "err",
        "its last write to disk failed": facts.get("aof_last_write_status") == "err",
    }
    return ", ".join(part for part in (*parts, *(alarm for alarm, rings in alarms.items() if rings)) if part)


async def _canary(
    session: _Session, config: RedisProbe, context: Context, facts: Mapping[str, str] | Failure
) -> tuple[Exact | Failure, str]:
    """Whether a key of our own could be set, counted up and deleted, and what was wrong."""
    if "canary-write" not in context.allow:
        return Failure(reason=Reason.MISSING_SETTING, detail=_ALLOW), ""
    if isinstance(facts, Failure) and not session.is_open:
        return facts, ""
    key = f"{config.prefix}{uuid4().hex}"
    steps = ((("SET", key, "41", "EX", _EXPIRY), b"OK"), (("INCR", key), 42), (("DEL", key), 1))
    for command, due in steps:
        try:
            answer = await session.call(*command)
        except ProbeFailedError as error:
            return _canary_failed(error, config)
        if answer != due:
            return Exact(0), f"{command[0]} of a key of our own does not give what it must"
    return Exact(1), ""


def _canary_failed(error: ProbeFailedError, config: RedisProbe) -> tuple[Exact | Failure, str]:
    if isinstance(error, _RefusedError) and error.word in ("MOVED", "ASK"):
        return _failure(error), ""
    if isinstance(error, _RefusedError) and error.word == "READONLY" and config.role == "replica":
        return Exact(1), ""  # as a replica must
    if isinstance(error, _RefusedError) or error.reason in _SILENT:
        return Exact(0), error.detail
    return _failure(error), ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """What INFO had counted since the server's start."""

    run: str
    counters: Mapping[str, int]
    text: str


async def _counted(config: RedisProbe, context: Context) -> _Counted:
    async with _session(config, context) as session:
        facts = await session.info()
        try:
            counters = {name: int(facts[name]) for name in _ONLY_GROW}
            return _Counted(run=facts["run_id"], counters=counters, text=_summary(session.address, facts))
        except (KeyError, ValueError) as error:
            detail = f"INFO of {session.address} does not tell run_id, {', '.join(_ONLY_GROW)}"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail) from error


def _hit_rate(before: _Counted, after: _Counted) -> Complement | Failure:
    """Hits among the look-ups between two readings of the same, uninterrupted counters."""
    if before.run != after.run:
        return _unread("the server was restarted, or another one answers, while its look-ups were counted")
    new = {name: count - before.counters[name] for name, count in after.counters.items()}
    if min(new.values()) < 0:
        return _unread("the server's counters were reset while its look-ups were counted")
    misses, hits = new["keyspace_misses"], new["keyspace_hits"]
    return Complement(Share((misses,), (misses + hits,)))


class _Talk(RedisConnection):
    """redis-py's protocol on a line that is already open: who is called, and who is trusted, is settled before."""

    def __init__(self, line: Connection, server: _Server) -> None:
        super().__init__(
            db=server.database,
            username=server.user,
            password=server.password,
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
        self._reader, self._writer, self._line = self._line.reader, self._line.writer, None


class _Session:
    """One open connection and the moment at which it must be over."""

    def __init__(self, line: Connection, server: _Server, timeout: float) -> None:
        self.line = line
        self.address = line.address
        self._server = server
        self._talk = _Talk(line, server)
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
        except _RefusedError as error:
            if error.word in _MEANINGS:
                raise
            detail = f"{self.address} refused database {self._server.database} of the URL, or the sign-in before it"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail) from error
        server = self._server
        self._has_answered = bool(server.user or server.password or server.database)  # else nothing was sent so far

    async def call(self, *command: str) -> Any:  # noqa: ANN401  # what the protocol can carry
        """The server's answer to one command.

        Raises:
            ProbeFailedError: `timeout` or `unreachable`: there was none; `not_permitted`; `refused_credentials`.
            _RefusedError: the answer is another error.
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
        except (exceptions.RedisError, OSError, ValueError) as error:  # ValueError: letters where a number is due
            raise self._trouble(error, step) from None  # see _RefusedError

    def _trouble(self, error: Exception, step: str) -> ProbeFailedError:
        """Who is to blame for an error reply, a lost line or an answer in another protocol."""
        address = self.address
        if isinstance(error, exceptions.AuthenticationError | exceptions.AuthenticationWrongNumberOfArgsError):
            text = (
                "refused the URL's user or password" if self._server.password else "wants a password, the URL has none"
            )
            return ProbeFailedError(Reason.REFUSED_CREDENTIALS, f"{address} {text}")
        if isinstance(error, exceptions.NoPermissionError):
            return ProbeFailedError(Reason.NOT_PERMITTED, f"{address} does not permit our user {step}")
        if isinstance(error, exceptions.ConnectionError) and "max number of clients" in str(error):
            return ProbeFailedError(Reason.UNREACHABLE, f"{address} has no client slot left")
        if isinstance(error, exceptions.ResponseError | exceptions.BusyLoadingError):
            return self._refusal(_word(error), step)
        if isinstance(error, exceptions.ConnectionError | OSError):
            refused = None if self._has_answered else self.line.refusal(_system_error(error))
            return refused or ProbeFailedError(Reason.UNREACHABLE, f"{address} closed the connection at {step}")
        return ProbeFailedError(Reason.UNREACHABLE, f"{address} does not speak the Redis protocol")

    def _refusal(self, word: str, step: str) -> ProbeFailedError:
        if word == "DENIED":
            detail = f"{self.address} is in protected mode: it talks to its own machine only"
            return ProbeFailedError(Reason.TURNED_AWAY, detail)
        return _RefusedError(word, step, self.address)


def _system_error(error: BaseException | None) -> OSError | None:
    """The error of the socket or of TLS under redis-py's own, None for a plain close."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error


def _word(error: Exception) -> str:
    """The word that an error reply begins with; ERR where it has none."""
    known = next((word for kind, word in _WORDS.items() if isinstance(error, kind)), None)
    found = re.match(r"[A-Z]{2,15}\b", str(error))
    return known or (found[0] if found else "ERR")


@asynccontextmanager
async def _session(config: RedisProbe, context: Context) -> AsyncIterator[_Session]:
    server = _server(context.reveal(config.url), config.url)
    async with context.http.turn_at(server.endpoint.host):
        session = _Session(await _line(server, context), server, context.timeout)
        try:
            await session.sign_in()
            yield session
        finally:
            await session.close()


def _server(url: str, kept: SecretRef) -> _Server:
    """What the URL says; ProbeFailedError, without a word of it, where it is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORT
        database = int(parse_qs(parts.query).get("db", [parts.path.strip("/") or "0"])[0])
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("redis", "rediss") or not host:
        detail = f"{kept} holds no URL of a Redis server: scheme redis or rediss, host, port and number of the database"
        raise ProbeFailedError(Reason.MISSING_SETTING, detail)
    return _Server(
        endpoint=Endpoint(host, port),
        is_secure=parts.scheme == "rediss",
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        database=database,
    )


async def _line(server: _Server, context: Context) -> Connection:
    """A connection to the first address that takes one, as the application's own client has it."""
    try:
        async with asyncio.timeout(context.timeout):
            addresses = (await context.http.resolve(server.endpoint)).addresses
    except TimeoutError as error:
        detail = f"no address for {server.endpoint.host} within {context.timeout:g} s"
        raise ProbeFailedError(Reason.UNRESOLVED, detail) from error
    if not addresses:
        raise ProbeFailedError(Reason.UNRESOLVED, f"the name {server.endpoint.host} has no address")
    tls = context.http.http.trust.context if server.is_secure else None
    within = min(_CONNECT, context.timeout)
    for address in addresses:
        try:
            async with asyncio.timeout(within / len(addresses)):
                return await open_connection(address, tls=tls)
        except TimeoutError:
            what = "TLS connection" if tls else "connection"
            trouble = ProbeFailedError(Reason.UNREACHABLE, f"no {what} to {address} within {within:g} s")
        except ProbeFailedError as error:
            if error.reason is not Reason.UNREACHABLE:
                raise
            trouble = error
    raise trouble


def _failure(error: ProbeFailedError) -> Failure:
    return Failure(reason=error.reason, detail=error.detail)


def _unread(detail: str) -> Failure:
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)


KIND = Kind(
    config=RedisProbe,
    fills=("cache", "cache-load"),
    metrics=(
        Metric(
            name="up",
            unit="",
            high=1,
            help="1: it answered PING; 0: it refused, reset, kept silent, was loading, has no client slot left or does "
            "not speak the protocol",
        ),
        Metric(
            name="canary",
            unit="",
            high=1,
            help="1: a key of our own was set, counted up and deleted, or a declared replica refused it; only where "
            "canary-write is allowed",
        ),
        Metric(
            name="expected_role",
            unit="",
            high=1,
            help="1: it has the declared role, and a replica is in touch with its master",
        ),
        Metric(name="differing_settings", unit="", help="declared settings that INFO shows with another value"),
        Metric(name="hit_rate", unit="%", help="look-ups that found their key, per block of time", is_share=True),
        Metric(name="used_memory", unit="%", help="memory in use, of maxmemory"),
        Metric(name="connect", unit="ms", help="opening the TCP connection", timed=True),
        Metric(name="tls", unit="ms", help="the TLS handshake, where the URL begins with rediss", timed=True),
        Metric(name="round_trip", unit="ms", help="PING to PONG on the open connection", timed=True),
    ),
    measure=measure,
    sample=sample,
    in_flight=1,
    requests=5,  # PING, INFO, SET, INCR, DEL
    example="""\
kind = "redis"
url = { env = "CACHE_URL" }  # rediss://probekit:PASSWORD@cache.example.com:6379/0
settings = { maxmemory_policy = "allkeys-lru" }  # fields of INFO that must be so
""",
    privileges="ACL SETUSER probekit on >PASSWORD ~probekit:* -@all +ping +info +select +set +incr +del",
    safety="it only reads; one key under its prefix is set, counted up and deleted where canary-write is allowed",
)
