"""A real primary and its standby: which states of a standby are those of a replica."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from dataclasses import dataclass, replace
from types import SimpleNamespace

import psycopg
import pytest
from postgres_servers import PASSWORD, Place, numbers, read, reasons, running

from probekit.demo import postgres_files
from probekit.demo.launcher import launching
from probekit.model.measurement import Reason
from probekit.model.readings import Exact
from probekit.probes.postgres import role
from probekit.probes.postgres.settings import PostgresProbe


@dataclass(frozen=True, kw_only=True)
class Pair:
    primary: Place
    standby: Place
    upstream: str

    @contextlib.contextmanager
    def settings(self, **settings):
        """Settings of the standby, and back again."""
        names = [name for name in settings if name != "primary_conninfo"]
        self._set(settings)
        try:
            yield
        finally:
            self._set({**dict.fromkeys(names), "primary_conninfo": self.upstream})

    def _set(self, settings):
        changes = [
            f"alter system reset {name}" if value is None else f"alter system set {name} = '{value}'"
            for name, value in settings.items()
        ]
        self.standby.run(*changes, "select pg_reload_conf()", database="postgres")

    async def until(self, condition, meanwhile=lambda: None):
        """Wait until the standby says yes."""
        dsn = self.standby.dsn("postgres", "postgres")
        async with asyncio.timeout(60), await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            while not any(await (await connection.execute(f"select {condition}")).fetchone() or ()):
                meanwhile()

    async def streams(self):
        await self.until("exists (select from pg_stat_wal_receiver where status = 'streaming')")

    async def follows(self):
        """Wait until all that the primary wrote is applied."""
        with psycopg.connect(self.primary.dsn("postgres", "postgres"), autocommit=True) as connection:
            (written,) = connection.execute("select pg_current_wal_insert_lsn()").fetchone()
        await self.streams()
        await self.until(f"pg_last_wal_replay_lsn() >= '{written}'")


@pytest.fixture(scope="module")
def pair():
    with launching() as launcher:
        cluster = postgres_files.create(launcher, certificate=None)
        copy = replace(cluster, folder=cluster.folder.parent / "standby")
        shutil.copytree(cluster.folder, copy.folder)
        (copy.folder / "standby.signal").touch()
        if copy.owner:
            for path in (copy.folder, *copy.folder.rglob("*")):
                os.chown(path, copy.owner.user, copy.owner.group)
        primary = Place(port=running(launcher, cluster, "wal_keep_size=64MB"), password=cluster.password)
        upstream = f"host=127.0.0.1 port={primary.port} user=postgres password={cluster.password} sslmode=disable"
        with (copy.folder / "postgresql.auto.conf").open("a") as file:
            file.write(f"primary_conninfo = '{upstream}'\nwal_retrieve_retry_interval = '100ms'\n")
        standby = Place(port=running(launcher, copy), password=cluster.password)
        primary.run(
            *(f"create role {name} login password '{PASSWORD}'" for name in ("probekit", "blind")),
            "grant pg_monitor to probekit",
            "create table things (id int)",
            database="postgres",
        )
        yield Pair(primary=primary, standby=standby, upstream=upstream)


async def role_of(place, user="probekit", **settings):
    return await read(place.dsn(user, "postgres"), "expected_role", **{"role": "replica"} | settings)


async def test_a_replica_receives_and_applies_and_is_no_primary(pair) -> None:
    await pair.follows()

    found = [
        numbers(await role_of(place, role=declared))["expected_role"]
        for place, declared in (
            (pair.standby, "replica"), (pair.standby, "primary"), (pair.primary, "replica"), (pair.primary, "primary"),
        )
    ]  # fmt: skip

    assert found == [1, 0, 0, 1]


async def test_the_catalogue_of_a_replica_is_read(pair) -> None:
    await pair.follows()

    readings = await read(pair.standby.dsn("probekit", "postgres"), role="replica")

    assert not reasons(readings)
    assert numbers(readings)["blocked_sessions"] == 0


async def test_a_paused_replay_applies_nothing(pair) -> None:
    await pair.follows()
    pair.standby.run("select pg_wal_replay_pause()", database="postgres")
    try:
        readings = await role_of(pair.standby)
    finally:
        pair.standby.run("select pg_wal_replay_resume()", database="postgres")

    assert numbers(readings)["expected_role"] == 0
    assert "the replay is paused" in readings.summary


@pytest.mark.parametrize(
    ("settings", "expected", "told"),
    [
        ({"primary_conninfo": "host=127.0.0.1 port=1 user=a"}, 0, "received from the server in primary_conninfo"),
        ({"primary_conninfo": ""}, Reason.BAD_RESPONSE, "replicated in another way (Aurora)"),
        ({"primary_conninfo": "", "restore_command": "false"}, Reason.BAD_RESPONSE, "from an archive"),
        ({"primary_conninfo": "host=127.0.0.1 port=1 user=a", "restore_command": "false"},
         Reason.BAD_RESPONSE, "from an archive"),
    ],
)  # fmt: skip
async def test_a_standby_without_a_receiver_is_cut_off_where_it_should_have_one(pair, settings, expected, told) -> None:
    with pair.settings(**settings):
        await pair.until("not exists (select from pg_stat_wal_receiver)")
        readings = await role_of(pair.standby)
        blind = await role_of(pair.standby, "blind")

    found = numbers(readings).get("expected_role")
    assert (reasons(readings).get("expected_role") if found is None else found) == expected
    assert told in f"{readings.summary} {readings.values['expected_role']}"
    assert reasons(blind) == {"expected_role": Reason.NOT_PERMITTED}


async def test_a_role_that_does_not_see_the_receiver_proves_nothing(pair) -> None:
    await pair.streams()

    readings = await role_of(pair.standby, "blind")

    assert reasons(readings) == {"expected_role": Reason.NOT_PERMITTED}
    assert "GRANT pg_monitor" in readings.values["expected_role"].detail


@pytest.mark.parametrize("status", ["waiting", "stopping"])
async def test_a_receiver_that_does_not_stream_receives_nothing(status) -> None:
    """A stand-in for a session with a standby whose upstream ended a timeline."""

    async def rows(_query):
        return [{"paused": False, "has_receiver": True, "receiver": status}]

    session = SimpleNamespace(server={"in_recovery": True}, rows=rows)
    config = PostgresProbe(kind="postgres", dsn={"env": "X"}, role="replica")

    found, summary = await role.expected_role(session, config)

    assert found == {"expected_role": Exact(0)}
    assert summary == f"the WAL receiver is {status}"


@pytest.mark.parametrize(("delay", "within"), [("0", "0.1"), ("50ms", "0.15")])
async def test_what_is_received_and_not_applied_is_no_pass(pair, monkeypatch, delay, within) -> None:
    monkeypatch.setattr(role, "_APPLIES_WITHIN", 0.1)
    await pair.follows()
    dsn = pair.standby.dsn("postgres", "postgres")
    with pair.settings(recovery_min_apply_delay=delay):
        async with await psycopg.AsyncConnection.connect(dsn) as reader:
            await reader.execute("select from things")  # its lock holds the replay up
            pair.primary.run(f'alter table things add column "{delay}" text', database="postgres")
            await pair.until("pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()")
            readings = await role_of(pair.standby)

    assert reasons(readings) == {"expected_role": Reason.BAD_RESPONSE}
    assert f"and none was applied within {within} s" in readings.values["expected_role"].detail


async def test_a_replica_that_applies_late_by_its_settings_is_one(pair) -> None:
    await pair.follows()
    with pair.settings(recovery_min_apply_delay="1h"):
        await pair.until(
            "pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()",
            meanwhile=lambda: pair.primary.run("insert into things values (1)", database="postgres"),
        )
        readings = await role_of(pair.standby)

    assert numbers(readings)["expected_role"] == 1
    assert "applies after 3600000 ms" in readings.summary
