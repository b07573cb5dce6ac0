"""What a log says of the outside holds no secret, and what it says of itself stays."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from probekit import log
from probekit.redaction import HIDDEN, Redactor


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)


@pytest.mark.parametrize(
    "said", ["production1", "PRODUCTION1", "70726f64756374696f6e31", "cHJvZHVjdGlvbjE=", "oduction1"]
)
def test_an_event_tells_no_secret_and_keeps_its_own_words(said, capsys) -> None:
    redactor = Redactor()
    redactor.learn("production1")
    redactor.allow(["production"])
    log.configure(level=logging.DEBUG, redactor=redactor)

    log.events().warning("control.silent", environment="production", detail=f"it says {said}.", count=3)

    event = json.loads(capsys.readouterr().err)
    assert event["detail"].replace("=", "") == f"it says {HIDDEN}."
    assert (event["event"], event["environment"], event["count"]) == ("control.silent", "production", 3)
