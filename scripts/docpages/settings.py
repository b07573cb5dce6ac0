"""Tables of settings: key, type with its range and unit, default and description, from a model's JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docpages.markdown import code
from probekit.config.schema import SchemaGenerator
from probekit.model.quantity import DURATION_PATTERN, duration_text

Node = Mapping[str, Any]
_REFERENCE: Final = "#/$defs/"
_SECRET: Final = "SecretRef"  # noqa: S105  # the name of a model, no secret
_NAMES: Final = {"boolean": "true or false", "integer": "whole number", "number": "number", "string": "text"}
_FORMATS: Final = {"date-time": "time", "path": "path"}
_BOUNDS: Final = (("minimum", "ge"), ("exclusiveMinimum", "gt"), ("maximum", "le"), ("exclusiveMaximum", "lt"))
_WORDS: Final = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True)
class Setting:
    """One key of a table: what may stand there, and the tables of its value."""

    key: str
    type: str
    default: str  # as a file writes it, "required" or "none"
    description: str
    tables: tuple[str, ...]  # names of the models of which its value or its entries are
    is_list: bool
    is_named: bool  # its value is a table of tables, each under a name of its own

    @property
    def row(self) -> tuple[str, str, str, str]:
        """The row of a table in Markdown."""
        default = self.default if self.default in ("required", "none") else code(self.default)
        return code(self.key), self.type, default, self.description


class Model:
    """The schema of a model and of all tables that it refers to."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._whole = model.model_json_schema(schema_generator=SchemaGenerator)
        self._definitions: Mapping[str, Node] = self._whole.get("$defs", {})
        self._models = {one.__name__: one for one in _models_in(model)} | {"": model}

    def settings(self, table: str = "") -> Iterator[Setting]:
        """Yield the settings of one table by its model's name, or of the model itself."""
        node = self._definitions[table] if table else self._whole
        model = self._models.get(table)
        fields = {field.alias or name: field for name, field in model.model_fields.items()} if model else {}
        for key, part in node.get("properties", {}).items():
            required = key in node.get("required", ())
            yield Setting(
                key=key,
                type=self._type(_bounded(part, fields[key]) if key in fields else part),
                default="required" if required else _default(part),
                description=part.get("description", ""),
                tables=tuple(self._tables(part)),
                is_list=any(one.get("type") == "array" for one in (part, *part.get("anyOf", ()))),
                is_named=isinstance(part.get("additionalProperties"), Mapping),
            )

    def flat(self, table: str = "", above: Sequence[str] = ()) -> Iterator[Setting]:
        """Yield the settings of one table, each followed by those of its own tables, as `key[].inner`."""
        for one in self.settings(table):
            yield one
            for inner in one.tables:
                if inner not in above:
                    mark = "[]" if one.is_list else ".NAME" if one.is_named else ""
                    for found in self.flat(inner, (*above, inner)):
                        yield Setting(**{**vars(found), "key": f"{one.key}{mark}.{found.key}"})

    def _type(self, node: Node) -> str:
        if reference := node.get("$ref"):
            return self._type_of_reference(reference.removeprefix(_REFERENCE))
        if "anyOf" in node:
            return " or ".join(dict.fromkeys(self._type(one) for one in node["anyOf"] if one.get("type") != "null"))
        if "const" in node or "enum" in node:
            return " or ".join(code(word) for word in node.get("enum", [node.get("const")]))
        kind = node.get("type", "")
        if kind == "array":
            return f"list ({self._type(node['items'])})" if node.get("items") else "list"
        if kind == "object":
            inner = node.get("additionalProperties")
            return f"table ({self._type(inner)})" if isinstance(inner, Mapping) and inner else "table"
        name = "duration" if node.get("pattern") == DURATION_PATTERN else _NAMES.get(kind, "any value")
        return _FORMATS.get(node.get("format", ""), name) + _bounds(node, is_duration=name == "duration")

    def _type_of_reference(self, name: str) -> str:
        if name == _SECRET:
            return "reference to a secret"
        return self._type(self._definitions[name]) if "enum" in self._definitions[name] else "table"

    def _tables(self, node: Node) -> Iterator[str]:
        """Yield the models of tables in a value, but for references to secrets, which have a section of their own."""
        name = node.get("$ref", "").removeprefix(_REFERENCE)
        if name and name != _SECRET and "properties" in self._definitions[name]:
            yield name
        inner = node.get("additionalProperties")
        parts = [*node.get("anyOf", ()), node.get("items"), inner if isinstance(inner, Mapping) else None]
        for part in parts:
            if part:
                yield from self._tables(part)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the models in an annotation, each with those in its own fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models_in(field.annotation)
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _bounded(node: Node, field: FieldInfo) -> Node:
    """Return the schema of a duration with the bounds of its field, which the schema of a text cannot hold."""
    if node.get("pattern") != DURATION_PATTERN:
        return node
    return {**node, **{name: getattr(mark, name) for mark in field.metadata for name in _WORDS if hasattr(mark, name)}}


def _default(node: Node) -> str:
    """Return a default as a file writes it; none for a table of which the file would write a part."""
    value = node.get("default")
    if isinstance(value, Mapping):
        parts = {key: _written(inner) for key, inner in value.items()}
        if not parts or {"none", "[]", "{}"} & {*parts.values()}:
            return "none"
        return f"{{ {', '.join(f'{key} = {text}' for key, text in parts.items())} }}"
    return _written(value)


def _written(value: object) -> str:
    return "none" if value in (None, "") else json.dumps(value, ensure_ascii=False)


def _bounds(node: Node, *, is_duration: bool) -> str:
    """Return the range of a number or a duration, such as ", 1 to 64"."""
    found = {short: node[name] for pair in _BOUNDS for name, short in [pair] if name in node}
    found |= {short: node[short] for short in _WORDS if short in node}  # of types that JSON Schema does not bound
    texts = {short: duration_text(bound) if is_duration else f"{bound:,}" for short, bound in found.items()}
    if {"ge", "le"} <= texts.keys():
        return f", {texts['ge']} to {texts['le']}"
    return "".join(f", {_WORDS[short]} {texts[short]}" for short in _WORDS if short in texts)
