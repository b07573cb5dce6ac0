"""What may stand in probes.toml, as a JSON Schema (draft 2020-12) for editors: the settings' models, put together."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import WithDefaultSchema

from probekit import checklist, probes
from probekit.config.own_checks import OwnCheck, limits_key
from probekit.config.settings import File
from probekit.model.quantity import DURATION_PATTERN, duration_text
from probekit.probe import is_duration

_DEFAULT: Final = File.model_fields["checklist"].default
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
_BUILT_IN: Final = {"probes": {"$ref": "#/$defs/built_in_probes"}}
_WHERE_BUILT_IN: Final[Schema] = {  # there its probes are none of the user's own; under another checklist they may be
    "if": {"properties": {"checklist": {"const": _DEFAULT}}},
    "then": {"properties": {**_BUILT_IN, "env": {"additionalProperties": {"properties": _BUILT_IN}}}},
}


class _Generator(GenerateJsonSchema):
    """Writes the defaults of durations as a file would."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """The inner schema with a default of its own type."""
        found = super().default_schema(schema)
        default = self.get_default_value(schema)
        if isinstance(default, BaseModel):
            fields = type(default).model_fields
            found["default"] |= {
                name: duration_text(getattr(default, name)) for name, field in fields.items() if is_duration(field)
            }
        elif found.get("pattern") == DURATION_PATTERN and isinstance(default, int | float):
            found["default"] = duration_text(default)
        return found


def schema() -> Schema:
    """The schema of probes.toml with every installed kind."""
    document: Schema = {
        "$schema": _DRAFT,
        "title": "probes.toml of probekit",
        **File.model_json_schema(schema_generator=_Generator),
    }
    definitions: Schema = document["$defs"]
    kinds = []
    for name in probes.kind_names():
        definitions |= _kind(name)
        kinds.append({"$ref": f"#/$defs/{name}"})
    definitions["probe"] = {
        "description": "the settings of one kind, or tables of instances, each with its own",
        "if": {"required": ["kind"]},
        "then": {"oneOf": kinds},
        "else": {"type": "object", "minProperties": 1, "additionalProperties": {"oneOf": kinds}},
    }
    definitions |= _own_definitions(definitions)
    promises = checklist.load(_DEFAULT).probes
    for table in (document, definitions["Environment"]):
        named = {name: {"$ref": "#/$defs/own_probe", "description": one.help} for name, one in promises.items()}
        table["properties"]["probes"] |= {"properties": named, "additionalProperties": {"$ref": "#/$defs/own_probe"}}
    definitions["built_in_probes"] = {"properties": {name: {"$ref": "#/$defs/probe"} for name in promises}}
    return document | _WHERE_BUILT_IN


def _kind(name: str) -> Schema:
    """The kind's definition and those that it refers to, whose names are its own."""
    known = probes.load_kind(name).config.model_json_schema(
        ref_template=f"#/$defs/{name}.{{model}}", schema_generator=_Generator
    )
    parts = {f"{name}.{part}": definition for part, definition in known.pop("$defs", {}).items()}
    known["properties"]["kind"] = {"const": name, "description": "which plugin reads it"}
    known["required"] = ["kind", *(key for key in known.get("required", ()) if key != "kind")]
    return {name: known, **parts}


def _own_definitions(definitions: Schema) -> Schema:
    """A probe of the user's own: a kind's settings and what the check is held to, or instances and the latter."""
    known = OwnCheck.model_json_schema(ref_template="#/$defs/own.{model}", schema_generator=_Generator)
    keys: Schema = known["properties"]
    found: Schema = {f"own.{part}": definition for part, definition in known.get("$defs", {}).items()}
    kinds = []
    for name in probes.kind_names():
        check = {limits_key(name) if key == "expect" else key: value for key, value in keys.items()}
        kind = definitions[name]
        found[f"own.{name}"] = {**kind, "properties": {**check, **kind["properties"]}}
        kinds.append({"$ref": f"#/$defs/own.{name}"})
    instances = {"type": "object", "minProperties": 1, "properties": keys}
    own = {
        "description": "A probe of your own: the settings of one kind with limits, severity and so on, or instances.",
        "if": {"required": ["kind"]},
        "then": {"oneOf": kinds},
        "else": {**instances, "additionalProperties": {"$ref": "#/$defs/probe"}},
    }
    return {**found, "own_probe": own}
