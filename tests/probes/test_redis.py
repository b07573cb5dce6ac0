"""Does the cache answer and take a write? Against a real Valkey in good and bad states, and against what is none."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
import trustme
from client_certificates import VERSIONS, Mutual
from pydantic import ValidationError
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.retry import Retry

from probekit.config.connect import Connect
from probekit.demo import binaries, servers
from probekit.demo.launcher import Launcher, Server, launching
from probekit.demo.ports import free_port
from probekit.model.measurement import Failure, ProbeFailedError, Reason
from probekit.model.readings import Complement, Exact, Share
from probekit.probe import Context, Readings, SecretRef
from probekit.probes.redis import KIND, RedisProbe
from probekit.transport.client import Http
from probekit.transport.resolver import Resolver
from probekit.transport.trust import Trust

ALL = frozenset({"up", "canary", "expected_role"})
WRITES = frozenset({"canary-write"})
URL = SecretRef(env="CACHE_URL")
PASSWORD = "s3cret-of-the-cache"


class Cache:
    """A running Valkey with our password, and a way in that may do everything."""

    def __init__(self, launcher: Launcher, *lines: str, port: int | None = None, folder: Path | None = None) -> None:
        self.port = port or free_port()
        self.folder = folder or launcher.make_folder("probekit-test-")
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        self._launcher = launcher
        configuration = self.folder / "valkey.conf"
        configuration.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {PASSWORD}\ndir {self.folder}\nappendonly no\n"
            + "\n".join(lines or ['save ""'])
        )
        self.server: Server = launcher.start("valkey", [binaries.find(binaries.VALKEY), configuration])
        launcher.wait_ready(self.server, self._accepts)

    @property
    def admin(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=PASSWORD, retry=Retry(NoBackoff(), 0), decode_responses=True)

    def stop(self) -> None:
        self._launcher.stop(self.server)

    def _accepts(self) -> bool:
        try:
            with closing(self.admin) as client:
                client.ping()
        except redis.BusyLoadingError:
            return True
        except redis.ConnectionError:
            return False
        return True


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    with launching() as started:
        yield started


@pytest.fixture
def start(launcher: Launcher) -> Iterator[Callable[..., Cache]]:
    """Start a Valkey; all that a test started are stopped after it."""
    started = []

    def begin(*lines: str, **options: Any) -> Cache:
        started.append(Cache(launcher, *lines, **options))
        return started[-1]

    yield begin
    for cache in started:
        cache.stop()


@pytest.fixture
def cache(start: Callable[..., Cache]) -> Cache:
    return start()


@pytest.fixture
def admin(cache: Cache) -> Iterator[redis.Redis]:
    with closing(cache.admin) as client:
        yield client


def until(is_true: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Blocks:
    """A window whose blocks are as long as what happens in them."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        self._happenings = list(happenings)

    async def next(self) -> bool:
        if not self._happenings:
            return False
        self._happenings.pop(0)()
        return True


def context(url: str, *, allow=WRITES, wanted=ALL, timeout=5.0, window=None, **http: Any) -> Context:
    return Context(
        base_url="https://app.test",
        timeout=timeout,
        http=Http(run="test", **http).probe_client(timeout=timeout),
        reveal=lambda _: url,
        now=lambda: datetime.now(UTC),
        wanted=wanted,
        allow=allow,
        window=window,
    )


def texts(readings: Readings) -> str:
    details = [value.detail for value in readings.values.values() if isinstance(value, Failure)]
    return " | ".join([*readings.notes.values(), *details])


async def measurement(url: str, settings: dict[str, Any] | None = None, **given: Any) -> Readings:
    """One measurement; the password is in none of its texts."""
    readings = await KIND.measure(RedisProbe(kind="redis", url=URL, **(settings or {})), context(url, **given))
    assert PASSWORD not in texts(readings)
    return readings


async def refused(url: str, **given: Any) -> ProbeFailedError:
    """Why there is no reading; the password is not in it, nor in what a traceback would show."""
    with pytest.raises(ProbeFailedError) as caught:
        await measurement(url, **given)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None or PASSWORD not in repr(caught.value.__cause__)
    return caught.value


async def blocks(url: str, *happenings: Callable[[], object]) -> list[Any]:
    window = Blocks(*happenings)
    return [
        readings.values["hit_rate"]
        async for readings in KIND.sample(RedisProbe(kind="redis", url=URL), context(url, window=window))
    ]


async def test_a_healthy_cache_gives_every_promised_number_and_keeps_nothing(cache, admin) -> None:
    admin.config_set("maxmemory", "64mb")

    readings = await measurement(cache.url, {"settings": {"maxmemory": 64 << 20, "maxmemory_policy": "noeviction"}})

    assert set(readings.values) == KIND.metric_names - {"hit_rate", "tls"}
    assert [readings.values[name] for name in ("up", "canary", "expected_role")] == [Exact(1), Exact(1), Exact(1)]
    assert readings.values["differing_settings"] == Exact(0)
    assert 0 < readings.values["used_memory"].value < 10
    assert 0 < readings.values["connect"].value < 1000
    assert 0 < readings.values["round_trip"].value < 1000
    assert re.fullmatch(rf"127.0.0.1:{cache.port} is a master, \d\.\d % of maxmemory used", readings.summary)
    assert admin.dbsize() == 0


async def test_the_canary_makes_no_look_up(cache, admin) -> None:
    await measurement(cache.url)

    stats = admin.info("stats")
    assert (stats["keyspace_hits"], stats["keyspace_misses"]) == (0, 0)


async def test_nobody_but_us_is_connected(cache) -> None:
    readings = await measurement(cache.url)

    assert "no other client is connected" in readings.summary


