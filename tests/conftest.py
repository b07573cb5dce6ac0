"""What many tests build: items, measurements and attempts, without a network and without a clock."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings

from probekit.judging.decide import decide
from probekit.model.checklist import Band, Deadline, Item, Row, Severity
from probekit.model.limit import parse_limit
from probekit.model.measurement import Attempt, Failure, Measurement, Reason
from probekit.model.plan import Plan
from probekit.model.readings import Exact
from probekit.model.report import Report, Run
from probekit.model.verdict import Control, Situation, Verdict

settings.register_profile("house", derandomize=True, deadline=None)  # the same examples on every machine
settings.load_profile("house")

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)


class Make:
    """Builders with the defaults that a test does not care about."""

    now = NOW

    def item(self, *expect: str, bands: Mapping[str, Severity] | None = None, **fields: Any) -> Item:
        """An item with limits as text, and bands as text to severity."""
        return Item(
            **{
                "id": "deploy.services.health-endpoint",
                "text": "Run health check endpoint",
                "title": "The health endpoint answers",
                "severity": Severity.CRITICAL,
                "owner": "Backend Lead",
                "probe": "health",
                "expect": tuple(parse_limit(text) for text in expect),
                "bands": tuple(Band(when=parse_limit(text), severity=s) for text, s in (bands or {}).items()),
                **fields,
            }
        )

    def measurement(self, address: str = "127.0.0.1:443", note: str = "", **values: float | Reason) -> Measurement:
        """A measurement with numbers as readings and reasons as failures."""
        return Measurement(
            probe="health",
            instance="",
            address=address,
            taken_at=NOW,
            seconds=0.01,
            waited=0.0,
            asked=frozenset(values) | {"up"},
            values={
                name: Failure(reason=value, detail=f"because of {value}") if isinstance(value, Reason) else Exact(value)
                for name, value in values.items()
            },
            notes={"summary": note} if note else {},
        )

    def attempt(self, *measurements: Measurement, rechecks: tuple[Measurement, ...] = ()) -> Attempt:
        return Attempt(measurements=measurements, rechecks=rechecks)

    def plan(self, *items: Item, **fields: Any) -> Plan:
        return Plan(
            **{
                "items": items,
                "steps": (),
                "release_guard": None,
                "release": None,
                "uncovered": {},
                "not_applicable": {},
                "targets": frozenset({"health"}),
                **fields,
            }
        )

    def situation(self, **fields: Any) -> Situation:
        return Situation(**{"now": NOW, **fields})

    rollback_row = Row(id="api-down", text="API down", severity=Severity.CRITICAL, action="rollback")
    slow_row = Row(
        id="slow-performance",
        text="Slow",
        severity=Severity.HIGH,
        action="investigate",
        deadline=Deadline(minutes=10, then=parse_limit("first_byte > 4000 ms")),
    )


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
