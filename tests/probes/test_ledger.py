"""What is on record: how long the release has been in place, and which baseline was captured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from probekit.model.history import BaselineWindow, Deployment, History
from probekit.model.measurement import Reason
from probekit.model.readings import Exact
from probekit.probe import Context
from probekit.probes.ledger import KIND, Ledger
from probekit.transport.client import Http

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def read():
    async def one(since):
        measurement = Http(run="test").probe_client(timeout=1)
        context = Context(
            base_url="https://app.test", timeout=1, http=measurement, reveal=str, now=lambda: NOW, settling_since=since
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
    assert KIND.enabled_by_default("http://app.test")
    assert (KIND.requests, KIND.endpoint) == (0, None)


@pytest.fixture
def recorded():
    """A function from the ages of windows, in minutes before the deployment's start, to the ledger's readings."""

    async def recorded(*minutes, rows=7, deployment=True):
        windows = tuple(
            BaselineWindow(taken=NOW - timedelta(minutes=age), release="1", vantage="", values={}, rows=rows)
            for age in sorted(minutes, reverse=True)
        )
        deployed = Deployment(release="2", started=NOW, finished=NOW + timedelta(minutes=5))
        history = History(baseline=windows, deployment=deployed if deployment else None)
        measurement = Http(run="test").probe_client(timeout=1)
        context = Context(
            base_url="https://app.test",
            timeout=1,
            http=measurement,
            reveal=str,
            now=lambda: NOW,
            history=history,
            wanted=frozenset({"metrics", "age_at_deployment", "new_metrics"}),
        )
        return (await KIND.measure(Ledger(), context)).values

    return recorded


@pytest.mark.parametrize(
    ("minutes", "metrics", "new"),
    [((90, 60, 30), 7, 0), ((60, 30), 0, 0), ((), 0, 0), ((-10, -20, -30), 0, 7), ((90, 60, 30, -1, -2, -3), 7, 0)],
)
async def test_a_baseline_counts_with_three_windows_on_its_side_of_the_deployment(
    recorded, minutes, metrics, new
) -> None:
    values = await recorded(*minutes)

    assert (values["metrics"], values["new_metrics"]) == (Exact(metrics), Exact(new))


async def test_its_age_is_taken_when_the_deployment_began(recorded) -> None:
    assert (await recorded(90, 60, 30))["age_at_deployment"] == Exact(30)
    assert (await recorded())["age_at_deployment"].reason is Reason.BAD_RESPONSE


async def test_without_a_deployment_on_record_a_baseline_has_no_age(recorded) -> None:
    values = await recorded(90, 60, 30, deployment=False)

    assert {value.reason for value in values.values()} == {Reason.MISSING_SETTING}
