"""Three hundred invalid configuration files, two thousand in `make soak`: each is read or refused, with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from config_mutations import examples, mutation

from probekit import cli

EXAMPLES = examples()
SIZE = 100
GROUPS = [*range(3), *(pytest.param(group, marks=pytest.mark.soak) for group in range(3, 20))]
REFUSED = 78
LIBRARIES = re.compile(r"Input should|pydantic|Traceback|function-|tagged-union|is-instance|constrained-str|_ssl\.c")
PLACE = re.compile(r"(?:probekit: )?(?P<file>.+?)(?::(?P<line>\d+))?: ")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the file, which knows no other state."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PROBEKIT_CONFIG", "PROBEKIT_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def wrong_words(told: str, files: Mapping[str, bytes]) -> list[str]:
    """What is wrong with that which is told of files that are refused."""
    wrong = [] if told else ["nothing is told"]
    for one in told.splitlines():
        place = PLACE.match(one)
        data = files.get(place["file"].rpartition("/")[2]) if place else None
        if place is None or data is None:
            wrong.append(f"no file: {one}")
        elif place["line"] and not 1 <= int(place["line"]) <= data.count(b"\n") + data.count(b"\r") + 1:
            wrong.append(f"no such line: {one}")
        if not one.isprintable():
            wrong.append(f"not printable: {one!r}")
        if LIBRARIES.search(one):
            wrong.append(f"a library's words: {one}")
    return wrong


@pytest.mark.heavy
@pytest.mark.timeout(120)  # of a hundred files: one that takes seconds is none that an operator waits for
@pytest.mark.parametrize("group", GROUPS)
def test_a_spoilt_file_is_read_or_refused(group: int, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = []
    for number in range(group * SIZE, (group + 1) * SIZE):
        _, files = mutation(number, EXAMPLES)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        for words in (["list", "items"], ["plan", "--env", "prod"]):
            code = cli.run(words)
            told = capfd.readouterr().err
            allowed = {0, REFUSED} if words[0] == "list" else {0, 10, 64, REFUSED}
            wrong = [f"exit code {code}: {told}"] if code not in allowed else []
            wrong += wrong_words(told, files) if code == REFUSED else []
            found += [(number, words[0], one) for one in wrong]
            if code:  # what cannot be listed cannot be planned, for the same reason
                break

    assert found == []
