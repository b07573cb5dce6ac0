"""What is on record: how long the release has been in place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from probekit.http import Http
from probekit.model import Exact, Reason
from probekit.probe import Context
from probekit.probes.ledger import KIND, Ledger

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def read():
    async def one(since):
        look = Http(run="test").look(timeout=1)
        context = Context(
            base_url="https://app.test", timeout=1, http=look, reveal=str, now=lambda: NOW, settling_since=since
        )
        return (await KIND.measure(Ledger(), context)).values["settled"]

    return one


@pytest.mark.parametrize("seconds", [0, 29.5, 30])
async def test_settled_counts_from_the_mark(read, seconds) -> None:
    assert await read(NOW - timedelta(seconds=seconds)) == Exact(seconds)


async def test_a_mark_in_the_future_is_no_reading(read) -> None:
    assert (await read(NOW + timedelta(seconds=5))).reason is Reason.BAD_RESPONSE


async def test_without_a_mark_there_is_no_reading(read) -> None:
    assert (await read(None)).reason is Reason.MISSING_SETTING


def test_it_needs_no_settings_and_no_network() -> None:
    assert KIND.unasked("http://app.test")
    assert (KIND.requests, KIND.endpoint) == (0, None)
