"""The columns of a child that refer to a parent, and how PostgreSQL compares them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from psycopg import sql

from probekit.probes.postgres.session import Row, Session
from probekit.probes.postgres.settings import Pair
from probekit.probes.postgres.sql_files import code, text_of
from probekit.probes.postgres.words import dotted

Name = tuple[str, ...]  # with its schema where that is known


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedColumn:
    """A column, its parent's column, and the operator that compares them."""

    name: str
    parent: str
    operator: Name = ("=",)  # resolved by the search path
    cast: Name | None = None  # where the operator takes another type than the column's
    parent_cast: Name | None = None
    collation: Name | None = None  # the parent's, where the column's differs

    def equality(self) -> sql.Composed:
        """Return the comparison, the parent's column first, as a foreign key's operator takes them."""
        *schema, name = self.operator
        operator = sql.SQL("OPERATOR({}.{})").format(sql.Identifier(*schema), code(name)) if schema else code(name)
        collation = sql.SQL(" COLLATE {}").format(sql.Identifier(*self.collation)) if self.collation else code("")
        parent, own = _typed("p", self.parent, self.parent_cast), _typed("c", self.name, self.cast)
        return sql.SQL("{} {} {}{}").format(parent, operator, own, collation)


def _typed(alias: str, column: str, cast: Name | None) -> sql.Composed:
    name = sql.Identifier(alias, column)
    return sql.SQL("{}::{}").format(name, sql.Identifier(*cast)) if cast else sql.Composed([name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Columns of a child that refer to columns of a parent."""

    child: Name
    parent: Name
    columns: tuple[ComparedColumn, ...]
    is_only: bool = False  # without the rows of tables that inherit from the child
    parent_is_only: bool = False
    match_full: bool = False
    is_temporal: bool = False  # the parents' last columns together cover the child's (PERIOD of PostgreSQL 18)
    is_visible: bool = False  # the search path leads to the child
    parent_is_visible: bool = False
    recent: str | None = None

    def __str__(self) -> str:
        return dotted(*self.child, "+".join(column.name for column in self.columns))

    def is_declared_as(self, pair: Pair) -> bool:
        """Return whether a pair names this key."""
        (child, name), (parent, parent_name) = _split(pair.child), _split(pair.parent)
        return (
            [(column.name, column.parent) for column in self.columns] == [(name, parent_name)]
            and _is_named(self.child, child, is_visible=self.is_visible)
            and _is_named(self.parent, parent, is_visible=self.parent_is_visible)
        )

    def query(self) -> sql.Composed:
        """Return the query that finds children without a parent."""
        present = sql.SQL(" OR " if self.match_full else " AND ").join(
            sql.SQL("{} IS NOT NULL").format(sql.Identifier("c", column.name)) for column in self.columns
        )
        return text_of("orphans").format(
            child=_table(self.child, is_only=self.is_only),
            present=sql.SQL("({})").format(present),
            parents=self._parents(),
            recent=sql.SQL("(\n{}\n)").format(code(self.recent or "true")),
        )

    def _parents(self) -> sql.Composed:
        parent = _table(self.parent, is_only=self.parent_is_only)
        compared = self.columns[:-1] if self.is_temporal else self.columns
        same = sql.SQL(" AND ").join(column.equality() for column in compared)
        if not self.is_temporal:
            return sql.SQL("SELECT FROM {} AS p WHERE {}").format(parent, same)
        period = self.columns[-1]
        return text_of("covering_parents").format(
            parent=parent,
            same=same,
            period=sql.Identifier("c", period.name),
            parent_period=sql.Identifier("p", period.parent),
        )


def _table(name: Name, *, is_only: bool) -> sql.Composed:
    return sql.SQL("ONLY {}" if is_only else "{}").format(sql.Identifier(*name))


def _split(column: str) -> tuple[Name, str]:
    *table, name = column.split(".")
    return tuple(table), name


def _is_named(table: Name, by: Name, *, is_visible: bool) -> bool:
    """Return whether a name denotes a table; a name without a schema is resolved by the search path."""
    return table == by or (is_visible and table[-1:] == by)


_NAMES: Final = ("operator", "cast", "parent_cast", "collation")


async def foreign_keys(session: Session) -> Sequence[Relation]:
    """Return every foreign key, small tables first, with the operators of its constraint."""
    return [_of_key(row) for row in await session.rows(text_of("foreign_keys"))]


def _of_key(row: Row) -> Relation:
    columns = [
        ComparedColumn(
            name=column["name"],
            parent=column["parent"],
            **{name: tuple(column[name]) for name in _NAMES if column[name] is not None},
        )
        for column in row["columns"]
    ]
    return Relation(
        child=(row["schema"], row["table"]),
        parent=(row["parent_schema"], row["parent_table"]),
        columns=tuple(columns),
        **{
            name: row[name]
            for name in (
                *("is_only", "parent_is_only", "match_full"),
                *("is_temporal", "is_visible", "parent_is_visible"),
            )
        },
    )


async def declared(pair: Pair, keys: Sequence[Relation], session: Session) -> Relation:
    """Return the relation of a pair: its foreign key, limited to recent rows, or else two columns with an operator."""
    key = next((key for key in keys if key.is_declared_as(pair)), None)
    if key is not None:
        return replace(key, recent=pair.recent)
    (child, name), (parent, parent_name) = _split(pair.child), _split(pair.parent)
    query = text_of("equality").format(
        child=sql.Identifier(*child).as_string(), column=name, parent=sql.Identifier(*parent).as_string(),
        parent_column=parent_name,
    )  # fmt: skip
    operators = [(row["schema"], row["operator"]) for row in await session.rows(query)]
    column = ComparedColumn(name=name, parent=parent_name, operator=operators[0] if operators else ("=",))
    return Relation(child=child, parent=parent, columns=(column,), recent=pair.recent)