async def test_nothing_is_written_where_it_is_not_allowed(cache, admin) -> None:
    readings = await measurement(cache.url, allow=frozenset())

    assert readings.values["canary"].reason is Reason.MISSING_SETTING
    assert 'allow = ["canary-write"]' in readings.values["canary"].detail
    assert readings.values["up"] == Exact(1)
    assert "cmdstat_set" not in admin.info("commandstats")


async def test_nothing_is_written_where_nobody_asks_for_it(cache, admin) -> None:
    readings = await measurement(cache.url, wanted=frozenset({"up"}))

    assert "canary" not in readings.values
    assert "cmdstat_set" not in admin.info("commandstats")


async def test_only_these_commands_are_sent(cache, admin) -> None:
    admin.config_resetstat()

    await measurement(cache.url)

    sent = {name.removeprefix("cmdstat_"): found["calls"] for name, found in admin.info("commandstats").items()}
    assert sent == dict.fromkeys(("auth", "ping", "info", "set", "incr", "del", "config|resetstat"), 1)


async def test_another_database_with_a_user_of_its_own(cache, admin) -> None:
    rights = "~probekit:* -@all +ping +info +select +set +incr +del"
    admin.execute_command("ACL", "SETUSER", "probekit", "reset", "on", ">pass%word", *rights.split())

    readings = await measurement(f"redis://probekit:pass%25word@127.0.0.1:{cache.port}/3")

    assert (readings.values["up"], readings.values["canary"]) == (Exact(1), Exact(1))
    assert admin.execute_command("ACL", "LOG") == []  # nothing was tried that the user may not do


async def test_settings_that_differ_are_counted(cache) -> None:
    readings = await measurement(
        cache.url, {"settings": {"maxmemory_policy": "allkeys-lru", "maxmemory": 1, "role": "master"}}
    )

    assert readings.values["differing_settings"] == Exact(2)


@pytest.mark.parametrize(
    ("settings", "reason", "told"),
    [
        ({}, Reason.MISSING_SETTING, "settings = {"),
        ({"max_memory": 1}, Reason.BAD_RESPONSE, "INFO lacks max_memory"),
    ],
)
async def test_settings_that_cannot_be_compared(cache, settings, reason, told) -> None:
    readings = await measurement(cache.url, {"settings": settings})

    assert readings.values["differing_settings"].reason is reason
    assert told in readings.values["differing_settings"].detail


async def test_without_a_limit_of_its_own_there_is_no_share_of_memory(cache) -> None:
    readings = await measurement(cache.url)

    assert readings.values["used_memory"].reason is Reason.BAD_RESPONSE
    assert "maxmemory is 0" in readings.values["used_memory"].detail


async def test_a_full_memory_answers_ping_and_takes_no_write(cache, admin) -> None:
    admin.config_set("maxmemory", "1")

    readings = await measurement(cache.url)

    assert (readings.values["up"], readings.values["canary"]) == (Exact(1), Exact(0))
    assert readings.values["used_memory"].value > 100
    assert "answers SET with OOM: its memory is full" in readings.summary


async def test_a_replica_where_a_master_is_due(cache, admin) -> None:
    admin.replicaof("127.0.0.1", free_port())

    readings = await measurement(cache.url)

    assert [readings.values[name] for name in ("up", "canary", "expected_role")] == [Exact(1), Exact(0), Exact(0)]
    assert "is a replica" in readings.summary
    assert "its master is unreachable" in readings.summary
    assert "READONLY" in readings.summary


async def test_a_declared_replica_that_lost_its_master(cache, admin) -> None:
    admin.replicaof("127.0.0.1", free_port())

    readings = await measurement(cache.url, {"role": "replica"})

    assert (readings.values["canary"], readings.values["expected_role"]) == (Exact(1), Exact(0))


async def test_a_declared_replica_at_work(start, cache, admin) -> None:
    admin.config_set("repl-diskless-sync-delay", "0")
    replica = start('save ""', f"masterauth {PASSWORD}", f"replicaof 127.0.0.1 {cache.port}")
    with closing(replica.admin) as client:
        until(lambda: client.info("replication")["master_link_status"] == "up")

    readings = await measurement(replica.url, {"role": "replica"})

    assert [readings.values[name] for name in ("up", "canary", "expected_role")] == [Exact(1), Exact(1), Exact(1)]


async def test_a_snapshot_that_cannot_be_written(start) -> None:
    cache = start("save 3600 1000000")
    shutil.rmtree(cache.folder)
    with closing(cache.admin) as admin:
        admin.bgsave()
        until(lambda: admin.info("persistence")["rdb_last_bgsave_status"] == "err")

    readings = await measurement(cache.url)

    assert readings.values == {"up": Exact(0)}  # Valkey answers even PING with it
    assert "MISCONF: it cannot save its data" in readings.summary


async def test_a_server_that_is_still_loading(start, launcher) -> None:
    first = start('save ""')
    with closing(first.admin) as admin:
        admin.mset({f"key:{number}": "x" * 100 for number in range(2000)})
        admin.save()
    first.stop()
    loading = start('save ""', "key-load-delay 2000", "loading-process-events-interval-bytes 1024", folder=first.folder)

    readings = await measurement(loading.url)

    assert readings.values == {"up": Exact(0)}
    assert "answers PING with LOADING: it is still loading its data" in readings.summary


async def test_no_client_slot_left(cache, admin) -> None:
    admin.config_set("maxclients", "1")

    readings = await measurement(cache.url)

    assert readings.values == {"up": Exact(0)}
    assert re.search("no client slot left|closed the connection", readings.summary)  # its last words may be lost
    assert admin.info("stats")["rejected_connections"] == 1  # nobody tries again behind our back


