"""The schema of the store: its versions, and how to recognise its file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from probekit.files import is_file, is_there

_APPLICATION: Final = (
    0x70626B74  # "pbkt", in the header of every file of this version or later (sqlite.org/fileformat2)
)
_APPLICATION_AT: Final = slice(68, 72)  # of the header
WAIT: Final = 5.0  # seconds for another process's transaction
_TABLES: Final = frozenset({"run", "deployment", "window"})

VERSIONS: Final = (  # each upgrades the previous version
    (
        """CREATE TABLE run (
            id TEXT PRIMARY KEY, environment TEXT NOT NULL, base_url TEXT NOT NULL, started TEXT NOT NULL, release TEXT,
            action TEXT NOT NULL, exit_code INTEGER NOT NULL, narrowed INTEGER NOT NULL, report BLOB NOT NULL
        )""",
        "CREATE INDEX run_by_time ON run (environment, base_url, started)",
        """CREATE TABLE deployment (
            environment TEXT NOT NULL, base_url TEXT NOT NULL, started TEXT NOT NULL, finished TEXT, release TEXT,
            PRIMARY KEY (environment, base_url, started)
        )""",
        """CREATE TABLE window (
            environment TEXT NOT NULL, base_url TEXT NOT NULL, taken TEXT NOT NULL, document BLOB NOT NULL,
            PRIMARY KEY (environment, base_url, taken)
        )""",
    ),
    ("ALTER TABLE deployment ADD COLUMN totals BLOB",),
    (  # a new report format: earlier runs cannot be read; deployments and baseline windows stay
        "DELETE FROM run",
        "ALTER TABLE run RENAME COLUMN narrowed TO partial",
        "UPDATE deployment SET totals = NULL",
        "ALTER TABLE deployment RENAME COLUMN totals TO counters",
    ),
    (f"PRAGMA application_id = {_APPLICATION}",),
    (
        "ALTER TABLE run ADD COLUMN ledger BLOB",
        "ALTER TABLE deployment ADD COLUMN details BLOB",
        """CREATE TABLE ticket (
            environment TEXT NOT NULL, base_url TEXT NOT NULL, started TEXT NOT NULL, item TEXT NOT NULL,
            url TEXT NOT NULL, PRIMARY KEY (environment, base_url, started, item)
        )""",
    ),
)

LAST_CHANGE_OF_REPORTS: Final = 3  # the version whose upgrade drops runs
_MARKED: Final = 4  # the version whose upgrade gives the file its application id


def is_foreign(path: Path) -> bool:
    """Return whether the file is a database of another program; reading it changes nothing: no lock, journal or table.

    A file older than version 4 has no application id: it has all of this schema's tables and no others.

    Raises:
        OSError, sqlite3.Error: the file cannot be read, or is not a database.
    """
    if not is_file(path) or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        if int.from_bytes(file.read(100)[_APPLICATION_AT], "big") == _APPLICATION:
            return False
    is_at_rest = not is_there(path.with_name(f"{path.name}-wal"))  # otherwise that file holds its last pages
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if is_at_rest else ''}"
    with closing(sqlite3.connect(uri, timeout=WAIT, uri=True)) as database:
        database.execute("BEGIN")  # one consistent state, even while another process creates it
        ((application,),) = database.execute("PRAGMA application_id")
        ((version,),) = database.execute("PRAGMA user_version")
        names = database.execute("SELECT name FROM sqlite_master WHERE name NOT GLOB 'sqlite_*' AND type != 'index'")
        tables = {name for (name,) in names}
    if application:
        return bool(application != _APPLICATION)  # the id may be in the write-ahead log only
    return tables != (_TABLES if 0 < version < _MARKED else set()) or version >= _MARKED
