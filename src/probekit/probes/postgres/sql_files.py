"""The queries that lie beside this kind, as psycopg composes them."""

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
    """SQL that a file of this kind or the configuration holds; identifiers and values are composed, never put in."""
    return sql.SQL(text)
