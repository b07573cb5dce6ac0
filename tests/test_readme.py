"""The README can be followed: its example is go, its gate takes the right way, its tables are the code's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import generated_docs
import pytest

from probekit.config.loader import load
from probekit.demo.target import running_target

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", *(f"docs/{name}.md" for name in ("assertions", "demo", "go", "record", "reports", "scope")))
TEXT = "\n".join((ROOT / page).read_text("utf-8") for page in PAGES)


def block(language: str, containing: str) -> str:
    """The one code block of that language with these words in it."""
    (found,) = [text for text in re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL) if containing in text]
    return found


@pytest.fixture(scope="module")
def prod(tmp_path_factory) -> Iterator[Path]:
    """A folder with the example of a production environment, its target the embedded one."""
    folder = tmp_path_factory.mktemp("prod")
    with running_target() as target:
        text = block("toml", "[env.prod]\nbase_url")
        authority = target.base_url.removeprefix("https://")  # localhost may have an IPv6 address, too
        for old, new in [
            ('# resolve = { "app.example.com:443" = "10.0.3.7" }', f'resolve = {{ "{authority}" = "127.0.0.1" }}'),
            ("https://app.example.com", target.base_url),
            ("https://status.example.net/ok", target.control_url),
            ("/etc/ssl/corp.pem", str(target.ca_file)),
            ('"X-Probe-Key" = { env = "PROBE_KEY" }', f'"X-Demo-Key" = {{ file = "{target.key_file}" }}'),
            ('timeout = "10s"', 'timeout = "2s"'),
            ('settle = "30s"', 'settle = "1s"'),
            ('spread = "20s"', 'spread = "1s"'),
            ('attempt_interval = "10s"', 'attempt_interval = "1s"'),
        ]:
            assert old in text
            text = text.replace(old, new)
        (folder / "probes.toml").write_text(text, "utf-8")
        yield folder


def run_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_example_of_a_production_environment_is_go_on_the_embedded_target(prod) -> None:
    wishes = ["--env", "prod", "--deployed", "2026-11-23T10:00Z", "--report", "json"]

    result = run_in(prod, "-m", "probekit", "verify", *wishes)

    document = json.loads(result.stdout)
    assert result.returncode == 0, document["decision"]
    assert (document["account"]["pass"], len(document["verdicts"])) == (4, 4)


def test_the_example_of_python_verifies_that_environment(prod) -> None:
    result = run_in(prod, "-c", block("python", "from probekit import verify"))

    decision, *verdicts = result.stdout.splitlines()
    assert decision == "go 0", result.stderr
    assert [verdict.split()[0] for verdict in verdicts] == ["pass"] * 4


@pytest.mark.parametrize(
    ("code", "said", "left", "rolled_back"),
    [
        (0, "go on", 0, False),
        (20, "", 0, True),
        (10, "stop and investigate: 10", 10, False),
        (70, "stop and investigate: 70", 70, False),
    ],
)
def test_the_gate_in_a_script_takes_the_way_that_the_code_says(tmp_path, code, said, left, rolled_back) -> None:
    for name, body in {"probekit": f"exit {code}", "rollback.sh": "touch rolled-back"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    command = ["/bin/sh", "-c", block("sh", "case $code in")]
    result = subprocess.run(command, cwd=tmp_path, env=path, capture_output=True, text=True, check=False)

    assert said in result.stdout + result.stderr
    assert (result.returncode, (tmp_path / "rolled-back").exists()) == (left, rolled_back)


def test_the_documents_that_restate_code_are_up_to_date() -> None:
    documents = generated_docs.documents()

    assert len(documents) > 1
    assert documents == {path: path.read_text("utf-8") for path in documents}


def test_the_further_examples_of_configuration_are_valid(tmp_path) -> None:
    prod = block("toml", "[env.prod]\nbase_url")
    examples = [prod, *(block("toml", words) for words in ("[env.prod.limits]", "not_applicable]", "checkout-api]"))]
    text = "".join(examples).replace("headers =", "# headers =").replace("scope = [", 'scope = ["post.monitoring",')
    (tmp_path / "probes.toml").write_text(text, "utf-8")

    target = load(tmp_path / "probes.toml").targets["prod"]

    changed = {item.id: item.changed_reason for item in target.items if item.changed_reason}
    assert changed == {"deploy.services.health-endpoint": "agreed in the contract"}
    (own,) = [item for item in target.items if item.is_own]
    assert (own.id, own.severity, own.confirm) == ("own.checks.checkout-api", "critical", 3)
    assert set(target.not_applicable.values()) == {"watched by the platform team's own checklist"}


def test_two_services_are_two_instances(tmp_path) -> None:
    prod = block("toml", "[env.prod]\nbase_url").partition("[env.prod.probes.health]")[0]
    text = prod.replace("headers =", "# headers =") + block("toml", "probes.health.shop]")
    (tmp_path / "probes.toml").write_text(text, "utf-8")

    probes = load(tmp_path / "probes.toml").targets["prod"].probes

    assert [one.instance for one in probes if one.probe == "health"] == ["shop", "stock"]


@pytest.mark.parametrize("containing", ["younger_than", "canary-login.json", "probes.routes.pages"])
def test_the_examples_of_requests_and_good_answers_are_read(tmp_path, containing) -> None:
    text = '[env.prod]\nbase_url = "https://app.test"\nscope = ["deploy"]\nallow = ["canary-write"]\n'
    (tmp_path / "probes.toml").write_text(text + block("toml", containing), "utf-8")

    assert load(tmp_path / "probes.toml").targets["prod"].probes


def test_the_readme_fits_200_lines() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 200
