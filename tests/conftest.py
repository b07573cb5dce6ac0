"""What many tests build: items, measurements and attempts, without a network and without a clock."""

from __future__ import annotations

import asyncio
import gc
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from socketserver import BaseServer
from typing import Any

import pytest
from builders import NOW, Make
from hypothesis import settings

from probekit.judging.decide import decide
from probekit.model.measurement import Measurement
from probekit.model.report import Report, Run
from probekit.model.verdict import Control, Verdict

settings.register_profile("house", derandomize=True, deadline=None)  # the same examples on every machine
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Trace no test of many random cases for coverage: others run the same lines, and tracing triples its time."""
    for item in items:
        if item.get_closest_marker("heavy"):
            item.add_marker("no_cover")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the garbage collector from the objects of the collection: its searches took a quarter of the suite's CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    if "not servers" in session.config.option.markexpr:
        sys.addaudithook(_refuse_servers)


def _refuse_servers(event: str, _arguments: tuple[object, ...]) -> None:
    """Let a test fail that starts a server or a process and is not marked so."""
    if event in {"socket.bind", "subprocess.Popen", "os.fork", "os.posix_spawn"}:
        raise RuntimeError(f"{event} in a test that is not marked `servers`")


@pytest.fixture(scope="session", autouse=True)
def _a_home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the locks and records of this process apart from the user's, and from those of other test processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("XDG_STATE_HOME", raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _processes_can_be_interrupted() -> None:
    """A shell's job in the background ignores SIGINT, and so would all processes that the tests start and interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _clients_may_leave() -> Iterator[None]:
    """A client that went away is no error of a server in a thread, which would fail the test that runs by then."""
    told = BaseServer.handle_error

    def handle_error(server: BaseServer, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            told(server, request, client_address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseServer, "handle_error", handle_error)
        yield


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


class Peer:
    """A server on loopback that answers as a script says: bytes are sent, numbers are seconds to wait."""

    def __init__(self, script: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        self._script = script
        self.connections = 0
        self.open = 0
        self.idle = asyncio.Event()
        self.heads: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.idle.clear()
        try:
            await self._script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away, which some tests want
        finally:
            self.open -= 1
            if not self.open:
                self.idle.set()
            writer.transport.abort()


Serve = Callable[..., Awaitable[tuple[int, Peer]]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a peer; its port. A script of bytes is sent after the request's head was read."""
    servers = []

    async def start(*script: bytes | float, tls: ssl.SSLContext | None = None, act: Any = None) -> tuple[int, Peer]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer.heads.append(await reader.readuntil(b"\r\n\r\n"))
            for part in script:
                if isinstance(part, bytes):
                    writer.write(part)
                    await writer.drain()
                else:
                    await asyncio.sleep(part)

        peer = Peer(act or answer)
        server = await asyncio.start_server(peer, "127.0.0.1", 0, ssl=tls)
        servers.append(server)
        return server.sockets[0].getsockname()[1], peer

    yield start
    for server in servers:
        server.close()


def reply(body: bytes = b'{"status":"ok"}', status: str = "200 OK", **headers: str) -> bytes:
    """One HTTP answer as bytes."""
    given = {"Content-Type": "application/json", "Content-Length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


@pytest.fixture(scope="session")
def http_reply() -> Callable[..., bytes]:
    return reply


@pytest.fixture(scope="session")
def report_of(make: Make) -> Callable[..., Report]:
    """A report of these verdicts, decided as the flow decides."""

    def build(*verdicts: Verdict, measurements: tuple[Measurement, ...] = (), run: Any = None, **facts: Any) -> Report:
        situation = make.situation(**{"control": Control.ANSWERS, **facts})
        known = {
            "id": "0123456789ab",
            "environment": "prod",
            "base_url": "https://app.example.com",
            "stage": situation.stage,
            "started": NOW,
            "seconds": 1.5,
            "version": "0.1.0",
            "config_file": "probes.toml",
            "config_hash": "0" * 64,
            "vantage": "ci-7",
        }
        return Report(
            run=Run(**(known | (run or {}))),
            situation=situation,
            checklist="a list",
            items=203,
            measurements=measurements,
            verdicts=verdicts,
            decision=decide(verdicts, situation),
        )

    return build
