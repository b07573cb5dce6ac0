"""Every script of the examples passes shellcheck, and none has a text of another language put into it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pipelines import EXAMPLES, read_yaml


def scripts() -> Iterator[tuple[str, str, str]]:
    """Each script of an example: its name, its shell and its text."""
    yield "gate.sh", "sh", (EXAMPLES / "gate.sh").read_text("utf-8")
    for step in read_yaml(EXAMPLES / "github-actions.yml")["jobs"]["deploy"]["steps"]:
        if "run" in step:
            yield f"GitHub: {step['name']}", "bash", step["run"]
    job = read_yaml(EXAMPLES / "gitlab-ci.yml")["deploy"]
    yield "GitLab", "sh", "\n".join((*job["before_script"], *job["script"]))
    for line in re.findall(r"^ +sh '(.*)'$", (EXAMPLES / "Jenkinsfile").read_text("utf-8"), re.MULTILINE):
        yield f"Jenkins: {line}", "sh", line
    (block,) = re.findall(r"## systemd\n\n```sh\n(.*?)```", (EXAMPLES / "README.md").read_text("utf-8"), re.DOTALL)
    yield "README.md", "sh", block


SCRIPTS = {name: (shell, text) for name, shell, text in scripts()}


def shellcheck(shell: str, text: str) -> str:
    """What shellcheck finds in a script."""
    program = shutil.which("shellcheck", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    assert program, "shellcheck is missing: install the extra dev"
    command = [program, f"--shell={shell}", "--severity=style", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=30, check=False).stdout


@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_finds_nothing(name) -> None:
    assert shellcheck(*SCRIPTS[name]) == ""


@pytest.mark.parametrize("name", [name for name, (_, text) in SCRIPTS.items() if '"$' in text])
def test_shellcheck_finds_a_variable_without_quotes(name) -> None:
    shell, text = SCRIPTS[name]

    assert "SC2086" in shellcheck(shell, re.sub(r'"\$(\w+)"', r"$\1", text))


def test_no_expression_is_a_part_of_a_script() -> None:
    """GitHub replaces it before the shell reads the script, so a text of a person could be a command."""
    assert len(SCRIPTS) > 8
    assert [name for name, (_, text) in SCRIPTS.items() if "${{" in text] == []