async def test_no_client_slot_left_in_words(serve) -> None:
    port, _ = await serve(act=saying(b"-ERR max number of clients reached\r\n"))

    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{port}")

    assert readings.summary == f"127.0.0.1:{port} has no client slot left"


def saying(*answers: bytes) -> Any:
    """A peer that answers each thing it is sent with the next of these, then closes."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(4096)
            writer.write(answer)
            await writer.drain()

    return act


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://:wrong-password@127.0.0.1:{port}", "refused the URL's user or password"),
        (f"redis://nobody:{PASSWORD}@127.0.0.1:{{port}}/1", "refused the URL's user or password"),
        ("redis://127.0.0.1:{port}", "requires a password: add it to the URL"),
        ("redis://127.0.0.1:{port}/1", "requires a password: add it to the URL"),
    ],
)
async def test_refused_credentials_are_no_outage(cache, url, told) -> None:
    error = await refused(url.format(port=cache.port))

    assert error.reason is Reason.REFUSED_CREDENTIALS
    assert told in error.detail
    assert "wrong-password" not in str(error)


async def test_a_database_that_is_not_there(cache) -> None:
    error = await refused(f"redis://:{PASSWORD}@127.0.0.1:{cache.port}/99")

    assert error.reason is Reason.BAD_RESPONSE
    assert "refused database 99" in error.detail


@pytest.mark.parametrize(
    ("rights", "missing"),
    [
        ("~probekit:* +info +set +incr +del", {"up", "round_trip"}),
        ("~probekit:* +ping +set +incr +del", {"expected_role", "used_memory", "differing_settings"}),
        ("+ping +info", {"canary"}),
        ("~other:* +ping +info +set +incr +del", {"canary"}),
        ("~probekit:* +ping +info +set +incr", {"canary"}),
    ],
)
async def test_a_missing_right_costs_its_own_metric_only(cache, admin, rights, missing) -> None:
    admin.execute_command(*f"ACL SETUSER probekit reset on >{PASSWORD} -@all {rights}".split())
    admin.config_set("maxmemory", "64mb")

    readings = await measurement(
        f"redis://probekit:{PASSWORD}@127.0.0.1:{cache.port}", {"settings": {"maxmemory_policy": "noeviction"}}
    )

    failures = {name: value for name, value in readings.values.items() if isinstance(value, Failure)}
    assert set(failures) == missing
    assert {failure.reason for failure in failures.values()} == {Reason.NOT_PERMITTED}


async def test_a_closed_port() -> None:
    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{free_port()}")

    assert readings.values == {"up": Exact(0)}
    assert "connection refused by" in readings.summary


NO_ROUTE = "255.255.255.255"  # of TCP: as an IPv6 address on a machine without IPv6


@pytest.mark.parametrize("passed_over", ["127.0.0.2", NO_ROUTE])
async def test_an_address_that_takes_no_connection_is_passed_over_for_one_that_does(cache, passed_over) -> None:
    resolver = Resolver(look_up=lambda _: [passed_over, "127.0.0.1"])  # as localhost has ::1 before 127.0.0.1

    readings = await measurement(cache.url.replace("127.0.0.1", "cache.test"), resolver=resolver)

    assert readings.values["up"] == Exact(1)


@pytest.mark.parametrize("addresses", [(NO_ROUTE, "127.0.0.1"), ("127.0.0.1", NO_ROUTE)])
async def test_an_address_to_which_no_route_leads_does_not_count_beside_one_that_refuses(addresses) -> None:
    url = f"redis://:{PASSWORD}@cache.test:{free_port()}"

    readings = await measurement(url, resolver=Resolver(look_up=lambda _: addresses))

    assert readings.values == {"up": Exact(0)}
    assert "connection refused by" in readings.summary


async def test_where_no_route_leads_to_any_address_nothing_is_known() -> None:
    error = await refused(f"redis://:{PASSWORD}@cache.test", resolver=Resolver(look_up=lambda _: [NO_ROUTE]))

    assert error.reason is Reason.NO_NETWORK


async def test_a_name_without_an_address() -> None:
    error = await refused(f"redis://:{PASSWORD}@cache.test", resolver=Resolver(look_up=lambda _: []))

    assert error.reason is Reason.UNRESOLVED


async def test_a_server_that_talks_http(launcher) -> None:
    nginx = servers.start_nginx(launcher, "server { listen 127.0.0.1:@port@; return 204; }")

    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{nginx.port}")

    assert readings.values == {"up": Exact(0)}
    assert readings.summary == f"127.0.0.1:{nginx.port} does not speak the Redis protocol"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ((b":abc\r\n",), "does not speak the Redis protocol"),
        ((b"+OK\r\n", b"+HELLO\r\n"), "does not answer PING with PONG"),
        ((b"+OK\r\n", b"$4\r\nPO"), "closed the connection at PING"),
        ((b"+OK\r\n", b"-BUSY Redis is busy\r\n"), "answers PING with BUSY: it is busy with a script"),
        ((b"+OK\r\n", b"-ERR unknown command 'PING'\r\n"), "answers PING with ERR"),
        ((b"+OK\r\n", b"-NEWWORD something\r\n"), "answers PING with NEWWORD"),
        ((b"+OK\r\n", b"-caf\xe9\r\n"), "answers PING with ERR"),
    ],
)
async def test_an_answer_that_is_no_pong(serve, answers, told) -> None:
    port, _ = await serve(act=saying(*answers))

    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{port}")

    assert readings.values == {"up": Exact(0)}
    assert told in readings.summary


async def test_what_a_server_repeats_of_us_is_not_told(serve) -> None:
    port, _ = await serve(act=saying(f"-ERR unknown command 'AUTH', with args: '{PASSWORD}'\r\n".encode()))

    error = await refused(f"redis://:{PASSWORD}@127.0.0.1:{port}")

    assert error.reason is Reason.BAD_RESPONSE


async def test_a_protected_mode_turns_us_away(serve) -> None:
    port, _ = await serve(act=saying(b"-DENIED Redis is running in protected mode\r\n"))

    error = await refused(f"redis://127.0.0.1:{port}")

    assert error.reason is Reason.ACCESS_DENIED


@pytest.mark.parametrize("answers", [(), (b"+OK\r\n",)])
async def test_a_server_that_never_answers_is_left_alone_in_time(serve, answers) -> None:
    port, peer = await serve(act=silent_after(*answers))

    started = time.monotonic()
    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{port}", timeout=0.2)

    assert time.monotonic() - started < 1
    assert readings.values == {"up": Exact(0)}
    assert f"from 127.0.0.1:{port} within 0.2 s" in readings.summary
    await asyncio.wait_for(peer.idle.wait(), 1)  # the connection is closed
    assert peer.connections == 1


def silent_after(*answers: bytes) -> Any:
    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(4096)
            writer.write(answer)
        while await reader.read(4096):
            pass

    return act


async def test_writes_that_hang_while_ping_answers(cache, admin) -> None:
    admin.execute_command("CLIENT", "PAUSE", "60000", "WRITE")

    readings = await measurement(cache.url, timeout=0.3)

    assert (readings.values["up"], readings.values["canary"]) == (Exact(1), Exact(0))
    assert "no response to SET" in readings.summary


INFO = b"$%d\r\n%s\r\n"
ROLE = b"role:master\r\nused_memory:5\r\nmaxmemory:10\r\nmaxclients:"
PONG = (b"+OK\r\n", b"+PONG\r\n")


@pytest.mark.parametrize(
    ("answers", "canary"),
    [
        ((b"+OK\r\n", b":43\r\n"), Exact(0)),
        ((b"+OK\r\n", b":42\r\n", b":0\r\n"), Exact(0)),
        ((b"+OK\r\n",), Exact(0)),  # it closes the connection at INCR
        ((b"-MOVED 3999 127.0.0.1:6381\r\n",), Reason.BAD_RESPONSE),
        ((b"-CLUSTERDOWN Hash slot not served\r\n",), Exact(0)),
        ((b"-MASTERDOWN Link with MASTER is down\r\n",), Exact(0)),
        ((b"-NOREPLICAS Not enough good replicas\r\n",), Exact(0)),
    ],
)
async def test_a_canary_that_is_not_as_it_must(serve, answers, canary) -> None:
    port, _ = await serve(act=saying(*PONG, INFO % (len(ROLE), ROLE), *answers))

    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{port}")

    found = readings.values["canary"]
    assert (found.reason if isinstance(found, Failure) else found) == canary
    assert readings.values["up"] == Exact(1)


@pytest.mark.parametrize("info", [b":7\r\n", b"$4\r\nabcd\r\n", b"$3\r\n\xff:\xfe\r\n"])
async def test_an_info_that_tells_nothing_leaves_the_rest(serve, info) -> None:
    port, _ = await serve(act=saying(*PONG, info, b"+OK\r\n", b":42\r\n", b":1\r\n"))

    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{port}")

    assert (readings.values["up"], readings.values["canary"]) == (Exact(1), Exact(1))
    assert readings.values["expected_role"].reason is Reason.BAD_RESPONSE
    assert readings.values["used_memory"].reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize(
    ("answers", "reason"), [((), Reason.UNREACHABLE), ((b"-LOADING Redis is loading\r\n",), Reason.BAD_RESPONSE)]
)
async def test_a_session_lost_at_info_has_no_canary(serve, answers, reason) -> None:
    port, _ = await serve(act=saying(*PONG, *answers))

    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{port}")

    assert readings.values["up"] == Exact(1)
    assert readings.values["canary"].reason is reason
    assert readings.values["expected_role"].reason is reason


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def front(serve, cache, authority):
    """A TLS front of the cache on loopback; its port."""

    async def begin(name: str, tls: Any = None) -> int:
        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", cache.port)
            ways = [asyncio.create_task(pump(reader, to_writer)), asyncio.create_task(pump(to_reader, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            to_writer.transport.abort()

        port, _ = await serve(act=forward, tls=tls or serving(authority, name))
        return port

    return begin


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)


def serving(authority: trustme.CA, name: str) -> Any:
    import ssl  # noqa: PLC0415

    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(made)
    return made


async def test_over_tls(front, authority, tmp_path) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    port = await front("127.0.0.1")

    readings = await measurement(f"rediss://:{PASSWORD}@127.0.0.1:{port}/0", trust=Trust(ca=tmp_path / "ca.pem"))

    assert (readings.values["up"], readings.values["canary"]) == (Exact(1), Exact(1))
    assert readings.values["tls"].value > 0


def naming(host: str, port: int) -> bytes:
    """What a sentinel answers that knows the master."""
    return b"".join([b"*2\r\n", *(b"$%d\r\n%s\r\n" % (len(part), part.encode()) for part in (host, str(port)))])


async def test_over_tls_a_sentinel_and_the_master_that_it_names(front, serve, authority, tmp_path) -> None:
    """The sentinel is a stand-in, which answers one question."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    answer = naming("127.0.0.1", await front("127.0.0.1"))
    port, _ = await serve(act=saying(answer), tls=serving(authority, "127.0.0.1"))
    url = f"rediss+sentinel://:{PASSWORD}@127.0.0.1:{port}/shop"

    readings = await measurement(url, trust=Trust(ca=tmp_path / "ca.pem"))
    error = await refused(url)

    assert (readings.values["up"], readings.values["canary"]) == (Exact(1), Exact(1))
    assert readings.values["tls"].value > 0
    assert error.reason is Reason.UNTRUSTED


