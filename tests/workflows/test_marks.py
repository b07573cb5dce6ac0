"""Counters that only grow are read at a deployment's marks, and what they grew since is what is judged."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from probekit import cli

CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:9"
scope = ["deploy.rollout.no-restarts"]
attempt_interval = "0s"

[env.prod.probes.containers]
kind = "command"
argv = [{python}, "-c", "print(open({file}).read())"]
metrics = {{ restarts = {{ at = "$.restarts", counter = true }} }}
"""


@pytest.fixture
def counter(tmp_path, monkeypatch):
    """A file that holds what the counter has come to; probes.toml reads it."""
    file = tmp_path / "count"
    text = CONFIG.format(python=json.dumps(sys.executable), file=f"'{file}'")
    (tmp_path / "probes.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROBEKIT_STATE", "state.sqlite3")
    return lambda number: file.write_text(json.dumps({"restarts": number}))


@pytest.fixture
def deployed(counter):
    """A deployment at whose start there were 3 restarts, and 12 at its finish."""
    counter(3)
    assert cli.run(["deployment", "start", "--env", "prod"]) == 0
    counter(12)
    assert cli.run(["deployment", "finish", "--env", "prod"]) == 0


def verdict(*words):
    """Outcome and reason of the one item."""
    cli.run(["verify", "--env", "prod", "--no-settle", "--report", "json=report.json", "--quiet", *words])
    (found,) = json.loads(Path("report.json").read_text("utf-8"))["verdicts"]
    return found["outcome"], found["because"]


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    ("now", "outcome", "told"),
    [
        (12, "pass", "restarts 0"),
        (13, "fail", "restarts 1"),
        (11, "inconclusive", "restarts went from 12 at the deployment mark to 11: the counter was reset"),
        (-1, "inconclusive", "negative"),
        ("many", "inconclusive", "expected a number"),
    ],
)
def test_what_it_grew_since_the_finish_is_judged(counter, now, outcome, told) -> None:
    counter(now)

    found, because = verdict()

    assert found == outcome
    assert told in because


@pytest.mark.parametrize("words", [[], ["--deployed", "now"]])
def test_without_a_mark_it_is_no_reading(counter, words) -> None:
    counter(12)

    found, because = verdict(*words)

    assert found == "error"
    assert "restarts is 12 in all, and no value was recorded at the deployment" in because


@pytest.mark.usefixtures("deployed")
def test_another_moment_that_is_named_knows_nothing_of_the_mark(counter) -> None:
    counter(12)

    assert verdict("--deployed", "2026-11-23T10:00Z")[0] == "error"


@pytest.mark.usefixtures("deployed")
def test_a_new_deployment_counts_anew(counter) -> None:
    counter(20)
    assert cli.run(["deployment", "start", "--env", "prod"]) == 0

    assert verdict()[0] == "pass"


def test_what_cannot_be_read_is_told_and_the_deployment_is_marked_all_the_same(counter, capfd) -> None:
    counter("many")

    assert cli.run(["deployment", "start", "--env", "prod"]) == 0

    out, err = capfd.readouterr()
    assert "the deployment of a release started at " in out
    assert 'warning: counter not read: containers restarts: bad_response: "many" at $.restarts' in err


def test_of_a_moment_that_is_over_nothing_is_read(counter) -> None:
    counter(12)
    assert cli.run(["deployment", "start", "--env", "prod", "--at", "2026-11-23T10:00Z"]) == 0

    assert verdict()[0] == "error"
