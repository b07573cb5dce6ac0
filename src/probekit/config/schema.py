"""What may stand in probes.toml, as a JSON Schema (draft 2020-12) for editors: the settings' models, put together."""

from __future__ import annotations

from typing import Any, Final

from probekit import checklist, probes
from probekit.config.settings import File

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def schema() -> Schema:
    """The schema of probes.toml with every installed kind."""
    document: Schema = {"$schema": _DRAFT, "title": "probes.toml of probekit", **File.model_json_schema()}
    definitions: Schema = document["$defs"]
    kinds = []
    for name in probes.names():
        definitions |= _kind(name)
        kinds.append({"$ref": f"#/$defs/{name}"})
    definitions["probe"] = {
        "description": "the settings of one kind, or tables of instances, each with its own",
        "if": {"required": ["kind"]},
        "then": {"oneOf": kinds},
        "else": {"type": "object", "minProperties": 1, "additionalProperties": {"oneOf": kinds}},
    }
    for table in (document, definitions["Environment"]):
        table["properties"]["probes"] |= _probes()
    return document


def _kind(name: str) -> Schema:
    """The kind's definition and those that it refers to, whose names are its own."""
    known = probes.load(name).config.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    parts = {f"{name}.{part}": definition for part, definition in known.pop("$defs", {}).items()}
    known["properties"]["kind"] = {"const": name, "description": "which plugin reads it"}
    known["required"] = ["kind", *(key for key in known.get("required", ()) if key != "kind")]
    return {name: known, **parts}


def _probes() -> Schema:
    """The built-in checklist's probes by name; another checklist may have others."""
    promises = checklist.load("softfactory").probes
    named = {name: {"$ref": "#/$defs/probe", "description": promise.help} for name, promise in promises.items()}
    return {"properties": named, "additionalProperties": {"$ref": "#/$defs/probe"}}
