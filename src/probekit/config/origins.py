"""The place of each value of a configuration; its line is looked up only when a message needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from probekit.config.variables import HiddenValues, Substitution
from probekit.toml_file import FileProblem, Keys, line_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A place in a file: its text and the keys there."""

    file: Path
    text: str = field(repr=False)
    keys: tuple[str | int, ...] = ()

    def below(self, *keys: str | int) -> Origin:
        """The place of keys inside this one."""
        return Origin(file=self.file, text=self.text, keys=(*self.keys, *keys))

    @property
    def line(self) -> int | None:
        """The line of the keys or of their nearest written parent; None for a whole file."""
        return line_of(self.text, self.keys)

    @property
    def name(self) -> str:
        """The keys as a message names them."""
        return ".".join(str(part) for part in self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value and its place; each part of a merged table has its own place."""

    value: Any
    origin: Origin
    parts: Mapping[str, Node] = field(default_factory=dict)  # empty: all parts are below the origin

    def part(self, key: str) -> Node:
        """The part of a table with that key."""
        return self.parts.get(key) or Node(value=self.value[key], origin=self.origin.below(key))

    def get(self, key: str) -> Node | None:
        """The part of a table with that key; None where there is none, or where this is not a table."""
        return self.part(key) if isinstance(self.value, dict) and key in self.value else None

    def origin_of(self, keys: Keys) -> Origin:
        """The place of the value at these keys; of a missing value, the place where it would be."""
        node = self
        for number, key in enumerate(keys):
            if key not in node.parts:
                return node.origin.below(*keys[number:])
            node = node.parts[str(key)]
        return node.origin


def table(parts: Mapping[str, Node], origin: Origin) -> Node:
    """A table with parts from different places."""
    return Node(value={key: part.value for key, part in parts.items()}, origin=origin, parts=parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """The place and the variables of each value of the resolved configuration."""

    document: Node
    substitutions: Mapping[tuple[str | int, ...], Substitution] = field(default_factory=dict)
    _hidden: dict[tuple[str | int, ...], HiddenValues] = field(
        default_factory=dict, repr=False
    )  # by environment, () for all

    def of(self, keys: Keys) -> Origin:
        """The place of the value at these keys."""
        return self.document.origin_of(keys)

    def problem(self, keys: Keys, found: str, expected: str, hint: str = "") -> FileProblem:
        """A problem at these keys, without the values of variables, because any of them may be a secret."""
        origin, hidden = self.of(keys), self._hidden_in(tuple(keys[:2]) if keys and keys[0] == "env" else ())
        found, expected, hint = (hidden.clean(text) for text in (found, expected, hint))
        return FileProblem(
            file=origin.file, line=origin.line, key=origin.name, found=found, expected=expected, hint=hint
        )

    def _hidden_in(self, place: tuple[str | int, ...]) -> HiddenValues:
        """The filter for values of variables below a place, made for its first problem."""
        if place not in self._hidden:
            inside = [one for keys, one in self.substitutions.items() if keys[: len(place)] == place]
            self._hidden[place] = HiddenValues(inside)
        return self._hidden[place]
