"""A folder in which a pipeline runs: stand-ins for its programs record their calls and exit as a table says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner
from command_lines import parse
from ruamel.yaml import YAML

EXAMPLES = Path(__file__).parents[1] / "examples"
PROGRAMS = ("probekit", "deploy.sh", "rollback.sh", "pipx")
STAND_IN = """\
#!/bin/sh
called=${0##*/}
{ printf '%s\\037' "$called" "$@"; echo; } >>"$CALLS"
echo "$called $1 writes"
while IFS=';' read -r words code; do
    case " $called $* " in *"$words"*) exit "$code" ;; esac
done <"$CODES"
"""


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a script ended, and the calls that it made, each as a list of words."""

    code: int
    output: str
    errors: str
    calls: Sequence[Sequence[str]]

    @property
    def names(self) -> list[str]:
        """The calls by their meaning, such as `gate` and `deployment finish --failed`."""
        return [_name(call) for call in self.calls]


def _name(call: Sequence[str]) -> str:
    if call[:2] == ["probekit", "deployment"]:
        return " ".join(["deployment", call[2], *(word for word in call if word == "--failed")])
    if call[:2] != ["probekit", "verify"]:
        return call[0]
    stage = parse(call[1:]).params["stage"]
    return {"before": "gate", "rolled-back": "verify rolled-back"}.get(stage, "verify")


class Pipeline:
    """Such a folder."""

    def __init__(self, folder: Path, codes: Mapping[str, int] | None = None) -> None:
        """`codes`: exit codes by words of a call; other calls succeed."""
        self.folder, self.programs = folder, folder / "programs"
        self.programs.mkdir()
        self._calls, self._codes = folder / "calls", folder / "codes"
        for name in PROGRAMS:
            self.program(name)
        self._codes.write_text("".join(f"{words};{code}\n" for words, code in (codes or {}).items()), "utf-8")
        self._calls.touch()

    def program(self, name: str) -> None:
        """Put a stand-in on the PATH, and the scripts of a deployment into the folder as well."""
        for place in (self.programs, self.folder):
            (place / name).write_text(STAND_IN, "utf-8")
            (place / name).chmod(0o755)

    def run(self, *command: str | Path, **variables: str) -> Done:
        """Run a command in the folder."""
        self._calls.write_text("", "utf-8")
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={"PATH": f"{self.programs}:{os.environ['PATH']}", "CALLS": str(self._calls), "CODES": str(self._codes)}
            | variables,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        calls = [line.split("\x1f")[:-1] for line in self._calls.read_text("utf-8").splitlines()]
        return Done(code=done.returncode, output=done.stdout, errors=done.stderr, calls=calls)


def read_yaml(file: Path) -> Any:
    """The document, as YAML 1.2, in which `on` is a text."""
    return YAML(typ="safe", pure=True).load(file.read_text("utf-8"))


def follows(schema: str, file: Path) -> bool:
    """Whether the file follows a schema that check-jsonschema brings with it."""
    return CliRunner().invoke(check_jsonschema, ["--builtin-schema", schema, str(file)]).exit_code == 0


def broken(file: Path, old: str, new: str, folder: Path) -> Path:
    """A copy of an example with a mistake."""
    text = file.read_text("utf-8")
    assert old in text
    copy = folder / file.name
    copy.write_text(text.replace(old, new), "utf-8")
    return copy
