"""The played release ends as its script says, with the account of all items."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(150)]
SCRIPT = Path(__file__).parents[2] / "scripts" / "demo_release.py"


@pytest.mark.parametrize(
    ("words", "end", "account"),
    [
        ((), "deploy.preflight.pre-deployment-gate: pass, expected pass; ", "203 items = 16 pass"),
        (
            ("--row", "another-commit"),
            "pre.review.no-critical-vulnerabilities: inconclusive, expected inconclusive; ",
            "1 inconclusive",
        ),
    ],
)
def test_a_release_is_played_to_its_archive(words, end, account) -> None:
    command = [sys.executable, str(SCRIPT), *words]
    played = subprocess.run(command, capture_output=True, text=True, check=False)

    assert played.returncode == 0, played.stdout + played.stderr
    assert played.stdout.splitlines()[-1].startswith(end)
    assert account in " ".join(played.stdout.split())
    assert "report-" in played.stdout.rpartition("sha256sum")[2]
    assert "FAILED" not in played.stdout
