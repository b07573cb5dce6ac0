"""The flow as a library: one call, one report."""

from __future__ import annotations

import subprocess
import sys

import pytest

import probekit
from probekit.model.verdict import Action, Outcome
from probekit.workflows.options import RequestError

TEXT = """
[env.prod]
base_url = "http://127.0.0.1:9"
scope = ["deploy.services.health-endpoint"]
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
[env.prod.probes.health]
kind = "http"
path = "/health"
"""


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "probes.toml"
    file.write_text(TEXT)
    return file


def test_verify_returns_the_report(config) -> None:
    report = probekit.verify("prod", config=config)

    assert report.decision.action is Action.INVESTIGATE
    assert [verdict.outcome for verdict in report.verdicts] == [Outcome.FAIL]
    assert report.exit_code == 10


def test_an_unknown_environment_is_refused(config) -> None:
    with pytest.raises(RequestError, match="no environment 'stage'"):
        probekit.verify("stage", config=config)


def test_a_fixed_address_that_no_probe_goes_to_is_told(config) -> None:
    fixed = 'resolve = { "127.0.0.1:9" = "127.0.0.1", "aap.example.com:443" = "192.0.2.7" }'
    config.write_text(f"{TEXT}[env.prod.connect]\n{fixed}\n")

    notes = [note for note in probekit.verify("prod", config=config).run.notes if "connect.resolve" in note]

    assert len(notes) == 1
    assert "'aap.example.com:443'" in notes[0]
    assert "none went to 192.0.2.7" in notes[0]


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, probekit; print([name for name in ('httpx', 'pydantic', 'structlog') if name in sys.modules])"

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"
