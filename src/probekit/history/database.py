"""The SQLite file of the store: private, upgraded to this version's schema, and accessed in transactions.

It uses WAL mode: a killed process loses only its open transaction.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from probekit.files import make_private
from probekit.history.refusals import reason_of
from probekit.history.schema import LAST_CHANGE_OF_REPORTS, VERSIONS, WAIT, is_foreign
from probekit.log import events

Document = Mapping[str, Any]  # as JSON has it
RowT = TypeVar("RowT")

_PAUSE: Final = 0.01  # seconds between two tries
_MOST: Final = 64 << 20  # bytes of a document: probekit writes no larger one


class StoreError(Exception):
    """The file cannot be used; the message says why and what to do."""


class Database:
    """An open file. Use it as a context manager.

    Raises:
        StoreError: from every method, if the file cannot be read or written, or belongs to another program.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, create it if it is missing, and upgrade it to this version's schema."""
        self._path = path
        with self._as_store_error():
            if is_foreign(path):
                raise StoreError(f"{path} is a database of another program: name another file with --state")
            make_private(path)
            self._connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
            try:
                self._use_wal()
                self._connection.execute("PRAGMA synchronous = FULL")
                self._upgrade()
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()

    def compact(self) -> None:
        """Return the space of removed rows to the file system; runs keep their order."""
        with self._as_store_error():
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _read(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        with self._as_store_error():
            return self._execute(query, values).fetchall()

    def _rows(
        self, what: str, make: Callable[..., RowT], query: str, values: Sequence[object] = ()
    ) -> tuple[RowT, ...]:
        """Return the result of `make` for each row; a row on which it fails is reported as damaged `what`."""
        rows = self._read(query, values)
        with self._as_damage(what):
            return tuple(make(*row) for row in rows)

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        with self._as_store_error():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._execute
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _as_damage(self, what: str) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            message = f"{self._path}: damaged data ({what}); name another file with --state, or delete this one"
            raise StoreError(message) from error

    @contextmanager
    def _as_store_error(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{self._path}: {reason_of(error)}") from error

    def _execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        return self._connection.execute(statement, tuple(map(_stored, values)))

    def _use_wal(self) -> None:
        """Switch to the write-ahead log; SQLite ignores its timeout here when another process holds the lock."""
        until = time.monotonic() + WAIT
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    def _upgrade(self) -> None:
        if self._version() == len(VERSIONS):
            return
        with self._transaction() as run:
            version = self._version()  # another process may have upgraded it
            if version > len(VERSIONS):
                raise StoreError(
                    f"{self._path} was written by a newer probekit; update this one, or name another file with --state"
                )
            runs = run("SELECT count(*) FROM run").fetchone()[0] if version else 0
            for statements in VERSIONS[version:]:
                for statement in statements:
                    run(statement)
            run(f"PRAGMA user_version = {len(VERSIONS)}")
        if runs and version < LAST_CHANGE_OF_REPORTS:
            events().warning("history.runs_dropped", runs=runs, file=str(self._path), reason="an older report format")

    def _version(self) -> int:
        ((version,),) = self._connection.execute("PRAGMA user_version")
        return int(version)


def packed(document: Document) -> bytes:
    """Return a document in the form of a column."""
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode("ascii"))


def unpacked(column: bytes) -> Document:
    """Return the document of a column.

    Raises:
        ValueError, TypeError: the column holds no document, or one that is too large.
    """
    opener = zlib.decompressobj()
    try:
        text = opener.decompress(column, _MOST)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    found = json.loads(text) if opener.eof else None
    if not isinstance(found, dict):
        raise TypeError("no document")
    return found


def text_in(column: str | bytes) -> str:
    """Return the text of a column.

    Raises:
        ValueError, TypeError: the column holds no text.
    """
    if isinstance(column, bytes):
        return column.decode("utf-8", "surrogatepass")
    if not isinstance(column, str):
        raise TypeError("no text")
    return column


def _stored(value: object) -> object:
    """Return the value; a text with a lone surrogate, which is not valid UTF-8, as bytes."""
    if not isinstance(value, str):
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
    return value
