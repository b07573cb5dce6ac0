"""What the shop stands on, PostgreSQL and Valkey: started, harmed as a fault says, and mended."""

import contextlib
import datetime as dt
import socket
from collections.abc import Mapping
from pathlib import Path

import psycopg

from probekit.demo import certificates, servers
from probekit.demo.certificates import Certificates
from probekit.demo.errors import DemoError
from probekit.demo.launcher import Launcher
from probekit.demo.ports import bind

_DATABASE = "shop"

# a replica checks no foreign key, and the constraint stays valid; keys below zero leave the sequence alone
_PLANT_ORPHANS = """
    insert into purchase (id, account_id, product, quantity, total_cents, placed_on) overriding system value
    select -n, -n, 'vase', 1, 1990, date '2025-01-01' from generate_series(1, 3) as n
    on conflict do nothing
"""
_DELETE_ORPHANS = """
    delete from purchase where not exists (select from account where account.id = purchase.account_id)
"""


class Stores:
    """The running stores.

    The port of one that is stopped is held: it refuses connections, and nobody else can take it.
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
        self._has_orphans = False

    @property
    def processes(self) -> Mapping[str, int]:
        """The process of each store that runs."""
        running = {"postgres": self._postgres.server.pid, "valkey": self.valkey.server.pid}
        return {name: pid for name, pid in running.items() if name not in self._held}

    def stop_database(self) -> None:
        """Have PostgreSQL refuse connections."""
        if "postgres" not in self._held:
            servers.stop_postgres(self._launcher, self._postgres)
            self._held["postgres"] = self._stack.enter_context(bind(self._postgres.port, "PostgreSQL"))

    def stop_cache(self) -> None:
        """Have Valkey refuse connections."""
        if "valkey" not in self._held:
            self._launcher.stop(self.valkey.server)
            self._held["valkey"] = self._stack.enter_context(bind(self.valkey.port, "Valkey"))

    def plant_orphans(self) -> None:
        """Put in purchases of accounts that do not exist, past the foreign key.

        Raises:
            DemoError: the database is not there to take them.
        """
        try:
            with psycopg.connect(self.database.superuser_dsn) as connection:
                connection.execute("set local session_replication_role = replica")
                connection.execute(_PLANT_ORPHANS)
        except psycopg.OperationalError as error:
            raise DemoError("the database takes no orphans: it is not available") from error
        self._has_orphans = True

    def mend(self) -> None:
        """Start what was stopped, take out what was put in."""
        if held := self._held.pop("valkey", None):
            held.close()
            self.valkey = servers.restart_valkey(self._launcher, self.valkey)
        if held := self._held.pop("postgres", None):
            held.close()
            self._postgres = servers.restart_postgres(self._launcher, self._postgres)
        if self._has_orphans:
            with psycopg.connect(self.database.superuser_dsn) as connection:
                connection.execute(_DELETE_ORPHANS)
            self._has_orphans = False
