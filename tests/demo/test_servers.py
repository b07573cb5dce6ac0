from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import httpx
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from probekit.demo import binaries, ports, servers
from probekit.demo.errors import DemoError
from probekit.demo.launcher import Launcher


def test_a_postgres_alone(launcher: Launcher) -> None:
    postgres = servers.start_postgres(launcher)

    with psycopg.connect(postgres.dsn) as connection:
        settings = connection.execute("select current_setting('fsync'), current_setting('server_encoding')").fetchone()
    assert settings == ("off", "UTF8")
    assert not postgres.cluster.has_tls


@pytest.mark.skipif(os.geteuid() != 0, reason="only root cannot run PostgreSQL as itself")
def test_programs_that_nobody_can_reach_are_run_from_a_copy(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = binaries.find(binaries.POSTGRES).parent.parent
    for part in ("bin", "lib", "share"):
        if (original / part).is_dir():
            shutil.copytree(original / part, tmp_path / "tree" / part, symlinks=True)
    tmp_path.chmod(0o700)
    monkeypatch.setenv("PROBEKIT_POSTGRES_BIN", str(tmp_path / "tree" / "bin"))

    postgres = servers.start_postgres(launcher)

    with psycopg.connect(postgres.dsn) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_valkey_alone_wants_its_password(launcher: Launcher) -> None:
    valkey = servers.start_valkey(launcher)

    with redis.Redis.from_url(valkey.url) as client:
        assert client.ping()
    with (
        redis.Redis(port=valkey.port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_an_nginx_with_a_configuration(launcher: Launcher) -> None:
    nginx = servers.start_nginx(launcher, "server { listen 127.0.0.1:@port@; return 204; }")

    assert httpx.get(f"http://127.0.0.1:{nginx.port}/").status_code == 204


def test_an_nginx_with_a_mistake_shows_what_it_says(launcher: Launcher) -> None:
    with pytest.raises(
        DemoError, match=r'nginx ended with code 1 before it was ready:\n(.|\n)*unknown directive "lisen"'
    ):
        servers.start_nginx(launcher, "server { lisen 80; }")


def test_a_fixed_port_in_use_is_named(launcher: Launcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(DemoError, match=f"port {port} for Valkey is in use"):
            servers.start_valkey(launcher, port=port)


def test_a_free_port_that_somebody_else_took_is_tried_again_elsewhere(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = ports.free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        candidates = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(servers, "free_port", lambda: next(candidates))

        valkey = servers.start_valkey(launcher)

    assert valkey.port == free
