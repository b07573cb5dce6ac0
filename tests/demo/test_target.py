from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg
import pytest
import redis

from probekit.demo.errors import DemoError
from probekit.demo.ports import free_port
from probekit.demo.target import SERVE_PORTS, Ports, Target, running_target

SERVED = """
import json, signal
from probekit.demo.target import running_target
with running_target() as target:
    print(json.dumps({"pids": dict(target.processes), "folder": str(target.folder)}), flush=True)
    signal.pause()
"""


def test_a_target_says_where_everything_is(target: Target) -> None:
    assert httpx.URL(target.base_url).host == "localhost"
    assert httpx.get(target.control_url).text == "ok"
    assert stat.S_IMODE(target.key_file.stat().st_mode) == 0o600
    assert set(target.processes) == {"keeper", "application", "postgres", "valkey"}


def test_its_secrets_are_not_shown(target: Target) -> None:
    shown = repr(target)

    urls = (target.postgres_dsn, target.valkey_url, target.probe_dsn, target.probe_cache_url)
    for secret in (*urls, *map(password, urls), *target.passwords.values()):
        assert secret not in shown


def test_its_secrets_are_on_no_command_line(target: Target) -> None:
    urls = (target.postgres_dsn, target.valkey_url, target.probe_dsn, target.probe_cache_url)
    secrets = {*map(password, urls), *target.passwords.values()}

    shown = " ".join(word for pid in target.processes.values() for word in psutil.Process(pid).cmdline())

    assert not [secret for secret in secrets if secret in shown]


def password(url: str) -> str:
    return urlsplit(url).password or url


def test_the_superuser_sees_the_seeded_database(target: Target) -> None:
    with psycopg.connect(target.postgres_dsn) as connection:
        row = connection.execute("select count(*), (select count(*) from account) from purchase").fetchone()

    assert row == (240, 3)


def test_what_is_asked_for_most_stays_in_the_cache_for_hours(target: Target) -> None:
    with redis.Redis.from_url(target.valkey_url) as cache:
        seconds = [cache.ttl(key) for key in ("orders", "search:tea")]

    assert min(seconds) > 3600, "keys that end amid a run are a burst of misses, which no fault has planted"


def test_what_a_target_refuses_when_it_is_told_to(
    connect: Callable[..., httpx.Client], is_gone: Callable[[int], bool], until: Callable[[Callable[[], bool]], None]
) -> None:
    def end(name: str, number: signal.Signals) -> None:
        os.kill(target.processes[name], number)
        until(lambda: is_gone(target.processes[name]))

    with running_target() as target, connect(target) as client:
        target.stop_control()
        with pytest.raises(httpx.ConnectError):
            httpx.get(target.control_url)
        assert client.get("/health").status_code == 200

        end("valkey", signal.SIGKILL)
        assert client.get("/api/orders").headers["X-Cache"] == "bypass"
        assert components(client) == {"database": "ok", "cache": "down", "disk": "ok", "queue": "down"}

        end("postgres", signal.SIGQUIT)
        assert client.get("/api/orders").status_code == 503
        assert client.post("/api/login", json={"user": "ana", "password": "x"}).status_code == 503
        assert components(client) == {"database": "down", "cache": "down", "disk": "ok", "queue": "down"}
        assert client.get("/health").json() == {"status": "ok"}

        target.stop_serving()
        for url in (target.base_url, target.plain_url):
            with pytest.raises(httpx.ConnectError):
                httpx.get(url)


def components(client: httpx.Client) -> dict[str, str]:
    answer = client.get("/api/infrastructure/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    return {name: found["status"] for name, found in answer.json()["components"].items()}


def test_a_target_on_fixed_ports_is_gone_within_a_second_of_its_end_whatever_is_in_flight(
    tmp_path: Path, connect: Callable[..., httpx.Client], is_gone: Callable[[int], bool]
) -> None:
    (tmp_path / "key").write_text("of an earlier target")
    ports = Ports(https=free_port(), plain=free_port(), control=free_port(), postgres=free_port(), valkey=free_port())

    with running_target(tmp_path, ports) as target, connect(target) as client, hanging_request(target, client):
        processes = target.processes
        target.plant("cache-down")  # a port that is held for a stopped server is let go too
        started = time.monotonic()
    seconds = time.monotonic() - started

    assert seconds < 1.0
    assert all(is_gone(pid) for pid in processes.values())
    assert target.base_url == f"https://localhost:{ports.https}"
    assert psycopg.conninfo.conninfo_to_dict(target.postgres_dsn)["port"] == str(ports.postgres)
    assert {file.name for file in tmp_path.iterdir()} == {"ca.pem", "key", "shop.log"}


@contextlib.contextmanager
def hanging_request(target: Target, client: httpx.Client) -> Iterator[None]:
    """A request for /health that the target has accepted and will not answer."""
    assert client.get("/health").status_code == 200
    target.plant("hang")
    context = ssl.create_default_context(cafile=target.ca_file)
    address = ("127.0.0.1", httpx.URL(target.base_url).port or 0)
    with (
        socket.create_connection(address, timeout=0.2) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(TimeoutError):
            secured.recv(1)
        yield


def test_nothing_outlives_a_parent_that_is_killed(until: Callable[..., None], is_gone: Callable[[int], bool]) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVED], stdout=subprocess.PIPE, text=True) as parent:
        told = json.loads(parent.stdout.readline() if parent.stdout else "")
        pids = everybody(told["pids"])

        parent.kill()

        until(lambda: all(is_gone(pid) for pid in pids))
    assert len(pids) > len(told["pids"])
    assert not Path(told["folder"]).exists()


def everybody(pids: dict[str, int]) -> set[int]:
    """The processes a target names and all they started."""
    named = [psutil.Process(pid) for pid in pids.values()]
    return {process.pid for root in named for process in (root, *root.children(recursive=True))}


def test_a_target_that_cannot_start_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, until: Callable[..., None]
) -> None:
    broken = tmp_path / "valkey-server"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("PROBEKIT_VALKEY_SERVER", str(broken))

    with pytest.raises(DemoError, match="valkey ended with code 1 before it was ready"), running_target():
        pass

    until(lambda: not list((tmp_path / "temporary").iterdir()))


def test_a_port_in_use_is_named_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(DemoError, match=f"port {port} for control is in use"), running_target(None, fixed(port)):
            pass


def fixed(control: int) -> Ports:
    return Ports(https=0, plain=0, control=control, postgres=0, valkey=0)


def test_a_lean_installation_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)

    with pytest.raises(DemoError, match=r"missing: trustme.*(?s:.)*pip install 'probekit\[demo\]'"), running_target():
        pass


def test_the_table_of_faults_is_read_without_anything_heavy() -> None:
    script = (
        "import sys; from probekit.demo.target import FAULTS\n"
        "heavy = {'trustme', 'uvicorn', 'starlette', 'jwt', 'psycopg', 'redis', 'cryptography'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_the_ports_of_a_served_target_are_fixed_and_different() -> None:
    assert (
        len({SERVE_PORTS.https, SERVE_PORTS.plain, SERVE_PORTS.control, SERVE_PORTS.postgres, SERVE_PORTS.valkey}) == 5
    )


def test_an_unusable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(DemoError, match=r"folder .*file cannot be used"), running_target(tmp_path / "file"):
        pass
