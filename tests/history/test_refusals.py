"""An error of the store's file says what to do, and never in SQLite's own words."""

from __future__ import annotations

import errno
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from probekit.history import database
from probekit.history.refusals import WORDS, reason_of
from probekit.history.store import Store, StoreError

ACTS = re.compile(r"\b(name another file with --state|try again|verify fewer items)")


def of_code(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("in SQLite's own words")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize("code", WORDS)
@pytest.mark.parametrize("extended", [0, 6 << 8], ids=["primary", "extended"])
def test_each_code_says_what_to_do(code: int, extended: int) -> None:
    reason = reason_of(of_code(code | extended))

    assert reason == WORDS[code]
    assert ACTS.search(reason)


def test_what_no_table_names_says_its_code_and_what_to_do() -> None:
    assert reason_of(of_code(99)) == "SQLite refuses to use it (code 99); name another file with --state"
    assert "own words" not in reason_of(sqlite3.ProgrammingError("in SQLite's own words"))
    assert reason_of(OSError(errno.EACCES, "Permission denied")) == "Permission denied; name another file with --state"


def _noise(file: Path) -> None:
    file.write_bytes(b"no database at all, " * 100)


def _cut(file: Path) -> None:
    with Store(file):
        pass
    data = bytearray(file.read_bytes())
    data[100:] = b"\xff" * (len(data) - 100)
    file.write_bytes(data)


def _other_tables(file: Path) -> None:
    with Store(file):
        pass
    with closing(sqlite3.connect(file)) as store:
        store.execute("DROP TABLE run")


def _locked(file: Path) -> None:
    with Store(file):
        pass
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    OPEN.append(other)


OPEN: list[sqlite3.Connection] = []


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "WAIT", 0.0)
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_noise, sqlite3.SQLITE_NOTADB),
        (_cut, sqlite3.SQLITE_CORRUPT),
        (_other_tables, sqlite3.SQLITE_ERROR),
        (_locked, sqlite3.SQLITE_BUSY),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_these_words(tmp_path: Path, spoil, code: int) -> None:
    file = tmp_path / "store"
    spoil(file)

    with pytest.raises(StoreError) as caught, Store(file) as store:
        store.runs()

    assert str(caught.value) == f"{file}: {WORDS[code]}"
