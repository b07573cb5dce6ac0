"""Accept a text with a variable in a schema wherever the loader replaces variables."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]
_HAS_VARIABLE: Final = {"type": "string", "pattern": r"\$\{"}
_NARROW: Final = frozenset(
    ("pattern", "maxLength", "enum", "const", "format")
)  # a text with a variable may violate these
_VALUES: Final = ("integer", "number", "boolean")
_ABOUT: Final = ("title", "description", "default")  # annotations, which do not restrict the value
_SCHEMAS: Final = ("items", "additionalProperties", "anyOf", "oneOf", "allOf", "prefixItems")
_REFERENCES: Final = ("SecretRef", "SecretFile")  # these never contain a variable


def with_variables(definitions: Schema) -> Schema:
    """The definitions of models by name, extended by texts with a variable."""
    return {name: one if name.rpartition(".")[2] in _REFERENCES else _widened(one) for name, one in definitions.items()}


def _widened(node: Any) -> Any:  # noqa: ANN401  # a schema, or a list of them
    if isinstance(node, list):
        return [_widened(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: _widened(part) if key in _SCHEMAS else part for key, part in node.items()}
    if isinstance(found.get("properties"), dict):
        found["properties"] = {
            key: part if key == "kind" else _widened(part) for key, part in found["properties"].items()
        }
    if not (found.get("type") in _VALUES or (not _NARROW.isdisjoint(found) and found.get("type") in (None, "string"))):
        return found
    about = {key: found.pop(key) for key in _ABOUT if key in found}
    return {**about, "anyOf": [found, _HAS_VARIABLE]}
