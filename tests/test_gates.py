"""The targets around the suite: what they pin, and what they run."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType

import generated_docs
import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DEPENDENCIES = [Requirement(line) for line in PROJECT["dependencies"]]
LOCK = (ROOT / "requirements" / "runtime.txt").read_text("utf-8")
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


def test_the_lock_has_every_dependency_in_its_bounds_with_hashes_and_no_address() -> None:
    locked = pinned(LOCK)

    assert {one.name for one in DEPENDENCIES} <= locked.keys()
    assert all(locked[one.name] in one.specifier for one in DEPENDENCIES)
    entries = re.findall(r"^[\w.-]+==.*(?:\n +--hash=sha256:[0-9a-f]{64}.*)+", LOCK, re.MULTILINE)
    assert len(entries) == len(locked)
    assert not re.search(r"://|--(extra-)?index-url|--find-links|@", LOCK)


# ---------------------------------------------------------------- make


def test_make_alone_lists_every_target_in_80_columns() -> None:
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607  # wherever make is

    phony = re.search(r"^\.PHONY: (.*)", MAKEFILE, re.MULTILINE)
    assert phony
    assert sorted(line.split()[0] for line in listed.stdout.splitlines()) == sorted(phony[1].split())
    assert [line for line in listed.stdout.splitlines() if len(line) > 80 or len(line.split()) < 3] == []


def test_pre_commit_runs_the_commands_of_make_check_that_are_no_tests() -> None:
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    sources = re.search(r"^SOURCES := (.*)", MAKEFILE, re.MULTILINE)
    assert recipe
    assert sources
    text = recipe[1].replace("$(BIN)", ".venv/bin").replace("$(SOURCES)", sources[1])
    commands = [line.strip() for line in text.splitlines() if "$(MAKE)" not in line]

    hooks = re.findall(r"^ +entry: (.*)", (ROOT / ".pre-commit-config.yaml").read_text("utf-8"), re.MULTILINE)
    assert hooks == commands
    assert len(hooks) > 5


@pytest.mark.parametrize(("name", "base"), [("RULES", "src/probekit"), ("UNIT", "tests"), ("OLDEST", "tests")])
def test_each_folder_that_a_target_names_is_there(name, base) -> None:
    """Coverage passes over a pattern without a match, and its floor would hold for the other folders alone."""
    named = re.search(rf"^{name} := (.*)", MAKEFILE, re.MULTILINE)
    assert named
    assert len(named[1].split()) > 5

    assert [folder for folder in named[1].split() if not (ROOT / base / folder).exists()] == []


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ('<a href="https://app.example.com">a link</a>', 0),
        ('<script src="https://app.example.com/a.js"></script>', 1),
        ('<img class="x" src=//app.example.com/a.png>', 1),
        (None, 1),
    ],
    ids=["nothing of another host", "a script", "an image", "no site"],
)
def test_the_check_of_the_site_passes_only_where_a_page_was_read(tmp_path, page, code) -> None:
    recipe = re.search(r"^site:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe
    checks = [
        line.strip().removeprefix("@") for line in recipe[1].splitlines() if "build/site/" in line or "grep" in line
    ]
    assert len(checks) == 2
    if page is not None:
        (tmp_path / "build/site").mkdir(parents=True)
        (tmp_path / "build/site/index.html").write_text(page, "utf-8")

    (tmp_path / "Makefile").write_text("site:\n" + "".join(f"\t@{check}\n" for check in checks), "utf-8")
    made = subprocess.run(["make", "site"], cwd=tmp_path, capture_output=True, check=False)  # noqa: S607  # wherever make is

    assert (made.returncode != 0) == bool(code), made.stderr


# ---------------------------------------------------------------- scripts


@pytest.mark.parametrize(
    ("text", "message"),
    [("nothing", "no page has <!-- codes -->"), ("<!-- codes -->\n|a|\nrest", "has no <!-- end -->")],
)
def test_a_table_without_its_marks_is_an_error(text, message) -> None:
    """Without a mark a table would never be compared; without its end the rest of the page would be lost."""
    with pytest.raises(ValueError, match=message):
        generated_docs.filled({ROOT / "README.md": text}, {"codes": "|b|\n"})

    whole = {ROOT / "README.md": "<!-- codes -->\n|a|\n<!-- end -->\nrest"}
    assert generated_docs.filled(whole, {"codes": "|b|\n"}) == {
        ROOT / "README.md": "<!-- codes -->\n|b|\n<!-- end -->\nrest"
    }


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


@pytest.mark.parametrize("how", ["<skipped/>", None])
def test_a_run_whose_tests_were_skipped_or_not_collected_fails_although_pytest_did_not(monkeypatch, how) -> None:
    services = script("services")
    monkeypatch.setattr(services.shutil, "which", lambda name: name)
    monkeypatch.setattr(services, "NPM", {})

    def run(command, **_facts):
        if how:
            cases = "".join(f'<testcase name="{name}">{how}</testcase>' for name in services.REQUIRED)
            Path(command[-1].partition("=")[2]).write_text(f"<t>{cases}</t>", "utf-8")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(services.subprocess, "run", run)

    assert services.main() == 1


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


def npm_folder(root: Path, **versions: str) -> Path:
    """A folder in which npm has installed these versions."""
    for name, version in versions.items():
        package = root / "node_modules" / name / "package.json"
        package.parent.mkdir(parents=True)
        package.write_text(f'{{"version": "{version}"}}', "utf-8")
    return root


def test_npm_s_packages_are_pinned_to_one_version() -> None:
    versions = script("services").NPM.values()

    assert [version for version in versions if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_npm_s_packages_are_installed_once_and_all_at_once_and_run_nothing(monkeypatch, tmp_path) -> None:
    services = script("services")
    monkeypatch.setattr(services, "NPM", {"one": "1.0.0", "two": "2.0.0"})
    monkeypatch.setattr(services.shutil, "which", lambda name: name)
    commands = []
    monkeypatch.setattr(services.subprocess, "run", lambda command, **_facts: commands.append(command))

    assert services.install_npm(npm_folder(tmp_path / "whole", one="1.0.0", two="2.0.0")) is None
    assert commands == []
    assert services.install_npm(npm_folder(tmp_path / "old", one="1.0.0", two="1.9.0")) is None
    assert services.install_npm(npm_folder(tmp_path / "part", two="2.0.0")) is None
    assert [command[-2:] for command in commands] == [["one@1.0.0", "two@2.0.0"]] * 2
    assert {"--ignore-scripts", "--no-save"} < set(commands[0])


@pytest.mark.parametrize(
    ("npm", "error", "message"),
    [
        (None, None, "npm is not installed: install nodejs and npm, or run npm install --prefix"),
        ("npm", subprocess.CalledProcessError(1, "npm"), "npm install failed (1): run npm install --prefix"),
        ("npm", subprocess.TimeoutExpired("npm", 1), "npm install timed out: run npm install --prefix"),
    ],
    ids=["no npm", "no such version", "no network"],
)
def test_what_npm_cannot_install_is_named_with_the_command(monkeypatch, tmp_path, npm, error, message) -> None:
    services = script("services")
    monkeypatch.setattr(services.shutil, "which", lambda _name: npm)

    def run(_command, **_facts):
        raise error

    monkeypatch.setattr(services.subprocess, "run", run)

    problem = services.install_npm(tmp_path)

    assert problem.startswith(message)
    assert all(f"{name}@{version}" in problem for name, version in services.NPM.items())


@pytest.mark.parametrize(
    ("packages", "code", "line"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0, "no known vulnerability in 1 packages"),
        (
            [{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2", "3"]}]}],
            1,
            "a 1: X-1, fixed in 2 or 3",
        ),
        (
            [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}],
            3,
            "NOT AUDITED: no advisories for 1 of 2 packages: b",
        ),
        ([], 3, "NOT AUDITED: no advisories for 0 of 0 packages: "),
    ],
    ids=["none applies", "one applies", "one not audited", "nothing audited"],
)
def test_an_audit_without_advisories_is_no_success(packages, code, line) -> None:
    assert script("audit").outcome({"dependencies": packages}) == (code, [line])
