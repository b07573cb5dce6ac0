"""A kind, and a format, is one file and one test file: nothing else of the tree has to know of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KIND = '''"""Read the load of the machine that probekit runs on."""

from __future__ import annotations

import os
from typing import Literal

from probekit.probe import Context, Exact, Kind, Metric, ProbeConfig, Readings


class Load(ProbeConfig):
    """It has no settings of its own."""

    kind: Literal["load"] = "load"


async def measure(_config: Load, _context: Context) -> Readings:
    """Read the processes that waited for a processor over the last minute, in percent of the processors."""
    return Readings(cpu_used=Exact(100 * os.getloadavg()[0] / (os.cpu_count() or 1)))


KIND = Kind(
    config=Load,
    fills=("host-load",),
    metrics=(Metric(name="cpu_used", unit="%", help="processes that waited, of the processors there are"),),
    measure=measure,
    requests=0,
    example='kind = "load"\\n',
)
'''
KIND_TEST = '''"""The load of a machine is a number."""

from probekit.probes.load import KIND


async def test_it_reads_a_load() -> None:
    assert (await KIND.measure(KIND.config(), None)).values["cpu_used"].value >= 0
'''
FORMAT = '''"""The report as one line of CSV."""

from __future__ import annotations

from probekit.model.report import Report
from probekit.reports import Format, View


def render(report: Report, _view: View) -> str:
    """The run, its action and its exit code."""
    return f"{report.run.id},{report.decision.action.word},{report.exit_code}\\n"


FORMAT = Format(name="csv", help="a spreadsheet", render=render)
'''
FORMAT_TEST = '''"""A line of CSV says what was decided."""

from probekit import reports


def test_it_is_one_line(report_of) -> None:
    assert reports.load_format("csv").text(report_of()).endswith(",undecided,30\\n")
'''


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of what is tracked, and of what will be."""
    names = [
        "src",
        "tests",
        "scripts",
        "docs",
        "benchmarks",
        "pyproject.toml",
        "README.md",
        "CONTRIBUTING.md",
        "probes.toml",
    ]
    cache = ROOT / ".mypy_cache"  # where there is one, mypy reads the two modules alone
    for name in names + [cache.name] * cache.is_dir():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


ADDED = {
    "src/probekit/probes/load.py": KIND,
    "src/probekit/reports/csv.py": FORMAT,
    "tests/probes/test_load.py": KIND_TEST,
    "tests/reports/test_csv.py": FORMAT_TEST,
}


def test_one_file_and_one_test_file_pass_the_house_s_own_checks(tree) -> None:
    modules, tests = ([name for name in ADDED if name.startswith(folder)] for folder in ("src", "tests"))
    for name, code in ADDED.items():
        (tree / name).write_text(code)

    def run(*words: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(tree / "src"), "PYTEST_ADDOPTS": "-p no:cacheprovider"}
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tree, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run("ruff", "check", "--no-cache", *ADDED)
    run("ruff", "format", "--no-cache", "--check", *ADDED)
    run("mypy", *modules)
    run("importlinter.cli", "--no-cache")
    run("pytest", "-q", *tests, "tests/test_house.py")
    run("probekit", "list", "kinds")
