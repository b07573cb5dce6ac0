"""docs/configuration.md: its example loads and is shown as the page says, its tables are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from probekit import cli
from probekit.config.inheritance import NEVER_INHERITED

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")


def block(name: str) -> str:
    """The code block behind the mark of that name."""
    (found,) = re.findall(rf"<!-- {re.escape(name)} -->\n```toml\n(.*?)```", PAGE, re.DOTALL)
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The example's files, and the process in their folder."""
    for name in ("common.toml", "probes.toml"):
        (tmp_path / name).write_text(block(name), "utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("STAGING_HOST", "RUNNER_PLACE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_example_is_shown_as_the_page_says(folder, capsys) -> None:
    assert cli.run(["plan", "--env", "staging", "--show-config"]) == 0

    lines = capsys.readouterr().out.splitlines()
    kept = [line for line in lines if not line.startswith("#")]
    assert "\n".join(kept).strip("\n") + "\n" == block("shown")


def test_the_example_s_environments_are_what_the_page_says(folder, capsys) -> None:
    assert cli.run(["list", "envs"]) == 0

    prod, staging = capsys.readouterr().out.splitlines()
    assert prod.endswith("https://app.example.com")
    assert staging.endswith("https://staging.example.com")


def test_the_page_names_what_is_never_inherited() -> None:
    (table,) = re.findall(r"<!-- never -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]

    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} - {"drop"} == NEVER_INHERITED
