"""The embedded target: a shop on HTTPS with its stores, running within a `with` block, and its faults.

No heavy module is imported before a target starts, because `--help` reads FAULTS from here.
"""

import contextlib
import importlib.util
import secrets
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from probekit.demo.channel import Channel
from probekit.demo.errors import DemoError, MissingExtraError
from probekit.demo.faults import FAULTS, VERSION, harm, parsed
from probekit.demo.launcher import Launcher, launching
from probekit.demo.ports import LOOPBACK, require_free
from probekit.demo.shop.settings import Settings

if TYPE_CHECKING:  # psycopg and trustme are slow to import, and trustme belongs to the extra
    from probekit.demo.stores import Stores
from probekit.version import __version__

__all__ = ["FAULTS", "SERVE_PORTS", "Ports", "Target", "running_target"]

_EXTRA = ("jwt", "starlette", "trustme", "uvicorn")
_INSTALL = """\
the demo needs its extra (missing: {missing}); install probekit with it:
  pip:    pip install 'probekit[demo]'
  pipx:   pipx install --force 'probekit[demo]'
  wheel:  pip install './dist/probekit-{version}-py3-none-any.whl[demo]'"""
_USERS = ("ana", "ben", "cem")  # ana is the admin
_CHECK = 2.0  # seconds of one check of /health


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of a target; 0 is any free one."""

    https: int = 0
    plain: int = 0
    control: int = 0
    postgres: int = 0
    valkey: int = 0


SERVE_PORTS = Ports(https=18443, plain=18080, control=18081, postgres=15432, valkey=16379)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A running target: its URLs, its secrets and its faults."""

    base_url: str  # localhost is 127.0.0.1, regardless of the machine's resolver
    plain_url: str
    control_url: str
    ca_file: Path
    key_file: Path  # one line: the value of X-Demo-Key, which exempts from the rate limit
    postgres_dsn: str = field(repr=False)  # the superuser's
    valkey_url: str = field(repr=False)
    probe_dsn: str = field(repr=False)  # of the user for probes: least privileges, server name verified
    probe_cache_url: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)  # of the shop's users
    folder: Path
    log_file: Path  # one JSON object a line
    version: str = VERSION
    _parents: Mapping[str, int] = field(repr=False)
    _stores: "Stores" = field(repr=False)
    _channel: Channel = field(repr=False)

    @property
    def processes(self) -> Mapping[str, int]:
        """The running processes by name."""
        return {**self._parents, **self._stores.processes}

    def plant(self, fault: str) -> None:
        """Apply a fault to the running target; it is in effect when this returns.

        Raises:
            DemoError: the fault is unknown or cannot be applied.
        """
        try:
            parsed(fault)
        except ValueError as error:
            raise DemoError(str(error)) from None
        self._channel.ask({"plant": fault})
        harm(fault, self._stores)
        self._channel.ask({"renew": True})  # connections to restarted servers would fail once

    def repair(self) -> None:
        """Remove all faults; stopped listeners stay stopped."""
        self._stores.repair()
        self._channel.ask({"repair": True})

    def stop_control(self) -> None:
        """Make the control refuse connections."""
        self._channel.ask({"close": ["control"]})

    def stop_serving(self) -> None:
        """Make HTTPS and plain HTTP refuse connections; the stores and the control keep running."""
        self._channel.ask({"close": ["https", "plain"]})


@contextlib.contextmanager
def running_target(folder: Path | None = None, ports: Ports | None = None) -> Iterator[Target]:
    """A healthy target that ends within a second after the block or this process ends.

    Without `folder` a temporary one is used, without `ports` free ones. The caller's folder keeps the authority's
    certificate, the key and the shop's log; private keys of certificates and data are always removed.

    Raises:
        DemoError: it cannot be started; the message states the reason.
    """
    _require_extra()
    ports = ports or Ports()
    for purpose in fields(ports):
        require_free(getattr(ports, purpose.name), purpose.name)
    with launching() as launcher, contextlib.ExitStack() as held:
        yield _start(launcher, launcher.folder if folder is None else _prepared(folder), held, ports)


def _start(launcher: Launcher, folder: Path, held: contextlib.ExitStack, ports: Ports) -> Target:
    """Start all parts; the shop's process first, because it imports modules while PostgreSQL creates its files."""
    command = [sys.executable, "-P", "-m", "probekit.demo.shop"]
    application = launcher.start("application", command, has_channel=True)
    channel = Channel(launcher.channel, application)
    stores = _start_stores(launcher, folder, held, ports)
    settings = Settings(
        database=stores.database.owner_dsn,
        cache=stores.valkey.url,
        certificates={name: str(file) for name, file in stores.certificates.leaves.items()},
        exempt_key=secrets.token_urlsafe(24),
        passwords={name: secrets.token_urlsafe(12) for name in _USERS},
        log=str(folder / "shop.log"),
        https_port=ports.https,
        plain_port=ports.plain,
        control_port=ports.control,
    )
    bound: Mapping[str, int] = channel.ask(asdict(settings))["ports"]
    authority = stores.certificates.authority
    launcher.wait_ready(application, lambda: _is_healthy(bound["https"], authority, settings.exempt_key))
    return Target(
        base_url=f"https://localhost:{bound['https']}",
        plain_url=f"http://localhost:{bound['plain']}",
        control_url=f"http://{LOOPBACK}:{bound['control']}/",
        ca_file=authority,
        key_file=_write_key(folder / "key", settings.exempt_key),
        postgres_dsn=stores.database.superuser_dsn,
        valkey_url=stores.valkey.url,
        probe_dsn=stores.database.probe_dsn,
        probe_cache_url=stores.valkey.probe_url,
        passwords=MappingProxyType(settings.passwords),
        folder=folder,
        log_file=Path(settings.log),
        _parents=MappingProxyType({"keeper": launcher.pid, "application": application.pid}),
        _stores=stores,
        _channel=channel,
    )


def _start_stores(launcher: Launcher, folder: Path, held: contextlib.ExitStack, ports: Ports) -> "Stores":
    from probekit.demo.stores import Stores  # noqa: PLC0415  # slow to import; the shop's process starts at the same time

    return Stores(launcher, folder, held, postgres_port=ports.postgres or None, valkey_port=ports.valkey or None)


def _require_extra() -> None:
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(_INSTALL.format(missing=", ".join(missing), version=__version__))


def _prepared(folder: Path) -> Path:
    """The caller's folder, without the files of an earlier target."""
    folder = folder.resolve()  # the shop's process runs in another folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("ca.pem", "key", "shop.log"):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        message = f"the target's folder {folder} cannot be used: {error.strerror}"
        raise DemoError(message) from error
    return folder


def _is_healthy(port: int, authority: Path, exempt_key: str) -> bool:
    """Whether /health returns 200 over TLS that the authority verifies."""
    context = ssl.create_default_context(cafile=authority)
    question = f"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Demo-Key: {exempt_key}\r\n\r\n"
    with (
        contextlib.suppress(OSError),
        socket.create_connection((LOOPBACK, port), timeout=_CHECK) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as secured,
    ):
        secured.sendall(question.encode())
        return secured.recv(64).startswith(b"HTTP/1.1 200 ")
    return False


def _write_key(file: Path, key: str) -> Path:
    file.touch(mode=0o600)
    file.write_text(f"{key}\n")
    return file
