"""The targets around the suite: what they pin, and what they run."""

from __future__ import annotations

import ast
import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DEPENDENCIES = [Requirement(line) for line in PROJECT["dependencies"]]
OLDEST = (ROOT / "requirements" / "oldest.txt").read_text("utf-8")


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pinned(text: str) -> dict[str, Version]:
    """Names to versions; comments, hashes and markers are left out."""
    return {name: Version(version) for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)}


# ---------------------------------------------------------------- versions


def test_the_oldest_versions_are_the_lower_bounds_of_the_project() -> None:
    bounds = {}
    for one in DEPENDENCIES:
        (lower,) = [clause.version for clause in one.specifier if clause.operator == ">="]
        bounds |= dict.fromkeys(
            (one.name, *(f"{one.name}-{extra}" for extra in one.extras if extra == "binary")), lower
        )

    assert pinned(OLDEST) == {name: Version(version) for name, version in bounds.items()}


# ---------------------------------------------------------------- scripts


def test_every_test_that_needs_a_program_of_the_system_must_pass() -> None:
    marked = [
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(ast.unparse(one) == "pytest.mark.services" for one in node.decorator_list)
    ]

    assert sorted(marked) == sorted(script("services").REQUIRED)


@pytest.mark.parametrize("how", ["<skipped/>", "<failure/>", "<error/>"])
def test_a_service_s_test_that_is_skipped_or_fails_or_is_missing_is_named(how) -> None:
    services = script("services")
    first, second, *others = services.REQUIRED
    good = "".join(f'<testcase name="{name}"><properties/></testcase>' for name in others)

    assert services.not_passed(f'<t><testcase name="{first}">{how}</testcase>{good}</t>') == [first, second]
    assert services.not_passed(f'<t><testcase name="{first}"/><testcase name="{second}"/>{good}</t>') == []


def test_without_apt_get_or_root_a_person_is_asked_for_the_packages(monkeypatch) -> None:
    services = script("services")
    monkeypatch.setattr(services.shutil, "which", lambda _name: None)
    assert services.install(["one", "two"]) == (
        "there is no apt-get on this system: install one two, then run make test-services again"
    )
    monkeypatch.setattr(services.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    monkeypatch.setattr(services.os, "geteuid", lambda: 1000)
    assert services.install(["one"]) == (
        "not root, and sudo is not installed: install one, then run make test-services again"
    )
