"""Read the queries of this kind from its SQL files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from psycopg import sql


def text_of(name: str) -> sql.SQL:
    """Return the query in queries/NAME.sql."""
    return code(_read(name))


@cache
def _read(name: str) -> str:
    return files("probekit.probes.postgres").joinpath("queries", f"{name}.sql").read_text("utf-8")


def code(text: str) -> sql.SQL:
    """Return SQL of a file of this kind or of the configuration; never of identifiers or values, which are composed."""
    return sql.SQL(text)
