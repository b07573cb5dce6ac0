"""Messages for errors of the store's file, with what to do; texts of SQLite are never shown."""

from __future__ import annotations

import sqlite3
from typing import Final

_ANOTHER: Final = "or name another file with --state"
_DAMAGED: Final = f"the file is damaged; restore it, delete it, {_ANOTHER}"
_LOCKED: Final = f"another process has locked it; try again later, {_ANOTHER}"
_PRIMARY: Final = 0xFF  # the primary part of an extended result code (sqlite.org/rescode.html)

WORDS: Final = {
    sqlite3.SQLITE_ERROR: f"its tables are not those of this version; update probekit, {_ANOTHER}",
    sqlite3.SQLITE_PERM: f"this user may not use it; change its mode, {_ANOTHER}",
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_NOMEM: "this machine is out of memory; free some and try again",
    sqlite3.SQLITE_READONLY: f"it cannot be written; let this user write it and its folder, {_ANOTHER}",
    sqlite3.SQLITE_IOERR: f"its disk cannot be read or written; check the disk, {_ANOTHER}",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_FULL: f"its disk is full; free some space, {_ANOTHER}",
    sqlite3.SQLITE_CANTOPEN: f"it cannot be opened; let this user write it and its folder, {_ANOTHER}",
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_SCHEMA: "another process changed it in the same moment; try again",
    sqlite3.SQLITE_TOOBIG: "the report is too large for SQLite; verify fewer items at once",
    sqlite3.SQLITE_CONSTRAINT: _DAMAGED,
    sqlite3.SQLITE_MISMATCH: _DAMAGED,
    sqlite3.SQLITE_NOLFS: f"it is larger than its file system allows; prune it (probekit runs prune), {_ANOTHER}",
    sqlite3.SQLITE_AUTH: f"this user may not use it; change its mode, {_ANOTHER}",
    sqlite3.SQLITE_FORMAT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: f"it is not an SQLite database; {_ANOTHER.removeprefix('or ')}",
}


def reason_of(error: OSError | sqlite3.Error) -> str:
    """Return why the file cannot be used: the system's text for its errors, probekit's text for those of SQLite."""
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}; {_ANOTHER.removeprefix('or ')}"
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_INTERNAL)
    return WORDS.get(code & _PRIMARY, f"SQLite refuses to use it (code {code}); {_ANOTHER.removeprefix('or ')}")