async def test_what_a_sentinel_names_can_be_fixed_to_an_address(serve, cache) -> None:
    """The sentinel is a stand-in, which answers one question."""
    port, _ = await serve(act=saying(naming("10.99.0.5", cache.port)))
    resolver = Resolver(fixed={f"10.99.0.5:{cache.port}": "127.0.0.1"})

    readings = await measurement(f"redis+sentinel://:{PASSWORD}@127.0.0.1:{port}/shop", resolver=resolver)

    assert readings.values["up"] == Exact(1)


async def test_a_unicode_host_can_be_fixed_to_an_address(cache) -> None:
    resolver = Resolver(fixed=Connect(resolve={f"bücher.example:{cache.port}": "127.0.0.1"}).resolve)

    readings = await measurement(f"redis://:{PASSWORD}@Bücher.example:{cache.port}", resolver=resolver)

    assert readings.values["up"] == Exact(1)


async def test_an_untrusted_certificate_is_sent_no_password(front, admin) -> None:
    port = await front("127.0.0.1")
    before = passwords_sent(admin)

    error = await refused(f"rediss://:{PASSWORD}@127.0.0.1:{port}/0?ssl_cert_reqs=none")

    assert error.reason is Reason.UNTRUSTED
    assert passwords_sent(admin) == before


