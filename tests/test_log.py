"""What a log says of the outside holds no secret, and what it says of itself stays."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from probekit import log
from probekit.redaction import HIDDEN, Redactor


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    kept, was_configured = structlog.get_config(), structlog.is_configured()
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    if was_configured:
        structlog.configure(**kept)


async def say(secret: str, said: str) -> None:
    """One event of a task whose run knows that secret and the name of its environment."""
    redactor = Redactor()
    redactor.learn(secret)
    redactor.allow(["production"])
    log.redact(redactor)
    await asyncio.sleep(0)  # another task has its turn
    log.events().warning("control.silent", environment="production", detail=f"it says {said}.", count=3)


@pytest.mark.parametrize(
    "said", ["production1", "PRODUCTION1", "70726f64756374696f6e31", "cHJvZHVjdGlvbjE=", "oduction1"]
)
def test_an_event_tells_no_secret_and_keeps_its_own_words(said, capsys) -> None:
    log.configure(level=logging.DEBUG)

    asyncio.run(say("production1", said))

    event = json.loads(capsys.readouterr().err)
    assert event["detail"].replace("=", "") == f"it says {HIDDEN}."
    assert (event["event"], event["environment"], event["count"]) == ("control.silent", "production", 3)


def test_an_event_of_a_program_that_configured_nothing_tells_no_secret(capsys) -> None:
    asyncio.run(say("production1", "production1"))

    assert json.loads(capsys.readouterr().err)["detail"] == f"it says {HIDDEN}."


def test_each_task_has_the_secrets_of_its_own_run(capsys) -> None:
    async def both() -> None:
        await asyncio.gather(say("s3cret-of-one", "s3cret-of-one"), say("s3cret-of-two", "s3cret-of-two"))

    asyncio.run(both())

    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["detail"] for line in lines] == [f"it says {HIDDEN}."] * 2


def test_an_event_outside_of_a_run_is_told_as_it_is(capsys) -> None:
    log.events().warning("history.runs_dropped", file="production1")

    assert json.loads(capsys.readouterr().err)["file"] == "production1"
