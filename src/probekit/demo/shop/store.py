"""The shop's stores: orders and accounts in PostgreSQL, cached answers in Valkey."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
import redis.asyncio
from psycopg.rows import DictRow, dict_row
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_CONNECTIONS = 4
_DEADLINE = 2.0  # seconds of one access to a store
_TTL = 86_400  # seconds that an answer is cached; longer than any run, so that no key expires during one
_QUEUE = "queue:mail"

Row = Mapping[str, Any]


class StoreDownError(Exception):
    """A store cannot be used at the moment; the message names it."""


class Store:
    """Both stores, with a few connections kept open."""

    def __init__(self, database: str, cache: str) -> None:
        self._database = database
        self._idle: list[psycopg.AsyncConnection[DictRow]] = []
        self._slots = asyncio.Semaphore(_CONNECTIONS)
        self._cache = redis.asyncio.Redis.from_url(
            cache,
            socket_timeout=_DEADLINE,
            socket_connect_timeout=_DEADLINE,
            retry=Retry(NoBackoff(), 0),  # by default it tries ten times
        )

    async def rows(self, query: LiteralString, parameters: Sequence[object] = ()) -> list[DictRow]:
        """The result of a query."""
        async with self.connection() as connection:
            return await (await connection.execute(query, parameters)).fetchall()

    async def cached(self, key: str, produce: Callable[[], Awaitable[list[DictRow]]]) -> tuple[Sequence[Row], str]:
        """The cached rows, or new rows that are cached now, with the result of the lookup: hit, miss or bypass."""
        try:
            with _cache_trouble():
                kept = await self._cache.get(key)
        except StoreDownError:
            return await produce(), "bypass"
        if kept is not None:
            found: Sequence[Row] = json.loads(kept)
            return found, "hit"
        produced = await produce()
        with contextlib.suppress(StoreDownError), _cache_trouble():  # the answer is valid, cached or not
            await self._cache.set(key, json.dumps(produced), ex=_TTL)
        return produced, "miss"

    async def check_database(self) -> None:
        """Raise StoreDownError unless the database returns data."""
        if not await self.rows("select 1 from account limit 1"):
            message = "the database is empty"
            raise StoreDownError(message)

    async def check_cache(self) -> None:
        """Raise StoreDownError unless the cache stores and increments a number.

        It uses no GET, whose hits would count with those of customers; writes do not count as lookups.
        """
        with _cache_trouble():
            async with self._cache.pipeline(transaction=True) as together:  # another check may run at the same time
                together.set("health", 1, ex=_TTL)
                together.incr("health")
                _, counted = await together.execute()
            if counted != 2:  # noqa: PLR2004  # one more than the stored number
                message = "the cache lost a value"
                raise StoreDownError(message)

    async def check_queue(self) -> None:
        """Raise StoreDownError unless the list of waiting jobs is usable; all jobs stay."""
        with _cache_trouble():
            await self._cache.ltrim(_QUEUE, 0, -1)

    async def renew(self) -> None:
        """Close idle connections to servers that were stopped since; the next access opens new ones."""
        with contextlib.suppress(StoreDownError):
            await self.check_database()  # a failed connection closes the others
        await self._cache.connection_pool.disconnect(inuse_connections=False)  # opening takes a millisecond

    @contextlib.asynccontextmanager
    async def connection(self, within: float = _DEADLINE) -> AsyncIterator[psycopg.AsyncConnection[DictRow]]:
        """A connection to the database, kept for the next access unless this one failed."""
        try:
            async with asyncio.timeout(within), self._slots:
                connection = self._idle.pop() if self._idle else await self._connect()
                is_good = False
                try:
                    yield connection
                    is_good = True
                finally:
                    if is_good:
                        self._idle.append(connection)
                    else:
                        await connection.close()
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as error:
            await self._forget_connections()  # they are connected to the same server
            message = "the database is not available"
            raise StoreDownError(message) from error

    async def _connect(self) -> psycopg.AsyncConnection[DictRow]:
        return await psycopg.AsyncConnection.connect(
            self._database, autocommit=True, prepare_threshold=None, connect_timeout=2, row_factory=dict_row
        )

    async def _forget_connections(self) -> None:
        while self._idle:
            await self._idle.pop().close()


@contextlib.contextmanager
def _cache_trouble() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, OSError) as error:  # a TimeoutError is an OSError
        message = "the cache is not available"
        raise StoreDownError(message) from error