def passwords_sent(admin: redis.Redis) -> int:
    """How often AUTH and HELLO were called; redis-py sends a password with the one or, from 8 on, the other."""
    admin.ping()  # connects, with the admin's own
    stats = admin.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("auth", "hello"))


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_cache_that_demands_a_client_certificate_and_takes_it(front, tmp_path, version) -> None:
    mutual = Mutual(tmp_path)
    port = await front("127.0.0.1", mutual.server(version))

    readings = await measurement(f"rediss://:{PASSWORD}@127.0.0.1:{port}/0", trust=mutual.trust("right"))

    assert (readings.values["up"], readings.values["canary"]) == (Exact(1), Exact(1))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("certificate", "told"),
    [(None, "received none; configure connect.client_cert"), ("wrong", "rejected that of connect.client_cert")],
)
@pytest.mark.parametrize("user", ["", f":{PASSWORD}@"])  # the first word is PING, or the sign-in
async def test_a_cache_that_demands_another_client_certificate_is_not_down(
    front, tmp_path, version, certificate, told, user
) -> None:
    mutual = Mutual(tmp_path)
    port = await front("127.0.0.1", mutual.server(version))

    error = await refused(f"rediss://{user}127.0.0.1:{port}/0", trust=mutual.trust(certificate))

    assert error.reason is Reason.ACCESS_DENIED
    assert told in error.detail


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_cache_may_refuse_a_certificate_without_a_word(serve, tmp_path, version, how) -> None:
    mutual = Mutual(tmp_path)
    port, _ = await serve(act=mutual.ends(version, how))

    error = await refused(f"rediss://127.0.0.1:{port}", trust=mutual.trust(None))

    assert error.reason is Reason.ACCESS_DENIED
    assert "configure connect.client_cert" in error.detail


@pytest.mark.parametrize(
    ("user", "answers"), [("", (b"+PONG\r\n",)), (f":{PASSWORD}@", (b"+OK\r\n",))], ids=["at INFO", "at PING"]
)
async def test_a_cache_that_took_the_certificate_and_then_closes_is_at_fault(serve, tmp_path, user, answers) -> None:
    mutual = Mutual(tmp_path)
    port, _ = await serve(act=saying(*answers), tls=mutual.server())

    readings = await measurement(f"rediss://{user}127.0.0.1:{port}", trust=mutual.trust("right"))

    told = [readings.summary, *(value.detail for value in readings.values.values() if isinstance(value, Failure))]
    assert any("closed the connection at" in text for text in told)
    assert not any("client certificate" in text for text in told)


async def test_a_plain_server_where_tls_is_due(cache) -> None:
    readings = await measurement(cache.url.replace("redis:", "rediss:"), timeout=0.5)

    assert readings.values == {"up": Exact(0)}
    assert "no TLS connection to" in readings.summary


async def test_a_tls_server_that_is_asked_in_plain(front) -> None:
    port = await front("127.0.0.1")

    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{port}")

    assert readings.values == {"up": Exact(0)}


@pytest.mark.parametrize("url", [f"http://:{PASSWORD}@cache.test", f"redis://:{PASSWORD}@cache.test:port", PASSWORD])
async def test_a_url_that_cannot_be_is_not_shown(url) -> None:
    error = await refused(url)

    assert error.reason is Reason.MISSING_SETTING
    assert "$CACHE_URL does not hold a valid Redis URL: its " in error.detail


@pytest.mark.parametrize("scheme", ["unix", "redis+socket"])
async def test_a_socket_file(start, launcher, scheme) -> None:
    folder = launcher.make_folder("probekit-test-")
    start('save ""', f"unixsocket {folder}/s.sock", folder=folder)

    readings = await measurement(f"{scheme}://:{PASSWORD}@{folder}/s.sock?db=2")

    assert [readings.values[name] for name in ("up", "canary", "expected_role")] == [Exact(1), Exact(1), Exact(1)]
    assert readings.values["connect"].value > 0
    assert readings.summary.startswith(f"{folder}/s.sock is a master")


