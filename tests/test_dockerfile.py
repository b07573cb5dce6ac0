"""The Dockerfile's own steps build the package from what it copies, install it and start it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
INSTRUCTIONS = [
    tuple(line.split(None, 1))
    for line in re.sub(r"#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8")).replace("\\\n", " ").splitlines()
    if line
]
OFFLINE = {  # the dependencies are this interpreter's own: nothing is fetched
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # pip's way to say yes to a "no" option
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INDEX": "1",
}


def said(name: str) -> list[str]:
    return [rest for instruction, rest in INSTRUCTIONS if instruction == name]


def test_the_steps_lead_to_a_probekit_that_starts(tmp_path) -> None:
    source, wheels, image = tmp_path / "source", tmp_path / "wheels", tmp_path / "image"
    source.mkdir()
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    for copied in said("COPY"):
        *names, _into = copied.split()
        assert set(names) <= allowed  # what .dockerignore leaves out cannot be copied
        for name in names:
            found = ROOT / name
            (shutil.copytree if found.is_dir() else shutil.copy)(found, source / found.name)

    for command in said("RUN"):
        words = [word for word in shlex.split(command) if not word.startswith("--mount=")]
        assert words.pop(0) == "pip"
        if "--require-hashes" in words:  # the dependencies, which it would fetch
            assert (source / words[words.index("--requirement") + 1]).is_file()
            continue
        subprocess.run(
            [sys.executable, "-m", "pip", *(word.replace("/wheels", str(wheels)) for word in words)],
            cwd=source,
            env=os.environ | OFFLINE | ({"PIP_TARGET": str(image)} if words[0] == "install" else {}),
            check=True,
            capture_output=True,
            timeout=60,
        )

    entry, arguments = json.loads(said("ENTRYPOINT")[0]), json.loads(said("CMD")[0])
    (tmp_path / "config").mkdir()
    started = subprocess.run(
        [sys.executable, image / "bin" / entry[0], *arguments],
        cwd=tmp_path / "config",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(image), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    assert "probekit verify" in started.stdout
    assert list((tmp_path / "config").iterdir()) == []


def test_the_user_is_a_number_that_is_not_root_s() -> None:
    (user,) = said("USER")

    assert all(int(number) > 0 for number in user.split(":"))
