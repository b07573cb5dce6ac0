"""CONTRIBUTING.md can be followed to the letter: the kind it adds is built, installed, tested and judged."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text("utf-8")
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")


def block(containing: str) -> str:
    """The one code block with these words in it."""
    (found,) = [text for text in re.findall(r"```\w+\n(.*?)```", TEXT, re.DOTALL) if containing in text]
    return found


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> Path:
    """A folder in which every step was taken; the package is installed beside probekit, in its folder `site`."""
    folder = tmp_path_factory.mktemp("contributing")
    source = folder / "probekit-disk"
    source.mkdir()
    for name, containing in {
        "probekit_disk.py": "KIND = Kind(",
        "test_probekit_disk.py": "async def test_",
        "pyproject.toml": "[build-system]",
    }.items():
        (source / name).write_text(block(containing), "utf-8")
    (folder / "probes.toml").write_text(block("[env.prod.probes.host]"), "utf-8")
    alone = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    run_in(folder, *PIP, "wheel", *alone, "--wheel-dir", "wheels", str(source)).check_returncode()
    (wheel,) = (folder / "wheels").glob("probekit_disk-1.0-*.whl")
    run_in(folder, *PIP, "install", *alone, "--target", "site", str(wheel)).check_returncode()
    return folder


def run_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"HOME": str(folder), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_kind_s_own_tests_pass(followed) -> None:
    result = run_in(followed, "-m", "pytest", "-q", "-p", "no:cacheprovider", "probekit-disk")

    assert "2 passed" in result.stdout, result.stdout


def test_the_installed_kind_is_explained_planned_and_judged(followed) -> None:
    explained = run_in(followed, "-m", "probekit", "explain", "disk")
    assert explained.stdout.startswith("kind disk: Measure how full a disk is.")

    planned = run_in(followed, "-m", "probekit", "plan", "--env", "prod")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "host" in planned.stdout

    judged = run_in(followed, "-m", "probekit", "verify", "--env", "prod", "--no-settle", "--report", "json")
    (verdict,) = json.loads(judged.stdout)["verdicts"]
    assert verdict["outcome"] in ("pass", "fail")  # the disk of whoever runs this
    assert "MiB" in verdict["because"]
