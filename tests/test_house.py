"""Rules of the house that can be forgotten."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from grimp import build_graph

import probekit
from probekit import checklist, probes
from probekit.planning.coverage import kinds_for
from probekit.probe import ANY_PROBE, Kind

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "src").rglob("*.py"))
TRACKED = subprocess.run(
    ["git", "ls-files"],  # noqa: S607  # wherever git is
    cwd=ROOT, capture_output=True, text=True, check=False
).stdout.splitlines()  # fmt: skip


def test_the_suite_s_processes_run_the_package_that_it_tests(tmp_path) -> None:
    """`make test` tests the wheel; a process in another folder must not find the checkout instead."""
    code = "import probekit; print(probekit.__file__)"

    told = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert told.stdout.strip() == probekit.__file__


@pytest.mark.parametrize("name", probes.kind_names())
def test_every_kind_has_a_test_file_a_promise_and_a_described_setting(name) -> None:
    kind = probes.load_kind(name)

    assert isinstance(kind, Kind)
    assert (ROOT / f"tests/probes/test_{name}.py").is_file()
    assert kind.metrics
    assert all(metric.help for metric in kind.metrics)
    assert kind.config.model_config["extra"] == "forbid"
    assert all(field.description for key, field in kind.config.model_fields.items() if key != "kind")


def test_every_kind_fills_a_probe_and_gives_its_metrics_in_their_units() -> None:
    known = checklist.load("softfactory")
    for name in probes.kind_names():
        kind = probes.load_kind(name)
        assert kind.fills
        assert all(probe == ANY_PROBE or name in kinds_for(probe, known) for probe in kind.fills)
        units = {
            metric: unit
            for probe in kind.fills
            if probe in known.probes
            for metric, unit in known.probes[probe].metrics.items()
        }
        assert [metric for metric in kind.metrics if metric.unit != units.get(metric.name, metric.unit)] == []


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {module: ast.parse(module.read_text("utf-8")) for module in MODULES}


def test_every_module_says_in_a_sentence_what_it_is_for(trees) -> None:
    first = {module: (ast.get_docstring(tree) or "").split("\n\n")[0].strip() for module, tree in trees.items()}

    assert [str(module) for module, sentence in first.items() if not re.search(r"[.?]\Z", sentence)] == []


def test_a_broad_except_stands_in_few_places_only(trees) -> None:
    allowed = {"measure.py", "__main__.py"}
    broad = [
        module
        for module, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    ]

    assert [str(module) for module in broad if module.name not in allowed] == []


def test_kinds_do_not_import_one_another() -> None:
    graph = build_graph("probekit")
    kinds = [f"probekit.probes.{name}" for name in probes.kind_names()]
    chains = [
        graph.find_shortest_chain(one, other, as_packages=True) for one in kinds for other in kinds if one != other
    ]

    assert len(kinds) > 10
    assert not [chain for chain in chains if chain]


def test_the_project_speaks_of_itself_alone() -> None:
    texts = {
        name: (ROOT / name).read_text("utf-8", "replace")
        for name in TRACKED
        if name != "tests/test_house.py" and (ROOT / name).is_file()
    }

    foreign = ["/" + "work/", "/" + "root/", "pypi" + ".org", "python" + "hosted", "npm" + "js."]
    assert [(name, word) for name, text in texts.items() for word in foreign if word in text] == []


def test_ruff_s_exceptions_each_have_a_reason() -> None:
    document = (ROOT / "pyproject.toml").read_text("utf-8")
    block = re.search(r"^ignore = \[\n(.*?)^\]", document, re.DOTALL | re.MULTILINE)

    assert block
    assert all("#" in line for line in block[1].splitlines())
    assert all(
        re.search(r"#\s*(noqa|type: ignore)[^#]*#\s*\S", line)
        for module in MODULES
        for line in module.read_text("utf-8").splitlines()
        if re.search(r"#\s*(noqa|type: ignore)", line)
    )


def test_the_user_s_packages_are_kept() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = " ".join([*project["dependencies"], *project["optional-dependencies"]["dev"]])

    for package in (
        "httpx",
        "asyncio-throttle",
        "psutil",
        "psycopg",
        "redis",
        "pydantic-settings",
        "structlog",
        "pytest",
        "respx",
    ):
        assert package in named
