"""The stores of the shop, PostgreSQL and Valkey: start them, apply faults, and restore them."""

import contextlib
import datetime as dt
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import LiteralString

import psycopg
import redis

from probekit.demo import certificates, servers
from probekit.demo.certificates import Certificates
from probekit.demo.errors import DemoError
from probekit.demo.launcher import Launcher
from probekit.demo.ports import bind

_DATABASE = "shop"

# a replica does not check foreign keys, and the constraint stays valid; negative keys do not affect the sequence
_PLANT_ORPHANS = """
    insert into purchase (id, account_id, product, quantity, total_cents, placed_on) overriding system value
    select -n, -n, 'vase', 1, 1990, date '2025-01-01' from generate_series(1, 3) as n
    on conflict do nothing
"""
_DELETE_ORPHANS = """
    delete from purchase where not exists (select from account where account.id = purchase.account_id)
"""

_LOCK = "select id from job where id = 1 for update"
_WAITED = 6.0  # seconds; a session that waits 5 s or more counts as blocked
_FILLERS = 256  # keys of 4 KiB


class Stores:
    """The running stores.

    The port of a stopped store stays bound: it refuses connections, and no other process can take it.
    """

    def __init__(
        self,
        launcher: Launcher,
        folder: Path,
        held: contextlib.ExitStack,
        *,
        postgres_port: int | None,
        valkey_port: int | None,
    ) -> None:
        self._launcher = launcher
        self._stack = held
        self.certificates: Certificates = certificates.issue(
            launcher.folder / "certificates", authority=folder / "ca.pem", now=dt.datetime.now(dt.UTC)
        )
        self.valkey = servers.start_valkey(launcher, port=valkey_port)
        self._postgres = servers.start_postgres(
            launcher, port=postgres_port, certificate=self.certificates.leaves[certificates.STORE]
        )
        self.database = servers.create_database(self._postgres, _DATABASE, authority=self.certificates.authority)
        self._held: dict[str, socket.socket] = {}
        self._mending: list[Callable[[], None]] = []  # functions that restore the state, last one first

    @property
    def processes(self) -> Mapping[str, int]:
        """The process of each running store."""
        running = {"postgres": self._postgres.server.pid, "valkey": self.valkey.server.pid}
        return {name: pid for name, pid in running.items() if name not in self._held}

    def stop_database(self, *, keep_answers: bool = False) -> None:
        """Make PostgreSQL refuse connections; with `keep_answers`, cached answers do not expire."""
        if "postgres" in self._held:
            return
        if keep_answers:
            self._keep_answers()
        servers.stop_postgres(self._launcher, self._postgres)
        self._held["postgres"] = self._stack.enter_context(bind(self._postgres.port, "PostgreSQL"))
        self._mending.append(self._start_database)

    def _start_database(self) -> None:
        self._held.pop("postgres").close()
        self._postgres = servers.restart_postgres(self._launcher, self._postgres)

    def stop_cache(self) -> None:
        """Make Valkey refuse connections."""
        if "valkey" not in self._held:
            self._launcher.stop(self.valkey.server)
            self._held["valkey"] = self._stack.enter_context(bind(self.valkey.port, "Valkey"))
            self._mending.append(self._start_cache)

    def _start_cache(self) -> None:
        self._held.pop("valkey").close()
        self.valkey = servers.restart_valkey(self._launcher, self.valkey)

    def plant_orphans(self) -> None:
        """Insert purchases of accounts that do not exist, bypassing the foreign key.

        Raises:
            DemoError: the database is not available.
        """
        with self._superuser() as connection:
            connection.execute("begin")
            connection.execute("set local session_replication_role = replica")
            connection.execute(_PLANT_ORPHANS)
            connection.execute("commit")
        self._mending.append(partial(self._execute, _DELETE_ORPHANS))

    def spoil_index(self) -> None:
        """Leave an invalid unique index, whose build failed."""
        with self._superuser() as connection, contextlib.suppress(psycopg.errors.UniqueViolation):
            connection.execute("create unique index concurrently purchase_product on purchase (product)")
        self._mending.append(partial(self._execute, "drop index if exists purchase_product"))

    def block(self) -> None:
        """Make a session wait for the lock of another one; return when it has waited long enough to count."""
        self._execute("create table if not exists job (id integer primary key)")
        self._execute("insert into job values (1) on conflict do nothing")
        holder, waiter = (psycopg.connect(self.database.superuser_dsn) for _ in range(2))
        holder.execute(_LOCK)
        waiter.pgconn.send_query(_LOCK.encode())  # unlike `execute`, it does not wait for the answer
        time.sleep(_WAITED)

        def release() -> None:
            for connection in (holder, waiter):
                connection.close()
            self._execute("drop table if exists job")

        self._mending.append(release)

    def demote_database(self) -> None:
        """Run PostgreSQL as a standby."""
        servers.stop_postgres(self._launcher, self._postgres)
        self._postgres = servers.run_as_standby(self._launcher, self._postgres)
        self._mending.append(lambda: servers.promote(self._postgres))

    def fill_cache(self) -> None:
        """Fill Valkey's memory with keys and disable eviction; existing keys stay."""
        self._keep_answers()
        with redis.Redis.from_url(self.valkey.url) as cache:
            cache.config_set("maxmemory-policy", "noeviction")
            for number in range(_FILLERS):
                cache.set(f"filler:{number}", bytes(4096))
            used = cache.info("memory")["used_memory"]
            cache.config_set("maxmemory", used - _FILLERS * 2048)  # temporary allocations do not free enough memory
        self._mending.append(self._empty_cache)

    def _empty_cache(self) -> None:
        with redis.Redis.from_url(self.valkey.url) as cache:
            cache.config_set("maxmemory", "64mb")
            cache.config_set("maxmemory-policy", "allkeys-lru")
            for key in cache.scan_iter("filler:*", count=1000):
                cache.delete(key)

    def _keep_answers(self) -> None:
        """Remove the expiry of the shop's cached answers until the fault is removed."""
        with redis.Redis.from_url(self.valkey.url) as cache:
            kept = [*cache.scan_iter("orders"), *cache.scan_iter("search:*")]
            for key in kept:
                cache.persist(key)

        def expire() -> None:
            with redis.Redis.from_url(self.valkey.url) as cache:
                cache.delete(*kept)

        self._mending.append(expire)

    def repair(self) -> None:
        """Start stopped stores and remove inserted data."""
        while self._mending:
            self._mending.pop()()

    def _execute(self, statement: LiteralString) -> None:
        with self._superuser() as connection:
            connection.execute(statement)

    @contextlib.contextmanager
    def _superuser(self) -> Iterator[psycopg.Connection]:
        try:
            with psycopg.connect(self.database.superuser_dsn, autocommit=True) as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise DemoError("cannot apply the fault: the database is not available") from error