async def test_a_socket_file_that_nobody_listens_at(tmp_path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as left_behind:
        left_behind.bind(str(tmp_path / "s.sock"))

    readings = await measurement(f"unix://:{PASSWORD}@{tmp_path}/s.sock")

    assert readings.values == {"up": Exact(0)}
    assert readings.summary == f"connection refused by {tmp_path}/s.sock"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("absent.sock", "the socket file does not exist on this machine"),
        ("file/s.sock", "the socket file does not exist on this machine"),
        ("file", "the file is not a socket"),
        ("", "the file is not a socket"),
    ],
)
async def test_without_a_socket_file_nobody_can_tell_whose_fault_it_is(tmp_path, name, told) -> None:
    (tmp_path / "file").write_text("")

    error = await refused(f"unix://:{PASSWORD}@{tmp_path}/{name}")

    assert error.reason is Reason.NO_NETWORK
    assert told in error.detail


async def test_a_socket_file_that_keeps_silent(tmp_path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as deaf:
        deaf.bind(str(tmp_path / "s.sock"))
        deaf.listen()

        readings = await measurement(f"unix://{tmp_path}/s.sock", timeout=0.2)

    assert readings.values == {"up": Exact(0)}
    assert f"no response to PING from {tmp_path}/s.sock within 0.2 s" in readings.summary


@pytest.fixture(scope="module")
def nodes(launcher) -> Iterator[list[Cache]]:
    """A cluster of three masters, the last of which keeps one slot alone, and a replica of the first."""
    buses = [free_port() for _ in range(4)]
    lines = ('save ""', "cluster-enabled yes", "repl-diskless-sync-delay 0", f"masterauth {PASSWORD}")
    started = [Cache(launcher, *lines, f"cluster-port {bus}") for bus in buses]
    with contextlib.ExitStack() as stack:
        admins = [stack.enter_context(closing(node.admin)) for node in started]
        for number, (low, high) in enumerate([(0, 8000), (8001, 16382), (16383, 16383)]):
            admins[number].execute_command("CLUSTER ADDSLOTSRANGE", low, high)
            admins[number].execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for node, bus in zip(started[1:], buses[1:], strict=True):
            admins[0].execute_command("CLUSTER MEET", "127.0.0.1", node.port, bus)
        until(lambda: all(admin.cluster("INFO")["cluster_state"] == "ok" for admin in admins), seconds=30)
        first = admins[0].execute_command("CLUSTER MYID")
        until(lambda: first in str(admins[3].execute_command("CLUSTER NODES")), seconds=30)
        admins[3].execute_command("CLUSTER REPLICATE", first)
        until(lambda: admins[3].info("replication").get("master_link_status") == "up", seconds=30)
    yield started
    for node in started:
        node.stop()


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_a_canary_lands_on_the_node_of_a_cluster_that_is_asked(nodes, number) -> None:
    with closing(nodes[number].admin) as admin:
        admin.config_resetstat()

        readings = await measurement(nodes[number].url)

        sent = {name.removeprefix("cmdstat_"): found["calls"] for name, found in admin.info("commandstats").items()}
        assert admin.dbsize() == 0
    assert (readings.values["up"], readings.values["canary"]) == (Exact(1), Exact(1))
    assert {name: sent[name] for name in ("cluster|nodes", "set", "incr", "del")} == {
        "cluster|nodes": 1,
        "set": 1,
        "incr": 1,
        "del": 1,
    }


async def test_of_a_cluster_s_nodes_the_first_that_answers_is_measured(nodes) -> None:
    url = f"redis+cluster://:{PASSWORD}@127.0.0.1:{free_port()},127.0.0.1:{nodes[1].port},127.0.0.1:1"

    readings = await measurement(url)

    assert (readings.values["up"], readings.values["canary"]) == (Exact(1), Exact(1))
    assert readings.summary.startswith(f"127.0.0.1:{nodes[1].port} is a master")


async def test_a_cluster_without_a_node_that_answers() -> None:
    readings = await measurement(f"redis+cluster://:{PASSWORD}@127.0.0.1:{free_port()},127.0.0.1:{free_port()}")

    assert readings.values == {"up": Exact(0)}
    assert "connection refused by" in readings.summary


@pytest.mark.parametrize("hosts", ["down.test:{port},unknown.test", "unknown.test,down.test:{port}"])
async def test_a_node_whose_name_does_not_resolve_may_work(hosts) -> None:
    def look_up(endpoint):
        if endpoint.host == "unknown.test":
            raise OSError(-2, "Name or service not known")
        return ("127.0.0.1",)

    url = f"redis+cluster://:{PASSWORD}@{hosts.format(port=free_port())}"

    error = await refused(url, resolver=Resolver(look_up=look_up))

    assert error.reason is Reason.UNRESOLVED


@pytest.mark.parametrize(("number", "canary"), [(0, Exact(1)), (1, Reason.BAD_RESPONSE)])
async def test_a_hash_tag_of_the_prefix_is_kept(nodes, number, canary) -> None:
    tag = next(f"{{{tag}}}:" for tag in range(1000) if key_slot(str(tag).encode()) <= 8000)

    readings = await measurement(nodes[number].url, {"prefix": tag})

    found = readings.values["canary"]
    assert (found.reason if isinstance(found, Failure) else found) == canary
    assert readings.values["up"] == Exact(1)


@pytest.mark.parametrize(("role", "canary"), [("replica", Exact(1)), ("master", Reason.BAD_RESPONSE)])
async def test_a_replica_of_a_cluster_names_its_master(nodes, role, canary) -> None:
    readings = await measurement(nodes[3].url, {"role": role})

    found = readings.values["canary"]
    assert (found.reason if isinstance(found, Failure) else found) == canary
    assert readings.values["expected_role"] == Exact(role == "replica")


async def test_a_user_who_may_not_ask_for_slots_is_told_what_to_do(nodes) -> None:
    with closing(nodes[0].admin) as admin:
        rights = f"reset on >{PASSWORD} ~probekit:* -@all +ping +info +set +incr +del"
        admin.execute_command("ACL", "SETUSER", "probekit", *rights.split())

        without = await measurement(f"redis://probekit:{PASSWORD}@127.0.0.1:{nodes[0].port}")
        admin.execute_command("ACL", "SETUSER", "probekit", "+cluster|nodes")
        allowed = await measurement(f"redis://probekit:{PASSWORD}@127.0.0.1:{nodes[0].port}")

    assert without.values["canary"].reason is Reason.NOT_PERMITTED
    assert "+cluster|nodes" in without.values["canary"].detail
    assert allowed.values["canary"] == Exact(1)


IN_CLUSTER = b"cluster_enabled:1\r\n" + ROLE


@pytest.mark.parametrize(
    ("nodes_answer", "canary"),
    [
        (b"-ERR This instance has cluster support disabled\r\n", Exact(1)),  # a proxy takes any key
        (b":1\r\n", Exact(1)),
        (b"$4\r\nabcd\r\n", Exact(1)),
    ],
)
async def test_a_cluster_that_does_not_tell_its_slots_is_given_any_key(serve, nodes_answer, canary) -> None:
    answers = (nodes_answer, b"+OK\r\n", b":42\r\n", b":1\r\n")
    port, _ = await serve(act=saying(*PONG, INFO % (len(IN_CLUSTER), IN_CLUSTER), *answers))

    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{port}")

    assert readings.values["canary"] == canary


async def test_a_session_lost_at_the_slots_has_no_canary(serve) -> None:
    port, _ = await serve(act=saying(*PONG, INFO % (len(IN_CLUSTER), IN_CLUSTER)))

    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{port}")

    assert readings.values["canary"].reason is Reason.UNREACHABLE
    assert readings.values["up"] == Exact(1)


@pytest.mark.parametrize(
    ("answer", "reason", "told"),
    [
        (b"$4000000000\r\n" + b"0" * 4096, Reason.BAD_RESPONSE, "sends more than 1 MiB in one session"),
        (b"*1000000000\r\n" + b"$60000\r\n%060000d\r\n" % 0 * 18, Reason.BAD_RESPONSE, "sends more than 1 MiB"),
        (b"*1\r\n" * 5000, Reason.UNREACHABLE, "does not speak the Redis protocol"),
    ],
    ids=["a long text", "a long list", "a deep list"],
)
async def test_an_answer_without_an_end_costs_its_own_readings_only(serve, answer, reason, told) -> None:
    """A stand-in that answers INFO with what would fill the memory of whoever reads on."""
    port, _ = await serve(act=silent_after(*PONG, answer))

    readings = await measurement(f"redis://:{PASSWORD}@127.0.0.1:{port}", allow=frozenset())

    assert readings.values["up"] == Exact(1)
    assert readings.values["used_memory"].reason is reason
    assert told in readings.values["used_memory"].detail


@pytest.fixture
def sentinel(launcher) -> Iterator[Callable[..., int]]:
    """Start a sentinel that watches a cache as `shop`; its port."""
    started = []

    def begin(cache: Cache, *lines: str) -> int:
        port, folder = free_port(), launcher.make_folder("probekit-test-")
        (folder / "sentinel.conf").write_text(
            "\n".join([
                "bind 127.0.0.1", f"port {port}", f"dir {folder}", f"sentinel monitor shop 127.0.0.1 {cache.port} 1",
                f"sentinel auth-pass shop {PASSWORD}", *lines,
            ]) + "\n"
        )  # fmt: skip
        program = [binaries.find(binaries.VALKEY), folder / "sentinel.conf", "--sentinel"]
        started.append(launcher.start("sentinel", program))

        def accepts() -> bool:
            with closing(socket.socket()) as line:
                return line.connect_ex(("127.0.0.1", port)) == 0

        launcher.wait_ready(started[-1], accepts)
        return port

    yield begin
    for server in started:
        launcher.stop(server)


async def test_the_master_that_a_sentinel_names(cache, sentinel) -> None:
    port = sentinel(cache)

    readings = await measurement(f"redis+sentinel://:{PASSWORD}@127.0.0.1:{free_port()},127.0.0.1:{port}/shop/1")

    assert [readings.values[name] for name in ("up", "canary", "expected_role")] == [Exact(1), Exact(1), Exact(1)]
    assert readings.summary.startswith(f"127.0.0.1:{cache.port} is a master")


async def test_a_sentinel_whose_master_is_named_beside_the_url(cache, sentinel) -> None:
    port = sentinel(cache)

    readings = await measurement(f"sentinel://:{PASSWORD}@127.0.0.1:{port}", {"sentinel_master": "shop"})

    assert readings.values["up"] == Exact(1)


async def test_a_sentinel_that_wants_a_password_of_its_own(cache, sentinel) -> None:
    port = sentinel(cache, "requirepass of-the-sentinel")
    url = f"redis+sentinel://:{PASSWORD}@127.0.0.1:{port}/shop"

    error = await refused(url)
    readings = await measurement(f"{url}?sentinel_password=of-the-sentinel")

    assert error.reason is Reason.REFUSED_CREDENTIALS
    assert "sentinel_password" in error.detail
    assert "of-the-sentinel" not in error.detail
    assert readings.values["up"] == Exact(1)


async def test_a_master_that_no_sentinel_knows(cache, sentinel) -> None:
    port = sentinel(cache)

    error = await refused(f"redis+sentinel://:{PASSWORD}@127.0.0.1:{port},127.0.0.1:{free_port()}/another")

    assert error.reason is Reason.BAD_RESPONSE
    assert error.detail == f"the sentinel at 127.0.0.1:{port} does not know the master that the URL names"


async def test_no_sentinel_that_answers() -> None:
    readings = await measurement(f"redis+sentinel://:{PASSWORD}@127.0.0.1:{free_port()},127.0.0.1:{free_port()}/shop")

    assert readings.values == {"up": Exact(0)}
    assert "connection refused by" in readings.summary


async def test_a_cache_that_is_asked_as_a_sentinel(cache) -> None:
    url = f"redis+sentinel://127.0.0.1:{cache.port}/shop?sentinel_password={PASSWORD}"

    error = await refused(url)

    assert error.reason is Reason.BAD_RESPONSE
    assert error.detail == f"127.0.0.1:{cache.port} answers SENTINEL with ERR: not a sentinel"


@pytest.mark.parametrize(
    "answer",
    [
        b":1\r\n",
        b"+OK\r\n",
        b"*1\r\n$9\r\n127.0.0.1\r\n",
        b"*2\r\n$9\r\n127.0.0.1\r\n$2\r\nno\r\n",
        b"*2\r\n$3\r\na b\r\n$4\r\n6379\r\n",
        b"*2\r\n:1\r\n:2\r\n",
        b"*2\r\n$1\r\n\xff\r\n$4\r\n6379\r\n",
        b"*2\r\n$0\r\n\r\n$1\r\n0\r\n",
    ],
)
async def test_a_sentinel_s_answer_that_is_no_address(serve, answer) -> None:
    port, _ = await serve(act=saying(answer))

    error = await refused(f"redis+sentinel://:{PASSWORD}@127.0.0.1:{port}/shop")

    assert error.reason is Reason.BAD_RESPONSE
    assert "does not answer with the address of a master" in error.detail


async def test_a_replica_is_not_asked_for_at_sentinels() -> None:
    error = await refused("redis+sentinel://127.0.0.1:1/shop", settings={"role": "replica"})

    assert error.reason is Reason.MISSING_SETTING


async def test_a_missing_secret_is_ours() -> None:
    def reveal(_secret: SecretRef) -> str:
        raise ProbeFailedError(
            Reason.MISSING_SECRET, "the variable CACHE_URL is not set or empty; set it in the environment or in .env"
        )

    given = SimpleNamespace(reveal=reveal)

    with pytest.raises(ProbeFailedError, match="missing_secret"):
        await KIND.measure(RedisProbe(kind="redis", url=URL), given)


@pytest.mark.parametrize(
    "wrong", [{}, {"url": "redis://cache.test"}, {"url": URL, "role": "primary"}, {"url": URL, "prefix": ""}]
)
def test_a_table_that_cannot_be(wrong) -> None:
    with pytest.raises(ValidationError):
        RedisProbe(kind="redis", **wrong)


async def test_the_hit_rate_is_that_of_each_block_not_of_the_server_s_life(cache, admin) -> None:
    admin.set("known", "1")
    for _ in range(50):
        admin.get("known")

    found = await blocks(
        cache.url,
        lambda: [admin.get(name) for name in ("known", "unknown", "unknown")],
        lambda: None,
        lambda: [admin.get("known") for _ in range(19)] + [admin.get("unknown")],
    )

    assert found == [
        Complement(Share((2,), (3,))),
        Complement(Share((0,), (0,))),  # nobody looked anything up
        Complement(Share((1,), (20,))),
    ]


async def test_our_own_canary_is_in_no_hit_rate(cache) -> None:
    async def measurements() -> None:
        await measurement(cache.url)

    class OneLook:
        left = 1

        async def next(self) -> bool:
            await measurements()
            self.left -= 1
            return self.left >= 0

    sampler = KIND.sample(RedisProbe(kind="redis", url=URL), context(cache.url, window=OneLook()))

    assert [readings.values["hit_rate"] async for readings in sampler] == [Complement(Share((0,), (0,)))]


async def test_a_restart_between_blocks(start, cache, admin) -> None:
    def restart() -> None:
        cache.stop()
        start(port=cache.port)

    found = await blocks(cache.url, restart, lambda: None)

    assert found[0].reason is Reason.BAD_RESPONSE
    assert "was restarted" in found[0].detail
    assert found[1] == Complement(Share((0,), (0,)))


@pytest.mark.parametrize("lookups", [0, 5])
async def test_counters_that_were_reset_between_blocks(cache, admin, lookups) -> None:
    admin.get("unknown")

    def reset() -> None:
        admin.config_resetstat()
        for _ in range(lookups):  # more than before: only the other counters tell
            admin.get("unknown")

    for _ in range(20):
        admin.ping()
    (found,) = await blocks(cache.url, reset)

    assert found.reason is Reason.BAD_RESPONSE
    assert "were reset" in found.detail


async def test_a_server_that_goes_away_in_the_window(cache) -> None:
    found = await blocks(cache.url, lambda: None, cache.stop, lambda: None)

    assert found[0] == Complement(Share((0,), (0,)))
    assert [failure.reason for failure in found[1:]] == [Reason.UNREACHABLE] * 2


async def test_a_server_that_is_gone_before_the_window() -> None:
    with pytest.raises(ProbeFailedError, match="unreachable"):
        await blocks(f"redis://:{PASSWORD}@127.0.0.1:{free_port()}", lambda: None)


async def test_counters_that_are_not_told(serve) -> None:
    port, _ = await serve(act=saying(b"+OK\r\n", INFO % (len(ROLE), ROLE)))

    with pytest.raises(ProbeFailedError, match="lacks run_id or a number for keyspace_hits"):
        await blocks(f"redis://:{PASSWORD}@127.0.0.1:{port}", lambda: None)


async def test_counters_that_our_user_may_not_read(cache, admin) -> None:
    admin.execute_command(*f"ACL SETUSER probekit reset on >{PASSWORD} -@all +ping".split())

    with pytest.raises(ProbeFailedError, match="not_permitted"):
        await blocks(f"redis://probekit:{PASSWORD}@127.0.0.1:{cache.port}", lambda: None)
