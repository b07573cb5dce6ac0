"""What a log says of the outside holds no secret, and what it says of itself stays."""

from __future__ import annotations

import ast
import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from probekit import log
from probekit.redaction import HIDDEN, Redactor


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(log, "_WANTED", log._Wanted())  # noqa: SLF001  # as in a new process
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


EXAMPLES = {
    "secret.short": (
        {"secret": "$TOKEN", "least": 8},
        "the secret $TOKEN has fewer than 8 characters, too few to be redacted",
    ),
    "secret.ordinary_word": (
        {"secret": "$TOKEN", "fix": "choose one that is not a word"},
        "the secret $TOKEN is a word of probekit's own texts and is not redacted there; choose one that is not a word",
    ),
    "secret.readable_by_others": (
        {"secret": "a.key", "fix": "chmod 600 a.key"},
        "the secret's file a.key can be read by other users; chmod 600 a.key",
    ),
    "control.silent": (
        {"reason": "bad_response", "detail": "\x1b[2J says 503"},
        "a control did not answer as expected, bad response: \\x1b[2J says 503",
    ),
    "history.runs_dropped": (
        {"runs": 3, "file": "a.sqlite3", "reason": "an older report format"},
        "3 earlier runs removed from a.sqlite3: an older report format",
    ),
    "probe.bug": (
        {"probe": "health", "kind": "http", "error": "KeyError"},
        "probe health: KeyError in the kind http; this is a bug in that kind, not a failure of the target",
    ),
}


def _emitted() -> set[str]:
    """The names of all events in the source: the first argument of a logger's method, or of `_warn`."""
    names = set()
    for path in Path(log.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                logs = isinstance(node.func.value, ast.Call) and ast.unparse(node.func.value) == "events()"
                first = node.args[0]
                if (logs or node.func.attr == "_warn") and isinstance(first, ast.Constant):
                    names.add(str(first.value))
    return names


def test_each_event_of_the_source_has_a_sentence_and_each_sentence_an_event() -> None:
    assert _emitted() == {*log.SENTENCES}
    assert {*EXAMPLES, "probe.measured"} == {*log.SENTENCES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_text_is_one_plain_sentence(name: str, capsys) -> None:
    values, told = EXAMPLES[name]
    log.configure()
    log.write_as("text")

    log.events().warning(name, **values)

    assert capsys.readouterr().err == f"probekit: warning: {told}\n"


@pytest.mark.parametrize(
    ("address", "told"),
    [("10.0.3.7:443", "measured health at 10.0.3.7:443 in 12.3 ms"), ("", "measured health in 12.3 ms")],
)
def test_a_measurement_is_told_as_often_as_it_is_made(address: str, told: str, capsys) -> None:
    log.configure(level=logging.DEBUG)
    log.write_as("text")

    for _ in range(2):
        log.events().debug("probe.measured", probe="health", address=address, seconds=0.0123)

    assert capsys.readouterr().err == f"probekit: {told}\n" * 2


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_command_gives_the_same_warning_once_in_all_its_runs(form: log.LogFormat, capsys) -> None:
    log.configure()
    log.write_as(form)

    for secret in ("$A", "$A", "$B"):
        asyncio.run(say_of(secret))
    first = capsys.readouterr().err.splitlines()
    log.configure()
    asyncio.run(say_of("$A"))

    assert len(first) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


async def say_of(secret: str) -> None:
    """One warning of a run of its own."""
    log.redact(Redactor())
    log.events().warning("secret.short", secret=secret, least=8)


def test_without_a_terminal_auto_is_json(capsys) -> None:
    log.configure()
    log.events().warning("secret.short", secret="$A", least=8)

    event = json.loads(capsys.readouterr().err)
    assert (event["event"], event["level"], event["secret"]) == ("secret.short", "warning", "$A")
    assert event["timestamp"].endswith("Z")


def test_an_event_outside_of_a_run_is_told_as_it_is(capsys) -> None:
    log.events().warning("history.runs_dropped", file="production1")

    assert json.loads(capsys.readouterr().err)["file"] == "production1"
