"""Every command takes a file with checks of the user's own, with and without a checklist."""

from __future__ import annotations

import json
import os
import socket
import subprocess

import pytest

from probekit import cli

FILE = """
{top}
[env.prod]
base_url = "http://127.0.0.1:{port}"
{scope}
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
[env.prod.probes.till]
kind = "http"
path = "/till"
severity = "critical"
rollback = true
[env.prod.probes.release]
kind = "release"
path = "/version"
"""
ALL = {"top": "", "scope": 'scope = ["deploy.services.health-endpoint"]'}
NONE = {"top": 'checklist = "none"', "scope": ""}
COMMANDS = {
    "verify": 10,
    "verify --deployed now": 10,
    "verify --deployed 5m --release 2.3.1 --stage before": 21,
    "verify --quick --deployed now": 10,
    "verify --section own.checks": 10,
    "verify --item own.checks.till --probe till --strict": 10,
    "verify --report json --on-change --machine-only": 10,
    "plan": 0,
    "plan --json --probe till": 0,
    "probe till": 10,
    "probe till --json": 10,
    "list items": 0,
    "list probes": 0,
    "list envs": 0,
    "explain till": 0,
    "explain own.checks.till": 0,
    "deployment start --release 2.3.1": 0,
    "baseline capture": 64,  # nothing is compared
}


@pytest.fixture
def probekit(tmp_path, monkeypatch, capfd):
    """Run the command line in this process, beside a file whose target nobody answers for."""

    def run(words: str, **checklist: str):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        (tmp_path / "probes.toml").write_text(FILE.format(port=port, **checklist))
        monkeypatch.chdir(tmp_path)
        for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        capfd.readouterr()
        code = cli.run(words.split())
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(words, code, out, err)

    return run


@pytest.mark.parametrize("checklist", [ALL, NONE], ids=["all", "none"])
@pytest.mark.parametrize(("words", "code"), COMMANDS.items(), ids=COMMANDS)
def test_every_command_takes_them(probekit, words, code, checklist) -> None:
    if (words, checklist) == ("plan", ALL):
        code = 10  # its health item has no probe

    result = probekit(words, **checklist)

    assert result.returncode == code, result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_a_run_on_record_is_shown_and_judged_again(probekit) -> None:
    probekit("verify", **ALL)
    run = json.loads(probekit("runs list --json", **ALL).stdout)["runs"][0]["id"]

    shown = probekit(f"runs show {run} --json", **ALL)
    judged = probekit(f"runs judge {run} --limits probes.toml", **ALL)

    assert [one["item"] for one in json.loads(shown.stdout)["verdicts"] if one["own"]] == ["own.checks.till"]
    assert judged.returncode == 10, judged.stderr
    assert "till  fail\n" in judged.stdout
