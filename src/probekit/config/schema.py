"""The JSON Schema (draft 2020-12) of probes.toml for editors, made from the models of the settings."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import WithDefaultSchema

from probekit import checklist, probes
from probekit.config.inheritance import NEVER_INHERITED
from probekit.config.own_checks import OwnCheck, limits_key
from probekit.config.schema_variables import Schema, with_variables
from probekit.config.settings import File
from probekit.model.quantity import DURATION_PATTERN, duration_text
from probekit.probe import is_duration

_DEFAULT: Final = File.model_fields["checklist"].default
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_WITH_KIND: Final[Schema] = {"required": ["kind"]}
_BUILT_IN: Final = {"$ref": "#/$defs/built_in_probes"}
_OF_EACH: Final = "additionalProperties"  # environment, or probe
# With the built-in checklist its probes are not the user's own; with another checklist they may be
_WHERE_BUILT_IN: Final[Schema] = {
    "if": {"properties": {"checklist": {"const": _DEFAULT}}},
    "then": {
        "properties": {
            "probes": _BUILT_IN,
            "env": {_OF_EACH: {"properties": {"probes": {"$ref": "#/$defs/built_in_with_kind"}}}},
        }
    },
}
# A table that inherits nothing is complete: it names its kind, or instances with theirs
_WHERE_COMPLETE: Final[Schema] = {
    "if": {"not": {"anyOf": [{"required": [key]} for key in ("include", "defaults", "probes")]}},
    "then": {
        "properties": {
            "env": {
                _OF_EACH: {
                    "if": {"not": {"required": ["inherits"]}},
                    "then": {"properties": {"probes": {_OF_EACH: {"$ref": "#/$defs/own_probe"}}}},
                }
            }
        }
    },
}


class SchemaGenerator(GenerateJsonSchema):
    """Writes the defaults of durations in the form of a configuration file."""

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
        **File.model_json_schema(schema_generator=SchemaGenerator),
    }
    definitions: Schema = document["$defs"]
    kinds = []
    for name in probes.kind_names():
        definitions |= _kind(name)
        kinds.append({"$ref": f"#/$defs/{name}"})
    definitions = document["$defs"] = with_variables(definitions)
    definitions["probe"] = {
        "description": "The settings of one kind, or tables of instances, each with its own.",
        "if": _WITH_KIND,
        "then": {"oneOf": kinds},
        "else": {"type": "object", "minProperties": 1, "additionalProperties": {"oneOf": kinds}},
    }
    definitions |= _own_definitions(definitions)
    promises = checklist.load(_DEFAULT).probes
    environment = definitions["Environment"]
    for table, reference in ((document, "own_probe"), (environment, "added_probe")):
        each = {"$ref": f"#/$defs/{reference}"}
        named = {name: {**each, "description": _sentence(one.help)} for name, one in promises.items()}
        table["properties"]["probes"] |= {"properties": named, _OF_EACH: each}
        table.pop("required")  # an included or including file may contain it
    definitions["Defaults"] = {
        **{key: part for key, part in environment.items() if key != "title"},
        "description": "Settings and probes that hold in every environment.",
        "properties": {key: part for key, part in environment["properties"].items() if key not in NEVER_INHERITED},
    }
    document["properties"]["defaults"] = {"$ref": "#/$defs/Defaults"}
    whole, with_kind = {"$ref": "#/$defs/probe"}, {"if": _WITH_KIND, "then": {"$ref": "#/$defs/probe"}}
    definitions["built_in_probes"] = {"properties": dict.fromkeys(promises, whole)}
    definitions["built_in_with_kind"] = {"properties": dict.fromkeys(promises, with_kind)}
    return document | {"allOf": [_WHERE_BUILT_IN, _WHERE_COMPLETE]}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _kind(name: str) -> Schema:
    """The definitions of a kind; the names of its parts begin with its own."""
    known = probes.load_kind(name).config.model_json_schema(
        ref_template=f"#/$defs/{name}.{{model}}", schema_generator=SchemaGenerator
    )
    parts = {f"{name}.{part}": definition for part, definition in known.pop("$defs", {}).items()}
    known["properties"]["kind"] = {"const": name, "description": "Kind of the probe: the plugin that reads it."}
    known["required"] = ["kind", *(key for key in known.get("required", ()) if key != "kind")]
    return {name: known, **parts}


def _own_definitions(definitions: Schema) -> Schema:
    """The definitions of a user's own probe: the settings of a kind, or instances, with those of the check."""
    known = OwnCheck.model_json_schema(ref_template="#/$defs/own.{model}", schema_generator=SchemaGenerator)
    keys: Schema = with_variables({"own": known})["own"]["properties"]
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
        "if": _WITH_KIND,
        "then": {"oneOf": kinds},
        "else": {**instances, _OF_EACH: {"$ref": "#/$defs/probe"}},
    }
    added = {
        "description": "A probe. Its table replaces the inherited one where it has a kind, and extends it otherwise.",
        "if": _WITH_KIND,
        "then": {"oneOf": kinds},
        "else": {
            "type": "object",
            "minProperties": 1,
            _OF_EACH: {"if": {"type": "object", **_WITH_KIND}, "then": {"$ref": "#/$defs/probe"}},
        },
    }
    return {**found, "own_probe": own, "added_probe": added}
