"""Builders of values that many tests need, with defaults for what a test does not care about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from probekit.model.checklist import Band, Deadline, Item, Row, Severity
from probekit.model.limit import parse_limit
from probekit.model.measurement import Attempt, Failure, Measurement, Reason
from probekit.model.plan import Plan, Step, Versions
from probekit.model.readings import Exact
from probekit.model.verdict import Situation
from probekit.transport.exchange import Exchange, Sender

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
            reached={1: True, 0: False}.get(int(values["up"])) if isinstance(values.get("up"), int | float) else None,
            summary=note,
        )

    def attempt(self, *measurements: Measurement, rechecks: tuple[Measurement, ...] = ()) -> Attempt:
        return Attempt(measurements=measurements, rechecks=rechecks)

    def step(self, **fields: Any) -> Step:
        """A step of the health probe that has nothing to do."""
        wanted = frozenset({"up", "status"})
        return Step(
            **{
                "probe": "health",
                "instance": "",
                "kind": "http",
                "source": None,
                "repeat": 8,
                "attempts": 3,
                "spread": 20.0,
                "attempt_interval": 10.0,
                "timeout": 1.0,
                "in_flight": 4,
                "turn": "concurrent",
                "window": 0.0,
                "cost": 0,
                "wanted": wanted,
                "reachability_metrics": wanted,
                "reach": frozenset({"up"}),
                **fields,
            }
        )

    def plan(self, *items: Item, **fields: Any) -> Plan:
        return Plan(
            **{
                "items": items,
                "steps": (),
                "release_guards": (),
                "versions": Versions(),
                "uncovered": {},
                "not_applicable": {},
                "layers": {"health": "application"},
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
        deadline=Deadline(minutes=10, then=parse_limit("response_time > 4000 ms")),
    )


def mocked(transport: httpx.AsyncBaseTransport) -> Sender:
    """What sends requests to a mock of httpx instead of the network."""

    async def send(request: httpx.Request, exchange: Exchange) -> httpx.Response:
        request.extensions["address"] = exchange.address  # for tests that ask where it went
        return await transport.handle_async_request(request)

    return send
