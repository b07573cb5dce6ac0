"""Let a text with a variable stand in a schema wherever the loader puts its value in."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]
_HAS_VARIABLE: Final = {"type": "string", "pattern": r"\$\{"}
_NARROW: Final = frozenset(("pattern", "maxLength", "enum", "const", "format"))  # what a text with a variable may break
_VALUES: Final = ("integer", "number", "boolean")
_ABOUT: Final = ("title", "description", "default")  # what is said of a setting, whatever its value
_SCHEMAS: Final = ("items", "additionalProperties", "anyOf", "oneOf", "allOf", "prefixItems")
_REFERENCES: Final = ("SecretRef", "SecretFile")  # a variable never stands in them


def with_variables(definitions: Schema) -> Schema:
    """The definitions of models, by their names, with texts that hold a variable."""
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
