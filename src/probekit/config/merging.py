"""Merge one configuration over another: one rule for files, environments and probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from probekit.config.origins import Node, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the tables at one place of the file are merged."""

    named: Mapping[str, Shape] = field(default_factory=dict)
    each: Shape | None = None  # of every other entry
    is_probe: bool = False  # or an instance of one
    is_one: bool = False  # a value of several keys, replaced as a whole

    def of(self, key: str) -> Shape:
        """The shape of an entry."""
        return self.named.get(key) or self.each or _PLAIN


_PLAIN: Final = Shape()
PROBES: Final = Shape(each=Shape(is_probe=True, each=Shape(is_probe=True)))
_PEOPLE: Final = Shape(each=Shape(is_one=True))  # one person must not get the telephone number of another
ENVIRONMENT: Final = Shape(named={"probes": PROBES, "contacts": _PEOPLE})
FILE: Final = Shape(named={"probes": PROBES, "defaults": ENVIRONMENT, "env": Shape(each=ENVIRONMENT)})


def merged(under: Node, over: Node, shape: Shape) -> Node:
    """The value `over` merged over `under`: tables key by key, any other value replaces.

    Some tables also replace as a whole: a probe with its kind, instances that all name their kind, a person, and a
    reference to a secret.
    """
    if not (isinstance(under.value, dict) and isinstance(over.value, dict)):
        return over
    if not under.value or shape.is_one or (_is_reference(under.value) and _is_reference(over.value)):
        return over
    if shape.is_probe and _stands_alone(under.value, over.value):
        return over
    parts = {key: under.part(key) for key in under.value if key not in over.value}
    for key in over.value:
        below = under.get(key)
        parts[key] = merged(below, over.part(key), shape.of(key)) if below else over.part(key)
    return table(parts, over.origin)


def _stands_alone(under: Mapping[str, Any], over: Mapping[str, Any]) -> bool:
    """Whether a probe's table replaces the one below: one probe and instances never mix."""
    tables = [value for value in over.values() if isinstance(value, dict)]
    with_kind = ["kind" in value for value in tables]
    return "kind" in over or (bool(tables) and (all(with_kind) or (any(with_kind) and "kind" in under)))


def _is_reference(table: Mapping[str, Any]) -> bool:
    """Whether a table is `{ env = "NAME" }` or `{ file = "PATH" }`."""
    return len(table) == 1 and any(isinstance(table.get(key), str) for key in ("env", "file"))
