"""docs/getting-started.md can be followed: its service starts, and its commands print what the page quotes."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "getting-started.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
SHORT = """\
settle = "1s"
spread = "0s"
attempt_interval = "0s"
limits = { "deploy.services.settle-time" = { expect = ["settled >= 1 s"], reason = "a test waits no longer" } }
"""


def quoted_after(command: str) -> list[str]:
    """The lines that the page quotes of a command's output."""
    at = next(number for number, block in enumerate(BLOCKS) if block == ("sh", f"{command}\n"))
    language, text = BLOCKS[at + 1]
    assert language == "text"
    return text.splitlines()


def in_one_line(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody who follows the page in an empty folder, with a service on a free port."""

    folder: Path
    port: int

    def run(self, command: str) -> tuple[int, str]:
        """The exit code of a command of the page, and what it printed, in one line."""
        assert ("sh", f"{command}\n") in BLOCKS
        program, *words = shlex.split(command.replace("8080", str(self.port)))
        assert program == "probekit"
        done = subprocess.run(
            [sys.executable, "-m", "probekit", *words],
            cwd=self.folder,
            env=os.environ | {"HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, in_one_line(done.stdout + done.stderr)

    @contextmanager
    def service(self, status: int = 200) -> Iterator[None]:
        (source,) = [text for language, text in BLOCKS if language == "python"]
        source = re.sub(r'"2\.3\.1"}\)', f'"2.3.1"}}, {status})', source)
        (self.folder / "shop.py").write_text(source, "utf-8")
        (start,) = [text for language, text in BLOCKS if language == "sh" and "uvicorn" in text]
        _python, *words = shlex.split(start.replace("8080", str(self.port)))
        server = subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stderr
            assert any("Uvicorn running" in line for line in server.stderr), "the page's service did not start"
            yield
        finally:
            server.terminate()
            server.communicate(timeout=10)


@pytest.fixture(scope="module")
def reader(tmp_path_factory) -> Reader:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Reader(folder=tmp_path_factory.mktemp("first"), port=free.getsockname()[1])


def test_the_page_is_followed_from_init_to_go_and_to_a_failure(reader) -> None:
    with reader.service():
        init = "probekit init http://127.0.0.1:8080"
        code, output = reader.run(init)
        assert code == 0, output
        assert [line for line in quoted_after(init) if line.strip() not in output] == []
        file = reader.folder / "probes.toml"
        (written,) = [text for language, text in BLOCKS if language == "toml"]
        assert written.replace("8080", str(reader.port)) in file.read_text("utf-8")
        file.write_text(file.read_text("utf-8").replace('settle = "30s"\n', SHORT), "utf-8")
        for command in ("probekit probe health", "probekit plan", "probekit verify --deployed now"):
            code, output = reader.run(command)
            assert code == 0, output
            assert [line for line in quoted_after(command) if in_one_line(line) not in output] == []
        code, output = reader.run("probekit verify --url http://127.0.0.1:8080/health --quick")
        assert (code, "partial, exit code 0" in output) == (0, True), output

    with reader.service(status=503):
        code, output = reader.run("probekit verify --deployed now")
    quoted = [text for language, text in BLOCKS if language == "text"][-1].splitlines()
    assert code == 10
    assert "no rollback is ordered: no control is configured" in output
    assert [line for line in quoted if line not in output] == []
