"""What is imported for a command, and what is not: start-up is CPU that every cron run pays."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

HEAVY = {
    "cryptography", "httpx", "hypothesis", "jsonpath", "prometheus_client", "psutil", "psycopg", "pydantic", "pygments",
    "pytest", "redis", "rich", "sqlite3", "starlette", "structlog", "tree_sitter", "trustme", "uvicorn",
}  # fmt: skip
VERIFY = {"httpx", "pydantic", "sqlite3"}  # sqlite3 is the store's; structlog comes with the first event
PROGRAM = (
    "import sys\nfrom probekit.__main__ import main\ntry:\n    main()\nfinally:\n"
    "    print(*sorted(sys.modules), file=sys.stderr)\n"
)
CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.services.health-endpoint"]
settle = "0s"
spread = "0s"
attempt_interval = "0s"

[env.prod.probes.health]
kind = "http"
path = "/health"
"""


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (["--version"], set()),
        (["--help"], set()),
        (["verify", "--help"], set()),
        (["plan", "--help"], set()),
        (["probe", "--help"], set()),
        (["verify", "--env", "prod"], VERIFY),
        (["plan", "--env", "prod"], {"httpx", "pydantic", "rich"}),  # a table; nothing is on record
        (["probe", "health", "--env", "prod"], {"httpx", "pydantic", "rich"}),
    ],
)
def test_a_command_imports_no_more_than_it_needs(tmp_path, words, allowed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "probes.toml").write_text(CONFIG.format(port=port))
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=tmp_path,
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    loaded = {name.partition(".")[0] for name in result.stderr.splitlines()[-1].split()}
    assert "probekit" in loaded
    assert loaded & HEAVY <= allowed


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_the_program_s_own_options_import_no_model_and_no_report(option) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, option], capture_output=True, text=True, timeout=60, check=False
    )

    parts = {
        ".".join(name.split(".")[:2]) for name in result.stderr.splitlines()[-1].split() if name.startswith("probekit.")
    }
    assert parts <= {"probekit.__main__", "probekit.cli", "probekit.text", "probekit.version"}
